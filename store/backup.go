package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"modernc.org/sqlite"

	"agnes/domain"
)

// pagesPerStep is how much a backup copies between two looks at its context.
const pagesPerStep = 1024

// Backup writes a copy of the state to a new file while others go on reading
// and writing. The file appears only after it was opened, checked and found to
// hold the same number of rows in every table. It fails with Conflict when the
// file exists.
func (s *Store) Backup(ctx context.Context, to string) error {
	return explain(snapshot(ctx, s.readers, to))
}

// Backup is Store.Backup for a state that another process may have open.
// NotFound when there is none.
func Backup(ctx context.Context, dir, to string) error {
	if _, err := os.Stat(filepath.Join(dir, fileName)); errors.Is(err, fs.ErrNotExist) {
		return domain.E(domain.NotFound, "no_state", "There is no state to back up yet: Agnes has not been started with this data directory.").Because(err)
	}
	db, err := openFile(filepath.Join(dir, fileName), url.Values{"_query_only": {"on"}}, 1)
	if err != nil {
		return err
	}
	return errors.Join(explain(snapshot(ctx, db, to)), db.Close())
}

func snapshot(ctx context.Context, from *sql.DB, to string) error {
	temp, err := os.CreateTemp(filepath.Dir(to), ".backup-*.db") // 0600, and in the same directory to be linked
	if err != nil {
		return fmt.Errorf("make the backup's file: %w", err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("make the backup's file: %w", err)
	}
	defer removeDatabase(temp.Name())
	rows, err := copyPages(ctx, from, temp.Name())
	if err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}
	copied, err := inspect(ctx, temp.Name())
	if err != nil {
		return fmt.Errorf("check the backup: %w", err)
	}
	if !maps.Equal(rows, copied.rows) {
		return domain.E(domain.Unavailable, "backup_differs", "The backup does not hold what the state holds, so it was thrown away. Try again.")
	}
	if err := syncFile(temp.Name()); err != nil {
		return fmt.Errorf("save the backup: %w", err)
	}
	if err := os.Link(temp.Name(), to); errors.Is(err, os.ErrExist) {
		return domain.E(domain.Conflict, "backup_exists", "A file of that name exists already and was left as it is. Choose another name.")
	} else if err != nil {
		return fmt.Errorf("name the backup: %w", err)
	}
	return syncFile(filepath.Dir(to))
}

// copyPages copies one snapshot of the database and returns the number of rows
// of each table in just that snapshot: the read transaction that counted them
// is still open while the pages are copied.
func copyPages(ctx context.Context, from *sql.DB, to string) (rows map[string]int64, err error) {
	conn, err := from.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return nil, err
	}
	defer func() {
		_, rerr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, rerr)
	}()
	if rows, err = countRows(ctx, runner{on: conn, count: new(atomic.Int64)}); err != nil {
		return nil, err
	}
	err = conn.Raw(func(driver any) error {
		source, ok := driver.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("the SQLite driver %T makes no backups", driver)
		}
		backup, err := source.NewBackup((&url.URL{Scheme: "file", Path: absolute(to)}).String())
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if more, err = backup.Step(pagesPerStep); err == nil {
				err = ctx.Err()
			}
		}
		return errors.Join(err, backup.Finish())
	})
	return rows, err
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil { // only when the working directory is gone; the open then says so
		return path
	}
	return abs
}

// copyFacts is what a closer look at a database file found.
type copyFacts struct {
	schema int64
	rows   map[string]int64
}

// inspect opens a private copy of the state, makes it one file without a
// write-ahead log, and checks it through.
func inspect(ctx context.Context, file string) (facts copyFacts, err error) {
	db, err := openFile(file, url.Values{"_journal_mode": {"DELETE"}}, 1)
	if err != nil {
		return facts, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r := runner{on: db, count: new(atomic.Int64)}
	faults, err := collect(ctx, r, value[string], `PRAGMA integrity_check(10)`)
	if err != nil {
		return facts, err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return facts, damaged(errors.New(strings.Join(faults, "; ")))
	}
	orphans, err := one(ctx, r, value[int], `SELECT count(*) FROM pragma_foreign_key_check`)
	if err != nil {
		return facts, err
	}
	if orphans > 0 {
		return facts, damaged(fmt.Errorf("%d rows point to rows that are missing", orphans))
	}
	if facts.schema, err = schemaVersion(ctx, r); err != nil {
		return facts, err
	}
	facts.rows, err = countRows(ctx, r)
	return facts, err
}

func damaged(cause error) error {
	return domain.E(domain.Invalid, "backup_damaged", "The backup is damaged, so nothing was changed. Use another one.").Because(cause)
}

// countRows returns the number of rows of each table.
func countRows(ctx context.Context, r runner) (map[string]int64, error) {
	tables, err := collect(ctx, r, value[string], `
		SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int64, len(tables))
	for _, table := range tables {
		if counts[table], err = one(ctx, r, value[int64], `SELECT count(*) FROM `+quoteIdent(table)); err != nil {
			return nil, fmt.Errorf("count %s: %w", table, err)
		}
	}
	return counts, nil
}

func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// syncFile waits until a file or directory is on the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeDatabase removes a temporary database with what SQLite put beside it.
// What cannot be removed is litter, not an error: its content was published
// or thrown away before.
func removeDatabase(file string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(file + suffix)
	}
}
