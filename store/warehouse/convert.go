package warehouse

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"

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

// Convert makes a version of the rows of a file as it is found.
func (s *Store) Convert(ctx context.Context, key string, format files.Format, to Target, report Report) (work.Extracted, error) {
	return s.ConvertWith(ctx, key, format, files.Options{}, to, report)
}

// ConvertWith makes a version of the rows of a file, a folder or a pattern, with
// corrections. Nothing is dropped silently: every row fits, or the work stops
// with the line that does not, or the corrections say what becomes of it; what
// was put aside or made NULL is told as a report, and columns that had to be
// renamed are in Warnings.
func (s *Store) ConvertWith(ctx context.Context, key string, format files.Format, o files.Options, to Target, report Report) (work.Extracted, error) {
	report.phase(syncs.Extract)
	version, err := versionKey(to.Source, to.Table, to.VersionID)
	if err != nil {
		return work.Extracted{}, err
	}
	read := s.convertOne
	if s.many(key) {
		read = s.convertMany
	}
	var got converted
	out, err := s.publishParquet(ctx, version, func(temp string) (_ int64, err error) {
		if got, err = read(ctx, key, format, o, temp, report); err == nil && got.rows == 0 {
			err = noRows(key, got.report.Misfits.Count)
		}
		if err != nil {
			return 0, err
		}
		report.phase(syncs.Publish)
		return got.rows, s.aside(ctx, &got, version)
	})
	if got.closed != nil {
		if closing := got.closed(); closing != nil {
			s.log.Warn("engine did not close", "err", closing) // its file was read back, or is gone
		}
	}
	if !got.report.Empty() && report != nil {
		report(work.Event{Report: &got.report})
	}
	if err != nil {
		return work.Extracted{}, err
	}
	out.Warnings = got.warnings
	return out, nil
}

// aside publishes the rows that were put aside.
func (s *Store) aside(ctx context.Context, got *converted, version string) error {
	if got.aside == "" {
		return nil
	}
	key := misfitsKey(version)
	size, err := s.keepAside(ctx, got.aside, key)
	got.report.Misfits.Key, got.report.Misfits.Bytes = key, size
	return err
}

// converted is what became of a file.
type converted struct {
	rows      int64
	warnings  []string
	report    files.Report
	found     []registry.Column // before corrections
	date      string            // the form of its dates, as far as it has one
	timestamp string            // the same of dates with time
	unclear   []string          // columns whose dates could have day and month the other way round
	aside     string            // the file of the scratch folder with the rows that do not fit
	closed    func() error      // waits for the instance that was used
}

// convertOne makes a Parquet file of one file.
func (s *Store) convertOne(ctx context.Context, key string, format files.Format, o files.Options, temp string, report Report) (got converted, err error) {
	r, err := s.prepare(ctx, key, format, o, 0)
	if err != nil {
		return got, err
	}
	return evenly(ctx, s, r, func(r *reader) (got converted, err error) {
		db, err := s.locked(ctx, r.path, temp, s.asideFile())
		if err != nil {
			return got, err
		}
		got, err = s.convert(ctx, db, r, temp, report)
		got.closed = closeBeside(db)
		return got, err
	})
}

// convert makes a Parquet file of a file that was prepared, and makes sure that
// the file stayed as it was.
func (s *Store) convert(ctx context.Context, db *sql.DB, r *reader, temp string, report Report) (got converted, err error) {
	r.lenient = r.options.Policy() == files.SkipRows
	rel, err := r.open(ctx, db, wholeFile)
	if err == nil {
		done := report.watch(syncs.Convert, r.path, temp)
		got, err = s.copyFitting(ctx, db, r, rel, temp)
		for range len(rel.columns) + 2 { // each time a column more is text
			again, worthIt := s.retype(ctx, db, r, err)
			if !worthIt {
				break
			}
			rel = again
			got, err = s.copyFitting(ctx, db, r, rel, temp)
		}
		done()
	}
	if err != nil {
		err = r.orChanged(r.whole(r.fault(err)))
		if got.report.Empty() {
			got.report = s.whatMisfits(ctx, db, r, err)
		}
		return got, err
	}
	if r.sheet != nil {
		got.report.Losses = append(got.report.Losses, r.sheetLosses(rel)...)
	}
	got.found, got.date, got.timestamp = r.found, r.csv.dateFormat, r.csv.timestamp
	got.warnings = append(slices.Clone(rel.warnings), r.loneObject(got.rows)...)
	if got.unclear, err = r.unclear(ctx, db, rel.kept(), "read_parquet("+quoteFile(temp)+", hive_partitioning = false) AS t"); err != nil {
		return got, err
	}
	if !r.among {
		got.warnings = append(got.warnings, unclearWords(cmp.Or(got.date, got.timestamp), got.unclear)...)
	}
	return got, r.unchanged()
}

// retype is another try where types are only guesses: columns of numbers that no
// number gives back, and any column where every row must fit.
func (s *Store) retype(ctx context.Context, db *sql.DB, r *reader, err error) (relation, bool) {
	if err == nil {
		return relation{}, false
	}
	if again, odd := r.keepWritten(ctx, db, err); odd {
		return again, true
	}
	if r.options.Policy() != files.RejectAll {
		return relation{}, false
	}
	return r.retype(ctx, db, err)
}

// copyFitting writes the rows that fit to a Parquet file, and deals with the
// others as the corrections say.
func (s *Store) copyFitting(ctx context.Context, db *sql.DB, r *reader, rel relation, temp string) (got converted, err error) {
	policy := r.options.Policy()
	if policy == files.NullCells {
		return r.copyNulling(ctx, db, rel, temp)
	}
	losses, err := rel.losses(ctx, db, 0)
	if err != nil {
		return got, err
	}
	if len(losses) > 0 {
		query := rel.misfitQuery(0)
		if got.report.Misfits, err = misfits(ctx, db, query); err != nil {
			return got, err
		}
		if policy == files.RejectAll {
			return got, valuesMisfit(r.name(), rel, losses)
		}
		if got.aside, err = s.putAside(ctx, db, r, query); err != nil {
			return got, err
		}
		rel.where = "NOT coalesce(" + rel.badRow() + ", false)"
	}
	suspects := r.watchCells(rel)
	if got.rows, err = copyOut(ctx, db, rel, temp); err == nil {
		got.rows, err = r.mend(ctx, db, rel, temp, got.rows, suspects)
	}
	if err != nil || !r.lenient || !r.delimited() {
		return got, err
	}
	if got.report.Misfits, err = r.rejected(ctx, db); err == nil && got.report.Misfits.Count > 0 {
		got.aside, err = s.putAside(ctx, db, r, r.rejects())
	}
	return got, err
}

// copyNulling writes all rows, with NULL for each value that does not fit, and
// counts those. The file is read again for that only where a column came to have
// a NULL: one without has lost nothing.
func (r *reader) copyNulling(ctx context.Context, db *sql.DB, rel relation, temp string) (got converted, err error) {
	suspects := r.watchCells(rel)
	if got.rows, err = copyOut(ctx, db, rel, temp); err == nil {
		err = errors.Join(r.checkWritten(ctx, db, rel, suspects()), r.checkYears(ctx, db, rel, temp))
	}
	if err != nil {
		return got, err
	}
	if rel, err = rel.withNulls(ctx, db, temp); err == nil {
		got.report.Losses, err = rel.losses(ctx, db, 0)
	}
	return got, err
}

// valuesMisfit refuses a file whose values do not have the types that the
// corrections give them.
func valuesMisfit(name string, rel relation, losses []files.Loss) error {
	l := losses[0]
	kind := ""
	for _, c := range rel.columns {
		if c.Name == l.Column {
			kind = c.Type
		}
	}
	return refuse("file_value_misfit", "Correct the values, choose another type, or choose what becomes of rows that do not fit.",
		"%s of column %s in %s are not %s, such as %q.", countOf(l.Count, "value"), l.Column, name, typeWords(kind), shorten(l.Example, 80))
}

// whatMisfits says which rows made err, as far as another look tells. It is a
// courtesy: err stands without it.
func (s *Store) whatMisfits(ctx context.Context, db *sql.DB, r *reader, err error) files.Report {
	var told *fault
	rows := []string{"file_row_misfit", "file_value_misfit", "file_quote_open", "file_line_too_long"}
	if !r.delimited() || !errors.As(err, &told) || !slices.Contains(rows, told.Code) {
		return files.Report{}
	}
	look := *r
	look.lenient = true
	_, report, err := look.scan(ctx, db, 0)
	if err != nil {
		s.log.Info("rows that do not fit are not listed", "err", err)
		return files.Report{}
	}
	return report
}

// copyOut streams a relation into a Parquet file and returns its rows. The
// file is temporary already, so DuckDB writes it directly.
func copyOut(ctx context.Context, db *sql.DB, rel relation, temp string) (int64, error) {
	var rows int64
	err := db.QueryRowContext(ctx, "COPY ("+rel.selectAll()+") TO "+quoteLiteral(temp)+
		" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)").Scan(&rows)
	return rows, err //nolint:wrapcheck // callers read DuckDB's words
}

func noRows(path string, misfits int64) *fault {
	if misfits > 0 {
		return refuse("file_all_misfit", "Check separator, types and dates under the corrections.", "None of the %s of %s fit, so there is no table to make.",
			countOf(misfits, "row"), filepath.Base(path))
	}
	return refuse("file_no_rows", "Check the export that made it, then upload it again.", "%s has column names but no rows.", filepath.Base(path))
}
