package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// Results reads the kept rows of runs, for their authors alone.
type Results struct {
	Runs     History
	Keeper   Keeper
	Catalogs access.Standing
	Engine   Engine // sorts
	Runner   *Runner
	Timeout  time.Duration    // of sorting
	Now      func() time.Time // nil: what is read is not watched
}

// SortKey orders rows by a column, which is counted from 0. NULLs come last.
type SortKey struct {
	Column int
	Down   bool
}

// View selects rows of a result.
type View struct {
	Offset int64
	Limit  int64 // 0: to the end
	Sort   []SortKey
}

// maxSortKeys bounds how many columns rows are sorted by.
const maxSortKeys = 8

// ParseSort reads "column", "-column" or several with commas between. A column
// is named, or counted from 1 after a #, for names that occur twice.
func ParseSort(text string, columns []registry.Column) ([]SortKey, error) {
	if text == "" {
		return nil, nil
	}
	var keys []SortKey
	for name := range strings.SplitSeq(text, ",") {
		key := SortKey{Column: -1}
		name, key.Down = strings.CutPrefix(strings.TrimSpace(name), "-")
		for i, c := range columns {
			if key.Column < 0 && (c.Name == name || name == fmt.Sprintf("#%d", i+1)) {
				key.Column = i
			}
		}
		if key.Column < 0 {
			return nil, domain.FieldError("sort", "The result has no column %q. Name one of its columns, with - before it for falling order, or count them: #1.", name)
		}
		keys = append(keys, key)
	}
	if len(keys) > maxSortKeys {
		return nil, domain.FieldError("sort", "Rows are sorted by at most %d columns.", maxSortKeys)
	}
	return keys, nil
}

// Find returns a run of p with kept rows that p may still read. It fails with
// NotFound for a run that is not p's, whose rows are gone, or that reads a
// table which is not p's to read any more; with Conflict for one that runs.
func (r *Results) Find(ctx context.Context, p access.Principal, id string) (Record, error) {
	rec, err := r.Runs.GetQueryRun(ctx, p.UserID, id)
	if err != nil {
		return Record{}, err
	}
	switch {
	case rec.State == Running:
		return rec, domain.E(domain.Conflict, "query_running", "This query still runs, so its rows are not there yet. Ask again when its state is ok.")
	case rec.State != OK:
		return rec, domain.E(domain.NotFound, "query_without_rows", "This query did not end well, so it has no rows. Its message says why.")
	case rec.Kept != KeptWhole || rec.Stored == nil:
		return rec, domain.E(domain.NotFound, "result_gone", "%s", rec.Kept.Sentence())
	}
	catalog, err := r.Catalogs.Catalog(ctx, p)
	if err != nil {
		return rec, fmt.Errorf("catalog of %s: %w", p.UserID, err)
	}
	for _, table := range rec.Tables {
		if _, err := catalog.Find(table); err != nil {
			return rec, domain.E(domain.NotFound, "result_withdrawn", "The rows come from a table that is not yours to read any more, or is gone. Ask for access, and run the query again.")
		}
	}
	return rec, nil
}

// Open reads kept rows, in their own order or in another. A file that is gone
// or damaged is noted, and NotFound. Reading fails with Forbidden soon after a
// table of the run is not p's to read any more.
func (r *Results) Open(ctx context.Context, p access.Principal, rec Record, v View) (Result, error) {
	rows, err := r.open(ctx, p, rec, v)
	if err != nil {
		return nil, err
	}
	if r.Now == nil {
		return rows, nil
	}
	return &watched{rows, access.NewWatch(r.Catalogs, p, rec.Tables, r.Now)}, nil
}

// watched are rows that end when they are not the reader's any more.
type watched struct {
	Result
	watch *access.Watch
}

// Next returns the next rows, which the caller releases; io.EOF at the end.
func (w *watched) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := w.watch.Check(ctx); err != nil {
		return nil, err //nolint:wrapcheck // says what it means
	}
	return w.Result.Next(ctx) //nolint:wrapcheck // the keeper's own, or the end
}

func (r *Results) open(ctx context.Context, p access.Principal, rec Record, v View) (Result, error) {
	if len(v.Sort) > 0 && rec.Rows > 1 {
		return r.sorted(ctx, p, rec, v)
	}
	rows, err := r.Keeper.Open(rec.ID, *rec.Stored, rec.Columns, v.Offset, v.Limit)
	if err != nil {
		return nil, r.lost(ctx, rec.ID, err)
	}
	return &noted{Result: rows, of: r, run: rec.ID}, nil
}

// noted are kept rows whose damage, where reading comes upon it, is noted.
type noted struct {
	Result
	of  *Results
	run string
}

// Next returns the next rows, which the caller releases; io.EOF at the end.
func (n *noted) Next(ctx context.Context) (arrow.RecordBatch, error) {
	batch, err := n.Result.Next(ctx)
	if err != nil {
		err = n.of.lost(ctx, n.run, err)
	}
	return batch, err //nolint:wrapcheck // the keeper's own, or the end
}

func (r *Results) lost(ctx context.Context, id string, err error) error {
	if domain.CodeOf(err) != "result_lost" {
		return err
	}
	return errors.Join(err, r.Runs.LoseResult(ctx, id), r.Keeper.Remove(id))
}

// sorted has a child order the rows. It sees the one file and nothing else.
func (r *Results) sorted(ctx context.Context, p access.Principal, rec Record, v View) (Result, error) {
	const name = "result"
	catalog := access.NewCatalog([]registry.Published{{
		Table: registry.Table{ID: name, Name: name},
		Version: &registry.Version{
			ID: registry.VersionID("result-" + rec.ID), Rows: rec.Rows, Columns: rec.Columns,
			Files: []registry.File{{Key: r.Keeper.Key(rec.ID), Bytes: rec.Stored.Bytes}},
		},
	}})
	ctx, cancel := context.WithTimeoutCause(ctx, r.Timeout, domain.E(domain.Cancelled, "sort_timeout",
		"Sorting the rows took longer than %s. Sort by fewer columns, or run the query with ORDER BY.", r.Timeout.Round(time.Second)))
	result, err := r.Engine.Start(ctx, catalog, Statement{SQL: sortSQL(name, rec.Columns, v), By: p.UserID})
	if err != nil {
		cancel()
		return nil, notTheirs(err)
	}
	return &sortedRows{Result: result, ctx: ctx, cancel: cancel, columns: rec.Columns}, nil
}

// notTheirs turns a fault of our own statement into one of ours: people did not
// write it.
func notTheirs(err error) error {
	var text *SQLError
	if !errors.As(err, &text) {
		return err
	}
	return domain.E(domain.Unavailable, "sort_failed", "The rows could not be sorted. Run the query with ORDER BY instead.").Because(errors.New(text.Text))
}

// sortSQL orders a kept result, whose columns it calls c0, c1 …. Rows that are
// equal in what is asked for are ordered by the other columns, so that pages do
// not overlap.
func sortSQL(table string, columns []registry.Column, v View) string {
	names, keys := make([]string, len(columns)), []string{}
	for i := range columns {
		names[i] = fmt.Sprintf("c%d", i)
	}
	given := map[int]struct{}{}
	for _, k := range v.Sort {
		if _, again := given[k.Column]; again {
			continue
		}
		given[k.Column] = struct{}{}
		keys = append(keys, sortable(names[k.Column], columns[k.Column].Type)+direction(k.Down))
	}
	for i, c := range columns {
		if _, again := given[i]; !again && v.Limit > 0 && len(keys) < maxSortKeys+maxTies {
			keys = append(keys, sortable(names[i], c.Type)+direction(false))
		}
	}
	sql := fmt.Sprintf("SELECT %s FROM %s AS answer(%s) ORDER BY %s", strings.Join(names, ", "), table, strings.Join(names, ", "), strings.Join(keys, ", "))
	if v.Limit > 0 {
		sql += fmt.Sprintf(" LIMIT %d", v.Limit)
	}
	if v.Offset > 0 {
		sql += fmt.Sprintf(" OFFSET %d", v.Offset)
	}
	return sql
}

// maxTies is how many columns decide between rows that are equal in the others.
const maxTies = 24

func direction(down bool) string {
	if down {
		return " DESC NULLS LAST"
	}
	return " ASC NULLS LAST"
}

// sortable is a column in the type whose order people expect, where rows are
// kept as text.
func sortable(name, kind string) string {
	switch kind {
	case "HUGEINT", "UHUGEINT", "BIGNUM", "TIME WITH TIME ZONE":
		return "TRY_CAST(" + name + " AS " + kind + ")"
	}
	return name
}

// sortedRows are rows from a child under the result's own column names.
type sortedRows struct {
	Result
	ctx     context.Context //nolint:containedctx // bounds the one sort this value is, and ends with it
	cancel  context.CancelFunc
	columns []registry.Column
}

// Columns names the columns with their DuckDB types.
func (s *sortedRows) Columns() []registry.Column { return s.columns }

// Next returns the next rows, which the caller releases; io.EOF at the end.
func (s *sortedRows) Next(context.Context) (arrow.RecordBatch, error) {
	batch, err := s.Result.Next(s.ctx) //nolint:contextcheck // has the caller's, with the deadline
	if err != nil && !errors.Is(err, io.EOF) {
		err = notTheirs(err)
	}
	return batch, err
}

// Close ends the sort.
func (s *sortedRows) Close() error {
	defer s.cancel()
	return s.Result.Close()
}

// Forget cancels a run under way, or removes one that has ended with its rows
// from its author's list.
func (r *Results) Forget(ctx context.Context, p access.Principal, id string) error {
	rec, err := r.Runs.GetQueryRun(ctx, p.UserID, id)
	if err != nil {
		return err
	}
	if rec.State == Running && r.Runner.Cancel(p.UserID, id) {
		return nil
	}
	if err := r.Runs.ForgetQueryRun(ctx, p.UserID, id); err != nil {
		return err
	}
	return r.Keeper.Remove(id)
}
