package warehouse

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// newestStorage is the newest storage version that DuckDB 1.5 opens.
const newestStorage = 68

// metaRows bounds what is read of a _meta table.
const metaRows = 20000

const (
	nextExtractor = "Run the extractor again; if it happens again, ask its owner."
	nextAskOwner  = "Ask the extractor's owner to correct it."
)

// extract is somebody's extract.duckdb, opened for reading in a private
// instance that sees its folder and nothing else: its views are somebody
// else's SQL.
type extract struct {
	db    *sql.DB
	alias string
}

// openExtract opens the extract of a source. output, if any, is the one file
// outside the folder that may be written.
func (s *Store) openExtract(ctx context.Context, source string, output ...string) (*extract, error) {
	if !registry.Identifier(source) {
		return nil, refuse("source_name_invalid", "Rename the folder: letters, digits and _, no digit first, at most 64 characters.",
			"The folder %s has a name that cannot be used.", shorten(source, 80))
	}
	file, err := s.path(extractKey(source))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, refuse("extract_missing", "Run the extractor first.", "The source %s has no extract.duckdb.", source).because(err)
	}
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	e := &extract{db: db, alias: extractAlias(source)}
	if _, err := db.ExecContext(ctx, "ATTACH "+quoteLiteral(file)+" AS "+quoteIdent(e.alias)+" (READ_ONLY)"); err != nil {
		return nil, closeAfter(db, attachFault(err, file, source))
	}
	if err := lock(ctx, db, []string{filepath.Dir(file) + "/"}, output); err != nil {
		return nil, closeAfter(db, err)
	}
	if err := e.checkMeta(ctx, source); err != nil {
		return nil, closeAfter(db, err)
	}
	return e, nil
}

// extractAlias is the catalog's name: the folder's, as views may rely on it
// (contract 12.2), unless DuckDB has that name itself.
func extractAlias(source string) string {
	switch strings.ToLower(source) {
	case "memory", "system", "temp", "main":
		return "extract"
	}
	return source
}

// attachFault says why an extract.duckdb does not open.
func attachFault(err error, file, source string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "Could not set lock"), strings.Contains(text, "Conflicting lock"):
		return refuse("extract_locked", "Wait until the extractor has finished, then try again.",
			"Another program is writing the extract of %s now.", source).because(err)
	case storageVersion(file) > newestStorage, strings.Contains(text, "version number"):
		return refuse("extract_too_new", "Let the extractor write with ATTACH … (STORAGE_VERSION 'v1.0.0').",
			"The extract of %s was written by a newer DuckDB than Agnes reads.", source).because(err)
	case errors.Is(err, fs.ErrPermission), strings.Contains(text, "Permission denied"):
		return refuse("extract_unreadable", "Give Agnes the permission to read the folder.",
			"Agnes may not read the extract of %s.", source).because(err)
	}
	return refuse("extract_unreadable", nextExtractor, "The extract of %s is damaged or not a DuckDB file. What was synced before stays.", source).because(err)
}

// storageVersion reads the version from a DuckDB file's header, 0 when it is
// none. Nobody in this process holds the file open then, or closing it here
// would drop their lock.
func storageVersion(file string) uint64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	var head [20]byte // checksum, "DUCK", version
	_, err = io.ReadFull(f, head[:])
	if err := errors.Join(err, f.Close()); err != nil || string(head[8:12]) != "DUCK" {
		return 0
	}
	return binary.LittleEndian.Uint64(head[12:])
}

// checkMeta fails unless _meta is there with the columns of the contract.
func (e *extract) checkMeta(ctx context.Context, source string) error {
	query := `SELECT lower(column_name), data_type FROM duckdb_columns()
		WHERE database_name = ` + quoteLiteral(e.alias) + ` AND schema_name = 'main' AND table_name = '_meta'`
	columns, err := collect(ctx, e.db, query, func(r *sql.Rows) (registry.Column, error) {
		var c registry.Column
		return c, r.Scan(&c.Name, &c.Type)
	})
	if err != nil {
		return refuse("extract_unreadable", nextExtractor, "The extract of %s is damaged.", source).because(err)
	}
	if len(columns) == 0 {
		return refuse("meta_missing", nextAskOwner, "The extract of %s has no table _meta, so Agnes cannot tell what it offers.", source)
	}
	types := map[string]string{}
	for _, c := range columns {
		types[c.Name] = c.Type
	}
	for _, c := range []struct{ name, is string }{
		{"table_name", "VARCHAR"}, {"description", "VARCHAR"}, {"rows", "INT"}, {"size_bytes", "INT"}, {"query_mode", "VARCHAR"},
	} {
		kind, there := types[c.name]
		if !there {
			return refuse("meta_invalid", nextAskOwner, "The table _meta in the extract of %s has no column %s.", source, c.name)
		}
		if !strings.Contains(kind, c.is) {
			return refuse("meta_invalid", nextAskOwner, "The column %s of _meta in the extract of %s has type %s.", c.name, source, shorten(kind, 40))
		}
	}
	return nil
}

// SourceTables lists what a custom extract offers. A row that cannot be served
// carries a code and a sentence, and never spoils the others.
func (s *Store) SourceTables(ctx context.Context, source string) (_ []work.SourceTable, err error) {
	e, err := s.openExtract(ctx, source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.db.Close()) }()
	offered, err := e.meta(ctx, source)
	if err != nil {
		return nil, err
	}
	objects, err := e.objects(ctx, source)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range offered {
		t := &offered[i]
		t.Code, t.Problem = e.problem(ctx, *t, objects, seen)
		seen[strings.ToLower(t.Name)] = true
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return offered, nil
}

func (e *extract) meta(ctx context.Context, source string) ([]work.SourceTable, error) {
	query := fmt.Sprintf(`SELECT coalesce(CAST(table_name AS VARCHAR), ''), coalesce(CAST(description AS VARCHAR), ''),
			coalesce(TRY_CAST(rows AS BIGINT), 0), coalesce(CAST(query_mode AS VARCHAR), 'local')
		FROM %s.main._meta LIMIT %d`, quoteIdent(e.alias), metaRows)
	tables, err := collect(ctx, e.db, query, func(r *sql.Rows) (work.SourceTable, error) {
		var t work.SourceTable
		err := r.Scan(&t.Name, &t.Description, &t.Rows, &t.QueryMode)
		t.Name, t.Description = shorten(t.Name, 200), shorten(t.Description, 4000)
		return t, err
	})
	if err != nil {
		return nil, refuse("extract_unreadable", nextExtractor, "The table _meta in the extract of %s cannot be read.", source).because(err)
	}
	return tables, nil
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
		return nil, refuse("extract_unreadable", nextExtractor, "The extract of %s is damaged.", source).because(err)
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
	case t.QueryMode == "remote":
		return "remote_not_served", fmt.Sprintf("%s stays in its outside system. Agnes serves tables whose rows are copied here.", name)
	case !objects[strings.ToLower(t.Name)]:
		return "table_missing", fmt.Sprintf("_meta names %s, but the extract has no table or view of that name.", name)
	}
	if _, err := e.relation(ctx, t.Name); err != nil {
		return "table_unreadable", fmt.Sprintf("%s cannot be read: %s", t.Name, engineWords(err))
	}
	return "", ""
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
