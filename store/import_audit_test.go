package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/imports"
	"agnes/domain/work"
)

// longLog is somebody's state with rows that come in many parts.
func longLog(rows int) old {
	from := somebodys()
	for i := range rows {
		from["usage_events"] = append(from["usage_events"], map[string]string{"id": fmt.Sprintf("e%d", i), "occurred_at": "5"})
	}
	return from
}

// importRows are the audit rows of imports, the oldest first.
func importRows(t *testing.T, s *Store) []audit.Entry {
	t.Helper()
	var rows []audit.Entry
	for _, e := range must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0)) {
		if strings.HasPrefix(e.Action, "state.import") {
			rows = append([]audit.Entry{e}, rows...)
		}
	}
	return rows
}

func TestImportIsOneAuditRowForEachTable(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	r := mustImport(t, s, longLog(50), false)
	rows := importRows(t, s)
	last := rows[len(rows)-1]
	if last.Action != "state.import_finished" || last.Resource != "state" {
		t.Fatalf("the last row is %+v", last)
	}
	if got := fmt.Sprint(last.Params["added"], last.Params["skipped"], last.Params["schema"]); got != fmt.Sprint(r.Changes(), 0, imports.SchemaVersion) {
		t.Errorf("the summary says %s", got)
	}
	counts := map[string]string{}
	for _, e := range rows[:len(rows)-1] {
		if _, again := counts[e.Resource]; again {
			t.Errorf("two rows of %s", e.Resource)
		}
		counts[e.Resource] = fmt.Sprint(e.Params)
		if e.Actor.RequestID == "" || e.Actor.RequestID != last.Actor.RequestID || e.Actor.UserID != admin.UserID {
			t.Errorf("%s was by %+v, the summary by %+v", e.Resource, e.Actor, last.Actor)
		}
	}
	for _, c := range r.Tables {
		want := ""
		if c.Added > 0 {
			want = fmt.Sprintf("map[added:%d]", c.Added)
		}
		if got := counts["state:"+c.Table]; got != want {
			t.Errorf("%s: %q, want %q", c.Table, got, want)
		}
	}
	mustImport(t, s, longLog(50), false)
	if n := len(importRows(t, s)); n != len(rows) {
		t.Errorf("an import that changes nothing writes %d rows", n-len(rows))
	}
}

// cutAtEnd is a source that breaks off when all its rows are read.
type cutAtEnd struct{ old }

func (c cutAtEnd) ImportSystem(ctx context.Context, file string, schema func(work.StateSchema), rows func(work.StateRows) error) error {
	if err := c.old.ImportSystem(ctx, file, schema, rows); err != nil {
		return err
	}
	return domain.E(domain.Unavailable, "child_died", "The process ended.")
}

func TestAuditOfAnImportThatBreaksOff(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	from := longLog(50)
	_, err := imports.Importer{Source: cutAtEnd{longLog(20)}, State: s}.Import(t.Context(), imports.Order{By: admin}, "old.duckdb")
	wantError(t, "cut", err, domain.Unavailable, "child_died")
	rows := importRows(t, s)
	if last := rows[len(rows)-1]; last.Resource != "state:usage_events" || last.Params["added"] != float64(20) {
		t.Errorf("what came before the end: %+v", last)
	}
	mustImport(t, s, from, false)
	next := importRows(t, s)[len(rows):]
	if len(next) != 2 || next[0].Params["added"] != float64(30) || next[1].Action != "state.import_finished" {
		t.Errorf("taken up again: %+v", next)
	}
	if next[0].Actor.RequestID == rows[0].Actor.RequestID {
		t.Error("two runs have one id")
	}
}
