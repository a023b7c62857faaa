package syncs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
)

// gone keeps what a source that left the disk has served, and says so.
func (w *Watcher) gone(ctx context.Context, s Source) error {
	tables, err := w.tablesOf(ctx, s.Name)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		w.Log.Info("a source without tables is gone from disk", "source", s.Name)
		return w.Sources.DeleteSource(ctx, s.Name)
	}
	if s.State == SourceGone {
		return nil
	}
	var marks []TableMark
	for _, t := range tables {
		marks = append(marks, goneMark(t, fmt.Sprintf("The source %s is gone from the server.", s.Name)))
	}
	if err := w.Sources.MarkTables(ctx, marks); err != nil {
		return fmt.Errorf("mark tables: %w", err)
	}
	at := w.Now()
	s.State, s.Code, s.GoneAt, s.CheckedAt = SourceGone, "source_gone", &at, at
	s.Message = "The extract.duckdb of this source is gone, or its folder is. Its tables serve their last rows and are not synced until it is back. Run the extractor again, or remove the tables."
	s.Problems = nil
	w.Log.Warn("a source is gone from disk; its tables keep their last version", "source", s.Name)
	return w.Sources.SaveSource(ctx, s)
}

// Inspect looks at a source now, whether or not it changed or rests. NotFound
// when neither the disk nor the state knows it.
func (w *Watcher) Inspect(ctx context.Context, by audit.Actor, source string) (Source, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lookAt(ctx, by, source, true)
}

func (w *Watcher) lookAt(ctx context.Context, by audit.Actor, source string, asked bool) (Source, error) {
	known, err := w.known(ctx)
	if err != nil {
		return Source{}, err
	}
	dirs, err := w.Dirs.List(ctx)
	if err != nil {
		return Source{}, fmt.Errorf("list extracts: %w", err)
	}
	for _, d := range dirs {
		if d.Name == source {
			return w.look(ctx, by, d, known[source], asked)
		}
	}
	s, there := known[source]
	if !there {
		return s, domain.E(domain.NotFound, "source_not_found", "There is no such source.")
	}
	return s, nil
}

// Rename serves a table of a source under another name, without a change of its
// extractor; its own name, or "", takes that back. was is the name that whoever
// asks saw it under, "" for none, and nil when they did not say. It fails with a
// FieldError for "name" when the name cannot be used or is taken, with Stale when
// it has another name by now, and with NotFound.
func (w *Watcher) Rename(ctx context.Context, by audit.Actor, source, table, name string, was *string) (Source, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known, err := w.known(ctx)
	if err != nil {
		return Source{}, err
	}
	s, there := known[source]
	if !there || !s.has(table) {
		return Source{}, domain.E(domain.NotFound, "source_table_not_found", "The source has no such table.")
	}
	if now := s.servedAs(table); was != nil && *was != now {
		return Source{}, domain.NewStaleError(0, time.Time{}, "", domain.Fields{"name": *was}, domain.Fields{"name": now}, domain.Fields{"name": name})
	}
	alias := strings.TrimSpace(name)
	if alias == table {
		alias = ""
	}
	if err := w.renameable(ctx, source, table, alias); err != nil {
		return Source{}, err
	}
	if err := w.free(ctx, source, table, alias); err != nil {
		return Source{}, err
	}
	if err := w.Sources.SetSourceAlias(ctx, by, source, table, alias); err != nil {
		return Source{}, fmt.Errorf("keep the name: %w", err)
	}
	got, err := w.lookAt(ctx, by, source, true)
	if err != nil {
		return got, err
	}
	w.offerAgain(ctx, by, source, known)
	return got, nil
}

// offerAgain looks at the other sources that have a table whose name was taken:
// it may be free now.
func (w *Watcher) offerAgain(ctx context.Context, by audit.Actor, renamed string, known map[string]Source) {
	for name, s := range known {
		if name == renamed || !slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.Code == "name_taken" }) {
			continue
		}
		if _, err := w.lookAt(ctx, by, name, false); err != nil { // the rename stands all the same
			w.Log.Error("look at a source whose table may have its name now", "source", name, "err", err)
		}
	}
}

// renameable fails for a table that can have no other name.
func (w *Watcher) renameable(ctx context.Context, source, table, alias string) error {
	if alias == "" {
		return nil
	}
	mine, err := w.tablesOf(ctx, source)
	if err != nil {
		return err
	}
	if t, there := mine[strings.ToLower(table)]; there {
		return t.Renameable(alias)
	}
	return nil
}

// free fails unless a table of a source can have a name.
func (w *Watcher) free(ctx context.Context, source, table, alias string) error {
	if alias == "" {
		return nil
	}
	if _, err := registry.CheckName(alias); err != nil {
		return err
	}
	all, err := w.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, t := range all {
		mine := t.SourceType == registry.SourceCustom && t.Bucket == source && strings.EqualFold(t.SourceTable, table)
		if !mine && strings.EqualFold(t.Name, alias) {
			return domain.FieldError("name", "%s is the name of another table. Choose one that is free.", alias)
		}
	}
	owner, err := w.Sources.ClaimView(ctx, alias, source)
	if err != nil {
		return fmt.Errorf("claim %s: %w", alias, err)
	}
	if owner != source {
		return domain.FieldError("name", "%s is a name that the source %s has claimed. Choose one that is free.", alias, owner)
	}
	return nil
}

// servedAs is the name that a table of the source has in SQL, "" for none.
func (s Source) servedAs(table string) string {
	for _, t := range s.Tables {
		if t.Table == table {
			return t.Name
		}
	}
	return ""
}

// has reports whether a source was last seen with a table.
func (s Source) has(table string) bool {
	for _, t := range s.Tables {
		if t.Table == table {
			return true
		}
	}
	for _, p := range s.Problems {
		if p.Table == table {
			return true
		}
	}
	return false
}
