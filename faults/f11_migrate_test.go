package faults

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"

	"agnes/migrations"
)

// migrationKills is F11: the server is killed at each write of a migration from
// an empty state and from every earlier schema; the next start makes it whole.
func migrationKills(t *trials) {
	newest := newestSchema()
	perSchema := max(1, t.n/newest)
	t.n = 0
	for from := range newest {
		calls, err := t.migrate(from, 0)
		if errors.Is(err, errNoTap) {
			t.skipped = err.Error()
			return
		}
		must(err)
		writes := every(calls)
		if perSchema < calls {
			writes = t.Perm(calls)[:perSchema]
		}
		t.n += len(writes)
		for _, i := range writes {
			t.one(fmt.Sprintf("from schema %d, write %d of %d", from, i+1, calls), func() error {
				_, err := t.migrate(from, i+1)
				return err
			})
		}
	}
	t.note("schemas 0 to %d", newest-1)
}

// every is 0 to n-1.
func every(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func newestSchema() int {
	files, err := fs.Glob(migrations.FS, "*.sql")
	must(err)
	newest := 0
	for _, f := range files {
		v, err := goose.NumericComponent(f)
		must(err)
		newest = max(newest, int(v))
	}
	return newest
}

// migrate starts a server on an older state and kills it at a write of the
// state; 0 lets it run and counts. Then it starts again and must be whole.
func (t *trials) migrate(from, at int) (calls int, err error) {
	dir := t.newDir("migrate")
	defer func() {
		if err == nil && !*keep { // there are thousands of them
			err = os.RemoveAll(dir)
		}
	}()
	must(older(t, dir, from))
	c := &counter{at: at, only: func(call systemCall) bool { return call.role == "serve" && strings.HasPrefix(call.path, "state/") }}
	killed := make(chan struct{})
	var s *server
	begun := make(chan struct{})
	c.do = func() syscall.Errno {
		<-begun
		s.signal(syscall.SIGKILL)
		close(killed)
		return syscall.EIO // it dies before it hears of it
	}
	s, _, err = t.tapped(dir, c.watch)
	if err != nil {
		return 0, errors.Join(errNoTap, err)
	}
	close(begun)
	defer s.kill()
	if at == 0 {
		s.awaitReady(2 * readyLimit)
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.n, nil
	}
	select {
	case <-killed:
	case <-s.ended:
	case <-time.After(readyLimit): // it needed a write less than when they were counted: it dies after the last
	}
	s.kill()
	if err := wholeSchema(dir); err != nil {
		return 0, err
	}
	s = t.serve(dir, nil)
	defer s.kill()
	if err := (&load{server: s, ledger: newLedger()}).person(t.Rand, 0); err != nil {
		return 0, err
	}
	return 0, checkState(dir)
}

// older makes a state as an earlier schema had it, with a person in it.
func older(t *trials, dir string, schema int) (err error) {
	if schema == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state", "system.db")+"?_pragma=journal_mode(WAL)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.UpTo(t.ctx, int64(schema))
	return err
}

// wholeSchema fails when a migration left half of itself.
func wholeSchema(dir string) (err error) {
	if _, err := os.Stat(filepath.Join(dir, "state", "system.db")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state", "system.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var sound string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		return fmt.Errorf("the state is damaged after a kill: %s %w", sound, err)
	}
	return nil
}
