package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// uploadedDir holds a note for each file that came as an upload: what it was
// like. The folder is hidden, so that nobody takes a note for a table.
const uploadedDir = ".uploaded"

func (f Folder) uploadedNote(item string) string { return filepath.Join(f.files(), uploadedDir, item) }

// uploadedAs is what is noted of an upload: another file under its name, or one
// that was written since, is not alike.
func uploadedAs(info fs.FileInfo) string {
	return fmt.Sprintf("%d %d\n", info.Size(), info.ModTime().UnixNano())
}

// noteUploaded writes a note of a file that came as an upload, before it is a
// table's: a disk that takes no note takes no file. The note counts once it is kept.
func (f Folder) noteUploaded(file string) (note string, err error) {
	info, err := os.Lstat(file)
	if err != nil {
		return "", fmt.Errorf("look at upload: %w", err)
	}
	note = f.uploadedNote(tempPrefix + uuid.NewString())
	if err := makeDir(filepath.Dir(note)); err != nil {
		return "", err
	}
	if err := os.WriteFile(note, []byte(uploadedAs(info)), 0o640); err != nil { //nolint:gosec // the group may read: backups
		return "", errors.Join(fmt.Errorf("note upload: %w", tell(err)), remove(note))
	}
	return note, nil
}

// keepNote makes a note that of a file in files/.
func (f Folder) keepNote(note, item string) error {
	if err := os.Rename(note, f.uploadedNote(item)); err != nil {
		return fmt.Errorf("keep note of upload: %w", tell(err))
	}
	return nil
}

// RemoveUploaded deletes a table's file that came as an upload and was not
// written since. Every other file stays: somebody placed it there. One that is
// gone already is no error. After writing has ended nothing is removed.
func (f Folder) RemoveUploaded(ctx context.Context, item string) (err error) {
	if err := f.Writes.Err(); err != nil {
		return err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	if !plainName(item) {
		return nil // a folder, a pattern, or a file in one
	}
	noted, err := os.ReadFile(f.uploadedNote(item))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read note of upload: %w", err)
	}
	info, err := os.Lstat(filepath.Join(f.files(), item))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at upload: %w", err)
	}
	if err == nil && info.Mode().IsRegular() && uploadedAs(info) == string(noted) {
		if err := f.Remove(ctx, item); err != nil {
			return err
		}
	}
	return remove(f.uploadedNote(item))
}
