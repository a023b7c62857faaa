package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/syncs"
)

// Options say where the state lies and what the store lives on.
type Options struct {
	Dir   string // the state directory; made when it is missing
	Now   func() time.Time
	NewID func() string // unique
	Log   *slog.Logger
	// Writes is told when the disk did not confirm a write of the state, so that
	// nothing else is written either; nil: nobody is.
	Writes *syncs.Latch
	// Mapped are the groups that follow one of Google Workspace: people do not
	// change them here.
	Mapped people.Mapping
}

// Store is the open state database.
type Store struct {
	writer   *sql.DB // one connection
	readers  *sql.DB
	lock     *os.File
	dir      string
	now      func() time.Time
	newID    func() string
	log      *slog.Logger
	queries  atomic.Int64
	changes  atomic.Int64 // transactions since the start; see Changes
	registry registryCache
	ended    atomic.Bool // the disk did not confirm a write; see durable.go
	writes   *syncs.Latch
	mapping  people.Mapping

	loggedQueries sync.Map // ids of queries whose start is in the server's log only

	adminID    people.GroupID // the two system groups can be neither renamed nor deleted
	everyoneID people.GroupID
}

const (
	fileName   = "system.db"
	maxReaders = 8
)

// Open opens the state, and makes, migrates and seeds it where needed. It
// fails with Conflict when another process writes to it (state_in_use) or a
// newer Agnes wrote it (state_newer).
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{dir: o.Dir, now: o.Now, newID: o.NewID, log: o.Log, writes: o.Writes, mapping: o.Mapped}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(explain(err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	if s.lock, err = lockDir(s.dir); err != nil {
		return err
	}
	file := filepath.Join(s.dir, fileName)
	if err := ensureFile(file); err != nil {
		return fmt.Errorf("make the state file: %w", err)
	}
	if s.writer, err = openFile(file, url.Values{"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}}, 1); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.readers, err = openFile(file, url.Values{"_query_only": {"on"}}, maxReaders); err != nil {
		return err
	}
	if err := s.seed(ctx); err != nil {
		return fmt.Errorf("seed the state: %w", err)
	}
	if err := s.interruptQueries(ctx); err != nil {
		return err
	}
	// Decoding the registry now spares the first person the wait.
	return s.view(ctx, func(r runner) error {
		_, err := s.tables(ctx, r)
		return err
	})
}

// ensureFile makes the file if it is missing, for its owner alone: it holds
// password hashes, and SQLite gives its own files the same mode.
func ensureFile(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// openFile opens a database file that exists.
func openFile(file string, params url.Values, connections int) (*sql.DB, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("place of the state file: %w", err)
	}
	for key, v := range map[string]string{"mode": "rw", "_busy_timeout": "5000", "_foreign_keys": "on", "_dqs": "0", "_defensive": "1"} {
		if !params.Has(key) {
			params.Set(key, v)
		}
	}
	name := url.URL{Scheme: "file", Path: abs, RawQuery: params.Encode()}
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, fmt.Errorf("open the state file: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close ends all connections and lets the next process in.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.readers, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil { // else closed before: nothing left to do
		errs = append(errs, unlockDir(s.lock))
		s.lock = nil
	}
	return errors.Join(errs...)
}

// Queries returns how many statements ran so far, so that a test can hold a
// page to a fixed number of them.
func (s *Store) Queries() int64 { return s.queries.Load() }

// Check counts a row up and reads it back, for readiness: a state that only
// answers from memory is not ready.
func (s *Store) Check(ctx context.Context) error {
	var want int64
	if err := s.quietly(ctx, func(tx runner) (err error) {
		want, err = one(ctx, tx, value[int64], `
			INSERT INTO settings (key, value, updated_at) VALUES ('checks', '1', $1)
			ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT), updated_at = excluded.updated_at
			RETURNING CAST(value AS BIGINT)`, micros(s.now()))
		return err
	}); err != nil {
		return fmt.Errorf("write to the state: %w", err)
	}
	got, err := one(ctx, s.reader(), value[int64], `SELECT CAST(value AS BIGINT) FROM settings WHERE key = 'checks'`)
	if err != nil {
		return fmt.Errorf("read from the state: %w", explain(err))
	}
	if got < want {
		return domain.E(domain.Unavailable, "state_stale", "The state database does not return what was written to it.")
	}
	return nil
}

// seed makes the two groups that always exist and remembers their ids.
func (s *Store) seed(ctx context.Context) error {
	return s.tx(ctx, func(tx runner) error {
		for name, id := range map[string]*people.GroupID{people.AdminGroup: &s.adminID, people.EveryoneGroup: &s.everyoneID} {
			if _, err := tx.exec(ctx, `
				INSERT INTO user_groups (id, name, name_key, is_system, created_at, created_by)
				VALUES ($1, $2, $3, TRUE, $4, 'system:seed')
				ON CONFLICT (name_key) DO NOTHING`, s.newID(), name, nameKey(name), micros(s.now())); err != nil {
				return err
			}
			found, err := one(ctx, tx, value[people.GroupID], `SELECT id FROM user_groups WHERE name_key = $1`, nameKey(name))
			if err != nil {
				return err
			}
			*id = found
		}
		return nil
	})
}
