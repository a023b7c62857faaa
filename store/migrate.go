package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"agnes/domain"
	"agnes/migrations"
)

// keptBackups is how many pre-migration backups stay.
const keptBackups = 5

// stampLayout is how file names carry a time: it sorts, and holds no colon.
const stampLayout = "20060102T150405.000000Z"

// migrate brings the schema up to date. When there is something to lose, a
// verified backup lies in the state directory before anything changes.
func (s *Store) migrate(ctx context.Context) error {
	schema, err := goose.NewProvider(goose.DialectSQLite3, s.writer, migrations.FS,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	db := runner{on: s.writer, count: &s.queries}
	current, err := schemaVersion(ctx, db)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	target, err := knownSchema()
	if err != nil {
		return err
	}
	switch {
	case current > target:
		return tooNew(current, target)
	case current == target:
		return nil
	case current > 0:
		if err := s.backupBeforeMigration(ctx, current); err != nil {
			return fmt.Errorf("back up schema %d before migrating it: %w", current, err)
		}
	}
	if _, err := schema.Up(ctx); err != nil {
		return fmt.Errorf("migrate the state from schema %d to %d: %w", current, target, err)
	}
	s.log.Info("state migrated", "from_schema", current, "to_schema", target)
	return nil
}

// knownSchema returns the number of the newest migration in this program.
func knownSchema() (int64, error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list the migrations: %w", err)
	}
	var newest int64
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return 0, fmt.Errorf("number of migration %s: %w", file, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

func tooNew(current, target int64) error {
	return domain.E(domain.Conflict, "state_newer",
		"The state was written by a newer Agnes (schema %d; this one knows schemas up to %d), and is left as it is. Start the newer Agnes, or restore a backup that this one made.",
		current, target)
}

// schemaVersion returns the newest migration applied, 0 for an empty file.
func schemaVersion(ctx context.Context, r runner) (int64, error) {
	tables, err := one(ctx, r, value[int], `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`)
	if err != nil || tables == 0 {
		return 0, err
	}
	return one(ctx, r, value[int64], `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied = 1`)
}

// SchemaVersion returns the number of the newest migration applied.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	v, err := schemaVersion(ctx, s.reader())
	if err != nil {
		return 0, fmt.Errorf("read the schema version: %w", explain(err))
	}
	return v, nil
}

func (s *Store) backupBeforeMigration(ctx context.Context, version int64) error {
	dir := filepath.Join(s.dir, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the backup directory: %w", err)
	}
	name := fmt.Sprintf("system-%d-%s.db", version, s.now().UTC().Format(stampLayout))
	if err := snapshot(ctx, s.writer, filepath.Join(dir, name)); err != nil {
		return err
	}
	s.log.Info("state backed up before its migration", "backup", name)
	return pruneBackups(dir, keptBackups)
}

// pruneBackups removes all but the newest pre-migration backups.
func pruneBackups(dir string, keep int) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list backups: %w", err)
	}
	ours := regexp.MustCompile(`^system-\d+-(\d{8}T\d{6}\.\d{6}Z)\.db$`)
	var names []string
	for _, e := range entries {
		if ours.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return strings.Compare(ours.FindStringSubmatch(b)[1], ours.FindStringSubmatch(a)[1])
	})
	for _, name := range names[min(keep, len(names)):] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return nil
}
