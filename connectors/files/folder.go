package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// maxName bounds file names, in bytes, below what file systems take.
const maxName = 200

// Folder keeps people's files in a data directory: staged uploads, and the one
// file of each table.
type Folder struct {
	Root     string // the data directory
	MaxBytes int64  // of one upload; 0 for no limit
	MaxParts int    // uploads of one person that are not complete; 0 for no limit
	// Writes ends all writing when the disk does not confirm what was written
	// here, and refuses uploads once it has; nil: neither.
	Writes *syncs.Latch
}

// List returns the files of tables and the folders of files, by name. Hidden
// files, unknown formats and folders that are no table are skipped. A folder
// that was never made is empty; one that cannot be read is an error.
func (f Folder) List(ctx context.Context) ([]files.File, error) {
	entries, err := os.ReadDir(f.files())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	var found []files.File
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		if !plainName(e.Name()) || files.OfficeLock(e.Name()) {
			continue
		}
		if e.IsDir() {
			if d, err := f.dataset(e.Name()); err == nil { // several formats are no table
				found = append(found, files.File{Name: e.Name(), Format: d.Format, Bytes: d.Bytes(), ModTime: d.Newest(), Files: len(d.Files)})
			}
			continue
		}
		format, known := files.FormatOf(e.Name())
		if !known {
			continue
		}
		info, err := os.Stat(filepath.Join(f.files(), e.Name())) // follows links that an administrator made
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at file %q: %w", e.Name(), err)
		}
		if info.Mode().IsRegular() {
			found = append(found, files.File{Name: e.Name(), Format: format, Bytes: info.Size(), ModTime: info.ModTime()})
		}
	}
	return found, nil
}

// Key returns the place of a table's file, folder or pattern under the data
// directory, or NotFound when there is no such file.
func (f Folder) Key(_ context.Context, item string) (string, error) {
	gone := domain.E(domain.NotFound, "file_missing", "There is no file of that name. Upload it again.")
	item, err := files.CheckItem(item)
	if err != nil {
		return "", gone.Because(err)
	}
	one, err := f.isFile(item)
	if err != nil {
		return "", err
	}
	if !one {
		if _, err := f.dataset(item); err != nil {
			return "", err
		}
	}
	return path.Join(filesDir, item), nil
}

// Remove deletes a table's file; one that is gone already is no error.
func (f Folder) Remove(_ context.Context, item string) (err error) {
	defer func() { f.Writes.Trip(err) }()
	if err := checkItem(item); err != nil {
		return err
	}
	if err := remove(filepath.Join(f.files(), item)); err != nil {
		return err
	}
	if err := syncDir(f.files()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Commit gives a table a staged upload as its file and returns its name: the
// table's id, with a number when that name is taken. No other file is touched:
// it may be an administrator's, or another table's. The upload stays staged until
// it is discarded. Commit fails, with nothing changed, with NotFound when the
// upload is not there any more.
func (f Folder) Commit(ctx context.Context, id files.UploadID, table registry.TableID) (item string, err error) {
	if err := f.Writes.Err(); err != nil {
		return "", err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	up, err := f.Staged(ctx, id)
	if err != nil {
		return "", err
	}
	if !registry.QuotedIdentifier(string(table)) {
		return "", domain.E(domain.Invalid, "table_id_invalid", "The table's id cannot be a file's name. Choose a name of letters, digits and _.")
	}
	if err := makeDir(f.files()); err != nil {
		return "", err
	}
	note, err := f.noteUploaded(f.staged(id, up.Name))
	if err != nil {
		return "", err
	}
	if item, err = f.linkFree(ctx, f.staged(id, up.Name), string(table), files.Ext(up.Name)); err != nil {
		return "", errors.Join(err, remove(note))
	}
	if err := errors.Join(syncDir(f.files()), f.keepNote(note, item)); err != nil {
		return "", errors.Join(err, remove(filepath.Join(f.files(), item)), remove(note))
	}
	return item, nil
}

// maxNumber bounds the numbers of files of one table.
const maxNumber = 1000

// linkFree gives a file the first free name of stem.ext, stem-2.ext … in files/.
func (f Folder) linkFree(ctx context.Context, from, stem, ext string) (item string, err error) {
	for n := 1; n <= maxNumber; n++ {
		item = stem + ext
		if n > 1 {
			item = fmt.Sprintf("%s-%d%s", stem, n, ext)
		}
		err = f.linkNew(ctx, from, item)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("take upload to files: %w", tell(err))
	}
	return item, nil
}

// linkNew gives a file a name in files/ that must be free. It is copied where it
// cannot have two names.
func (f Folder) linkNew(ctx context.Context, from, item string) error {
	to := filepath.Join(f.files(), item)
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.EIO) {
		return err //nolint:wrapcheck // the caller says what was linked
	}
	if _, looked := os.Lstat(to); looked == nil {
		return fs.ErrExist
	} else if !errors.Is(looked, fs.ErrNotExist) {
		return errors.Join(err, looked)
	}
	return f.copyIn(ctx, from, item)
}

// copyIn copies a file to a name in files/, with its time: a note may tell it.
func (f Folder) copyIn(ctx context.Context, from, item string) error {
	in, err := os.Open(from)
	if err != nil {
		return err //nolint:wrapcheck // the caller says what was linked
	}
	info, err := in.Stat()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	unlimited := Folder{Root: f.Root, Writes: f.Writes} // it was let in before
	if err := errors.Join(unlimited.Add(ctx, item, in), in.Close()); err != nil {
		return err
	}
	return os.Chtimes(filepath.Join(f.files(), item), time.Time{}, info.ModTime()) //nolint:wrapcheck // the caller says what was linked
}

func (f Folder) files() string { return filepath.Join(f.Root, filesDir) }

func (f Folder) staged(id files.UploadID, name ...string) string {
	return filepath.Join(slices.Concat([]string{f.Root, uploadsDir, string(id)}, name)...)
}

// tell turns errors of the disk into words; others stay as they are.
func tell(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return domain.E(domain.Unavailable, "disk_full", "The server's disk is full, so nothing was saved. Ask an administrator to free space, then try again.").Because(err)
	}
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return domain.E(domain.Unavailable, "folder_not_writable", "Agnes may not write where it keeps files, so nothing was saved. Ask an administrator to give it the right, then try again.").Because(err)
	}
	if errors.Is(err, syscall.EIO) {
		return notConfirmed(err)
	}
	return err
}

// tellSync turns errors of a flush into words. What the disk did not confirm may
// be lost without another word, so it is never flushed again; a full disk and
// missing rights are told as such.
func tellSync(err error) error {
	var known *domain.Error
	if told := tell(err); err == nil || errors.As(told, &known) {
		return told
	}
	return notConfirmed(err)
}

// notConfirmed is what people read when the disk did not confirm a write; a
// latch ends writing by its code.
func notConfirmed(err error) error {
	return domain.E(domain.Unavailable, "disk_write_failed",
		"The server's disk did not confirm that the file was written, so nothing more is saved. Have the disk checked, then start Agnes again and upload the file once more.").Because(err)
}

// makeDir makes a folder and its parents, durably.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", tell(err))
	}
	return syncDir(filepath.Dir(dir))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder to sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", tellSync(err))
	}
	return nil
}

// remove removes a file that may be gone already.
func remove(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove file: %w", tell(err))
	}
	return nil
}
