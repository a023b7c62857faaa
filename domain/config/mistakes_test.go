package config_test

import (
	"os"
	"strings"
	"testing"

	"agnes/domain/config"
)

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()

	in := from(`
query:
  timeout_seconds: soon
  memory_mb: 12
sync: {default_schedule: hourly}
files: 5
`, "", "AGNES_ADDR=8000", "SCHEDULER_API_TOKEN=short-secret", "SEED_ADMIN_PASSWORD=hunter2")
	in.Flags = map[string]string{"log-level": "loud"}

	text := mistakesOf(t, in).Error()

	for _, want := range []string{
		"9 settings have to change before Agnes can start:",
		`query.timeout_seconds (instance.yaml:3): "soon" is not a whole number. Give whole seconds from 1 to 86400.`,
		`query.memory_mb (instance.yaml:4): "12" is outside 64 to 1048576. Give`,
		`sync.default_schedule (instance.yaml:5): "hourly" is not a schedule. Give "every 15m"`,
		`files (instance.yaml:6): one value stands where a section belongs. Indent keys below it.`,
		`server.addr (AGNES_ADDR): "8000" is not host:port. Give`,
		`SCHEDULER_API_TOKEN: the value has 12 characters; 32 are the least. Give`,
		`log.level (--log-level): "loud" is not a level. Give debug, info, warning or error.`,
		`SEED_ADMIN_PASSWORD: a first password is set, but nobody to have it. Set SEED_ADMIN_EMAIL`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in:\n%s", want, text)
		}
	}
	for _, secret := range []string{"short-secret", "hunter2"} {
		if strings.Contains(text, secret) {
			t.Errorf("shows %q:\n%s", secret, text)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()

	for name, check := range map[string]struct {
		in   config.Input
		want string
	}{
		"port too large":        {from("", "", "PORT=70000"), "no port from 0 to 65535"},
		"port with a sign":      {from("", "", "AGNES_ADDR=localhost:+80"), "no port from 0 to 65535"},
		"address with a path":   {from("", "", "AGNES_ADDR=http://x:80"), "is not host:port"},
		"metrics on the pages":  {from("", "", "AGNES_METRICS_ADDR=127.0.0.1:8000"), "the same address as the pages"},
		"server url bare":       {from("", "", "SERVER_URL=agnes.example.com"), "is not a whole web address"},
		"server url with path":  {from("", "", "SERVER_URL=https://x.example/agnes"), "more than scheme, host and port"},
		"domain with scheme":    {from("", "", "DOMAIN=https://x.example"), "is not a host name"},
		"any origin":            {from("", "", "CORS_ORIGINS=*"), `"*", which is not an origin`},
		"size in words":         {from("", "", "AGNES_MAX_UPLOAD_BYTES=big"), "is not a size"},
		"size of nothing":       {from("", "", "AGNES_MAX_UPLOAD_BYTES=0"), "is outside 1 byte to 1 PiB"},
		"no versions":           {from("", "", "AGNES_VERSIONS_KEPT=0"), "is outside 1 to 1000"},
		"neither true nor so":   {from("", "", "DEBUG=maybe"), "is neither true nor false"},
		"not an address":        {from("", "", "SEED_ADMIN_EMAIL=petra"), "An e-mail address looks like"},
		"mail from nobody":      {from("", "", "SMTP_HOST=smtp.example.com", "SMTP_USER=apikey"), "nobody that it comes from"},
		"short first password":  {from("", "", "SEED_ADMIN_EMAIL=a@b.example", "SEED_ADMIN_PASSWORD=short"), "at least 8 characters; this one has 5"},
		"control in a name":     {from(`instance: {name: "a\nb"}`, ""), "more than one line"},
		"name too long":         {from("instance: {name: "+strings.Repeat("a", 201)+"}", ""), "longer than 200 characters"},
		"domain list":           {from("auth: {allowed_domain: 'a.example, b c'}", ""), `"b c", which is not a domain`},
		"section for a value":   {from("server:\n  addr:\n    host: x\n", ""), "instance.yaml:2): a list or section stands where one value belongs"},
		"list of sections":      {from("server: {cors_origins: [{a: b}]}", ""), "a list or section stands"},
		"newer layout":          {from("config_version: 2", ""), "Give 1, the only layout there is"},
		"not a mapping":         {from("- a\n- b\n", ""), "does not hold keys with values"},
		"not YAML":              {from("instance:\n  name: \"open\n", ""), "instance.yaml"},
		"key twice":             {from("query:\n  threads: 1\n  threads: 2\n", ""), "instance.yaml:3"},
		"two documents":         {from("query: {threads: 1}\n---\nquery: {threads: 2}\n", ""), "a second document"},
		"alias of nothing":      {from("instance: {name: *x}", ""), "instance.yaml"},
		"endless alias":         {from("datasets: &a\n  b: *a\n", ""), "the file holds too much"},
		"mistake from overlay":  {from("query: {threads: 1}", "query: {threads: none}"), "query.threads (overlay.yaml:1)"},
		"NUL in a folder":       {from("", "", "DATA_DIR=a\x00b"), "never in a path"},
		"blank in the address":  {from("", "", "AGNES_ADDR=my host:80"), "no host name in front"},
		"seconds beyond bounds": {from("", "", "AGNES_SHUTDOWN_GRACE_SECONDS=9999"), "is outside 0 to 600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text := mistakesOf(t, check.in).Error(); !strings.Contains(text, check.want) {
				t.Errorf("missing %q in:\n%s", check.want, text)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()

	for name, check := range map[string]struct {
		in   config.Input
		want []string // parts of each warning, in order
	}{
		"misspelt section":      {from("qurey: {threads: 1, x: 2}", ""), []string{"qurey (instance.yaml:1): Agnes does not know this key, so it has no effect. The nearest key is query."}},
		"misspelt key":          {from("query:\n  timeout_second: 5\n", ""), []string{"query.timeout_second (instance.yaml:2)", "query.timeout_seconds."}},
		"wrong section":         {from("timeout_seconds: 5", ""), []string{"query.timeout_seconds."}},
		"nothing near":          {from("zzzzzz: 5", ""), []string{"it has no effect."}},
		"later keys":            {from("jira: {url: x}\ntelegram: {a: {b: 1}}\ndata_source:\n  type: local\nauth: {webapp_secret_key: x}\nusers: [a]\n", ""), nil},
		"empty variable":        {from("instance: {name: '${COMPANY}'}", ""), []string{"instance.name (instance.yaml:1): ${COMPANY} is empty, because the environment does not set COMPANY."}},
		"short signing key":     {from("", "", "JWT_SECRET_KEY=short"), []string{"fewer than 32 characters"}},
		"port beside address":   {from("", "", "PORT=1", "AGNES_ADDR=:2"), []string{"because AGNES_ADDR is set as well"}},
		"an empty file is fine": {from("# nothing yet\n", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, warnings, err := config.Load(check.in)
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			var text []string
			for _, w := range warnings {
				text = append(text, w.String())
			}
			all := strings.Join(text, "\n")
			for _, want := range check.want {
				if !strings.Contains(all, want) {
					t.Errorf("missing %q in %q", want, all)
				}
			}
			if len(check.want) == 0 && all != "" {
				t.Errorf("unexpected warnings: %s", all)
			}
		})
	}
}

func TestOneMistakeIsOne(t *testing.T) {
	t.Parallel()

	if text := mistakesOf(t, from("", "", "DEBUG=maybe")).Error(); !strings.HasPrefix(text, "One setting has to change") {
		t.Errorf("got %q", text)
	}
}

// TestExample keeps the example file true: every key in it is known, also those
// that are commented out.
func TestExample(t *testing.T) {
	t.Parallel()

	data, err := os.ReadFile("../../config/instance.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mustLoad(t, from(string(data), ""))
	var open []string
	for i, line := range strings.SplitAfter(string(data), "\n") {
		if i > 4 { // below the head, "# " hides a key
			line = strings.Replace(line, "# ", "", 1)
		}
		open = append(open, line)
	}
	mustLoad(t, from(strings.Join(open, ""), "", "COMPANY=Example"))
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "a: b", "query:\n  timeout_seconds: 5\n", "x: &a [1, *a]", "<<: *x", "? a\n: b", "a: !!str 1", "a: |\n  b\n", "{a: {b: [c]}}", "%YAML 1.2\n---\na: ${B}",
		"&a a: *a", "? [a, b]\n: c", "a: &b\n<<: *b",
	} {
		f.Add([]byte(seed), "AGNES_ADDR", "127.0.0.1:1")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		in := from(string(data), "", name+"="+value)
		c, _, err := config.Load(in)
		if err == nil && len(c.Effective()) != len(config.Settings()) {
			t.Errorf("%d effective settings, want %d", len(c.Effective()), len(config.Settings()))
		}
		if err != nil && err.Error() == "" {
			t.Error("a mistake without words")
		}
	})
}
