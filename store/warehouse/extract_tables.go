package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// SourceTables lists what a custom extract offers. A row that cannot be served
// carries a code and a sentence, and never spoils the others.
func (s *Store) SourceTables(ctx context.Context, source string) (_ work.Inspected, err error) {
	e, err := s.openExtract(ctx, source)
	if err != nil {
		return work.Inspected{}, err
	}
	defer func() { err = errors.Join(err, e.db.Close()) }()
	offered, err := e.offered(ctx, source)
	if err != nil {
		return work.Inspected{}, err
	}
	objects, err := e.objects(ctx, source)
	if err != nil {
		return work.Inspected{}, err
	}
	seen := map[string]bool{}
	for i := range offered {
		t := &offered[i]
		t.Code, t.Problem = e.problem(ctx, *t, objects, seen)
		seen[strings.ToLower(t.Name)] = true
		if ctx.Err() != nil {
			return work.Inspected{}, ctx.Err()
		}
	}
	if err := e.unchanged(source); err != nil {
		return work.Inspected{}, err
	}
	remote := e.remote(ctx)
	return work.Inspected{Tables: offered, Remote: remote}, ctx.Err()
}

// objects returns the names of tables and views in the extract, lower case.
func (e *extract) objects(ctx context.Context, source string) (map[string]bool, error) {
	query := `SELECT lower(table_name) FROM duckdb_tables() WHERE database_name = ` + quoteLiteral(e.alias) + ` AND schema_name = 'main'
		UNION ALL SELECT lower(view_name) FROM duckdb_views() WHERE database_name = ` + quoteLiteral(e.alias) + ` AND schema_name = 'main'`
	names, err := collect(ctx, e.db, query, func(r *sql.Rows) (string, error) {
		var name string
		return name, r.Scan(&name)
	})
	if err != nil {
		return nil, damaged(err, source)
	}
	there := make(map[string]bool, len(names))
	for _, n := range names {
		there[n] = true
	}
	return there, nil
}

// problem says why a table that _meta names cannot be served, or "".
func (e *extract) problem(ctx context.Context, t work.SourceTable, objects, seen map[string]bool) (code, sentence string) {
	switch name := shorten(t.Name, 80); {
	case !registry.Identifier(t.Name):
		return "table_name_invalid", fmt.Sprintf("%q is not a table name: letters, digits and _, no digit first, at most 64 characters.", name)
	case seen[strings.ToLower(t.Name)]:
		return "table_name_doubled", fmt.Sprintf("%s is in _meta twice. The first row counts.", name)
	case t.QueryMode == registry.ModeRemote:
		return "", "" // asked live: there is nothing here to read
	case !objects[strings.ToLower(t.Name)]:
		return "table_missing", fmt.Sprintf("_meta names %s, but the extract has no table or view of that name.", name)
	}
	_, err := within(ctx, lookTimeout, func(ctx context.Context) (relation, error) { return e.relation(ctx, t.Name) })
	switch {
	case err == nil:
		return "", ""
	case errors.Is(err, errTooLong):
		return "table_too_slow", fmt.Sprintf("Looking at %s takes longer than %s.", t.Name, lookTimeout)
	case outside(err):
		return "table_unreadable", fmt.Sprintf("%s reads files outside its extract's folder, which no extract may.", t.Name)
	}
	return "table_unreadable", fmt.Sprintf("%s cannot be read: %s", t.Name, wordsOf(err))
}

// wordsOf says why a table cannot be read: in the engine's words, or in ones
// that lead on where those would not.
func wordsOf(err error) string {
	if strings.Contains(err.Error(), "Permission denied") {
		return "Agnes may not read a file that it needs. Give the account that Agnes runs as the right to read the extract's folder; links out of it are not followed."
	}
	return sentence(engineWords(err))
}

// outside reports whether a view asked for what its instance is locked out of.
func outside(err error) bool {
	text := err.Error()
	return strings.Contains(text, "Permission Error") || strings.Contains(text, "file system operations are disabled")
}

// relation describes a table or view of the extract; a view's own files are
// opened for that.
func (e *extract) relation(ctx context.Context, table string) (relation, error) {
	from := quoteIdent(e.alias) + ".main." + quoteIdent(table)
	columns, err := describe(ctx, e.db, from)
	if err != nil {
		return relation{}, err
	}
	return newRelation(from, columns), nil
}

// exact is the relation whose every value Parquet holds. Columns of a view stay
// what they are where that loses nothing, as most views read Parquet.
func (e *extract) exact(ctx context.Context, table string) (relation, error) {
	rel, err := e.relation(ctx, table)
	if err != nil {
		return relation{}, err
	}
	var view bool
	query := "SELECT count(*) > 0 FROM duckdb_views() WHERE database_name = $1 AND schema_name = 'main' AND lower(view_name) = lower($2)"
	if err := e.db.QueryRowContext(ctx, query, e.alias, table).Scan(&view); err != nil || !view {
		return rel, err //nolint:wrapcheck // the caller reads DuckDB's words
	}
	columns, err := describe(ctx, e.db, rel.from)
	if err != nil {
		return relation{}, err
	}
	var odd []int
	for i, c := range columns {
		if parquetType(c.Type) == c.Type && storedType(c.Type) != c.Type {
			odd = append(odd, i)
		}
	}
	lost, err := trueFor(ctx, e.db, odd, " FROM "+rel.named(), func(i int) string {
		return anyRow("regexp_matches(CAST(" + rel.raw(i) + " AS VARCHAR), '" + lostIn(columns[i].Type) + "')")
	})
	if err != nil {
		return relation{}, err
	}
	for _, i := range odd {
		if !slices.Contains(lost, i) {
			rel.columns[i].Type = columns[i].Type
			delete(rel.reads, i)
		}
	}
	return rel, nil
}

// lostIn finds values that Parquet does not hold in the text of a type, at times
// also others: those are text then, with nothing lost. It finds negative ones, zones
// other than UTC, digits after milliseconds, and 1000 hours, of which 1193 fit.
func lostIn(kind string) string {
	pattern := `-[0-9]`
	if strings.Contains(kind, "TIME WITH TIME ZONE") {
		pattern += `|\+0?[1-9]|\+[0-9]+:`
	}
	if strings.Contains(kind, "INTERVAL") {
		pattern += `|\.[0-9]{3}[0-9]*[1-9]|[0-9]{4}:`
	}
	return pattern
}
