package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/people"
)

// state is what is known of a part, as it is kept.
type state struct {
	Owner   people.UserID `json:"owner"`
	Name    string        `json:"name"`
	Bytes   int64         `json:"bytes"`
	Arrived int64         `json:"arrived"` // never more than is durable
	Mark    string        `json:"mark,omitempty"`
}

// state reads what is kept of a part, or returns NotFound.
func (f Folder) state(id files.UploadID) (state, error) {
	var s state
	if uuid.Validate(string(id)) != nil {
		return s, partGone()
	}
	raw, err := os.ReadFile(f.staged(id, partState))
	if errors.Is(err, fs.ErrNotExist) {
		return s, partGone().Because(err)
	}
	if err != nil {
		return s, fmt.Errorf("read part's state: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Name != safeName(s.Name) || s.Arrived < 0 || s.Arrived > s.Bytes {
		return s, partGone().Because(fmt.Errorf("part %s has a broken state: %w", id, err))
	}
	return s, nil
}

// record keeps s durably: a reader sees the state before or this one.
func (f Folder) record(id files.UploadID, s state) (err error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("word part's state: %w", err)
	}
	next := f.staged(id, partState+".new")                                   // one name, so that a crash leaves no more than one
	out, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640) //nolint:gosec // the group may read: backups
	if err != nil {
		return fmt.Errorf("make part's state: %w", tellPart(err))
	}
	if _, err = out.Write(raw); err == nil {
		err = tellPartSync(out.Sync())
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write part's state: %w", errors.Join(tellPart(err), remove(next)))
	}
	if err := os.Rename(next, f.staged(id, partState)); err != nil {
		return fmt.Errorf("place part's state: %w", tellPart(err))
	}
	return syncDir(f.staged(id))
}

// touched is when the last bytes of an upload came.
func (f Folder) touched(e fs.DirEntry) (time.Time, error) {
	info, err := e.Info()
	if err != nil {
		return time.Time{}, fmt.Errorf("look at upload: %w", err)
	}
	last := info.ModTime()
	if data, err := os.Stat(f.staged(files.UploadID(e.Name()), partData)); err == nil && data.ModTime().After(last) {
		last = data.ModTime()
	}
	return last, nil
}

func partGone() *domain.Error {
	return domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more: it was finished, thrown away, or left alone for a day. Upload the file again.")
}

// tellPart is tell for parts, of which what came before is kept.
func tellPart(err error) error {
	switch known := tell(err); {
	case domain.CodeOf(known) == "disk_full":
		return domain.E(domain.Unavailable, "disk_full",
			"The server's disk is full. What has arrived is kept for a day. Ask an administrator to free space, then continue.").Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return partGone().Because(err)
	default:
		return known
	}
}

// tellPartSync is tellSync for parts.
func tellPartSync(err error) error {
	if known := tellPart(err); err == nil || domain.CodeOf(known) != "" {
		return known
	}
	return notConfirmed(err)
}
