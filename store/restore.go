package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	sqlite3 "modernc.org/sqlite/lib"

	"agnes/domain"
)

// Restore puts a backup in the place of the state in o.Dir, which must not be
// in use. The backup is copied and checked through first; the state that was
// there is kept beside it, and Restore returns its file ("" when there was
// none). At no moment is the directory without a state.
func Restore(ctx context.Context, from string, o Options) (kept string, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the state directory: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlockDir(lock)) }()
	temp, err := copyBackup(from, o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", domain.E(domain.NotFound, "no_backup", "There is no such backup, so nothing was changed. Check the file's name.").Because(err)
	} else if err != nil {
		return "", fmt.Errorf("copy the backup: %w", err)
	}
	defer removeDatabase(temp)
	if err := checkBackup(ctx, temp); err != nil {
		return "", err
	}
	file := filepath.Join(o.Dir, fileName)
	settle(ctx, file)
	kept, err = keepAside(file, file+".before-restore-"+o.Now().UTC().Format(stampLayout))
	if err != nil {
		return "", fmt.Errorf("keep the state that was there: %w", err)
	}
	if err := os.Rename(temp, file); err != nil {
		return kept, fmt.Errorf("put the backup in place: %w", err)
	}
	return kept, syncFile(o.Dir)
}

// copyBackup copies the backup, with its write-ahead log if it is a file that
// was in use, to a private file in dir.
func copyBackup(from, dir string) (string, error) {
	temp, err := os.CreateTemp(dir, ".restore-*.db")
	if err != nil {
		return "", err
	}
	name := temp.Name()
	err = errors.Join(temp.Close(), copyFile(from, name))
	if werr := copyFile(from+"-wal", name+"-wal"); !errors.Is(werr, fs.ErrNotExist) {
		err = errors.Join(err, werr)
	}
	if err != nil {
		removeDatabase(name)
	}
	return name, err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close(), in.Close())
}

// checkBackup fails unless the file is a whole state that this Agnes can open.
func checkBackup(ctx context.Context, file string) error {
	facts, err := inspect(ctx, file)
	switch {
	case hasCode(err, sqlite3.SQLITE_NOTADB), err == nil && facts.schema == 0:
		return domain.E(domain.Invalid, "not_a_backup", "The file is not a backup of the state, so nothing was changed.").Because(err)
	case hasCode(err, sqlite3.SQLITE_CORRUPT):
		return damaged(err)
	case err != nil:
		return fmt.Errorf("check the backup: %w", err)
	}
	target, err := knownSchema()
	if err != nil {
		return err
	}
	if facts.schema > target {
		return tooNew(facts.schema, target)
	}
	return syncFile(file)
}

// settle moves what the write-ahead log holds into the file, so that the file
// alone is the whole state. A state too damaged for that is the reason for many
// a restore: then the log is kept aside as it is.
func settle(ctx context.Context, file string) {
	db, err := openFile(file, url.Values{}, 1)
	if err != nil {
		return
	}
	_, _ = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	_ = db.Close()
}

// keepAside gives the state a second name and moves its write-ahead log there.
// The file itself stays in its place until the backup is renamed over it. It
// returns "" when there is no state.
func keepAside(file, aside string) (string, error) {
	if err := os.Link(file, aside); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	if err := os.Rename(file+"-wal", aside+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	// The shared memory file is an index of the log, which SQLite makes anew.
	if err := os.Remove(file + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return aside, nil
}
