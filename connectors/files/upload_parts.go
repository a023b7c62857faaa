package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/people"
)

// A part lies beside staged uploads, in uploads/<id>/: its bytes, and what is
// known of it. Both names begin with a dot, so that they are nobody's upload;
// when the last byte is durable the bytes get the upload's name.
const (
	partData  = ".part"
	partState = ".state"
)

// durableStep is how many bytes arrive at most before they are made durable and
// counted. A crash costs the sender no more than that.
const durableStep = 16 << 20

// maxMark bounds what a sender may have remembered of its file.
const maxMark = 1 << 10

// Begin makes room for an upload that arrives in pieces. It fails with Invalid
// for an unknown format or an empty file, TooLarge, or Unavailable when the disk
// is full, or Limited when the person has too many that are not complete.
func (f Folder) Begin(ctx context.Context, n files.NewPart) (_ files.Part, err error) {
	if err := f.Writes.Err(); err != nil {
		return files.Part{}, err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	s := state{Owner: n.Owner, Name: safeName(n.Name), Bytes: n.Bytes, Mark: strings.ToValidUTF8(n.Mark[:min(len(n.Mark), maxMark)], "")}
	if _, known := files.FormatOf(s.Name); !known {
		return files.Part{}, unknownFormat()
	}
	switch {
	case n.Bytes <= 0:
		return files.Part{}, domain.E(domain.Invalid, "file_empty", "The file is empty. Check the export that made it, then upload it again.")
	case f.MaxBytes > 0 && n.Bytes > f.MaxBytes:
		return files.Part{}, domain.E(domain.TooLarge, "upload_too_large",
			"The file has %s; one upload may have %s. Split it, save it as Parquet, which is a fraction of the size, or have it placed in the files folder of the data directory.",
			humanize.IBytes(uint64(n.Bytes)), humanize.IBytes(uint64(f.MaxBytes)))
	}
	if err := f.room(ctx, n.Owner, 1); err != nil {
		return files.Part{}, err
	}
	id := files.UploadID(uuid.NewString())
	if err := makeDir(f.staged(id)); err != nil {
		return files.Part{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Discard(context.WithoutCancel(ctx), id))
		}
	}()
	data, err := os.OpenFile(f.staged(id, partData), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the group may read: backups
	if err != nil {
		return files.Part{}, fmt.Errorf("make part: %w", tell(err))
	}
	if err := errors.Join(data.Close(), f.record(id, s)); err != nil {
		return files.Part{}, err
	}
	if err := f.room(ctx, n.Owner, 0); err != nil { // others may have begun meanwhile
		return files.Part{}, err
	}
	return f.Part(ctx, id)
}

// room fails with Limited when a person has as many uploads half way as may be,
// with more of them.
func (f Folder) room(ctx context.Context, owner people.UserID, more int) error {
	if f.MaxParts <= 0 {
		return nil
	}
	parts, err := f.Parts(ctx, owner)
	if err != nil {
		return err
	}
	if len(parts)+more > f.MaxParts {
		return domain.E(domain.Limited, "too_many_uploads",
			"%d of your uploads have not arrived whole, which is as many as one person may have. Continue one of them or throw one away, then begin this one.", f.MaxParts)
	}
	return nil
}

// Part returns a part as it is on disk, or NotFound. One that had arrived whole
// when the server died becomes an upload here.
func (f Folder) Part(_ context.Context, id files.UploadID) (files.Part, error) {
	s, err := f.state(id)
	if err != nil {
		return files.Part{}, err
	}
	format, _ := files.FormatOf(s.Name)
	p := files.Part{ID: id, Owner: s.Owner, Name: s.Name, Format: format, Bytes: s.Bytes, Arrived: s.Arrived, Mark: s.Mark}
	info, err := os.Stat(f.staged(id, partData))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err = os.Stat(f.staged(id, s.Name)); err != nil {
			return files.Part{}, partGone().Because(err)
		}
		p.Arrived = s.Bytes
	case err != nil:
		return files.Part{}, fmt.Errorf("look at part: %w", err)
	default:
		p.Arrived = min(s.Arrived, info.Size()) // a disk that lost bytes gets them again
		if p.Complete() {
			if err := f.complete(id, s); err != nil {
				return files.Part{}, err
			}
		}
	}
	p.Touched = info.ModTime()
	return p, nil
}

// Parts returns the parts of a person that are not complete, newest first. Those
// that vanish meanwhile are left out.
func (f Folder) Parts(ctx context.Context, owner people.UserID) ([]files.Part, error) {
	entries, err := os.ReadDir(filepath.Join(f.Root, uploadsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", err)
	}
	var found []files.Part
	for _, e := range entries {
		p, err := f.Part(ctx, files.UploadID(e.Name()))
		switch {
		case domain.KindOf(err) == domain.NotFound:
			continue
		case err != nil:
			return nil, err
		case p.Owner == owner && !p.Complete():
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b files.Part) int { return cmp.Or(b.Touched.Compare(a.Touched), cmp.Compare(a.ID, b.ID)) })
	return found, nil
}

// Append adds what r brings to a part and returns how much of it is durable,
// also when it fails. offset must be what has arrived; another one is a Conflict.
// Of a files.Checked nothing counts until all of it came and is what was sent.
// One Append at a time may write a part: the caller holds a lock for it.
func (f Folder) Append(ctx context.Context, id files.UploadID, offset int64, r io.Reader) (n int64, err error) {
	if err := f.Writes.Err(); err != nil {
		return 0, err //nolint:wrapcheck // says all there is to say
	}
	defer func() { f.Writes.Trip(err) }()
	p, err := f.Part(ctx, id)
	if err != nil {
		return 0, err
	}
	if offset != p.Arrived {
		return 0, domain.E(domain.Conflict, "upload_offset", "The upload goes on at byte %d, not at byte %d.", p.Arrived, offset)
	}
	if p.Complete() {
		return 0, nil
	}
	s, err := f.state(id)
	if err != nil {
		return 0, err
	}
	s.Arrived = p.Arrived
	data, err := os.OpenFile(f.staged(id, partData), os.O_WRONLY, 0)
	if err != nil {
		return 0, fmt.Errorf("open part: %w", tellPart(err))
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	// What was never counted is written anew: after a failed fsync nobody knows what of it is on disk.
	if err := data.Truncate(offset); err != nil {
		return 0, fmt.Errorf("cut part: %w", tellPart(err))
	}
	if _, err := data.Seek(offset, io.SeekStart); err != nil {
		return 0, fmt.Errorf("find the end of part: %w", err)
	}
	if check, sums := r.(files.Checked); sums {
		err = f.fillChecked(id, &s, data, cancelReader{ctx, r}, check)
	} else {
		err = f.fill(id, &s, data, cancelReader{ctx, r})
	}
	if err != nil {
		return s.Arrived - offset, err
	}
	if s.Arrived == s.Bytes {
		err = f.complete(id, s)
	}
	return s.Arrived - offset, err
}

// fill copies to data until the file is whole or r ends, and counts in s what
// is durable.
func (f Folder) fill(id files.UploadID, s *state, data *os.File, r io.Reader) error {
	for s.Arrived < s.Bytes {
		n, failed := io.CopyN(data, r, min(durableStep, s.Bytes-s.Arrived))
		if n > 0 { // what came before a failure counts as well
			if err := data.Sync(); err != nil {
				return fmt.Errorf("sync part: %w", errors.Join(tellPartSync(err), failed))
			}
			counted := *s
			counted.Arrived += n
			if err := f.record(id, counted); err != nil {
				return err
			}
			*s = counted
		}
		if errors.Is(failed, io.EOF) {
			return nil
		}
		if failed != nil {
			return fmt.Errorf("receive part: %w", tellPart(failed))
		}
	}
	return nil
}

// fillChecked copies what r brings and counts it only when its sum is right:
// what is not is written anew.
func (f Folder) fillChecked(id files.UploadID, s *state, data *os.File, r io.Reader, check files.Checked) error {
	n, err := io.Copy(data, io.LimitReader(r, s.Bytes-s.Arrived))
	if err != nil {
		return fmt.Errorf("receive part: %w", tellPart(err))
	}
	if err := check.Check(); err != nil {
		return err //nolint:wrapcheck // the sender's own word for what is wrong
	}
	if n == 0 {
		return nil
	}
	if err := data.Sync(); err != nil {
		return fmt.Errorf("sync part: %w", tellPartSync(err))
	}
	counted := *s
	counted.Arrived += n
	if err := f.record(id, counted); err != nil {
		return err
	}
	*s = counted
	return nil
}

// complete makes a part whose last byte is durable an upload. Whoever looks at
// the part at the same time may have done so already.
func (f Folder) complete(id files.UploadID, s state) (err error) {
	defer func() { f.Writes.Trip(err) }()
	err = os.Rename(f.staged(id, partData), f.staged(id, s.Name))
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(f.staged(id, s.Name))
	}
	if err != nil {
		return fmt.Errorf("complete part: %w", tellPart(err))
	}
	return syncDir(f.staged(id))
}
