package config_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/config"
)

// from makes an input of a base file, an overlay and variables "NAME=value".
func from(base, overlay string, env ...string) config.Input {
	in := config.Input{Getenv: environment(env...)}
	if base != "" {
		in.YAML = append(in.YAML, config.File{Name: "instance.yaml", Data: []byte(base)})
	}
	if overlay != "" {
		in.YAML = append(in.YAML, config.File{Name: "overlay.yaml", Data: []byte(overlay)})
	}
	return in
}

func environment(env ...string) func(string) (string, bool) {
	vars := map[string]string{}
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		vars[name] = value
	}
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func mustLoad(t *testing.T, in config.Input) config.Config {
	t.Helper()
	c, warnings, err := config.Load(in)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	for _, w := range warnings {
		t.Errorf("unexpected warning: %s", w)
	}
	return c
}

func TestDefaults(t *testing.T) {
	t.Parallel()

	c := mustLoad(t, config.Input{})

	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"addr", c.Server.Addr, "127.0.0.1:8000"},
		{"metrics addr", c.Server.MetricsAddr, "127.0.0.1:9090"},
		{"grace", c.Server.ShutdownGrace, 20 * time.Second},
		{"origins", c.Server.CORSOrigins, []string{"http://localhost:3000", "http://localhost:8000"}},
		{"secure cookies", c.Server.SecureCookies(), false},
		{"dirs", c.Dirs, config.Dirs{Data: "./data", State: filepath.Join("data", "state"), Config: "./config"}},
		{"instance", c.Instance, config.Instance{Name: "AI Data Analyst", Brand: "Agnes"}},
		{"files", c.Files, config.Files{MaxUploadBytes: 2 << 30, VersionsKept: 5, VersionsAge: 90 * 24 * time.Hour, JoinedBytes: 4 << 30, Unfinished: 10}},
		{"sync", c.Sync, config.Sync{DefaultSchedule: "every 1h", ExtractorTimeout: time.Hour}},
		{"remote attach", c.Remote, config.Remote{
			Extensions:   []string{"keboola", "bigquery"},
			TokenEnvs:    []string{"KBC_TOKEN", "KBC_STORAGE_TOKEN", "KEBOOLA_STORAGE_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"},
			QueryTimeout: 10 * time.Minute,
		}},
		{"query", c.Query, config.Query{Timeout: time.Minute, MemoryBytes: 512 << 20, Threads: 1, Children: 2, Queue: 256, MaxRows: 10000, PersonConcurrent: 64, PersonDailyBytes: 50 << 30, ResultBytes: 1 << 30, PersonResultBytes: 5 << 30, ResultAge: 7 * 24 * time.Hour, HistoryAge: 90 * 24 * time.Hour}},
		{"level", c.Log.Level, slog.LevelInfo},
		{"channel", c.Build.Channel, "dev"},
		{"token set", c.Auth.SchedulerToken.Set(), false},
	} {
		if diff := cmp.Diff(check.want, check.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", check.what, diff)
		}
	}
}

func TestQueryDefaultsFollowTheMachine(t *testing.T) {
	t.Parallel()

	for _, check := range []struct {
		machine                   config.Machine
		children, threads, memory int
	}{
		{config.Machine{}, 2, 1, 512},
		{config.Machine{MemoryBytes: 1 << 30, CPUs: 1}, 2, 1, 256},
		{config.Machine{MemoryBytes: 256 << 20, CPUs: 2}, 3, 2, 128},
		{config.Machine{MemoryBytes: 24 << 30, CPUs: 2}, 3, 2, 4096},
		{config.Machine{MemoryBytes: 64 << 30, CPUs: 64}, 17, 8, 1927},
	} {
		q := mustLoad(t, config.Input{Machine: check.machine}).Query
		want := q
		want.Children, want.Threads, want.MemoryBytes, want.Queue = check.children, check.threads, int64(check.memory)<<20, 256
		if q != want {
			t.Errorf("%+v: query = %+v, want %+v", check.machine, q, want)
		}
	}
}

func TestChildrenShareTheMachine(t *testing.T) {
	t.Parallel()

	for _, check := range []struct {
		machine config.Machine
		memory  int64
		threads int
	}{
		{config.Machine{}, 0, 4}, // unknown memory is not bounded
		{config.Machine{MemoryBytes: 64 << 20, CPUs: 1}, 128, 4},
		{config.Machine{MemoryBytes: 24 << 30, CPUs: 2}, 18 << 10, 8},
	} {
		c := mustLoad(t, config.Input{Machine: check.machine}).Children
		if want := (config.Children{MemoryBytes: check.memory << 20, Threads: check.threads}); c != want {
			t.Errorf("%+v: children = %+v, want %+v", check.machine, c, want)
		}
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()

	base, overlay, env := "server:\n  addr: base:1\n", "server: {addr: 'overlay:2'}", "AGNES_ADDR=env:3"
	for _, check := range []struct {
		name, want, origin string
		in                 config.Input
		flag               string
	}{
		{name: "default", want: "127.0.0.1:8000", origin: "default", in: from("", "")},
		{name: "base", want: "base:1", origin: "instance.yaml:2", in: from(base, "")},
		{name: "overlay", want: "overlay:2", origin: "overlay.yaml:1", in: from(base, overlay)},
		{name: "environment", want: "env:3", origin: "AGNES_ADDR", in: from(base, overlay, env)},
		{name: "flag", want: "flag:4", origin: "--addr", in: from(base, overlay, env), flag: "flag:4"},
		{name: "port over the default", want: "127.0.0.1:9", origin: "PORT", in: from("", "", "PORT=9")},
		{name: "port over a file", want: "base:9", origin: "PORT", in: from(base, "", "PORT=9")},
		{name: "empty overlay value", want: "127.0.0.1:8000", origin: "default", in: from(base, "server: {addr: ''}")},
		{name: "null in the overlay", want: "base:1", origin: "instance.yaml:2", in: from(base, "server:\n")},
		{name: "empty variable", want: "base:1", origin: "instance.yaml:2", in: from(base, "", "AGNES_ADDR=")},
	} {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			if check.flag != "" {
				check.in.Flags = map[string]string{"addr": check.flag}
			}
			c := mustLoad(t, check.in)
			if c.Server.Addr != check.want {
				t.Errorf("addr = %q, want %q", c.Server.Addr, check.want)
			}
			for _, e := range c.Effective() {
				if e.Key == "server.addr" && (e.Value != check.want || e.Origin != check.origin) {
					t.Errorf("effective %q from %q, want %q from %q", e.Value, e.Origin, check.want, check.origin)
				}
			}
		})
	}
}

func TestFilesMergeKeyByKey(t *testing.T) {
	t.Parallel()

	c := mustLoad(t, from(`
instance: &names {name: Base, brand: Base brand}
server:
  cors_origins: [http://a.example, http://b.example]
files:
  max_upload_bytes: 1_000
`, `
instance:
  name: "Overlay ${SUFFIX}"
server:
  cors_origins:
    - https://c.example
`, "SUFFIX=(test)"))

	if got, want := c.Instance, (config.Instance{Name: "Overlay (test)", Brand: "Base brand"}); got != want {
		t.Errorf("instance = %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"https://c.example"}, c.Server.CORSOrigins); diff != "" {
		t.Errorf("lists replace each other (-want +got):\n%s", diff)
	}
	if c.Files.MaxUploadBytes != 1000 {
		t.Errorf("max upload = %d, want 1000", c.Files.MaxUploadBytes)
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	t.Parallel()

	c := mustLoad(t, from(`
catalog:
  defaults: &d {timeout_seconds: 30, max_rows: 50}
  more: &m {threads: 3, max_rows: 70}
query:
  max_rows: 60
  <<: [*d, *m]
`, ""))

	if c.Query.Timeout != 30*time.Second || c.Query.MaxRows != 60 || c.Query.Threads != 3 {
		t.Errorf("query = %+v, want 30 s, 60 rows, 3 threads", c.Query)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()

	for _, check := range []struct {
		env                    []string
		flags                  map[string]string
		base, overlay, overEnv string
	}{
		{nil, nil, "config/instance.yaml", "data/state/instance.yaml", "data/state/.env_overlay"},
		{[]string{"DATA_DIR=/srv", "CONFIG_DIR=/etc/agnes"}, nil, "/etc/agnes/instance.yaml", "/srv/state/instance.yaml", "/srv/state/.env_overlay"},
		{[]string{"DATA_DIR=/srv", "STATE_DIR=/st"}, map[string]string{"data-dir": "/flag"}, "config/instance.yaml", "/st/instance.yaml", "/st/.env_overlay"},
	} {
		d := config.Places(environment(check.env...), check.flags)
		got := []string{d.BaseFile(), d.OverlayFile(), d.EnvOverlayFile()}
		if diff := cmp.Diff([]string{check.base, check.overlay, check.overEnv}, got); diff != "" {
			t.Errorf("%v %v (-want +got):\n%s", check.env, check.flags, diff)
		}
	}
}

func TestEffectiveHidesSecrets(t *testing.T) {
	t.Parallel()

	const token = "0123456789abcdef0123456789abcdef"
	c := mustLoad(t, from("", "", "SCHEDULER_API_TOKEN="+token, "LOG_LEVEL=WARNING"))

	seen := map[string]string{}
	for _, e := range c.Effective() {
		seen[e.Name()] = e.Value
		if strings.Contains(e.Value, token) {
			t.Errorf("%s shows the secret", e.Name())
		}
	}
	if seen["SCHEDULER_API_TOKEN"] != "[redacted]" || seen["JWT_SECRET_KEY"] != "" || seen["log.level"] != "WARNING" {
		t.Errorf("effective = %v", seen)
	}
	if c.Auth.SchedulerToken.Reveal() != token {
		t.Error("the token is not what was set")
	}
	if len(seen) != len(config.Settings()) {
		t.Errorf("%d effective settings, want all %d", len(seen), len(config.Settings()))
	}
}

func TestSecureCookies(t *testing.T) {
	t.Parallel()

	for env, want := range map[string]bool{
		"DOMAIN=agnes.example.com":                true,
		"SERVER_URL=https://agnes.example.com/":   true,
		"SERVER_URL=http://agnes.example.com:800": false,
	} {
		if got := mustLoad(t, from("", "", env)).Server.SecureCookies(); got != want {
			t.Errorf("%s: secure cookies %v, want %v", env, got, want)
		}
	}
}

func mistakesOf(t *testing.T, in config.Input) config.Mistakes {
	t.Helper()
	_, _, err := config.Load(in)
	var m config.Mistakes
	if !errors.As(err, &m) {
		t.Fatalf("Load: %v, want Mistakes", err)
	}
	return m
}
