package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"agnes/domain/files"
)

// reader is one file that DuckDB is about to read, in a locked instance.
type reader struct {
	path   string
	format files.Format
	csv    dialect // for CSV and TSV
}

// open looks at the file and says how it is read. sample bounds how many
// JSON rows types are guessed from.
func (r *reader) open(ctx context.Context, db *sql.DB, sample int) (relation, error) {
	switch r.format {
	case files.CSV, files.TSV:
		d, err := sniffCSV(ctx, db, r.path, r.format)
		if err != nil {
			return relation{}, csvFault(err, r.path)
		}
		r.csv = d
		return relation{from: d.from(), columns: d.columns, warnings: d.warnings}, nil
	case files.JSON, files.NDJSON:
		return r.openJSON(ctx, db, sample)
	case files.Parquet:
		return r.described(ctx, db, "read_parquet("+quoteFile(r.path)+", hive_partitioning = false)")
	}
	return relation{}, refuse("file_format_unknown", "Upload CSV, TSV, JSON, NDJSON or Parquet.", "%s has a format that is not read.", filepath.Base(r.path))
}

func (r *reader) described(ctx context.Context, db *sql.DB, from string) (relation, error) {
	columns, err := describe(ctx, db, from)
	if err != nil {
		return relation{}, r.fault(err)
	}
	return newRelation(from, columns), nil
}

// retype is the second try at a CSV file whose later rows did not fit the
// types of its first; false when there is nothing to try.
func (r *reader) retype(ctx context.Context, db *sql.DB, err error) (relation, bool) {
	if (r.format != files.CSV && r.format != files.TSV) || !csvValue.MatchString(err.Error()) {
		return relation{}, false
	}
	d, again := r.csv.retype(ctx, db)
	if again != nil {
		return relation{}, false // the first error names the line
	}
	r.csv = d
	return relation{from: d.from(), columns: d.columns, warnings: d.warnings}, true
}

// fault puts DuckDB's error about the file into words.
func (r *reader) fault(err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	var told *fault
	if errors.As(err, &told) {
		return err
	}
	name := filepath.Base(r.path)
	switch r.format {
	case files.CSV, files.TSV:
		return csvFault(err, r.path)
	case files.JSON, files.NDJSON:
		return jsonFault(err, name)
	case files.Parquet:
		return refuse("file_not_parquet", "Check how it was made, and upload it again.",
			"%s is damaged or not a Parquet file.", name).because(err)
	}
	return err
}
