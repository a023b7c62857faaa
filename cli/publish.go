package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// partSuffix ends the names of files that are not whole yet.
const partSuffix = ".part"

// newPart makes a file beside path that only its owner can read, under a name
// of its own, to become path by publish.
func newPart(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+partSuffix)
}

// publish makes a whole, checked part the file at path, durably. Until it
// returns nil, the file that was there before is untouched or already replaced
// by the new one, never in between.
func publish(part *os.File, path string) error {
	if err := part.Sync(); err != nil {
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// discard removes a part that will not be published; after publish it does nothing.
func discard(part *os.File) error {
	// Closing twice is fine: publish may have closed it.
	if err := part.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	if err := os.Remove(part.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaceFile writes a small file whole or not at all.
func replaceFile(path string, data []byte) (err error) {
	part, err := newPart(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(part)) }()
	if _, err := part.Write(data); err != nil {
		return err
	}
	return publish(part, path)
}

// syncDir makes a rename durable. Some file systems cannot sync a folder; the
// rename has happened there all the same.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	syncErr := d.Sync()
	if err := d.Close(); err != nil {
		return err
	}
	if errors.Is(syncErr, errors.ErrUnsupported) || errors.Is(syncErr, fs.ErrInvalid) || errors.Is(syncErr, fs.ErrPermission) {
		return nil
	}
	return syncErr
}
