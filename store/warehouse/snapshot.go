package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

// Snapshot makes a version of one table of a custom extract. What the
// extractor does to its folder afterwards does not change it. A large table
// becomes a version of several files.
func (s *Store) Snapshot(ctx context.Context, source, table string, to Target, report Report) (out work.Extracted, err error) {
	report.phase(syncs.Extract)
	version, err := versionKey(to.Source, to.Table, to.VersionID)
	if err != nil {
		return work.Extracted{}, err
	}
	large, err := s.large(ctx, source, table)
	if err != nil {
		return work.Extracted{}, err
	}
	var warnings []string
	write := func(temp string) (rows int64, err error) {
		e, err := s.openExtract(ctx, source, temp)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, e.db.Close()) }()
		rows, warnings, err = e.copyTable(ctx, source, table, temp, report)
		if err == nil {
			err = e.unchanged(source)
		}
		report.phase(syncs.Publish)
		return rows, err
	}
	publish := s.publishParquet
	if large {
		publish = s.publishParts
	}
	if out, err = publish(ctx, version, write); err != nil {
		return work.Extracted{}, err
	}
	out.Warnings = warnings
	return out, nil
}

// large reports whether a table is worth several files, by what _meta and the
// engine say of it. It guesses: a wrong guess costs a file of another size.
func (s *Store) large(ctx context.Context, source, table string) (_ bool, err error) {
	e, err := s.openExtract(ctx, source)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, e.db.Close()) }()
	var rows, bytes int64
	said := fmt.Sprintf("SELECT coalesce(max(%s), 0), coalesce(max(%s), 0) FROM %s.main._meta WHERE lower(%s) = lower(%s)",
		e.meta.number("rows"), e.meta.number("size_bytes"), quoteIdent(e.alias), e.meta.text("table_name", 200, ""), quoteLiteral(table))
	_, err = within(ctx, lookTimeout, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, e.db.QueryRowContext(ctx, said).Scan(&rows, &bytes)
	})
	if err == nil && rows < s.split.rows && bytes < s.split.bytes {
		// Only tables that lie in the extract have an estimate; it is exact there.
		err = e.db.QueryRowContext(ctx, `SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables() WHERE database_name = $1 AND lower(table_name) = lower($2)`,
			e.alias, table).Scan(&rows)
	}
	if err != nil {
		return false, tableFault(err, source, table)
	}
	return rows >= s.split.rows || bytes >= s.split.bytes, nil
}

func (e *extract) copyTable(ctx context.Context, source, table, temp string, report Report) (int64, []string, error) {
	objects, err := e.objects(ctx, source)
	if err != nil {
		return 0, nil, err
	}
	if !objects[strings.ToLower(table)] {
		return 0, nil, refuse("table_missing", nextExtractor,
			"The extract of %s has no table %s any more. The rows from before stay.", source, shorten(table, 80))
	}
	rel, err := e.exact(ctx, table)
	if err != nil {
		return 0, nil, tableFault(err, source, table)
	}
	done := report.watch(syncs.Convert, "", temp)
	copied := copyOut
	if strings.HasSuffix(temp, "/") {
		copied = e.copyParts
	}
	rows, err := copied(ctx, e.db, rel, temp)
	done()
	if err != nil {
		return 0, nil, tableFault(err, source, table)
	}
	return rows, rel.warnings, nil
}

// copyParts streams a relation into files of a folder.
func (e *extract) copyParts(ctx context.Context, db *sql.DB, rel relation, dir string) (int64, error) {
	var rows int64
	err := db.QueryRowContext(ctx, fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES %d, FILENAME_PATTERN 'part_{i}')",
		rel.selectAll(), quoteLiteral(strings.TrimSuffix(dir, "/")), e.fileBytes)).Scan(&rows)
	return rows, err //nolint:wrapcheck // callers read DuckDB's words
}

func tableFault(err error, source, table string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("table_unreadable", nextExtractor,
		"The table %s of %s cannot be read: %s The rows from before stay.", table, source, wordsOf(err)).because(err)
}

// sentence ends text with a full stop.
func sentence(text string) string { return strings.TrimRight(text, ". ") + "." }
