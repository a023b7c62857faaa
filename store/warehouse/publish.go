package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// tempPattern names files that are being written. The leading dot hides them
// from globs, and Sweep knows them by it.
const (
	tempPrefix  = ".tmp-"
	tempPattern = tempPrefix + "*"
)

// publishParquet is the only way a Parquet file gets its final name: write to a
// unique temporary file beside it, read it back, make it durable, then give it
// the name of key, which must be free. On any error nothing is left behind.
// write returns how many rows it wrote.
func (s *Store) publishParquet(ctx context.Context, key string, write func(temp string) (rows int64, err error)) (_ work.Extracted, err error) {
	final, err := s.path(key)
	if err != nil {
		return work.Extracted{}, err
	}
	temp, err := tempBeside(final)
	if err != nil {
		return work.Extracted{}, err
	}
	defer func() {
		err = errors.Join(err, discard(temp))
		s.at(pointVersionSwept)
	}()
	// The instance that reads back starts while others work: a start takes as
	// long as a small file.
	opened := begin(func() (*sql.DB, error) { return s.locked(ctx, temp) })
	rows, err := write(temp)
	db, opening := opened()
	if err != nil {
		if opening == nil {
			err = closeAfter(db, err)
		}
		return work.Extracted{}, err
	}
	s.at(pointVersionWritten)
	if opening != nil {
		return work.Extracted{}, notReadable(opening)
	}
	sums, columns, err := s.confirm(ctx, db, temp, rows)
	if err != nil {
		return work.Extracted{}, err
	}
	if err := s.name(temp, final); err != nil {
		return work.Extracted{}, err
	}
	return work.Extracted{
		Files:   []registry.File{{Key: key, Bytes: sums.bytes, SHA256: sums.sha256}},
		Columns: columns, Rows: rows, Bytes: sums.bytes, MD5: sums.md5,
	}, nil
}

// confirm examines a file that was just written, makes it durable and closes the
// instance. MD5, the slowest of all, is taken meanwhile: SHA-256 is the sum that
// proves.
func (s *Store) confirm(ctx context.Context, db *sql.DB, temp string, rows int64) (fileSums, []registry.Column, error) {
	hashed := begin(func() (fileSums, error) { return hashMD5(temp) })
	sums, columns, err := s.examine(ctx, db, temp, rows)
	closed := closeBeside(db)
	if err == nil {
		s.at(pointVersionHashed)
		s.at(pointVersionChecked)
		err = s.keep(ctx, temp, sums.sha256)
	}
	weak, hashing := hashed()
	sums.md5 = weak.md5
	if err == nil {
		err = hashing
	}
	return sums, columns, errors.Join(err, closed())
}

// closeBeside closes an instance while the caller goes on: it has memory to give
// back. What it returns waits for the end.
func closeBeside(db *sql.DB) (wait func() error) {
	closed := begin(func() (struct{}, error) { return struct{}{}, db.Close() })
	return func() error {
		_, err := closed()
		return err
	}
}

// examine takes the sum of a file that was just written, at once, so that what
// happens to it from here on shows; reads it back; and has the disk begin with it.
// The three need nothing of each other, and each waits for something else.
func (s *Store) examine(ctx context.Context, db *sql.DB, temp string, rows int64) (fileSums, []registry.Column, error) {
	var all sync.WaitGroup
	var sums fileSums
	var hashing, writing error
	all.Go(func() { sums, hashing = hashSHA256(temp) })
	all.Go(func() { writing = syncFile(temp) })
	columns, reading := s.readBack(ctx, db, temp, rows)
	all.Wait()
	switch {
	case writing != nil:
		return sums, nil, writeFault(writing)
	case hashing != nil:
		return sums, nil, hashing
	case reading != nil:
		return sums, nil, notReadable(reading)
	}
	return sums, columns, nil
}

// notReadable is what people read when what was written cannot be read.
func notReadable(err error) error {
	return refuse("version_not_readable", "Try again. If it happens again, the server's disk or memory may be faulty.",
		"The new rows were written but could not be read back. The rows from before stay.").because(err)
}

// tempBeside makes an empty temporary file in the folder of final, which it
// makes too.
func tempBeside(final string) (string, error) {
	dir := filepath.Dir(final)
	if err := makeDir(dir); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return "", fmt.Errorf("make temporary file: %w", err)
	}
	if err := f.Close(); err != nil {
		return "", errors.Join(fmt.Errorf("close temporary file: %w", err), discard(f.Name()))
	}
	return f.Name(), nil
}

// settle makes temp durable and gives it its final name, which must be free:
// a version is never written over. What the disk holds must have the sum that
// was taken when the file was written.
func (s *Store) settle(ctx context.Context, temp, final, sum string) error {
	if err := s.keep(ctx, temp, sum); err != nil {
		return err
	}
	return s.name(temp, final)
}

// keep makes temp durable, and sure that the disk holds what has this sum.
func (s *Store) keep(ctx context.Context, temp, sum string) error {
	if err := os.Chmod(temp, 0o440); err != nil { //nolint:gosec // the group may read: backups, custom tools
		return fmt.Errorf("make version read-only: %w", err)
	}
	if err := syncFile(temp); err != nil {
		return writeFault(err)
	}
	s.at(pointVersionSynced)
	return sameOnDisk(ctx, temp, sum)
}

// name gives temp its final name, durably.
func (s *Store) name(temp, final string) error {
	if err := linkNew(temp, final); err != nil {
		return fmt.Errorf("publish version: %w", err)
	}
	s.at(pointVersionLinked)
	if err := syncDir(filepath.Dir(final)); err != nil {
		return writeFault(err)
	}
	s.at(pointVersionDirSynced)
	return nil
}

// linkNew gives a file a second name unless that name is taken. Where the file
// system has no hard links it renames, after a look.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err //nolint:wrapcheck // the caller says what it published
	}
	if _, looked := os.Lstat(to); !errors.Is(looked, fs.ErrNotExist) {
		return errors.Join(err, looked)
	}
	return os.Rename(from, to) //nolint:wrapcheck // the caller says what it published
}

// writeFault is what people read when the disk did not confirm a write.
func writeFault(err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return notConfirmed(err)
}

// readBack opens a Parquet file as analysts will, in an instance of its own, and
// returns its columns. Footer, number of rows, first row and last row must all be
// there.
func (s *Store) readBack(ctx context.Context, db *sql.DB, file string, rows int64) ([]registry.Column, error) {
	var inFooter, read, ends int64
	from := "read_parquet(" + quoteFile(file) + ", hive_partitioning = false)"
	if err := db.QueryRowContext(ctx, "SELECT num_rows FROM parquet_file_metadata("+quoteFile(file)+")").Scan(&inFooter); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+from).Scan(&read); err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	if inFooter != rows || read != rows {
		return nil, fmt.Errorf("wrote %d rows, footer says %d, read %d", rows, inFooter, read)
	}
	columns, err := describe(ctx, db, from)
	if err != nil {
		return nil, err
	}
	// The hash needs every column's value.
	want, some := min(rows, 2), fmt.Sprintf("%s, file_row_number = true) WHERE file_row_number IN (0, %d)", strings.TrimSuffix(from, ")"), rows-1)
	if slices.ContainsFunc(columns, func(c registry.Column) bool { return strings.EqualFold(c.Name, rowNumber) }) {
		want, some = rows, from // the file's own column hides the reader's: all rows are read
	}
	if err := db.QueryRowContext(ctx, "SELECT count(hash(t)) FROM (FROM "+some+") AS t").Scan(&ends); err != nil {
		return nil, fmt.Errorf("read first and last row: %w", err)
	}
	if ends != want {
		return nil, fmt.Errorf("read %d of first and last row, want %d", ends, want)
	}
	return columns, nil
}

// describe returns the columns of anything that can follow FROM.
func describe(ctx context.Context, db querier, from string) ([]registry.Column, error) {
	columns, err := collect(ctx, db, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")", func(r *sql.Rows) (registry.Column, error) {
		var c registry.Column
		return c, r.Scan(&c.Name, &c.Type)
	})
	if err != nil {
		return nil, fmt.Errorf("describe columns: %w", err)
	}
	return columns, nil
}
