package warehouse

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"agnes/domain/imports"
	"agnes/domain/work"
)

const (
	// importStep is how many rows one statement reads: the driver holds them all.
	importStep = 2000
	// importBatch is about how many bytes one event carries.
	importBatch = 1 << 20
	// importRow is the largest row that is taken over.
	importRow = 4 << 20
	// predecessor is the catalog of the copy that is read.
	predecessor = "predecessor"
	// copiedName is the file in the scratch folder that the copy is.
	copiedName = "predecessor.duckdb"
)

const (
	nextOldServer = "Start the old server once with this database and stop it again, so that it repairs the file, then try again. Or use its newest backup."
	nextOldStop   = "Stop the old server, then try again."
)

// RunImport is the body of an import child: it copies the predecessor's
// database with its log into its scratch folder, gives up every other right,
// opens the copy and reports its rows. The original is never opened by an
// engine. See RunExtract for how it ends.
func RunImport(ctx context.Context, stdin io.Reader, events io.Writer, log *slog.Logger) error {
	return runChild(events, log, func(report Report) error {
		var job work.ImportJob
		if err := decodeJob(stdin, &job); err != nil {
			return err
		}
		s, err := openStore(ctx, job.DataDir, job.Budget, log)
		if err != nil {
			return err
		}
		copied, sum, err := s.copyPredecessor(ctx, job.File)
		if err != nil {
			return err
		}
		if err := enterSandbox(job.Budget, doors{write: []string{s.scratch}}, log); err != nil {
			return err
		}
		return s.readPredecessor(ctx, copied, func(e work.Event) {
			if e.Schema != nil {
				e.Schema.SHA256 = sum
			}
			report(e)
		})
	})
}

// copyPredecessor copies a database and its logs, which hold what the last stop
// did not write into the file, and returns the copy's path and the SHA-256 of
// the file without its logs.
func (s *Store) copyPredecessor(ctx context.Context, file string) (to, sum string, err error) {
	if err := makeDir(s.scratch); err != nil {
		return "", "", err
	}
	to = filepath.Join(s.scratch, copiedName)
	from, err := os.Open(file)
	if err != nil {
		return "", "", missingDatabase(err)
	}
	defer from.Close()
	if info, err := from.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", "", missingDatabase(errors.Join(err, errors.New("no regular file")))
	}
	// DuckDB holds such a lock for writing while it has the file open.
	lock := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(from.Fd(), unix.F_SETLK, &lock); errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return "", "", refuse("database_in_use", nextOldStop, "Another program has the database open for writing, so its rows may be changing. Nothing was imported.").because(err)
	} else if err != nil {
		s.log.Warn("the file system has no locks: make sure that the old server is stopped", "err", err)
	}
	hash := sha256.New()
	if err := copyInto(ctx, io.TeeReader(from, hash), to); err != nil {
		return "", "", err
	}
	for _, log := range duckLogs() {
		if err := copyLog(ctx, file+log, to+log); err != nil {
			return "", "", err
		}
	}
	return to, hex.EncodeToString(hash.Sum(nil)), nil
}

// copyLog copies a log if there is one.
func copyLog(ctx context.Context, from, to string) error {
	log, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return missingDatabase(err)
	}
	defer log.Close()
	return copyInto(ctx, log, to)
}

func missingDatabase(err error) error {
	return refuse("database_missing", "Name the file system.duckdb in the old server's state directory, and let Agnes read it.",
		"There is no database that can be read at that place.").because(err)
}

func copyInto(ctx context.Context, from io.Reader, to string) error {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	_, err = io.Copy(out, readerOf(ctx, from))
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}

// readerOf ends reading when ctx does.
func readerOf(ctx context.Context, r io.Reader) io.Reader { return contextReader{ctx: ctx, from: r} }

type contextReader struct {
	ctx  context.Context //nolint:containedctx // a reader has no parameter for it
	from io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err //nolint:wrapcheck // the context's own
	}
	return r.from.Read(p) //nolint:wrapcheck // the reader's own
}

// readPredecessor reports the schema, then the rows of every table in the order
// of imports.Schema.
func (s *Store) readPredecessor(ctx context.Context, file string, report Report) (err error) {
	db, err := s.openPredecessor(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	schema, err := predecessorSchema(ctx, db)
	if err != nil {
		return err
	}
	report(work.Event{Schema: &schema})
	if err := reportUnknown(ctx, db, report); err != nil {
		return unreadableTable("A table of the old database that this Agnes does not know", err)
	}
	for _, t := range imports.Schema() {
		if err := readTable(ctx, db, t, report); err != nil {
			return unreadableTable("The table "+t.Name+" of the old database", err)
		}
	}
	return nil
}

func unreadableTable(what string, err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("database_damaged", nextOldServer, "%s cannot be read. Nothing more was imported.", what).because(err)
}

// openPredecessor attaches the copy for reading; a log beside it is first
// written into the copy.
func (s *Store) openPredecessor(ctx context.Context, file string) (*sql.DB, error) {
	db, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	attach := "ATTACH " + quoteLiteral(file) + " AS " + predecessor
	if _, missing := os.Stat(file + ".wal"); missing == nil {
		if _, err := db.ExecContext(ctx, attach+"; CHECKPOINT "+predecessor+"; DETACH "+predecessor); err != nil {
			return nil, closeAfter(db, predecessorFault(err, file))
		}
	}
	if _, err := db.ExecContext(ctx, attach+" (READ_ONLY)"); err != nil {
		return nil, closeAfter(db, predecessorFault(err, file))
	}
	if err := lock(ctx, db, nil, []string{file}); err != nil {
		return nil, closeAfter(db, err)
	}
	return db, nil
}

func predecessorFault(err error, file string) error {
	if general := generalFault(err); general != nil {
		return general
	}
	if storageVersion(file) > newestStorage || strings.Contains(err.Error(), "version number") {
		return refuse("database_too_new", "Copy it with ATTACH … (STORAGE_VERSION 'v1.0.0') in the DuckDB that wrote it, then import the copy.",
			"The old database was written by a newer DuckDB than Agnes reads. Nothing was imported.").because(err)
	}
	if storageVersion(file) == 0 {
		return refuse("not_a_database", "Name the file system.duckdb in the old server's state directory. If this is it, it is damaged: use its newest backup.",
			"This file is no DuckDB database. Nothing was imported.").because(err)
	}
	return refuse("database_damaged", nextOldServer, "The old database is damaged. Nothing was imported.").because(err)
}

// predecessorSchema fails unless the database is one of the predecessor at the
// schema that is known here.
func predecessorSchema(ctx context.Context, db *sql.DB) (work.StateSchema, error) {
	var version sql.NullInt64
	var applied sql.NullInt64
	query := `SELECT max(version), max(epoch_us(applied_at)) FROM ` + predecessor + `.main.schema_version WHERE version = (SELECT max(version) FROM ` + predecessor + `.main.schema_version)`
	if err := db.QueryRowContext(ctx, query).Scan(&version, &applied); err != nil || !version.Valid {
		return work.StateSchema{}, refuse("not_a_state", "Name the file system.duckdb in the old server's state directory.",
			"This database is not an old server's state: it has no schema_version. Nothing was imported.").because(err)
	}
	mirror, err := isMirror(ctx, db)
	if err != nil {
		return work.StateSchema{}, err
	}
	switch {
	case mirror:
		return work.StateSchema{}, refuse("state_is_a_mirror", "Name the old server's own file: where it was imported before, it lies in the state directory as system.duckdb.imported.",
			"This is no old server's state but the copy that Agnes makes of its own, without passwords and tokens. Nothing was imported.")
	case version.Int64 < imports.SchemaVersion:
		return work.StateSchema{}, refuse("schema_too_old", "Upgrade the old server to 0.54 first, start it once, stop it, then import again.",
			"The old server's state is at schema %d; Agnes imports schema %d. Nothing was imported.", version.Int64, imports.SchemaVersion)
	case version.Int64 > imports.SchemaVersion:
		return work.StateSchema{}, refuse("schema_too_new", "Use the backup that the old server made before its upgrade (system.duckdb.pre-migrate), or a newer Agnes.",
			"The old server's state is at schema %d, newer than the schema %d that this Agnes imports. Nothing was imported.", version.Int64, imports.SchemaVersion)
	}
	out := work.StateSchema{Version: int(version.Int64)}
	if applied.Valid {
		out.AppliedAt = time.UnixMicro(applied.Int64).UTC()
	}
	return out, nil
}

// isMirror reports whether the database is a mirror that an Agnes wrote. What it
// lacks would be taken for what the old server lacked.
func isMirror(ctx context.Context, db *sql.DB) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM duckdb_tables() WHERE database_name = '"+predecessor+
		"' AND schema_name = 'main' AND table_name = 'schema_version' AND comment = "+quoteLiteral(mirrorRemark)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look whose state it is: %w", err)
	}
	return n > 0, nil
}
