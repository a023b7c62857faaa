package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// draftName is the catalog of a database file that is being built.
const draftName = "draft"

// PublishFile publishes a DuckDB file at key, over the one before: build fills a
// new file through db, where it is attached as the catalog draft; then the file
// is checkpointed, closed, read back, made durable and renamed. Readers of
// the file before keep it. On any error the file before stays.
func (s *Store) PublishFile(ctx context.Context, key string, build func(db *sql.DB) (objects int, err error)) error {
	return s.publishFile(ctx, key, "", build)
}

// publishFile is PublishFile that gives the file a second name, which must be
// free, before it becomes the current one. generation is that name's key, or "".
func (s *Store) publishFile(ctx context.Context, key, generation string, build func(db *sql.DB) (int, error)) (err error) {
	final, err := s.path(key)
	if err != nil {
		return err
	}
	if err := placeFree(final); err != nil {
		return err
	}
	temp, err := tempBeside(final)
	if err != nil {
		return err
	}
	// DuckDB makes the file itself; the name stays ours, for it is random.
	if err := discard(temp); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(temp), discardLogs(temp)) }()

	objects, err := s.draft(ctx, temp, build)
	if err != nil {
		return err
	}
	s.at(pointDatabaseBuilt)
	if err := s.checkDatabase(ctx, temp, objects); err != nil {
		return fmt.Errorf("read back database file: %w", err)
	}
	s.at(pointDatabaseChecked)
	return s.settleDatabase(temp, final, generation)
}

// placeFree refuses a place that a rename cannot take, before any work is done.
func placeFree(final string) error {
	for _, ending := range append(duckLogs(), "") {
		file := final + ending
		info, err := os.Lstat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at the place of the database file: %w", err)
		}
		if info.IsDir() {
			return refuse("place_taken", "Move that folder away, then rebuild.",
				"A folder lies where the file %s belongs. Nothing was changed.", filepath.Base(file))
		}
	}
	return nil
}

// draft builds a database file in a private instance. The default storage
// version is what every DuckDB since 1.1 can open.
func (s *Store) draft(ctx context.Context, temp string, build func(db *sql.DB) (int, error)) (objects int, err error) {
	db, err := s.Open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "ATTACH "+quoteLiteral(temp)+" AS "+draftName); err != nil {
		return 0, fmt.Errorf("make database file: %w", err)
	}
	objects, err = build(db)
	if err != nil {
		return 0, err
	}
	if _, err := db.ExecContext(ctx, "CHECKPOINT "+draftName+"; DETACH "+draftName); err != nil {
		return 0, fmt.Errorf("finish database file: %w", err)
	}
	for _, ending := range duckLogs() {
		if _, err := os.Lstat(temp + ending); !errors.Is(err, fs.ErrNotExist) {
			return 0, errors.Join(errors.New("finish database file: its log is still there"), err)
		}
	}
	return objects, nil
}

// checkDatabase opens a finished database file as other programs will.
func (s *Store) checkDatabase(ctx context.Context, file string, objects int) (err error) {
	db, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "ATTACH "+quoteLiteral(file)+" AS "+draftName+" (READ_ONLY)"); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	var found int
	const count = `
		SELECT (SELECT count(*) FROM duckdb_views() WHERE database_name = $1 AND NOT internal)
		     + (SELECT count(*) FROM duckdb_tables() WHERE database_name = $1 AND NOT internal)`
	if err := db.QueryRowContext(ctx, count, draftName).Scan(&found); err != nil {
		return fmt.Errorf("count tables and views: %w", err)
	}
	if found != objects {
		return fmt.Errorf("made %d tables and views, found %d", objects, found)
	}
	return nil
}

// settleDatabase makes temp durable and renames it over final. A log that a
// crashed writer left beside final would be replayed into the new file, so it
// goes first, durably.
func (s *Store) settleDatabase(temp, final, generation string) error {
	if err := os.Chmod(temp, 0o640); err != nil { //nolint:gosec // the group may read: backups, custom tools
		return fmt.Errorf("set mode of database file: %w", err)
	}
	if err := syncFile(temp); err != nil {
		return writeFault(err)
	}
	s.at(pointDatabaseSynced)
	if generation != "" {
		if err := s.nameGeneration(temp, generation); err != nil {
			return err
		}
	}
	s.at(pointDatabaseLinked)
	dir := filepath.Dir(final)
	if err := discardLogs(final); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return writeFault(err)
	}
	s.at(pointDatabaseWALRemoved)
	if err := os.Rename(temp, final); err != nil {
		return fmt.Errorf("publish database file: %w", err)
	}
	s.at(pointDatabaseRenamed)
	if err := syncDir(dir); err != nil {
		return writeFault(err)
	}
	s.at(pointDatabaseDirSynced)
	return nil
}
