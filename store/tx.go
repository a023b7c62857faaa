package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain"
)

// runner runs statements in one transaction, one snapshot or on the readers'
// pool, and counts them.
type runner struct {
	on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	count *atomic.Int64
	now   func() time.Time // for what ends by itself
}

// scanner is one row.
type scanner interface {
	Scan(dest ...any) error
}

// exec runs a statement and returns how many rows it touched.
func (r runner) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r.count.Add(1)
	result, err := r.on.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// collect runs a query and scans all its rows.
func collect[T any](ctx context.Context, r runner, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	r.count.Add(1)
	rows, err := r.on.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}

// one runs a query and scans its first row; sql.ErrNoRows when there is none.
func one[T any](ctx context.Context, r runner, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	all, err := collect(ctx, r, scan, query, args...)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, sql.ErrNoRows
	}
	return all[0], nil
}

// value scans a row of one column.
func value[T any](row scanner) (T, error) {
	var v T
	err := row.Scan(&v)
	return v, err
}

// absent reports that a query found no row.
func absent(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// reader runs single reading statements.
func (s *Store) reader() runner { return runner{on: s.readers, count: &s.queries, now: s.now} }

// maxTries bounds how often a transaction is begun anew when another process,
// such as a backup tool, holds the file beyond the busy timeout.
const maxTries = 4

// tx runs do in one writing transaction. It is the only one to begin them:
// whatever do returns, or a panic, rolls everything back. do may run again
// after a conflict, so it changes nothing but the database.
func (s *Store) tx(ctx context.Context, do func(runner) error) error {
	err := s.quietly(ctx, do)
	if err == nil {
		s.changes.Add(1)
	}
	return err
}

// quietly is tx for what is no change of the state itself: sessions and
// readiness checks.
func (s *Store) quietly(ctx context.Context, do func(runner) error) error {
	for try := 1; ; try++ {
		if s.ended.Load() {
			return writingEnded()
		}
		err := within(ctx, s.writer, nil, s.runs(do))
		if unconfirmed(err) {
			return s.endWriting(err)
		}
		if !hasCode(err, sqlite3.SQLITE_BUSY) || try == maxTries {
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

// view runs do on one snapshot, so that several queries agree with each other.
func (s *Store) view(ctx context.Context, do func(runner) error) error {
	return explain(within(ctx, s.readers, &sql.TxOptions{ReadOnly: true}, s.runs(do)))
}

func (s *Store) runs(do func(runner) error) func(*sql.Tx) error {
	return func(tx *sql.Tx) error { return do(runner{on: tx, count: &s.queries, now: s.now}) }
}

func within(ctx context.Context, db *sql.DB, options *sql.TxOptions, do func(*sql.Tx) error) (err error) {
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		// After a commit this is a no-op; after a panic it is the way back.
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
	}()
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// hasCode reports whether err is of the SQLite engine and of that primary or
// extended code.
func hasCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == code || e.Code()&0xff == code)
}

// taken reports that a unique or primary key is there already.
func taken(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE) || hasCode(err, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// explain gives the engine's failures that people can do something about their words.
func explain(err error) error {
	var known *domain.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case hasCode(err, sqlite3.SQLITE_BUSY):
		return domain.E(domain.Unavailable, "state_busy",
			"The state database is held by another program, so nothing was changed. Try again in a minute.").Because(err)
	case hasCode(err, sqlite3.SQLITE_FULL):
		return domain.E(domain.Unavailable, "disk_full",
			"The disk with the state is full, so nothing was changed. Free some space and try again.").Because(err)
	case hasCode(err, sqlite3.SQLITE_READONLY), hasCode(err, sqlite3.SQLITE_CANTOPEN), hasCode(err, sqlite3.SQLITE_PERM):
		return domain.E(domain.Unavailable, "state_not_writable",
			"Agnes may not write to its state, so nothing was changed. Give it the right to write to the state directory, and try again.").Because(err)
	case hasCode(err, sqlite3.SQLITE_IOERR):
		return domain.E(domain.Unavailable, "state_disk_error",
			"The disk with the state reported an error, so nothing was changed. Have it checked, then try again.").Because(err)
	case hasCode(err, sqlite3.SQLITE_NOTADB), hasCode(err, sqlite3.SQLITE_CORRUPT):
		return domain.E(domain.Unavailable, "state_damaged",
			"The state database is damaged or is not one of Agnes. Restore the newest backup.").Because(err)
	}
	return err
}
