package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"agnes/domain/settings"
)

// Overlay is the file of settings that the portal writes. It may hold secrets,
// so it is its owner's alone.
type Overlay struct {
	Path string
	// Reached, when set, is told before each step, by name; tests stop there.
	Reached func(step string)
}

// Read returns the file's text, nil when there is none.
func (o Overlay) Read() ([]byte, error) {
	text, err := os.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return text, nil
}

// Stage writes the next text beside the file and makes sure that it is on the disk.
func (o Overlay) Stage(text []byte) (settings.Staged, error) {
	if err := o.tidy(); err != nil {
		return nil, err
	}
	o.reach("write")
	f, err := os.CreateTemp(filepath.Dir(o.Path), stagedNames) // 0600
	if err != nil {
		return nil, fmt.Errorf("keep the settings: %w", err)
	}
	_, err = f.Write(text)
	o.reach("sync")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, unconfirmedFile(errors.Join(fmt.Errorf("keep the settings: %w", err), os.Remove(f.Name())))
	}
	return &stagedOverlay{overlay: o, name: f.Name()}, nil
}

const stagedNames = ".instance-*.yaml"

// tidy removes what a server that was killed had staged; it may hold secrets.
func (o Overlay) tidy() error {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(o.Path), stagedNames))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidy up staged settings: %w", err)
		}
	}
	return nil
}

func (o Overlay) reach(step string) {
	if o.Reached != nil {
		o.Reached(step)
	}
}

type stagedOverlay struct {
	overlay Overlay
	name    string // "" once it is put
}

// Put replaces the file in one step: whoever reads it sees the old text or the new.
func (s *stagedOverlay) Put() error {
	s.overlay.reach("rename")
	if s.name == "" {
		return nil
	}
	if err := os.Rename(s.name, s.overlay.Path); err != nil {
		return fmt.Errorf("replace the settings: %w", err)
	}
	s.name = ""
	s.overlay.reach("sync folder")
	dir, err := os.Open(filepath.Dir(s.overlay.Path))
	if err != nil {
		return fmt.Errorf("replace the settings: %w", err)
	}
	return unconfirmedFile(errors.Join(dir.Sync(), dir.Close()))
}

// Discard removes what was not put.
func (s *stagedOverlay) Discard() error {
	if s.name == "" {
		return nil
	}
	return os.Remove(s.name)
}
