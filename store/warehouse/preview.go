package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"agnes/domain/files"
)

// previewRows is how many rows a preview shows.
const previewRows = 50

// Preview says what Agnes makes of a file, and shows its first rows.
func (s *Store) Preview(ctx context.Context, key string, format files.Format) (_ files.Preview, err error) {
	path, err := s.path(key)
	if err != nil {
		return files.Preview{}, err
	}
	if err := probe(path, format); err != nil {
		return files.Preview{}, err
	}
	db, err := s.locked(ctx, path)
	if err != nil {
		return files.Preview{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	r := reader{path: path, format: format}
	rel, err := r.open(ctx, db, sampleRows)
	if err != nil {
		return files.Preview{}, err
	}
	rows, err := firstRows(ctx, db, rel)
	if err != nil {
		return files.Preview{}, r.fault(err)
	}
	if len(rows) == 0 {
		return files.Preview{}, noRows(path)
	}
	preview := files.Preview{Format: format, Columns: rel.columns, Rows: rows, TotalRows: -1}
	preview.Warnings = append(rel.warnings, r.loneObject(int64(len(rows)))...)
	if format == files.CSV || format == files.TSV {
		preview.Dialect = r.csv.words()
	}
	if format == files.Parquet {
		err := db.QueryRowContext(ctx, "SELECT num_rows FROM parquet_file_metadata("+quoteFile(path)+")").Scan(&preview.TotalRows)
		if err != nil {
			return files.Preview{}, r.fault(err)
		}
	}
	return preview, nil
}

// firstRows returns a relation's first rows as text.
func firstRows(ctx context.Context, db *sql.DB, rel relation) ([][]*string, error) {
	return collect(ctx, db, rel.selectText()+" LIMIT "+strconv.Itoa(previewRows), func(r *sql.Rows) ([]*string, error) {
		cells, into := make([]*string, len(rel.columns)), make([]any, len(rel.columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		return cells, r.Scan(into...)
	})
}
