package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/config"
	"agnes/domain/registry"
	"agnes/domain/settings"
	"agnes/handlers/api"
	"agnes/store"
)

// setup is the configuration behind a site: a base, an overlay, an environment.
type setup struct {
	store.Overlay
	base string
	env  map[string]string
}

func (s setup) Input() (config.Input, error) {
	text, err := s.Read()
	return config.Input{
		YAML:   []config.File{{Name: "config/instance.yaml", Data: []byte(s.base)}, {Name: "state/instance.yaml", Data: text}},
		Getenv: func(name string) (string, bool) { v, ok := s.env[name]; return v, ok },
	}, err
}

func (setup) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host == "connection.example.com" {
		return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil
}

// steps is a connection that can be tested.
type steps struct{ fails bool }

func (steps) Section() string            { return "mail" }
func (steps) Title() string              { return "Mail" }
func (steps) Ready(c config.Config) bool { return c.Mail.Set() }
func (k steps) Run(_ context.Context, _ config.Config, tell func(settings.Step)) {
	tell(settings.Step{Name: "Reach the server", State: settings.StepOK, Detail: "It answers."})
	if k.fails {
		tell(settings.Step{Name: "Sign in", State: settings.StepFailed, Detail: "It refused.", Fix: "Check the password."})
	}
}

func newSetup(t *testing.T, base string, env map[string]string) (*site, setup) {
	t.Helper()
	files := setup{Overlay: store.Overlay{Path: filepath.Join(t.TempDir(), "instance.yaml")}, base: base, env: env}
	s := newSiteWith(t, func(d *api.Deps) {
		in, err := files.Input()
		must(t, err)
		cfg, _, err := config.Load(in)
		must(t, err)
		state, ok := d.Store.(*store.Store)
		if !ok {
			t.Fatal("the site has no real state")
		}
		d.Settings = &settings.Editor{Files: files, Store: state, Tables: state, Resolver: files, Live: config.NewLive(cfg), Now: d.Now}
		d.Tests = &settings.Tester{Files: files, Tests: []settings.ConnectionTest{steps{fails: true}}}
	})
	return s, files
}

const serverConfig = "/api/admin/server-config"

func save(sections string) string { return `{"sections": ` + sections + `}` }

func TestServerConfigShape(t *testing.T) {
	t.Parallel()
	s, _ := newSetup(t, "instance: {name: Base}\nmail: {smtp_password: hidden-one}\n", map[string]string{"LOG_LEVEL": "debug"})
	reply := s.as(s.admin, http.MethodGet, serverConfig, nil)
	got := reply.is(http.StatusOK)
	if reply.Header().Get("ETag") == "" {
		t.Error("no ETag")
	}
	if diff := fmt.Sprint(got["danger_sections"], got["secret_key_patterns"]); diff != "[auth server] [secret token password api_key]" {
		t.Errorf("lists %s", diff)
	}
	sections := got["sections"].(map[string]any)
	for _, name := range strings.Fields("instance data_source email telegram jira theme server auth ai openmetadata desktop corporate_memory materialize guardrails") {
		if _, there := sections[name]; !there || !strings.Contains(fmt.Sprint(got["editable_sections"]), name) {
			t.Errorf("section %s of the contract is missing", name)
		}
	}
	if mail := sections["mail"].(map[string]any); mail["smtp_password"] != "***" {
		t.Errorf("mail %v", mail)
	}
	bigquery := sections["data_source"].(map[string]any)["bigquery"].(map[string]any)
	if bigquery["max_bytes_per_materialize"] != 10737418240.0 || bigquery["bq_max_scan_bytes"] != 5368709120.0 {
		t.Errorf("defaults of BigQuery %v", bigquery)
	}
	known := got["known_fields"].(map[string]any)
	keboola := known["data_source"].(map[string]any)["keboola"].(map[string]any)
	if keboola["kind"] != "object" || keboola["fields"].(map[string]any)["stack_url"].(map[string]any)["kind"] != "string" {
		t.Errorf("keboola %v", keboola)
	}
	level := got["settings"].(map[string]any)["log.level"].(map[string]any)
	if level["origin"] != "environment" || level["where"] != "LOG_LEVEL" || level["editable"] != false || level["value"] != "debug" {
		t.Errorf("log.level %v", level)
	}
	// Every field of every section is described with a kind of the contract.
	var walk func(string, map[string]any)
	walk = func(at string, fields map[string]any) {
		for name, f := range fields {
			f := f.(map[string]any)
			if !strings.Contains(" string int float bool select secret array map object ", " "+fmt.Sprint(f["kind"])+" ") {
				t.Errorf("%s.%s has the kind %v", at, name, f["kind"])
			}
			if below, ok := f["fields"].(map[string]any); ok {
				walk(at+"."+name, below)
			}
		}
	}
	for name, fields := range known {
		walk(name, fields.(map[string]any))
	}
}

// TestServerConfigTakesEverySection changes one field of each kind in every section.
func TestServerConfigTakesEverySection(t *testing.T) {
	t.Parallel()
	s, files := newSetup(t, "", nil)
	values := map[config.Kind]any{config.Int: 61, config.Bool: false, config.Array: []any{"none"}, config.Map: map[string]any{"a": 1}, config.Hidden: "s3cret-canary", config.String: nil, config.Select: nil}
	for _, f := range config.Fields() {
		value := values[f.Kind]
		switch {
		case f.Kind == config.Select:
			value = f.Options[len(f.Options)-1]
		case f.Kind == config.String && f.Later && f.Key != "data_source.keboola.stack_url":
			value = "a text"
		case f.Key == "auth.allowed_domain", f.Key == "server.cors_origins", f.Key == "auth.oidc.scopes", strings.HasPrefix(f.Key, "mail.s"), value == nil:
			continue // these have forms of their own
		case f.Key == "server.trusted_proxies":
			value = []any{"10.0.0.0/8"}
		case strings.HasSuffix(f.Key, "memory_mb"):
			value = 256
		}
		patch := map[string]any{}
		config.Put(patch, f.Key, value)
		body := map[string]any{"sections": patch, "confirm_danger": true, "confirm_affected": true}
		got := s.as(s.admin, http.MethodPost, serverConfig, body)
		if f.Key == "query.per_person" || f.Key == "profiler.top_values_limit" || got.Code == http.StatusOK {
			continue
		}
		t.Errorf("%s = %v: %d %s", f.Key, value, got.Code, got.Body)
	}
	text, err := files.Read()
	must(t, err)
	in, err := files.Input()
	must(t, err)
	if _, _, err := config.Load(in); err != nil {
		t.Errorf("what was saved does not start: %v\n%s", err, text)
	}
	if got := s.as(s.admin, http.MethodGet, serverConfig, nil); strings.Contains(got.Body.String(), "s3cret-canary") || strings.Contains(s.log.String(), "s3cret-canary") {
		t.Error("a secret is shown or logged")
	}
}

func TestServerConfigRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"nothing":            {`{}`, 422, "No section"},
		"no sections":        {save(`{}`), 422, "No section"},
		"null":               {`{"sections": null}`, 422, "No section"},
		"an unknown section": {save(`{"nonsense": {"a": 1}}`), 400, "nonsense"},
		"danger":             {save(`{"server": {"domain": "a.example.com"}}`), 400, "confirm_danger"},
		"a private address":  {save(`{"data_source": {"keboola": {"stack_url": "https://inside.example.com"}}}`), 400, "own network"},
		"no address":         {save(`{"data_source": {"keboola": {"stack_url": "inside"}}}`), 400, "web address"},
		"a short lock":       {save(`{"materialize": {"lock_ttl_seconds": 59}}`), 422, "lock_ttl_seconds"},
		"a lock of text":     {save(`{"materialize": {"lock_ttl_seconds": "x"}}`), 422, "lock_ttl_seconds"},
		"a wrong value":      {save(`{"query": {"timeout_seconds": "s3cret-canary"}}`), 422, "timeout_seconds"},
		"a secret too short": {save(`{"mail": {"smtp_host": "a.example.com", "smtp_password": "s3cret-canary"}}`), 422, "mail.from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, files := newSetup(t, "", nil)
			got := s.as(s.admin, http.MethodPost, serverConfig, c.body)
			got.is(c.status)
			if !strings.Contains(got.Body.String(), c.says) {
				t.Errorf("%s does not say %q", got.Body, c.says)
			}
			if name == "a secret too short" && strings.Contains(got.Body.String(), "s3cret-canary") {
				t.Error("the answer has the secret")
			}
			if _, err := os.Stat(files.Path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the overlay was written: %v", err)
			}
			if rows := s.audited("instance_config.update"); len(rows) != 0 {
				t.Errorf("audited: %v", rows)
			}
		})
	}
}

func TestServerConfigSaves(t *testing.T) {
	t.Parallel()
	s, files := newSetup(t, "", nil)
	before := s.as(s.admin, http.MethodGet, serverConfig, nil).Header().Get("ETag")
	reply := s.as(s.admin, http.MethodPost, serverConfig, save(`{"instance": {"name": "Example"}, "ai": {"api_key": "s3cret-canary"}}`), "If-Match", before)
	got := reply.is(http.StatusOK)
	if got["status"] != "ok" || got["restart_required"] != false || fmt.Sprint(got["sections_updated"]) != "[ai instance]" || got["diff_count"] != 2.0 {
		t.Errorf("saved: %v", got)
	}
	if after := s.as(s.admin, http.MethodGet, serverConfig, nil); after.Header().Get("ETag") != reply.Header().Get("ETag") {
		t.Error("the ETag of the change is not that of the next reading")
	}
	rows := s.audited("instance_config.update")
	if len(rows) != 1 || rows[0].Params["instance.name"] != "Example" || rows[0].Before["instance.name"] != "" || rows[0].Params["ai.api_key"] != "***" {
		t.Fatalf("audit %+v", rows)
	}
	if len(rows[0].Params) != len(rows[0].Before) || fmt.Sprint(rows[0].Params["diff"]) == "" {
		t.Errorf("audit %+v", rows[0])
	}
	if got := s.as(s.admin, http.MethodPost, serverConfig, save(`{"query": {"queue": 9}}`)).is(http.StatusOK); got["restart_required"] != true {
		t.Errorf("a setting that waits: %v", got)
	}
	if got := s.as(s.admin, http.MethodPost, serverConfig, save(`{"ai": {"api_key": "***"}}`)).is(http.StatusOK); got["diff_count"] != 0.0 {
		t.Errorf("a mask: %v", got)
	}
	text, err := files.Read()
	must(t, err)
	if !strings.Contains(string(text), "s3cret-canary") {
		t.Error("the mask replaced the secret")
	}

	clash := s.as(s.admin, http.MethodPost, serverConfig, save(`{"instance": {"name": "Mine"}}`), "If-Match", before)
	if got := clash.is(http.StatusPreconditionFailed); got["code"] != "changed_meanwhile" || got["changed_by"] != "ada@example.com" || strings.Contains(clash.Body.String(), "canary") {
		t.Errorf("clash %s", clash.Body)
	}
	for _, who := range []struct {
		name string
		code int
	}{{"analyst", http.StatusForbidden}} {
		if got := s.as(s.analyst, http.MethodPost, serverConfig, save(`{"instance": {"name": "x"}}`)); got.Code != who.code {
			t.Errorf("%s: %d", who.name, got.Code)
		}
	}
	s.as(s.admin, http.MethodPost, serverConfig, `{"sections": {"server": {"domain": "a.example.com"}}, "confirm_danger": true}`).is(http.StatusOK)
}

func TestServerConfigCorrupt(t *testing.T) {
	t.Parallel()
	s, files := newSetup(t, "", nil)
	must(t, os.WriteFile(files.Path, []byte("a: ["), 0o600))
	got := s.as(s.admin, http.MethodPost, serverConfig, save(`{"instance": {"name": "x"}}`)).is(http.StatusInternalServerError)
	if !strings.Contains(fmt.Sprint(got["detail"]), "cannot be read") {
		t.Errorf("says %v", got)
	}
	s.as(s.admin, http.MethodGet, serverConfig, nil).is(http.StatusOK)
}

func TestServerConfigAffectedTables(t *testing.T) {
	t.Parallel()
	s, _ := newSetup(t, "data_source: {bigquery: {project: old}}\n", nil)
	s.mustTable("orders", func(r *registry.Table) { r.SourceType, r.Bucket = "bigquery", "sales" })
	const change = `{"data_source": {"bigquery": {"project": "new"}}}`
	got := s.as(s.admin, http.MethodPost, serverConfig, save(change)).is(http.StatusConflict)
	detail := got["detail"].(map[string]any)
	tables := detail["tables"].([]any)
	if detail["code"] != "connection_change_affects_registrations" || len(tables) != 1 || tables[0].(map[string]any)["id"] != "orders" {
		t.Errorf("detail %v", detail)
	}
	s.as(s.admin, http.MethodPost, serverConfig, `{"sections": `+change+`, "confirm_affected": true}`).is(http.StatusOK)
	s.as(s.admin, http.MethodPost, serverConfig, save(`{"data_source": {"keboola": {"stack_url": "https://connection.example.com"}}}`)).is(http.StatusOK)
}

func TestServerConfigTests(t *testing.T) {
	t.Parallel()
	s, _ := newSetup(t, "", nil)
	const path = serverConfig + "/test"
	s.as(s.admin, http.MethodPost, path, `{"section": "query"}`).is(http.StatusNotFound)
	s.as(s.admin, http.MethodPost, path, `{"section": "mail"}`).is(http.StatusConflict)
	s.as(s.admin, http.MethodPost, serverConfig, save(`{"mail": {"smtp_host": "a.example.com", "from": "a@example.com"}}`)).is(http.StatusOK)
	got := s.as(s.admin, http.MethodPost, path, `{"section": "mail"}`).is(http.StatusOK)
	one := got["connections"].([]any)[0].(map[string]any)
	if one["passed"] != false || len(one["steps"].([]any)) != 2 {
		t.Errorf("tested %v", one)
	}
}
