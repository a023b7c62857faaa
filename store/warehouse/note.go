package warehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
)

// note says what a published database file was made of, so that a rebuild that
// would make the same again need not. It lies beside the file and means nothing
// without it: a note that does not fit the file is no note.
type note struct {
	Inputs     string `json:"inputs"` // hash of everything the file was made of
	Bytes      int64  `json:"bytes"`
	SHA256     string `json:"sha256"`
	Views      int    `json:"views"`
	Generation int64  `json:"generation,omitempty"`
	File       string `json:"file,omitempty"` // the generation's own name
	// Made has the mark of each view, so that the next file can copy it.
	Made map[string]string `json:"made,omitempty"`
}

// noteKey is the place of the note of a database file.
func noteKey(key string) string { return path.Join(path.Dir(key), "published.json") }

// maxNote bounds what is read as a note.
const maxNote = 64 << 20

// readNote returns the note of key's file. One that is missing, or broken in
// any way, reads as empty: the file is then made anew.
func (s *Store) readNote(key string) note {
	file, err := s.path(noteKey(key))
	if err != nil {
		return note{}
	}
	in, err := os.Open(file)
	if err != nil {
		return note{}
	}
	text, err := io.ReadAll(io.LimitReader(in, maxNote))
	if err = errors.Join(err, in.Close()); err != nil {
		return note{}
	}
	var n note
	if json.Unmarshal(text, &n) != nil || n.Generation < 0 {
		return note{}
	}
	return n
}

// stands reports whether the file at key is the one that n is about, made of
// the same inputs, with nothing of a crashed writer beside it.
func (s *Store) stands(key string, n note, inputs string) bool {
	return n.Inputs != "" && n.Inputs == inputs && s.fits(key, n)
}

// fits reports whether the file at key is the one that n is about.
func (s *Store) fits(key string, n note) bool {
	file, err := s.path(key)
	if err != nil {
		return false
	}
	for _, ending := range duckLogs() {
		if _, err := os.Lstat(file + ending); !errors.Is(err, os.ErrNotExist) {
			return false
		}
	}
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() != n.Bytes {
		return false
	}
	sums, err := hashSHA256(file)
	return err == nil && sums.sha256 == n.SHA256
}

// writeNote writes the note of the file that was just published at key.
func (s *Store) writeNote(key string, n note) (err error) {
	final, err := s.path(key)
	if err != nil {
		return err
	}
	sums, err := hashSHA256(final)
	if err != nil {
		return err
	}
	n.Bytes, n.SHA256 = sums.bytes, sums.sha256
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("write note: %w", err)
	}
	file := filepath.Join(filepath.Dir(final), filepath.Base(noteKey(key)))
	temp, err := tempBeside(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(temp)) }()
	if err := os.WriteFile(temp, append(text, '\n'), 0o640); err != nil { //nolint:gosec // the group may read: outside readers find the generation here
		return fmt.Errorf("write note: %w", err)
	}
	if err := os.Chmod(temp, 0o640); err != nil { //nolint:gosec // as above
		return fmt.Errorf("set mode of note: %w", err)
	}
	if err := syncFile(temp); err != nil {
		return writeFault(err)
	}
	if err := os.Rename(temp, file); err != nil {
		return fmt.Errorf("place note: %w", err)
	}
	s.at(pointDatabaseNoted)
	return nil
}

// inputs hashes what a file is made of.
type inputs struct{ h hash.Hash }

// newInputs begins with what every file depends on: the version of this layout.
func newInputs(kind string) inputs {
	in := inputs{sha256.New()}
	in.add("1", kind)
	return in
}

// add takes parts so that no two lists of them give the same hash.
func (in inputs) add(parts ...any) {
	for _, p := range parts {
		text := fmt.Sprint(p)
		fmt.Fprintf(in.h, "%d:%s", len(text), text)
	}
}

func (in inputs) sum() string { return hex.EncodeToString(in.h.Sum(nil)) }
