package store

import (
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pressly/goose/v3"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/migrations"
)

// provider returns the migrations over a database file of its own.
func provider(t *testing.T, file string) *goose.Provider {
	t.Helper()
	if err := ensureFile(file); err != nil {
		t.Fatal(err)
	}
	db, err := openFile(file, url.Values{"_journal_mode": {"WAL"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return must[*goose.Provider](t)(goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true)))
}

// newestSchema is the number of the last migration.
func newestSchema(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}

func TestMigrationsUpDownUp(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "m.db")
	p := provider(t, file)
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatalf("up: %v", err)
	}
	first := schemaOf(t, file)
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatalf("down: %v", err)
	}
	if left := schemaOf(t, file); len(left) > 2 { // goose's own table and SQLite's sequence
		t.Errorf("down leaves %v", left)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatalf("up again: %v", err)
	}
	if second := schemaOf(t, file); !slices.Equal(first, second) {
		t.Errorf("the schema after down and up differs:\n%v\n%v", first, second)
	}
	if known, want := must[int64](t)(knownSchema()), newestSchema(p); known != want {
		t.Errorf("newest known schema is %d, want %d", known, want)
	}
}

func schemaOf(t *testing.T, file string) []string {
	t.Helper()
	db := must[*sql.DB](t)(openFile(file, url.Values{}, 1))
	defer db.Close()
	rows := must[map[string]int64](t)(countRows(t.Context(), runner{on: db, count: new(atomic.Int64)}))
	names := slices.Collect(maps.Keys(rows))
	slices.Sort(names)
	return names
}

// TestVersionsOfAnOlderStateGetTheirOrder: what was published again comes after
// what was made up to then, and a clock that was set back changes no order.
func TestVersionsOfAnOlderStateGetTheirOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		versions string // id:made at:published at, as they were recorded; - never
		current  string
		made     string
		turns    string
	}{
		"one after the other":       {"a:1:1 b:2:2 c:3:3", "c", "a b c", "a b c"},
		"the clock was set back":    {"a:5:5 b:6:6 c:1:1 d:2:2", "d", "a b c d", "a b c d"},
		"one waits":                 {"a:1:1 b:2:2 c:3:-", "b", "a b c", "a b c"},
		"gone back to the first":    {"a:1:9 b:2:2 c:3:3", "a", "a b c", "b c a"},
		"gone back, then newer":     {"a:1:4 b:2:2 c:3:3 d:5:5", "d", "a b c d", "b c a d"},
		"there and back again":      {"a:1:4 b:2:6 c:3:5", "b", "a b c", "a c b"},
		"gone back on a wrong hour": {"a:5:1 b:6:6", "a", "a b", "b a"},
		"it waited, then it passed": {"a:1:1 b:2:7 c:3:3", "b", "a b c", "a c b"},
		"none is current":           {"a:1:1 b:2:2", "", "a b", "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _ := options(t)
			if err := os.MkdirAll(o.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(o.Dir, fileName)
			must[[]*goose.MigrationResult](t)(provider(t, file).UpTo(t.Context(), 18))
			olderVersions(t, file, c.versions, c.current)
			s := mustOpen(t, o)
			order := func(by string) string {
				ids := must[[]string](t)(collect(t.Context(), s.reader(), value[string], `SELECT id FROM table_versions WHERE table_id = 'orders' ORDER BY `+by))
				return strings.Join(ids, " ")
			}
			if made, turns := order("made"), order("turn"); made != c.made || turns != c.turns {
				t.Errorf("made %q, turns %q, want %q and %q", made, turns, c.made, c.turns)
			}
			for _, v := range must[[]registry.Version](t)(s.ListVersions(t.Context(), "orders")) {
				if again := v.PublishedAt != nil && !v.PublishedAt.Equal(v.CreatedAt); v.Again() != again {
					t.Errorf("%s: made %d, turn %d; was published again: %t", v.ID, v.Made, v.Turn, again)
				}
			}
		})
	}
}

// olderVersions records versions of two tables as schema 18 has them.
func olderVersions(t *testing.T, file, versions, current string) {
	t.Helper()
	db := must[*sql.DB](t)(openFile(file, url.Values{}, 1))
	defer db.Close()
	exec := func(statement string, args ...any) {
		t.Helper()
		must[sql.Result](t)(db.ExecContext(t.Context(), statement, args...))
	}
	for _, table := range []string{"people", "orders"} {
		exec(`INSERT INTO table_registry (id, name, registered_at) VALUES ($1, $1, 1)`, table)
	}
	for word := range strings.FieldsSeq(versions) {
		parts := strings.Split(word, ":")
		published := any(nil)
		if parts[2] != "-" {
			published = parts[2]
		}
		for _, table := range []string{"people", "orders"} {
			id := parts[0]
			if table == "people" {
				id = "other-" + id
			}
			exec(`INSERT INTO table_versions (id, table_id, run_id, files, columns, rows, bytes, md5, created_at, published_at)
				VALUES ($1, $2, 'r', '', '', 1, 1, '', $3, $4)`, id, table, parts[1], published)
		}
	}
	if current != "" {
		exec(`UPDATE table_registry SET current_version = $1 WHERE id = 'orders'`, current)
	}
}

func TestBackupBeforeMigration(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := provider(t, filepath.Join(o.Dir, fileName))
	if _, err := p.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, o)
	if v, want := must[int64](t)(s.SchemaVersion(t.Context())), newestSchema(p); v != want {
		t.Errorf("schema %d after Open, want %d", v, want)
	}
	backups := must[[]string](t)(filepath.Glob(filepath.Join(o.Dir, "backups", "system-2-*.db")))
	if len(backups) != 1 {
		t.Fatalf("backups: %v, want one of schema 2", backups)
	}
	if facts := must[copyFacts](t)(inspect(t.Context(), backups[0])); facts.schema != 2 {
		t.Errorf("the backup has schema %d, want 2", facts.schema)
	}
	if info := must[os.FileInfo](t)(os.Stat(backups[0])); info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %o", info.Mode().Perm())
	}
}

func TestNoBackupWithoutMigration(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	for range 2 {
		if err := mustOpen(t, o).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "backups")); !os.IsNotExist(err) {
		t.Errorf("backups were made of nothing: %v", err)
	}
}

func TestPruneBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 9 {
		name := fmt.Sprintf("system-%d-202611%02dT090000.000000Z.db", 9-i, 10+i)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "system-mine.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pruneBackups(dir, 5); err != nil {
		t.Fatal(err)
	}
	left := must[[]string](t)(filepath.Glob(filepath.Join(dir, "*")))
	if len(left) != 6 || filepath.Base(left[0]) != "system-1-20261118T090000.000000Z.db" {
		t.Errorf("left: %v, want the five newest and the one of another name", left)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	if err := s.tx(t.Context(), func(tx runner) error {
		_, err := tx.exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "newer.db")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), o)
	wantError(t, "Open of a newer state", err, domain.Conflict, "state_newer")
	other, _ := options(t)
	_, err = Restore(t.Context(), backup, other)
	wantError(t, "Restore of a newer state", err, domain.Conflict, "state_newer")
	if _, err := os.Stat(filepath.Join(other.Dir, fileName)); !os.IsNotExist(err) {
		t.Errorf("a refused restore left a state: %v", err)
	}
}
