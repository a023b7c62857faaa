package store

import (
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/pressly/goose/v3"

	"agnes/domain"
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
