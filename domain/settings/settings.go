// Package settings changes the configuration while Agnes runs: it shows each
// setting with its origin, works out what a change would do before it is made,
// and saves it so that what is saved would also start.
//
// Editor is the entry point; View shows, Plan tries, Save does. What a setting
// is, is described in domain/config alone. The file and the state database come
// in through Files and Store.
package settings

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/registry"
)

// ID names the overlay in the state database.
const ID = "instance.yaml"

// Files reads what the configuration is made of, and replaces the overlay.
type Files interface {
	// Input is everything that a start would read now; the overlay is the last of
	// its files, with no text when there is none.
	Input() (config.Input, error)
	// Stage writes the overlay's next text beside it, durably. Put then replaces
	// the overlay in one step; Discard forgets what was not put.
	Stage(text []byte) (Staged, error)
}

// Staged is a text that waits to become the overlay.
type Staged interface {
	Put() error
	Discard() error
}

// Store remembers who changed what.
type Store interface {
	// SettingsEditions are the remembered states of the overlay, newest first.
	SettingsEditions(ctx context.Context) ([]Edition, error)
	// SaveSettings records a revision and calls put before it commits. It fails
	// with Stale when r.Seen is not the version of r.Before.
	SaveSettings(ctx context.Context, by audit.Actor, r Revision, put func() error) error
}

// Tables lists what is registered.
type Tables interface {
	ListTables(ctx context.Context) ([]registry.Published, error)
}

// Resolver finds the addresses of a host.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Edition is one state of the overlay. Fields are its values by key; of a secret
// only when it was set, and by whom.
type Edition struct {
	Version int64
	Fields  domain.Fields
	At      time.Time // zero: not changed here
	By      string
}

// Revision is one change, as it is recorded.
type Revision struct {
	Seen          int64 // version that it was made from; 0: not said
	Before, After Edition
	Diff          []Difference
}

// Yours are the fields that the revision changes.
func (r Revision) Yours() domain.Fields {
	yours := domain.Fields{}
	for _, d := range r.Diff {
		yours[d.Path] = r.After.Fields[d.Path]
	}
	return yours
}

// Difference is one value that changes, fit to be shown.
type Difference struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Editor changes the configuration.
type Editor struct {
	Files    Files
	Store    Store
	Tables   Tables
	Resolver Resolver
	Live     *config.Live
	Now      func() time.Time

	saving sync.Mutex
}

// versionOf names a text of the overlay: equal texts are equal versions.
func versionOf(text []byte) int64 {
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:])>>12) + 1
}

// present is everything about the configuration as it is on the disk.
type present struct {
	in      config.Input
	text    []byte // of the overlay
	doc     config.Document
	cfg     config.Config
	problem error // why it would not start; doc and cfg are then empty
	fields  domain.Fields
	edition Edition // the newest one that is remembered, if it is this one
}

func (p *present) version() int64 { return versionOf(p.text) }

func (e *Editor) read(ctx context.Context) (*present, error) {
	in, err := e.Files.Input()
	if err != nil {
		return nil, err
	}
	editions, err := e.Store.SettingsEditions(ctx)
	if err != nil {
		return nil, err
	}
	p := &present{in: in, text: overlayOf(in)}
	if p.doc, p.problem = config.ParseDocument(p.text); p.problem == nil {
		p.cfg, _, p.problem = config.Load(in)
	}
	for _, one := range editions {
		if one.Version == p.version() {
			p.edition = one
			break
		}
	}
	known := p.edition.Fields
	if known == nil && len(editions) > 0 {
		known = editions[0].Fields // changed outside; secrets that stayed keep their story
	}
	p.fields = fieldsOf(p.doc, known)
	return p, nil
}

func overlayOf(in config.Input) []byte { return in.YAML[len(in.YAML)-1].Data }

// withOverlay is the input with another text of the overlay.
func withOverlay(in config.Input, text []byte) config.Input {
	files := append([]config.File(nil), in.YAML...)
	files[len(files)-1].Data = text
	in.YAML = files
	return in
}

// corrupt is the answer to every change while the overlay cannot be read.
func corrupt(err error) error {
	return &domain.Error{
		Kind: domain.Internal, Code: "overlay_corrupt", Err: err,
		Message: "The file with the settings of this page, instance.yaml in the state folder, cannot be read, so nothing was changed. Mend it or move it away, then try again.",
	}
}
