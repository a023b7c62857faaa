package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/people"
)

// Stage receives a person's file whole and keeps it aside until it becomes a table's.
// It fails with Invalid for an unknown format or an empty file, TooLarge, or
// Unavailable when the disk is full; then nothing is left of it.
func (f Folder) Stage(ctx context.Context, owner people.UserID, name string, r io.Reader) (_ files.Upload, err error) {
	if err := f.Writes.Err(); err != nil {
		return files.Upload{}, err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	name = safeName(name)
	format, known := files.FormatOf(name)
	if !known {
		return files.Upload{}, unknownFormat()
	}
	id := files.UploadID(uuid.NewString())
	if err := makeDir(f.staged(id)); err != nil {
		return files.Upload{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Discard(context.WithoutCancel(ctx), id))
		}
	}()
	n, err := f.receive(ctx, f.staged(id, name), r)
	if err != nil {
		return files.Upload{}, err
	}
	if owner != "" {
		if err := f.record(id, state{Owner: owner, Name: name, Bytes: n, Arrived: n}); err != nil {
			return files.Upload{}, err
		}
	}
	return files.Upload{ID: id, Name: name, Format: format, Bytes: n, Key: path.Join(uploadsDir, string(id), name), Owner: owner}, nil
}

// receive writes r to a new file, durably.
func (f Folder) receive(ctx context.Context, file string, r io.Reader) (n int64, err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the group may read: backups
	if err != nil {
		return 0, fmt.Errorf("make upload: %w", tell(err))
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	in := io.Reader(cancelReader{ctx, r})
	if f.MaxBytes > 0 {
		in = io.LimitReader(in, f.MaxBytes+1)
	}
	n, err = io.Copy(out, in)
	switch {
	case err != nil:
		return 0, fmt.Errorf("receive upload: %w", tell(err))
	case f.MaxBytes > 0 && n > f.MaxBytes:
		return 0, domain.E(domain.TooLarge, "upload_too_large",
			"The file is larger than %s, the limit for one upload. Split it, or save it as Parquet, which is smaller.", humanize.IBytes(uint64(f.MaxBytes)))
	case n == 0:
		return 0, domain.E(domain.Invalid, "file_empty", "The file is empty. Check the export that made it, then upload it again.")
	}
	if err := out.Sync(); err != nil {
		return 0, fmt.Errorf("sync upload: %w", tellSync(err))
	}
	return n, syncDir(filepath.Dir(file))
}

// Staged returns a staged upload, or NotFound when it is not there any more.
func (f Folder) Staged(_ context.Context, id files.UploadID) (files.Upload, error) {
	gone := domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more. Upload the file again.")
	if uuid.Validate(string(id)) != nil {
		return files.Upload{}, gone
	}
	entries, err := os.ReadDir(f.staged(id))
	if errors.Is(err, fs.ErrNotExist) {
		return files.Upload{}, gone.Because(err)
	}
	if err != nil {
		return files.Upload{}, fmt.Errorf("look for upload: %w", err)
	}
	for _, e := range entries {
		format, known := files.FormatOf(e.Name())
		info, err := e.Info()
		if err != nil || !known {
			continue
		}
		up := files.Upload{ID: id, Name: e.Name(), Format: format, Bytes: info.Size(), Key: path.Join(uploadsDir, string(id), e.Name())}
		switch s, err := f.state(id); {
		case err == nil:
			up.Owner = s.Owner
		case domain.KindOf(err) != domain.NotFound: // of before owners were kept
			return files.Upload{}, err
		}
		return up, nil
	}
	return files.Upload{}, gone
}

// Discard removes a staged upload; one that is gone already is no error.
func (f Folder) Discard(_ context.Context, id files.UploadID) (err error) {
	defer func() { f.Writes.Trip(err) }()
	if uuid.Validate(string(id)) != nil {
		return domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more.")
	}
	if err := os.RemoveAll(f.staged(id)); err != nil {
		return fmt.Errorf("remove upload: %w", tell(err))
	}
	return nil
}

// Add puts a file of Agnes itself, such as sample data, in place under the
// name item, over one before.
func (f Folder) Add(ctx context.Context, item string, r io.Reader) (err error) {
	if err := f.Writes.Err(); err != nil {
		return err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	if err := checkItem(item); err != nil {
		return err
	}
	if _, known := files.FormatOf(item); !known {
		return unknownFormat()
	}
	if err := makeDir(f.files()); err != nil {
		return err
	}
	temp := filepath.Join(f.files(), tempPrefix+uuid.NewString())
	defer func() { err = errors.Join(err, remove(temp)) }()
	if _, err := f.receive(ctx, temp, r); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(f.files(), item)); err != nil {
		return fmt.Errorf("place file: %w", tell(err))
	}
	return syncDir(f.files())
}

// safeName keeps of a sender's name what any file system takes: no folders, no
// hidden files, nothing invisible. The ending, which tells the format, stays.
func safeName(sent string) string {
	sent = sent[strings.LastIndexAny(sent, `/\`)+1:]
	if over := len(sent) - 4*maxName; over > 0 { // its end tells the format
		sent = sent[over:]
	}
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(sent, "_"))
	name = strings.TrimLeft(strings.TrimSpace(name), ". ")
	ext := path.Ext(name)
	if known := files.Ext(name); known != "" { // also .csv.gz
		ext = name[len(name)-len(known):]
	}
	stem := strings.TrimSuffix(name, ext)
	if stem == "" {
		stem = "upload"
	}
	if len(ext) > 16 { // no ending of ours is that long
		stem, ext = name, ""
	}
	if room := maxName - len(ext); len(stem) > room {
		stem = strings.ToValidUTF8(stem[:room], "")
	}
	return stem + ext
}

// cancelReader stops a copy when the request is gone.
type cancelReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

// Read implements io.Reader.
func (c cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err //nolint:wrapcheck // the copy says what was stopped
	}
	return c.r.Read(p) //nolint:wrapcheck // io.EOF must stay itself
}
