package syncs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

func TestSyncOfATableWhoseSourceIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		marked string
		err    error
		code   string
		words  []string
	}{
		"the source is gone":        {GoneUpstream, childSays("extract_missing"), GoneUpstream, []string{"The source crm is gone", "still served"}},
		"the table is gone":         {GoneUpstream, childSays("table_missing"), GoneUpstream, []string{"does not offer deals", "still served"}},
		"it is back, and broken":    {GoneUpstream, childSays("extract_unreadable"), "extract_unreadable", nil},
		"nobody knew that it is":    {"", childSays("extract_missing"), "extract_missing", nil},
		"a fault that says nothing": {GoneUpstream, errors.New("boom"), "internal", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.tables["deals"] = registry.Published{
				Table:   registry.Table{ID: "deals", Name: "deals", SourceType: registry.SourceCustom, Bucket: "crm", SourceTable: "deals"},
				Version: &registry.Version{ID: "v1"}, Status: registry.SyncStatus{State: "error", ErrorCode: c.marked},
			}
			w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
				return work.Extracted{}, c.err
			}
			if _, err := w.syncer(t).Trigger(t.Context(), person(), ByPerson, []registry.TableID{"deals"}); err != nil {
				t.Fatal(err)
			}
			r := <-w.finished
			if r.State != Failed || r.Code != c.code || r.NextStep == "" {
				t.Errorf("run %+v, want %s", r, c.code)
			}
			for _, word := range c.words {
				if !strings.Contains(r.Message, word) {
					t.Errorf("%q does not say %q", r.Message, word)
				}
			}
		})
	}
}

func childSays(code string) error {
	return &work.ChildError{Kind: domain.Invalid, Failure: work.Failure{Code: code, Message: "The child's words.", NextStep: "Do."}}
}

func TestAdoptedTablesKeepTheirNames(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.tables["in.c.orders"] = registry.Published{
		Table:   registry.Table{ID: "in.c.orders", Name: "orders", SourceType: "keboola", SourceTable: "in.c-main.orders", QueryMode: registry.ModeLocal},
		Version: &registry.Version{ID: "v1"},
	}
	w.owners["orders"] = "keboola"
	w.dirs = []ExtractDir{{Name: "keboola", Fingerprint: "1"}}
	w.inside["keboola"] = []work.SourceTable{{Name: "orders"}, {Name: "loose"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	<-w.finished
	if got := w.tables["in.c.orders"]; got.SourceType != "keboola" || got.SourceTable != "in.c-main.orders" || len(w.tables) != 2 {
		t.Errorf("adopted: %+v of %d tables; the registration is the connector's", got.Table, len(w.tables))
	}
	_, err := watch.Rename(t.Context(), person(), "keboola", "orders", "sales", nil)
	if domain.KindOf(err) != domain.Invalid || !strings.Contains(err.Error(), "keboola") || w.aliases["keboola"]["orders"] != "" {
		t.Errorf("renamed an adopted table: %v, aliases %v", err, w.aliases)
	}
	if s, err := watch.Rename(t.Context(), person(), "keboola", "loose", "free", nil); err != nil || len(s.Tables) != 2 {
		t.Errorf("a table that nobody registered: %+v, %v", s, err)
	}
}
