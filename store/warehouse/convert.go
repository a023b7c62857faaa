package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// Target names the version that an extraction makes.
type Target struct {
	Source, Table string
	VersionID     registry.VersionID
}

// Convert makes a version of the rows of a file. Nothing of the file is
// dropped silently: every row fits, or the work stops with the line that does
// not, and columns that had to be renamed are in Warnings.
func (s *Store) Convert(ctx context.Context, key string, format files.Format, to Target, report Report) (work.Extracted, error) {
	path, err := s.path(key)
	if err != nil {
		return work.Extracted{}, err
	}
	report.phase(syncs.Extract)
	if err := probe(path, format); err != nil {
		return work.Extracted{}, err
	}
	version, err := versionKey(to.Source, to.Table, to.VersionID)
	if err != nil {
		return work.Extracted{}, err
	}
	var warnings []string
	out, err := s.publishParquet(ctx, version, func(temp string) (rows int64, err error) {
		db, err := s.locked(ctx, path, temp)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		rows, warnings, err = s.convert(ctx, db, reader{path: path, format: format}, temp, report)
		if err == nil && rows == 0 {
			err = noRows(path)
		}
		report.phase(syncs.Publish)
		return rows, err
	})
	if err != nil {
		return work.Extracted{}, err
	}
	out.Warnings = warnings
	return out, nil
}

func (s *Store) convert(ctx context.Context, db *sql.DB, r reader, temp string, report Report) (int64, []string, error) {
	rel, err := r.open(ctx, db, wholeFile)
	if err != nil {
		return 0, nil, err
	}
	done := report.watch(syncs.Convert, r.path, temp)
	rows, err := copyOut(ctx, db, rel, temp)
	if err != nil {
		if again, worthIt := r.retype(ctx, db, err); worthIt {
			rel = again
			rows, err = copyOut(ctx, db, rel, temp)
		}
	}
	done()
	if err != nil {
		return 0, nil, r.fault(err)
	}
	return rows, append(rel.warnings, r.loneObject(rows)...), nil
}

// copyOut streams a relation into a Parquet file and returns its rows. The
// file is temporary already, so DuckDB writes it directly.
func copyOut(ctx context.Context, db *sql.DB, rel relation, temp string) (int64, error) {
	var rows int64
	err := db.QueryRowContext(ctx, "COPY ("+rel.selectAll()+") TO "+quoteLiteral(temp)+
		" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)").Scan(&rows)
	return rows, err //nolint:wrapcheck // callers read DuckDB's words
}

func noRows(path string) *fault {
	return refuse("file_no_rows", "Check the export that made it, then upload it again.", "%s has column names but no rows.", filepath.Base(path))
}
