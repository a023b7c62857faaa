package warehouse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// split says from when on a version is kept as several files, and how large
// each may grow, about.
type split struct {
	rows, bytes, fileBytes int64
}

// What counts as large, and a size of files that copies, hashes and resumes well.
const (
	largeRows  = 5_000_000
	largeBytes = 1 << 30
	partBytes  = 512 << 20
)

// publishParts is publishParquet for a version of several files: write fills an
// empty folder with Parquet files, each of which is read back, hashed and made
// durable before any gets its final name. Nobody reads them there before the
// version is recorded. On any error nothing is left behind.
func (s *Store) publishParts(ctx context.Context, key string, write func(dir string) (rows int64, err error)) (out work.Extracted, err error) {
	folder, err := s.path(strings.TrimSuffix(key, ".parquet"))
	if err != nil {
		return out, err
	}
	if err := makeDir(filepath.Dir(folder)); err != nil {
		return out, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(folder), tempPattern)
	if err != nil {
		return out, fmt.Errorf("make temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	rows, err := write(temp + "/")
	if err != nil {
		return out, err
	}
	parts, err := s.checkParts(ctx, temp, rows)
	if err != nil {
		return out, notReadable(err)
	}
	return s.placeParts(ctx, key, folder, parts, rows)
}

// piece is one file of a version, in its temporary place.
type piece struct {
	file    string
	sums    fileSums
	columns []registry.Column
}

// checkParts reads the files of a folder back, in order of their names, and
// fails unless they hold all rows and agree on their columns.
func (s *Store) checkParts(ctx context.Context, dir string, rows int64) ([]piece, error) {
	names, err := filepath.Glob(filepath.Join(globEscaper.Replace(dir), "*.parquet"))
	if err != nil {
		return nil, fmt.Errorf("list parts: %w", err)
	}
	slices.SortFunc(names, func(a, b string) int { // part_2 before part_10
		return strings.Compare(fmt.Sprintf("%09d%s", len(a), a), fmt.Sprintf("%09d%s", len(b), b))
	})
	var parts []piece
	found := int64(0)
	for _, name := range names {
		p := piece{file: name}
		if p.sums, err = hashFile(name); err != nil {
			return nil, err
		}
		var n int64
		if n, p.columns, err = s.readPart(ctx, name); err != nil {
			return nil, err
		}
		if len(parts) > 0 && !slices.Equal(parts[0].columns, p.columns) {
			return nil, fmt.Errorf("%s has other columns than the first part", filepath.Base(name))
		}
		found += n
		parts = append(parts, p)
	}
	if len(parts) == 0 || found != rows {
		return nil, fmt.Errorf("wrote %d rows, read %d in %d parts", rows, found, len(parts))
	}
	return parts, nil
}

// readPart reads a Parquet file back that has as many rows as its footer says.
func (s *Store) readPart(ctx context.Context, file string) (rows int64, columns []registry.Column, err error) {
	db, err := s.locked(ctx, file)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT num_rows FROM parquet_file_metadata("+quoteFile(file)+")").Scan(&rows); err != nil {
		return 0, nil, fmt.Errorf("read footer: %w", err)
	}
	columns, err = s.readBack(ctx, db, file, rows)
	return rows, columns, err
}

// placeParts gives parts their final names.
func (s *Store) placeParts(ctx context.Context, key, folder string, parts []piece, rows int64) (out work.Extracted, err error) {
	if err := os.Mkdir(folder, 0o750); err != nil { // it must be free: a version is never written over
		return out, fmt.Errorf("make the version's folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	out = work.Extracted{Columns: parts[0].columns, Rows: rows}
	for i, p := range parts {
		name := fmt.Sprintf("%04d.parquet", i+1)
		if err := s.settle(ctx, p.file, filepath.Join(folder, name), p.sums.sha256); err != nil {
			return work.Extracted{}, err
		}
		out.Bytes += p.sums.bytes
		out.Files = append(out.Files, registry.File{Key: path.Join(strings.TrimSuffix(key, ".parquet"), name), Bytes: p.sums.bytes, SHA256: p.sums.sha256})
	}
	if len(parts) == 1 {
		out.MD5 = parts[0].sums.md5
	}
	if err := syncDir(filepath.Dir(folder)); err != nil {
		return work.Extracted{}, writeFault(err)
	}
	return out, nil
}
