package settings_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/registry"
	"agnes/domain/settings"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "query: {queue: 7}\nfiles: {versions_kept: 3}\n", map[string]string{"AGNES_INSTANCE_NAME": "From outside"})
	p.mustSave(`{"files": {"versions_kept": 4}, "theme": {"primary": "#123"}, "ai": {"model": "small"}}`)
	for key, want := range map[string]settings.Field{
		"query.timeout_seconds":    {Value: "60", Origin: settings.FromDefault, Where: "default"},
		"query.queue":              {Value: "7", Origin: settings.FromBase, Where: "config/instance.yaml:1"},
		"files.versions_kept":      {Value: "4", Origin: settings.FromOverlay, Where: "state/instance.yaml:4"},
		"instance.name":            {Value: "From outside", Origin: settings.FromEnvironment, Where: "AGNES_INSTANCE_NAME"},
		"ai.model":                 {Value: "small", Origin: settings.FromOverlay, Where: "state/instance.yaml:2"},
		"ai.structured_output":     {Value: "auto", Origin: settings.FromDefault, Where: "default"},
		"corporate_memory.sources": {Origin: settings.FromDefault, Where: "default"},
	} {
		got := p.field(key)
		if got.Value != want.Value || got.Origin != want.Origin || got.Where != want.Where {
			t.Errorf("%s = %q from %s (%s), want %q from %s (%s)", key, got.Value, got.Origin, got.Where, want.Value, want.Origin, want.Where)
		}
	}
	if !p.field("instance.name").Locked() || p.field("query.queue").Locked() {
		t.Error("what the environment sets is locked, and nothing else")
	}
	if elsewhere := p.view().Elsewhere; len(elsewhere) == 0 || elsewhere[0].Setting.Key != "" {
		t.Errorf("set elsewhere: %v", elsewhere)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ patch, code, field string }{
		"nothing":             {`{}`, "empty", ""},
		"an unknown section":  {`{"nonsense": {"a": 1}}`, "unknown_section", ""},
		"a value for one":     {`{"query": 5}`, "invalid_query", "query"},
		"an unknown key":      {`{"query": {"timeout": 5}}`, "wrong_value", "query.timeout"},
		"a wrong number":      {`{"query": {"timeout_seconds": "soon"}}`, "would_not_start", "query.timeout_seconds"},
		"a map for a number":  {`{"query": {"timeout_seconds": {"a": 1}}}`, "wrong_value", "query.timeout_seconds.a"},
		"a list for a number": {`{"query": {"timeout_seconds": [1]}}`, "wrong_value", "query.timeout_seconds"},
		"a text for a map":    {`{"corporate_memory": {"sources": "all"}}`, "wrong_value", "corporate_memory.sources"},
		"two that must agree": {`{"server": {"metrics_addr": "127.0.0.1:8000"}}`, "would_not_start", "server.metrics_addr"},
		"mail from nobody":    {`{"mail": {"smtp_host": "mail.example.com"}}`, "would_not_start", "mail.from"},
		"a lock too short":    {`{"materialize": {"lock_ttl_seconds": 59}}`, "wrong_value", "materialize.lock_ttl_seconds"},
		"a lock too long":     {`{"materialize": {"lock_ttl_seconds": 604801}}`, "wrong_value", "materialize.lock_ttl_seconds"},
		"a lock of text":      {`{"materialize": {"lock_ttl_seconds": "long"}}`, "wrong_value", "materialize.lock_ttl_seconds"},
		"no such choice":      {`{"data_source": {"type": "oracle"}}`, "wrong_value", "data_source.type"},
		"what a variable has": {`{"log": {"level": "debug"}}`, "wrong_value", "log.level"},
		"danger":              {`{"server": {"domain": "agnes.example.com"}}`, "confirm_danger", ""},
		"a variable":          {`{"instance": {"name": "${JWT_SECRET_KEY}"}}`, "wrong_value", "instance.name"},
		"a variable, deep":    {`{"theme": {"a": [{"b": "x${JWT_SECRET_KEY}"}]}}`, "wrong_value", "theme.a"},
		"a private stack":     {`{"data_source": {"keboola": {"stack_url": "https://10.0.0.1"}}}`, "stack_url", "data_source.keboola.stack_url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "", map[string]string{"LOG_LEVEL": "info"})
			_, err := p.save(c.patch)
			var known *domain.Error
			if !errors.As(err, &known) || known.Kind != domain.Invalid || known.Code != c.code {
				t.Fatalf("save = %v, want %s", err, c.code)
			}
			if c.field != "" && known.Fields[c.field] == "" {
				t.Errorf("fields %v, want %s", known.Fields, c.field)
			}
			if _, err := os.Stat(p.overlay.Path); err == nil {
				t.Error("the overlay was written")
			}
		})
	}
}

func TestLockBoundsAreTaken(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "", nil)
	for _, n := range []int{60, 604800} {
		p.mustSave(fmt.Sprintf(`{"materialize": {"lock_ttl_seconds": %d}}`, n))
		if got := p.field("materialize.lock_ttl_seconds").Value; got != fmt.Sprint(n) {
			t.Errorf("%s, want %d", got, n)
		}
	}
}

func TestAddressesWithinAreRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "", nil)
	p.names["open.example.com"] = []netip.Addr{netip.MustParseAddr("93.184.216.34")}
	p.names["mixed.example.com"] = []netip.Addr{netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("127.0.0.1")}
	try := func(address string) error {
		_, err := p.save(fmt.Sprintf(`{"data_source": {"keboola": {"stack_url": %q}}}`, address))
		return err
	}
	for _, address := range []string{
		"https://127.0.0.1", "https://[::1]", "https://169.254.169.254", "https://192.168.1.1", "https://[fe80::1]", "https://[fc00::1]", "https://224.0.0.1",
		"https://0.0.0.0", "https://100.64.0.1", "https://[::ffff:127.0.0.1]", "https://[64:ff9b::7f00:1]", "https://255.255.255.255", "https://mixed.example.com",
		"https://nowhere.example.com", "ftp://open.example.com", "https://user@open.example.com", "open.example.com", "https://",
	} {
		if err := try(address); domain.CodeOf(err) != "stack_url" {
			t.Errorf("%s: %v, want it refused", address, err)
		}
	}
	if err := try("https://open.example.com"); err != nil {
		t.Errorf("an open address: %v", err)
	}
}

func TestSavedIsTheMergeAndStarts(t *testing.T) {
	t.Parallel()
	values := map[string][]any{
		"instance.name": {"One", "Two: three", nil}, "query.timeout_seconds": {5, "7", nil}, "files.max_upload_bytes": {"1GiB", "5MB", nil},
		"auth.disabled_providers": {[]any{"link", "oidc"}, "none", nil}, "theme.colours": {map[string]any{"a": "b"}, map[string]any{"c": map[string]any{"d": true}}, nil},
		"corporate_memory.domains": {[]any{"finance", "data"}, nil}, "mail.smtp_password": {"s3cret-one", "s3cret-two", nil}, "auth.limit_attempts": {false, true, nil},
		"query.queue": {-1, 10}, "profiler.top_values_limit": {"none"}, // some are wrong
	}
	keys := slices.Sorted(maps.Keys(values))
	p := newPlace(t, "instance: {name: Base}\ntheme: {colours: {x: y}}\n", nil)
	saved := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		change := map[string]any{}
		for range 1 + r.IntN(3) {
			key := keys[r.IntN(len(keys))]
			config.Put(change, key, values[key][r.IntN(len(values[key]))])
		}
		before := tree(t, p.text())
		_, err := p.editor.Save(t.Context(), ada, settings.Request{Patch: change, ConfirmDanger: true})
		after := tree(t, p.text())
		if err != nil {
			if domain.KindOf(err) != domain.Invalid {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Fatalf("seed %d was refused, and changed the file:\n%s", seed, diff)
			}
			continue
		}
		saved++
		want, err := config.ParseDocument(nil)
		must(t, err)
		numbers(change)
		if diff := cmp.Diff(want.Merge(before).Merge(change).Tree(), after); diff != "" {
			t.Fatalf("seed %d: the file is not the merge (-want +got):\n%s", seed, diff)
		}
		in, err := p.Input()
		must(t, err)
		if _, _, err := config.Load(in); err != nil {
			t.Fatalf("seed %d: what was saved does not start: %v", seed, err)
		}
	}
	if saved < 50 {
		t.Errorf("only %d changes were saved", saved)
	}
}

// numbers turns the test's numbers into those of a file.
func numbers(tree map[string]any) {
	for name, v := range tree {
		switch v := v.(type) {
		case int:
			tree[name] = int64(v)
		case string:
			if v == "7" {
				tree[name] = int64(7)
			}
		case map[string]any:
			numbers(v)
		}
	}
}

func tree(t *testing.T, text string) map[string]any {
	t.Helper()
	d, err := config.ParseDocument([]byte(text))
	must(t, err)
	return d.Tree()
}

func TestSecretsAreWrittenAndNeverRead(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f1c"
	p := newPlace(t, "", nil)
	p.mustSave(`{"mail": {"smtp_host": "mail.example.com", "from": "a@example.com", "smtp_password": "` + canary + `"}, "ai": {"api_key": "` + canary + `", "headers": {"x_token": "` + canary + `", "list": [{"password": "` + canary + `"}]}}}`)
	field := p.field("mail.smtp_password")
	if !field.IsSet || field.Value != "" || field.By != ada.Email || !field.At.Equal(p.now) {
		t.Errorf("the secret stands as %+v", field)
	}
	plan, err := p.editor.Plan(t.Context(), settings.Request{Patch: patch(t, `{"mail": {"smtp_password": "`+canary+`2"}}`)})
	must(t, err)
	if len(plan.Changes) != 1 || plan.Changes[0].Before != "set" || plan.Changes[0].After != "changed" {
		t.Errorf("changes %+v", plan.Changes)
	}
	v := p.view()
	rows, err := p.store.ListAudit(t.Context(), 0)
	must(t, err)
	editions, err := p.store.SettingsEditions(t.Context())
	must(t, err)
	for what, shown := range map[string]any{"view": v, "tree": v.Tree(), "audit": rows, "editions": editions, "plan": plan.Changes, "live": p.editor.Live.Now()} {
		if text := fmt.Sprintf("%+v", shown); strings.Contains(text, canary) {
			at := strings.Index(text, canary)
			t.Errorf("a secret shows in the %s: …%s", what, text[max(0, at-80):at])
		}
	}
	if got := config.Leaves(v.Tree())["ai.headers.list"]; got == nil {
		t.Error("the list is gone from the tree")
	}

	// What was shown comes back, and changes nothing.
	must(t, second(p.save(`{"mail": {"smtp_password": "***"}, "ai": {"api_key": "<empty>"}}`)))
	if !strings.Contains(p.text(), canary) {
		t.Error("the mask replaced the secret")
	}
	p.mustSave(`{"instance": {"name": "Other"}}`)
	if kept := p.field("mail.smtp_password"); kept.By != ada.Email || kept.At.IsZero() {
		t.Errorf("its story is lost: %+v", kept)
	}
	p.mustSave(`{"mail": {"smtp_password": null}}`)
	if cleared := p.field("mail.smtp_password"); cleared.IsSet {
		t.Errorf("cleared, it stands as %+v", cleared)
	}
	info, err := os.Stat(p.overlay.Path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v", info.Mode())
	}
}

func second[T any](_ T, err error) error { return err }

func TestOlderFormsAreNoticed(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "", nil)
	seen := p.view().Version
	p.mustSave(`{"instance": {"name": "Theirs"}, "mail": {"smtp_password": "x"}}`)
	_, err := p.editor.Save(t.Context(), ben, settings.Request{Patch: patch(t, `{"instance": {"name": "Mine"}, "query": {"queue": 9}}`), Seen: seen})
	stale := domain.StaleOf(err)
	if stale == nil || stale.ChangedBy != ada.Email || stale.Version != p.view().Version {
		t.Fatalf("save = %v (%+v), want Stale", err, stale)
	}
	clashes := map[string]domain.Clash{}
	for _, c := range stale.Clashes {
		clashes[c.Field] = c
	}
	if c := clashes["instance.name"]; c.Was != "" || c.Theirs != "Theirs" || c.Yours != "Mine" || !c.Both() {
		t.Errorf("clash %+v", c)
	}
	if mine := stale.Mine(); len(mine) != 1 || mine["query.queue"] != "9" {
		t.Errorf("mine %v", mine)
	}
	if strings.Contains(p.text(), "Mine") {
		t.Error("it was saved all the same")
	}
	_, err = p.editor.Save(t.Context(), ben, settings.Request{Patch: patch(t, `{"query": {"queue": 9}}`), Seen: stale.Version})
	must(t, err)
}

func TestCorruptOverlay(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "", nil)
	p.write("instance: [\n")
	_, err := p.save(`{"instance": {"name": "x"}}`)
	if domain.KindOf(err) != domain.Internal || domain.CodeOf(err) != "overlay_corrupt" {
		t.Errorf("save over a corrupt overlay: %v", err)
	}
	if p.text() != "instance: [\n" {
		t.Error("the corrupt overlay was replaced")
	}
	if v := p.view(); v.Problem == nil || len(v.Sections) == 0 {
		t.Errorf("the page shows nothing: %+v", v.Problem)
	}
	p.write("instance: {name: By hand}\n")
	if v := p.view(); v.Problem != nil || !v.Outside {
		t.Errorf("an overlay by hand: %+v", v)
	}
}

func TestAffectedTables(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "data_source: {bigquery: {project: old, location: eu}, keboola: {project_id: '1'}}\n", nil)
	p.register(
		registry.Table{Name: "k", SourceType: "keboola", Bucket: "in.c-main", SourceTable: "orders"},
		registry.Table{Name: "b_plain", SourceType: "bigquery", Bucket: "sales", SourceTable: "orders"},
		registry.Table{Name: "b_old", SourceType: "bigquery", BQFQN: "old.sales.orders"},
		registry.Table{Name: "b_other", SourceType: "bigquery", BQFQN: "third.sales.orders"},
		registry.Table{Name: "f", SourceType: registry.SourceLocal, Bucket: "files", SourceTable: "f.csv"},
	)
	for name, c := range map[string]struct {
		patch string
		want  []string
	}{
		"another project":         {`{"data_source": {"bigquery": {"project": "new"}}}`, []string{"b_old", "b_plain"}},
		"another location":        {`{"data_source": {"bigquery": {"location": "us"}}}`, []string{"b_old", "b_other", "b_plain"}},
		"another Keboola project": {`{"data_source": {"keboola": {"project_id": "2"}}}`, []string{"k"}},
		"the same":                {`{"data_source": {"bigquery": {"project": "old"}}}`, nil},
		"who pays":                {`{"data_source": {"bigquery": {"billing_project": "x"}}}`, nil},
	} {
		plan, err := p.editor.Plan(t.Context(), settings.Request{Patch: patch(t, c.patch)})
		must(t, err)
		var got []string
		for _, a := range plan.Affected {
			got = append(got, a.Name)
			if a.Breaks == "" {
				t.Errorf("%s: nothing is said of %s", name, a.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	_, err := p.save(`{"data_source": {"bigquery": {"project": "new"}}}`)
	var affected *settings.AffectedError
	if !errors.As(err, &affected) || len(affected.Tables) != 2 || domain.CodeOf(err) != settings.CodeAffected || domain.KindOf(err) != domain.Conflict {
		t.Fatalf("save = %v", err)
	}
	p.mustSave(`{"data_source": {"bigquery": {"project": "new"}}}`)
}

func TestAppliedLive(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "", nil)
	plan := p.mustSave(`{"instance": {"name": "Live"}}`)
	if len(plan.Restart) != 0 || p.editor.Live.Now().Instance.Name != "Live" || len(p.view().Waiting) != 0 {
		t.Errorf("restart %v, name %q", plan.Restart, p.editor.Live.Now().Instance.Name)
	}
	plan = p.mustSave(`{"query": {"queue": 9}}`)
	if len(plan.Restart) != 1 || p.editor.Live.Now().Query.Queue == 9 || len(p.view().Waiting) != 1 || !p.field("query.queue").Waits {
		t.Errorf("restart %v, waiting %v", plan.Restart, p.view().Waiting)
	}
	p.mustSave(`{"query": {"queue": null}}`)
	if len(p.view().Waiting) != 0 {
		t.Errorf("waiting %v after the way back", p.view().Waiting)
	}
}

func TestSecretsStayWithTheirPlace(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "mail: {smtp_host: old.example.com, from: a@example.com, smtp_password: s3cret}\n", map[string]string{"OIDC_CLIENT_SECRET": "s3cret", "OIDC_CLIENT_ID": "agnes"})
	for text, field := range map[string]string{
		`{"mail": {"smtp_host": "evil.example.com"}}`:                "mail.smtp_password",
		`{"auth": {"oidc": {"issuer": "https://evil.example.com"}}}`: "auth.oidc.issuer",
	} {
		_, err := p.editor.Save(t.Context(), ada, settings.Request{Patch: patch(t, text), ConfirmDanger: true})
		var known *domain.Error
		if !errors.As(err, &known) || known.Code != "secret_elsewhere" || known.Fields[field] == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	p.mustSave(`{"mail": {"smtp_port": 2525}}`)
	p.mustSave(`{"mail": {"smtp_host": "new.example.com", "smtp_password": "another"}}`)
	p.mustSave(`{"mail": {"smtp_host": "", "smtp_password": ""}}`)
}
