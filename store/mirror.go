package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"agnes/domain"
)

const (
	// mirrorFile is where tools expect the state, and where a predecessor kept its own.
	mirrorFile = "system.duckdb"
	// importedFile is the predecessor's own, out of the way.
	importedFile = "system.duckdb.imported"
	// mirrorsFile holds the hashes of the mirrors that may lie there. It is no part
	// of the state, which may be lost, or restored from before the mirror was made.
	mirrorsFile = ".mirrors"
)

// PlaceMirror publishes the finished file at path as the state's mirror. A file
// there that is no mirror is a predecessor's state: it stays, and the call fails
// with Conflict (mirror_blocked), until that state was imported; then it is kept
// under another name.
func (s *Store) PlaceMirror(ctx context.Context, path string) error {
	next, err := hashOf(path)
	if err != nil {
		return fmt.Errorf("look at the new mirror: %w", err)
	}
	final := filepath.Join(s.dir, mirrorFile)
	before, aside, err := s.mirrorBefore(ctx, final)
	if err == nil && aside {
		before, err = "", s.setAside(final)
	}
	if err != nil {
		return err
	}
	// Written down first: a mirror that nobody knows would be taken for a predecessor's.
	if err := s.knownMirrors(before, next); err != nil {
		return err
	}
	if err := moveFile(path, final); err != nil {
		return fmt.Errorf("publish the mirror: %w", unconfirmedFile(err))
	}
	return nil
}

// MirrorFree fails as PlaceMirror would, before anybody makes a mirror.
func (s *Store) MirrorFree(ctx context.Context) error {
	_, _, err := s.mirrorBefore(ctx, filepath.Join(s.dir, mirrorFile))
	return err
}

// mirrorBefore returns the hash of the mirror that is published, "" for none;
// aside when an imported predecessor's file is still there.
func (s *Store) mirrorBefore(ctx context.Context, final string) (hash string, aside bool, err error) {
	before, err := hashOf(final)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look at the mirror before: %w", err)
	}
	known, err := os.ReadFile(filepath.Join(s.dir, mirrorsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("read the mirrors: %w", err)
	}
	if strings.Contains(string(known), before) {
		return before, false, nil
	}
	imported, err := s.Imported(ctx)
	if err != nil {
		return "", false, err
	}
	if _, err := os.Lstat(filepath.Join(s.dir, importedFile)); !imported || !errors.Is(err, fs.ErrNotExist) {
		return "", false, domain.E(domain.Conflict, "mirror_blocked",
			"The state directory holds a system.duckdb that this server did not write, so its own mirror is not published. Import it with agnes migrate --from-system-duckdb, or move it away.")
	}
	return "", true, nil
}

// setAside keeps an imported predecessor's file under another name.
func (s *Store) setAside(final string) error {
	aside := filepath.Join(s.dir, importedFile)
	for _, suffix := range []string{".wal.checkpoint", ".wal", ""} { // the logs first: beside another file they would do harm
		if err := os.Rename(final+suffix, aside+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("keep the predecessor's state: %w", err)
		}
	}
	s.log.Info("the imported system.duckdb was kept under another name", "file", importedFile)
	return syncFile(s.dir)
}

// knownMirrors remembers the mirrors that may lie in the place: the one before
// and the next.
func (s *Store) knownMirrors(hashes ...string) (err error) {
	temp, err := os.CreateTemp(s.dir, mirrorsFile+"-*")
	if err != nil {
		return fmt.Errorf("remember the mirror: %w", err)
	}
	_, err = temp.WriteString(strings.Join(hashes, " ") + "\n")
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = moveFile(temp.Name(), filepath.Join(s.dir, mirrorsFile))
	}
	if err != nil {
		return fmt.Errorf("remember the mirror: %w", errors.Join(unconfirmedFile(err), os.Remove(temp.Name())))
	}
	return nil
}

func hashOf(path string) (_ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// moveFile gives a finished file its place, over the one before, also from
// another file system.
func moveFile(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		err = carryFile(from, to)
	}
	if err != nil {
		return err
	}
	return syncFile(filepath.Dir(to))
}

func carryFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	temp, err := os.CreateTemp(filepath.Dir(to), ".mirror-*.duckdb")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = io.Copy(temp, in)
	if err := errors.Join(err, temp.Chmod(0o640), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), to); err != nil {
		return err
	}
	return os.Remove(from)
}
