package warehouse

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"agnes/domain/files"
	"agnes/domain/registry"
)

const (
	// previewRows is how many rows a preview shows.
	previewRows = 50
	// previewBytes bounds how much of a file a preview looks through for rows
	// that do not fit; a larger one is looked at from its beginning.
	previewBytes = 32 << 20
	// previewScan is how many rows of a larger one.
	previewScan = 200_000
)

// Preview says what Agnes makes of a file, and shows its first rows.
func (s *Store) Preview(ctx context.Context, key string, format files.Format) (files.Preview, error) {
	return s.PreviewWith(ctx, key, format, files.Options{})
}

// PreviewWith is Preview with corrections. Rows that do not fit are shown beside
// the others, whatever shall become of them.
func (s *Store) PreviewWith(ctx context.Context, key string, format files.Format, o files.Options) (_ files.Preview, err error) {
	if s.many(key) {
		return s.previewMany(ctx, key, o)
	}
	r, err := s.prepare(ctx, key, format, o, previewBytes)
	if err != nil {
		return files.Preview{}, err
	}
	return evenly(ctx, s, r, func(r *reader) (_ files.Preview, err error) {
		db, err := s.locked(ctx, r.path)
		if err != nil {
			return files.Preview{}, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return r.preview(ctx, db)
	})
}

// preview looks at a file that was prepared.
func (r *reader) preview(ctx context.Context, db *sql.DB) (files.Preview, error) {
	r.lenient = r.delimited()
	limit := int64(0)
	if r.partial || fileSize(r.path) > previewBytes {
		limit = previewScan
	}
	rel, err := r.open(ctx, db, sampleRows)
	if err != nil {
		return files.Preview{}, r.orChanged(err)
	}
	if rel, err = r.previewWritten(ctx, db, rel, limit); err != nil {
		return files.Preview{}, r.orChanged(r.fault(err))
	}
	p := files.Preview{Format: r.format, Columns: rel.kept(), Found: r.found, TotalRows: -1, Partial: limit > 0}
	if r.delimited() {
		p.TotalRows, p.Report, err = r.scanRelation(ctx, db, rel, limit)
		if err == nil && limit == 0 && p.Misfits.Count > 0 && r.options.Policy() == files.RejectAll {
			was, first := rel.columns, p.Misfits.First
			if rel, err = r.previewRetyped(ctx, db, rel, &p); err == nil {
				rel.warnings = append(slices.Clip(rel.warnings), textWords(was, rel.columns, first)...)
			}
		}
	} else {
		err = r.lookForLosses(ctx, db, rel, limit, &p)
	}
	if err != nil {
		return files.Preview{}, r.orChanged(r.fault(err))
	}
	shown, err := r.showWords(ctx, db, rel)
	if err == nil {
		p.Rows, err = firstRows(ctx, db, shown)
	}
	if err != nil {
		return files.Preview{}, r.orChanged(r.fault(err))
	}
	if len(p.Rows) == 0 && !r.among {
		return files.Preview{}, noRows(r.name(), p.Misfits.Count)
	}
	p.Warnings = append(rel.warnings, r.loneObject(int64(len(p.Rows)))...)
	unclear, err := r.unclear(ctx, db, rel.kept(), "("+shown.selectAll()+fmt.Sprintf(" LIMIT %d) AS t", previewScan))
	if err != nil {
		return files.Preview{}, r.orChanged(r.fault(err))
	}
	if !r.among { // other files may tell
		p.Warnings = append(p.Warnings, unclearWords(cmp.Or(r.csv.dateFormat, r.csv.timestamp), unclear)...)
	}
	r.describe(&p, rel)
	return p, r.unchanged()
}

// previewWritten is the relation with columns of text where numbers do not say
// all of it. Of a larger file the first rows have to do, which were looked at.
func (r *reader) previewWritten(ctx context.Context, db *sql.DB, rel relation, limit int64) (relation, error) {
	if limit > 0 {
		return rel, nil
	}
	err := r.checkWritten(ctx, db, rel, r.watchCells(rel)())
	if again, odd := r.keepWritten(ctx, db, err); odd {
		return again, nil
	}
	return rel, err
}

// previewRetyped reads anew what does not fit guessed types, as the sync does where
// every row has to fit: it guesses from all rows, and makes text of what does not fit
// even so. The relation may be another one then.
func (r *reader) previewRetyped(ctx context.Context, db *sql.DB, rel relation, p *files.Preview) (relation, error) {
	for range len(rel.columns) + 2 {
		names, err := collect(ctx, db, "SELECT DISTINCT column_name FROM "+rejectsTable+" WHERE error_type = 'CAST' AND line NOT IN (SELECT line FROM "+rejectsTable+" WHERE error_type <> 'CAST')",
			func(rows *sql.Rows) (name string, err error) { return name, rows.Scan(&name) })
		if err != nil {
			return rel, fmt.Errorf("read misfits: %w", err)
		}
		names = slices.DeleteFunc(names, r.given)
		if len(names) == 0 {
			return rel, nil
		}
		if !r.retyped {
			err = r.retypeAll(ctx, db)
		} else if !slices.ContainsFunc(names, r.asTextToo) {
			return rel, nil
		}
		if err == nil {
			rel, err = r.correct(r.csvRelation())
		}
		if err == nil {
			p.TotalRows, p.Report, err = r.scanRelation(ctx, db, rel, 0)
		}
		if err != nil {
			return rel, err
		}
		p.Columns, p.Found = rel.kept(), r.found
	}
	return rel, nil
}

// textWords says which value made a column text.
func textWords(was, is []registry.Column, misfits []files.Misfit) (words []string) {
	for i, c := range is {
		at := slices.IndexFunc(misfits, func(m files.Misfit) bool { return m.Column == was[i].Name })
		if at >= 0 && c.Type == "VARCHAR" && was[i].Type != "VARCHAR" {
			words = append(words, fmt.Sprintf("Column %s is read as text: in line %d, %s.", c.Name, misfits[at].Line, misfits[at].Reason))
		}
	}
	return words
}

// describe puts the file's own facts into its preview.
func (r *reader) describe(p *files.Preview, rel relation) {
	if r.format == files.CSV || r.format == files.TSV {
		p.Dialect, p.Separator = r.csv.words(), r.separator
	}
	if r.sheet != nil {
		p.Sheets, p.Sheet = r.sheet.names, r.sheet.name
		p.Losses = append(p.Losses, r.sheetLosses(rel)...)
	}
	if p.Partial {
		p.TotalRows = -1
	}
}

// lookForLosses counts rows where the footer tells, and values that do not fit
// the types that the corrections give.
func (r *reader) lookForLosses(ctx context.Context, db *sql.DB, rel relation, limit int64, p *files.Preview) (err error) {
	if r.format == files.Parquet {
		err := db.QueryRowContext(ctx, "SELECT num_rows FROM parquet_file_metadata("+quoteFile(r.path)+")").Scan(&p.TotalRows)
		if err != nil {
			return err //nolint:wrapcheck // the caller reads DuckDB's words
		}
		p.Partial = false
	}
	losses, err := rel.losses(ctx, db, limit)
	if err != nil || len(losses) == 0 {
		return err
	}
	if r.options.Policy() == files.NullCells {
		p.Losses = losses
		return nil
	}
	p.Misfits, err = misfits(ctx, db, rel.misfitQuery(limit))
	return err
}

// scan reads a delimited file for the rows that do not fit.
func (r *reader) scan(ctx context.Context, db *sql.DB, limit int64) (rows int64, report files.Report, err error) {
	rel, err := r.open(ctx, db, sampleRows)
	if err != nil {
		return 0, report, err
	}
	return r.scanRelation(ctx, db, rel, limit)
}

func (r *reader) scanRelation(ctx context.Context, db *sql.DB, rel relation, limit int64) (rows int64, report files.Report, err error) {
	if rows, err = r.noteZones(ctx, db, rel, limit); err != nil {
		return 0, report, err
	}
	if report.Misfits, err = r.rejected(ctx, db); err != nil {
		return 0, report, err
	}
	report.Losses, err = rel.losses(ctx, db, limit)
	return rows, report, err
}

// dropRejects forgets the lines that an earlier read put aside.
func dropRejects(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+rejectsTable+"; DROP TABLE IF EXISTS "+rejectsTable+"_scan"); err != nil {
		return fmt.Errorf("forget misfits: %w", err)
	}
	return nil
}

// firstRows returns a relation's first rows as text.
func firstRows(ctx context.Context, db *sql.DB, rel relation) ([][]*string, error) {
	columns := len(rel.kept())
	return collect(ctx, db, rel.selectText()+" LIMIT "+strconv.Itoa(previewRows), func(r *sql.Rows) ([]*string, error) {
		cells, into := make([]*string, columns), make([]any, columns)
		for i := range cells {
			into[i] = &cells[i]
		}
		return cells, r.Scan(into...)
	})
}
