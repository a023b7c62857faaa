package settings_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/registry"
	"agnes/domain/settings"
	"agnes/store"
)

var (
	ada = audit.Actor{UserID: "u1", Email: "ada@example.com", ClientKind: "web"}
	ben = audit.Actor{UserID: "u2", Email: "ben@example.com", ClientKind: "web"}
)

// place is an installation: a base file, an overlay, an environment, a state.
type place struct {
	t       *testing.T
	editor  *settings.Editor
	store   *store.Store
	overlay store.Overlay
	base    string
	env     map[string]string
	names   map[string][]netip.Addr
	now     time.Time
}

func newPlace(t *testing.T, base string, env map[string]string) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{t: t, base: base, env: env, now: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC), names: map[string][]netip.Addr{}}
	p.overlay = store.Overlay{Path: filepath.Join(dir, "instance.yaml")}
	var ids atomic.Int64
	var err error
	p.store, err = store.Open(t.Context(), store.Options{Dir: dir, Now: func() time.Time { return p.now }, NewID: func() string { return fmt.Sprint(ids.Add(1)) }})
	must(t, err)
	t.Cleanup(func() { must(t, p.store.Close()) })
	p.editor = &settings.Editor{Files: p, Store: p.store, Tables: p.store, Resolver: p, Now: func() time.Time { return p.now }}
	in, err := p.Input()
	must(t, err)
	cfg, _, err := config.Load(in)
	must(t, err)
	p.editor.Live = config.NewLive(cfg)
	return p
}

func (p *place) Input() (config.Input, error) {
	text, err := p.overlay.Read()
	return config.Input{
		YAML:   []config.File{{Name: "config/instance.yaml", Data: []byte(p.base)}, {Name: "state/instance.yaml", Data: text}},
		Getenv: func(name string) (string, bool) { v, ok := p.env[name]; return v, ok },
	}, err
}

func (p *place) Stage(text []byte) (settings.Staged, error) { return p.overlay.Stage(text) }

func (p *place) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found, ok := p.names[host]; ok {
		return found, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	return nil, errors.New("no such host")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patch reads a patch as the API does.
func patch(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	must(t, json.Unmarshal([]byte(text), &out))
	return out
}

func (p *place) save(text string) (*settings.Plan, error) {
	p.t.Helper()
	return p.editor.Save(p.t.Context(), ada, settings.Request{Patch: patch(p.t, text)})
}

func (p *place) mustSave(text string) *settings.Plan {
	p.t.Helper()
	plan, err := p.editor.Save(p.t.Context(), ada, settings.Request{Patch: patch(p.t, text), ConfirmDanger: true, ConfirmAffected: true})
	must(p.t, err)
	return plan
}

func (p *place) view() *settings.View {
	p.t.Helper()
	v, err := p.editor.View(p.t.Context())
	must(p.t, err)
	return v
}

func (p *place) field(key string) settings.Field {
	p.t.Helper()
	f, ok := p.view().Field(key)
	if !ok {
		p.t.Fatalf("there is no field %s", key)
	}
	return f
}

func (p *place) text() string {
	p.t.Helper()
	text, err := p.overlay.Read()
	must(p.t, err)
	return string(text)
}

func (p *place) write(text string) {
	p.t.Helper()
	must(p.t, os.WriteFile(p.overlay.Path, []byte(text), 0o600))
}

func (p *place) register(tables ...registry.Table) {
	p.t.Helper()
	for _, table := range tables {
		table.ID, table.QueryMode, table.SyncStrategy = registry.IDFor(table.Name), registry.ModeLocal, "full_refresh"
		_, err := p.store.RegisterTables(p.t.Context(), audit.System("test"), []registry.Registration{{Table: table}})
		must(p.t, err)
	}
}
