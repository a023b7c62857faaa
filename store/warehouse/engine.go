package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sys/unix"
)

// The budget of a job that names none.
const (
	defaultMemory  = 512 << 20
	defaultThreads = 2
)

// Open starts a private in-memory instance within the store's budget: no
// extensions, spilling to the job's scratch folder only. What it may read and
// write is narrowed further by lock.
func (s *Store) Open(ctx context.Context) (*sql.DB, error) {
	return s.openWith(ctx, "SET GLOBAL allow_community_extensions = false;")
}

// openWith is Open with settings of the caller's about extensions.
func (s *Store) openWith(ctx context.Context, extensions string) (*sql.DB, error) {
	if err := os.MkdirAll(s.scratch, 0o750); err != nil {
		return nil, fmt.Errorf("make scratch folder: %w", err)
	}
	spill, err := s.spillLimit()
	if err != nil {
		return nil, err
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	db := sql.OpenDB(connector)
	// Settings go to the instance once, not to each connection: after lock, a
	// new connection could not repeat them.
	if _, err := db.ExecContext(ctx, s.settings(spill)+extensions); err != nil {
		return nil, closeAfter(db, fmt.Errorf("configure engine: %w", err))
	}
	return db, nil
}

func (s *Store) settings(spill int64) string {
	memory, threads := s.budget.MemoryBytes, s.budget.Threads
	if memory <= 0 {
		memory = defaultMemory
	}
	if threads <= 0 {
		threads = defaultThreads
	}
	return fmt.Sprintf(`
		SET GLOBAL autoinstall_known_extensions = false;
		SET GLOBAL autoload_known_extensions = false;
		SET GLOBAL allow_persistent_secrets = false;
		SET GLOBAL memory_limit = '%dB';
		SET GLOBAL threads = %d;
		SET GLOBAL temp_directory = %s;
		SET GLOBAL max_temp_directory_size = '%dB';
		SET GLOBAL TimeZone = 'UTC';`, memory, threads, quoteLiteral(s.scratch), spill)
}

// spillLimit lets an instance spill half of what is free, so that spilling
// never fills the disk that versions are written to.
func (s *Store) spillLimit() (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(s.scratch, &fs); err != nil {
		return 0, fmt.Errorf("free space of scratch folder: %w", err)
	}
	return int64(fs.Bavail) * fs.Bsize / 2, nil //nolint:gosec // sizes of real disks fit
}

// lock leaves an instance nothing of the file system but these folders and
// files, for good. Both may be read and written: the kernel's rules, set before
// the engine starts, hold what DuckDB's own do not.
func lock(ctx context.Context, db *sql.DB, dirs, paths []string) error {
	var b strings.Builder
	if len(dirs) > 0 {
		fmt.Fprintf(&b, "SET GLOBAL allowed_directories = %s;", quoteList(quoteLiteral, dirs))
	}
	if len(paths) > 0 {
		fmt.Fprintf(&b, "SET GLOBAL allowed_paths = %s;", quoteList(quoteLiteral, paths))
	}
	b.WriteString("SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true;")
	if _, err := db.ExecContext(ctx, b.String()); err != nil {
		return fmt.Errorf("lock engine: %w", err)
	}
	return nil
}

// locked opens an instance that sees only these files.
func (s *Store) locked(ctx context.Context, paths ...string) (*sql.DB, error) {
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	// The engine checks the pattern as it is written, then the file it finds.
	for _, p := range paths {
		if escaped := globEscaper.Replace(p); escaped != p {
			paths = append(paths, escaped)
		}
	}
	if err := lock(ctx, db, nil, paths); err != nil {
		return nil, closeAfter(db, err)
	}
	return db, nil
}

// collect reads all rows with scan.
func collect[T any](ctx context.Context, db querier, query string, scan func(*sql.Rows) (T, error)) (_ []T, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err //nolint:wrapcheck // callers say what they asked
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// duckLogs are the endings of the logs that DuckDB keeps beside a database. What
// is written while a checkpoint runs is in the second one alone, until that ends.
func duckLogs() []string { return []string{".wal", ".wal.checkpoint"} }

// discardLogs removes the logs beside a database.
func discardLogs(file string) error {
	var errs []error
	for _, ending := range duckLogs() {
		errs = append(errs, discard(file+ending))
	}
	return errors.Join(errs...)
}
