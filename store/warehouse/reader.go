package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"agnes/domain/files"
	"agnes/domain/registry"
)

// reader is one file that DuckDB is about to read, in a locked instance.
type reader struct {
	path      string // what the engine reads
	origin    string // the file that people know
	format    files.Format
	packed    files.Compression
	options   files.Options
	before    stamp             // of origin, when it was looked at
	marked    bool              // it begins with a mark that the engine does not read over
	separator string            // that its first line names, as a line of its own
	most      int64             // how much of a long file is read, for a preview; 0 is all
	even      bool              // it is a copy whose lines end alike
	retyped   bool              // types were guessed from all rows
	partial   bool              // path holds the beginning only
	lenient   bool              // rows that do not fit are put aside, not fatal
	sheet     *sheet            // of a workbook
	csv       dialect           // for CSV, TSV and sheets
	found     []registry.Column // before corrections
	hive      []hiveCell        // what the folders' names say
	among     bool              // one of several: it need not have every column
	item      string            // what it is called among them
}

// delimited reports whether the engine reads CSV.
func (r *reader) delimited() bool {
	return r.format == files.CSV || r.format == files.TSV || r.format == files.XLSX
}

// open looks at the file and says how it is read. sample bounds how many
// JSON rows types are guessed from.
func (r *reader) open(ctx context.Context, db *sql.DB, sample int) (relation, error) {
	var rel relation
	var err error
	switch {
	case r.delimited():
		if err = r.sniffCSV(ctx, db); err != nil {
			return relation{}, r.csvFault(err)
		}
		rel = r.csvRelation()
	case r.format == files.JSON, r.format == files.NDJSON:
		rel, err = r.openJSON(ctx, db, sample)
	case r.format == files.Parquet:
		rel, err = r.described(ctx, db, "read_parquet("+quoteFile(r.path)+", hive_partitioning = false)")
	default:
		return relation{}, unknownFormat()
	}
	if err != nil {
		return relation{}, err
	}
	return r.correct(rel)
}

func unknownFormat() *fault {
	return refuse("file_format_unknown", "Upload CSV, TSV, JSON, NDJSON, Parquet or XLSX.", "The file has a format that is not read.")
}

// csvRelation is the file in its dialect.
func (r *reader) csvRelation() relation {
	return relation{from: r.csv.from(), columns: slices.Clone(r.csv.columns), reads: map[int]string{}, warnings: slices.Clip(r.csv.warnings)}
}

func (r *reader) described(ctx context.Context, db *sql.DB, from string) (relation, error) {
	columns, err := describe(ctx, db, from)
	if err != nil {
		return relation{}, r.fault(err)
	}
	return parquetRelation(from, columns), nil
}

// retype is another try at a CSV file whose later rows did not fit the types of
// its first; false when there is nothing to try. All rows say better what the types
// are; a column that does not fit even so is text.
func (r *reader) retype(ctx context.Context, db *sql.DB, err error) (relation, bool) {
	m := csvValue.FindStringSubmatch(err.Error())
	if !r.delimited() || m == nil {
		return relation{}, false
	}
	if r.retyped {
		if !r.asTextToo(m[1]) {
			return relation{}, false
		}
	} else if r.retypeAll(ctx, db) != nil {
		return relation{}, false // the first error names the line
	}
	rel, again := r.correct(r.csvRelation())
	return rel, again == nil
}

// retypeAll guesses the types from all rows.
func (r *reader) retypeAll(ctx context.Context, db *sql.DB) error {
	d, err := r.csv.retype(ctx, db)
	if err == nil {
		err = r.keepDigits(ctx, db, &d, wholeFile)
	}
	if err != nil {
		return err
	}
	r.keepText(&d)
	r.csv, r.retyped = d, true
	return r.keepCells(ctx, db)
}

// asTextToo makes a guessed column text, unless it is.
func (r *reader) asTextToo(name string) bool {
	i := slices.IndexFunc(r.csv.columns, func(c registry.Column) bool { return c.Name == name })
	if i < 0 || r.csv.columns[i].Type == "VARCHAR" || r.given(name) {
		return false
	}
	r.csv.columns = slices.Clone(r.csv.columns)
	r.csv.columns[i].Type = "VARCHAR"
	return true
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
	switch {
	case r.delimited():
		return r.csvFault(err)
	case r.format == files.JSON, r.format == files.NDJSON:
		if empty := r.emptyJSON(); empty != nil {
			return empty
		}
		return jsonFault(err, r.path, r.name())
	case r.format == files.Parquet:
		return refuse("file_not_parquet", "Check how it was made, and upload it again.",
			"%s is damaged or not a Parquet file.", r.name()).because(err)
	}
	return err
}
