package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// clock is a test's time: every look at it is a microsecond later, so that
// orders by time are certain.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMicro(c.micros.Add(1)).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// options are those of a store in a fresh directory.
func options(tb testing.TB) (Options, *clock) {
	tb.Helper()
	c := newClock()
	var ids atomic.Int64
	return Options{
		Dir: filepath.Join(tb.TempDir(), "state"), Now: c.Now, Log: slog.New(slog.DiscardHandler),
		NewID: func() string { return fmt.Sprintf("id%08d", ids.Add(1)) },
	}, c
}

func mustOpen(tb testing.TB, o Options) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

func newStore(tb testing.TB) (*Store, *clock) {
	tb.Helper()
	o, c := options(tb)
	return mustOpen(tb, o), c
}

// admin is the actor of tests that need no person.
var admin = audit.Actor{UserID: "tester", Email: "tester@example.com", ClientKind: "web", ClientIP: "192.0.2.7", RequestID: "req1"}

func must[T any](tb testing.TB) func(T, error) T {
	tb.Helper()
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

func mustUser(tb testing.TB, s *Store, email string, groups ...people.GroupID) people.User {
	tb.Helper()
	name, _, _ := strings.Cut(email, "@")
	return must[people.User](tb)(s.CreateUser(tb.Context(), admin, people.NewUser{Email: email, Name: name, Groups: groups}))
}

func mustGroup(tb testing.TB, s *Store, name string) people.Group {
	tb.Helper()
	return must[people.Group](tb)(s.CreateGroup(tb.Context(), admin, name, ""))
}

func mustTables(tb testing.TB, s *Store, names ...string) []registry.Table {
	tb.Helper()
	regs := make([]registry.Registration, len(names))
	for i, name := range names {
		regs[i].Table = registry.Table{Name: name, SourceType: registry.SourceLocal, QueryMode: registry.ModeLocal, SyncStrategy: "full_refresh"}
	}
	return must[[]registry.Table](tb)(s.RegisterTables(tb.Context(), admin, regs))
}

// wantError fails unless err is of that kind and code.
func wantError(tb testing.TB, what string, err error, kind domain.Kind, code string) {
	tb.Helper()
	if domain.KindOf(err) != kind || domain.CodeOf(err) != code {
		tb.Errorf("%s: error %v is kind %d code %q, want kind %d code %q", what, err, domain.KindOf(err), domain.CodeOf(err), kind, code)
	}
}

// actions are the newest audit actions, oldest first.
func actions(tb testing.TB, s *Store, newest int) []string {
	tb.Helper()
	var list []string
	for _, e := range must[[]audit.Entry](tb)(s.ListAudit(tb.Context(), newest)) {
		list = append([]string{e.Action}, list...)
	}
	return list
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	mustOpen(t, o)
	for name, want := range map[string]os.FileMode{"": 0o700, "system.db": 0o600, "system.db-wal": 0o600, "system.lock": 0o600} {
		info, err := os.Stat(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q is %o, want %o", name, got, want)
		}
	}
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	first := mustOpen(t, o)
	u := mustUser(t, first, "ada@example.com")
	_, err := Open(t.Context(), o)
	wantError(t, "second Open", err, domain.Conflict, "state_in_use")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, o)
	if got := must[people.User](t)(again.GetUser(t.Context(), u.ID)); got.Email != "ada@example.com" {
		t.Errorf("person after reopening: %+v", got)
	}
	if groups := must[[]people.Group](t)(again.ListGroups(t.Context())); len(groups) != 2 {
		t.Errorf("seeding again left %d groups, want 2", len(groups))
	}
}

func TestOpenOddDirectory(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	o.Dir = filepath.Join(t.TempDir(), "a ?dir#with%20marks")
	mustOpen(t, o)
	if _, err := os.Stat(filepath.Join(o.Dir, "system.db")); err != nil {
		t.Error(err)
	}
}

func TestOpenWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "system.db"), []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), o)
	wantError(t, "Open", err, domain.Unavailable, "state_damaged")
	if strings.Contains(messageOf(err), o.Dir) {
		t.Errorf("the message tells a path: %s", messageOf(err))
	}
}

func messageOf(err error) string {
	var e *domain.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil {
		t.Error("a closed store passes its check")
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	if _, err := s.reader().exec(t.Context(), `DELETE FROM user_groups`); err == nil {
		t.Error("a reader deleted rows")
	}
}

func TestTxRollsBack(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	insert := func(tx runner) error {
		_, err := tx.exec(t.Context(), `INSERT INTO settings (key, value, updated_at) VALUES ('k', 'v', 1)`)
		return err
	}
	boom := errors.New("boom")
	if err := s.tx(t.Context(), func(tx runner) error { return errors.Join(insert(tx), boom) }); !errors.Is(err, boom) {
		t.Errorf("tx returned %v, want boom", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.tx(t.Context(), func(tx runner) error { // it panics
			if err := insert(tx); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.tx(ctx, func(tx runner) error {
		err := insert(tx)
		cancel()
		return err
	})
	if domain.KindOf(err) != domain.Cancelled {
		t.Errorf("tx of a cancelled context returned %v", err)
	}
	if n := must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM settings`)); n != 0 {
		t.Errorf("%d rows of transactions that failed are there", n)
	}
	if err := s.tx(t.Context(), insert); err != nil {
		t.Errorf("the writer is unusable after failures: %v", err)
	}
}

func TestChangeWithoutActor(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	if _, err := s.CreateGroup(t.Context(), audit.Actor{}, "Finance", ""); err == nil {
		t.Error("a change by nobody succeeded")
	}
	if groups := must[[]people.Group](t)(s.ListGroups(t.Context())); len(groups) != 2 {
		t.Errorf("the change by nobody is there: %v", groups)
	}
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	const writers, each = 32, 8
	var wg sync.WaitGroup
	errs := make(chan error, 2*writers*each)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				_, err := s.CreateUser(t.Context(), admin, people.NewUser{Email: fmt.Sprintf("u%d.%d@example.com", w, i)})
				errs <- err
				_, _, err = s.ListUsers(t.Context(), people.UserFilter{Limit: 5})
				if err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Errorf("concurrent write: %v", err)
		}
	}
	if n := must[int](t)(s.CountUsers(t.Context())); n != writers*each {
		t.Errorf("%d people, want %d", n, writers*each)
	}
	if got := len(actions(t, s, 0)); got != writers*each {
		t.Errorf("%d audit rows, want %d", got, writers*each)
	}
}

// A child that is being forked while the state is closed holds a copy of the
// lock's file for a moment.
func TestCloseLetsTheNextInDespiteCopies(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	first, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), o); domain.CodeOf(err) != "state_in_use" {
		t.Errorf("open twice: %v, want state_in_use", err)
	}
	held, err := unix.Dup(int(first.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Close(held); err != nil {
			t.Error(err)
		}
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open after a close: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
