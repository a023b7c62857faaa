package store

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

// extracts are folders of extractors with the tables that each offers.
type extracts struct {
	dirs    []syncs.ExtractDir
	offered map[string][]work.SourceTable
}

func (e *extracts) List(context.Context) ([]syncs.ExtractDir, error) { return e.dirs, nil }

func (e *extracts) InspectSource(_ context.Context, source string) (work.Inspected, error) {
	return work.Inspected{Tables: e.offered[source]}, nil
}

func (e *extracts) offer(source, fingerprint string, tables ...string) {
	e.offered[source] = nil
	for _, t := range tables {
		e.offered[source] = append(e.offered[source], work.SourceTable{Name: t})
	}
	for i := range e.dirs {
		if e.dirs[i].Name == source {
			e.dirs[i].Fingerprint = fingerprint
			return
		}
	}
	e.dirs = append(e.dirs, syncs.ExtractDir{Name: source, Fingerprint: fingerprint})
}

// watching looks at extracts on behalf of s.
func watching(s *Store) (*syncs.Watcher, *extracts) {
	e := &extracts{offered: map[string][]work.SourceTable{}}
	log, ids := slog.New(slog.DiscardHandler), 0
	syncer := &syncs.Syncer{Runs: s, Tables: s, Feed: syncs.NewFeed(), Now: s.now, Log: log, NewID: func() string { ids++; return fmt.Sprint("w", ids) }}
	return &syncs.Watcher{Dirs: e, Inspector: e, Sources: s, Tables: s, Syncer: syncer, Now: s.now, Log: log}, e
}

// TestNamesBecomeFree: a name that a source does not use any more is another's,
// without a change of that one's extract.
func TestNamesBecomeFree(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, w *syncs.Watcher, e *extracts){
		"renamed": func(t *testing.T, w *syncs.Watcher, _ *extracts) {
			t.Helper()
			must[syncs.Source](t)(w.Rename(t.Context(), admin, "crm", "leads", "crm_leads", nil))
		},
		"renamed twice": func(t *testing.T, w *syncs.Watcher, _ *extracts) {
			t.Helper()
			must[syncs.Source](t)(w.Rename(t.Context(), admin, "crm", "leads", "first", nil))
			must[syncs.Source](t)(w.Rename(t.Context(), admin, "crm", "leads", "second", nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t)
			w, e := watching(s)
			tick := func() {
				t.Helper()
				for range 2 {
					if err := w.Tick(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			e.offer("crm", "1", "leads")
			tick()
			e.offer("shop", "1", "leads")
			tick()
			find := func(source string) syncs.Source {
				t.Helper()
				for _, src := range must[[]syncs.Source](t)(s.ListSources(t.Context())) {
					if src.Name == source {
						return src
					}
				}
				return syncs.Source{}
			}
			if p := find("shop").Problems; len(p) != 1 || p[0].Code != "name_taken" || p[0].Owner != "crm" {
				t.Fatalf("problems of shop: %+v", p)
			}
			leave(t, w, e)
			if src := find("shop"); len(src.Problems) != 0 || len(src.Tables) != 1 || src.Tables[0].Name != "leads" {
				t.Errorf("shop: problems %+v, tables %+v; want leads", src.Problems, src.Tables)
			}
			_, err := w.Rename(t.Context(), admin, "crm", "leads", "", nil) // and now it is shop's
			if p := find("crm").Problems; err != nil || len(p) != 1 || p[0].Owner != "shop" {
				t.Errorf("crm takes the name back: %v, %+v", err, p)
			}
		})
	}
}
