package syncs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// ExtractDir is one folder with an extract.duckdb that is not Agnes's own, as it
// lies on disk.
type ExtractDir struct {
	Name        string
	Fingerprint string // differs when the extract changed; "" with a problem
	Code        string // set when the extract cannot be used
	Problem     string // a sentence
}

// ExtractDirs lists the folders of custom extractors.
type ExtractDirs interface {
	List(ctx context.Context) ([]ExtractDir, error)
}

// Inspector lists what a custom extract offers.
type Inspector interface {
	InspectSource(ctx context.Context, source string) (work.Inspected, error)
}

// Sources keeps what is known of sources and who owns which name.
type Sources interface {
	ListSources(ctx context.Context) ([]Source, error)
	SaveSource(ctx context.Context, s Source) error
	DeleteSource(ctx context.Context, name string) error
	// ClaimView gives a name in SQL to the first source that asks, and returns its owner.
	ClaimView(ctx context.Context, view, source string) (owner string, err error)
	// ClaimRemote gives each wanted alias of an outside system to the first source
	// that asks and returns the owners. What the source does not name any more is free again.
	ClaimRemote(ctx context.Context, source string, named, wanted []string) (owners map[string]string, err error)
	// SourceAliases returns the names that people gave to tables of a source, by
	// the names that the source calls them.
	SourceAliases(ctx context.Context, source string) (map[string]string, error)
	// SetSourceAlias stores such a name; "" forgets it.
	SetSourceAlias(ctx context.Context, by audit.Actor, source, table, alias string) error
	// MarkTables says how tables stand where no run did.
	MarkTables(ctx context.Context, marks []TableMark) error
	// RegisterTables adds tables to the registry; Conflict when a name is taken.
	RegisterTables(ctx context.Context, by audit.Actor, tables []registry.Registration) ([]registry.Table, error)
	// UpdateTable changes a registration; Conflict when the new name is taken.
	UpdateTable(ctx context.Context, by audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error)
}

// TableMark is how a table stands, in the words of registry.SyncStatus. An
// empty State takes back a mark that no run has replaced.
type TableMark struct {
	Table    registry.TableID
	State    string
	Code     string
	Message  string
	NextStep string
}

// Watcher finds extracts that custom extractors wrote, registers their tables
// and syncs them. A broken extract is named and harms nothing else.
type Watcher struct {
	Dirs      ExtractDirs
	Inspector Inspector
	Attacher  Attacher // nil: outside systems are never tried
	Remote    RemotePolicy
	Sources   Sources
	Tables    Tables
	Syncer    *Syncer
	Rebuilder interface{ Request(ctx context.Context) }
	Now       func() time.Time
	Log       *slog.Logger

	mu   sync.Mutex        // one look at a time, by the clock or by a person
	seen map[string]string // fingerprint at the last tick: a file still being written is left alone
	// blind is since when the folders cannot be listed, zero while they can.
	blind time.Time
}

const (
	// retryBroken is how long a broken extract rests before it is looked at
	// again unchanged: its writer may have held a lock.
	retryBroken = 30 * time.Second
	// retryPart is how long a source rests of which something is left out for a
	// reason that may go without a change of its files: a name, a permission, a
	// machine under load.
	retryPart = 5 * time.Minute
	// lookLimit ends a child that looks at one extract for too long.
	lookLimit = 2 * time.Minute
)

// Tick looks once. It is called by one goroutine, every second or two.
func (w *Watcher) Tick(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	dirs, err := w.Dirs.List(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("list extracts: %w", err), w.unlisted(ctx, err))
	}
	w.blind = time.Time{}
	known, err := w.known(ctx)
	if err != nil {
		return err
	}
	last := w.seen
	now := make(map[string]string, len(dirs))
	for _, d := range dirs {
		now[d.Name] = d.Fingerprint
	}
	w.seen = now
	for _, d := range dirs {
		old, ok := known[d.Name]
		delete(known, d.Name)
		if before, there := last[d.Name]; !there || before != d.Fingerprint || (ok && !w.due(old, d)) {
			continue
		}
		if _, err := w.look(ctx, audit.System("watch"), d, old, false); err != nil {
			return fmt.Errorf("source %s: %w", d.Name, err)
		}
	}
	if last == nil { // the first look: what is not there yet may be on its way
		return nil
	}
	for name, s := range known {
		if _, there := last[name]; there { // it may be in the middle of a rename
			continue
		}
		if err := w.gone(ctx, s); err != nil {
			return fmt.Errorf("source %s: %w", name, err)
		}
	}
	return nil
}

// unlisted says of all sources that their folders cannot be listed, unless that
// may be over in a moment.
func (w *Watcher) unlisted(ctx context.Context, why error) error {
	now := w.Now()
	if w.blind.IsZero() {
		w.blind = now
	}
	if now.Sub(w.blind).Abs() < retryBroken {
		return nil
	}
	all, err := w.Sources.ListSources(ctx)
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	code, message := explainSource(why)
	for _, s := range all {
		if s.State == SourceGone || s.State == SourceBroken && s.Code == code {
			continue
		}
		s.State, s.Code, s.Message, s.CheckedAt = SourceBroken, code, message, now
		if err := w.Sources.SaveSource(ctx, s); err != nil {
			return fmt.Errorf("save: %w", err)
		}
	}
	return nil
}

func (w *Watcher) known(ctx context.Context) (map[string]Source, error) {
	all, err := w.Sources.ListSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	known := make(map[string]Source, len(all))
	for _, s := range all {
		known[s.Name] = s
	}
	return known, nil
}

func (w *Watcher) due(old Source, d ExtractDir) bool {
	rested := w.Now().Sub(old.CheckedAt).Abs()
	switch {
	case old.Fingerprint != d.Fingerprint, old.State == SourceGone:
		return true
	case old.State == SourceBroken:
		return d.Problem == "" && rested >= retryBroken
	}
	return slices.ContainsFunc(old.Problems, Problem.mayGo) && rested >= retryPart
}

// mayGo reports whether the problem may end without a change of the extract.
func (p Problem) mayGo() bool {
	switch p.Code {
	case "name_taken", "table_unreadable", "table_too_slow":
		return true
	}
	return false
}

// look inspects one extract, registers what is new in it and syncs it; old is
// how it stood before, without a name when it is new. asked is whether a person
// wants what was removed here back.
func (w *Watcher) look(ctx context.Context, by audit.Actor, d ExtractDir, old Source, asked bool) (Source, error) {
	s := Source{Name: d.Name, Fingerprint: d.Fingerprint, State: SourceOK, CheckedAt: w.Now()}
	found, err := w.inspect(ctx, d)
	if err != nil {
		if ctx.Err() != nil {
			return s, err
		}
		s.State, s.Tables, s.Remote = SourceBroken, old.Tables, old.Remote
		s.Code, s.Message = explainSource(err)
		if old.State != SourceBroken || old.Code != s.Code { // it is tried again and again
			w.Log.Warn("an extract cannot be read; its tables keep their last version", "source", d.Name, "code", s.Code, "err", err)
		}
		return s, w.Sources.SaveSource(ctx, s)
	}
	if s.Remote, err = w.reach(ctx, d.Name, found.Remote); err != nil {
		return s, err
	}
	a := adoption{Watcher: w, by: by, source: &s, old: old, asked: asked}
	a.news = old.Fingerprint != d.Fingerprint || old.State != SourceOK
	changed, err := a.adoptAll(ctx, found.Tables)
	if err != nil {
		return s, err
	}
	since(s.Problems, old.Problems, s.CheckedAt)
	if len(changed) > 0 {
		// Before it is saved: a look that could not start its syncs is repeated.
		if _, err := w.Syncer.Trigger(ctx, by, ByWatch, changed); err != nil {
			return s, fmt.Errorf("start syncs: %w", err)
		}
	}
	if err := w.Sources.SaveSource(ctx, s); err != nil {
		return s, fmt.Errorf("save: %w", err)
	}
	return s, nil
}

// explainSource says why an extract cannot be read, and what to do.
func explainSource(err error) (code, message string) {
	code, message, next := explain(err)
	if code == "internal" {
		message = "Agnes could not look at this extract because of a fault of its own. What was synced before is still served."
		next = "Look for the source in the server's log."
	}
	return code, strings.TrimSpace(message + " " + next)
}

func (w *Watcher) inspect(ctx context.Context, d ExtractDir) (work.Inspected, error) {
	if d.Problem != "" {
		return work.Inspected{}, domain.E(domain.Invalid, d.Code, "%s", d.Problem)
	}
	ctx, stop := context.WithTimeoutCause(ctx, lookLimit, domain.E(domain.Unavailable, "extract_too_slow",
		"Looking at the extract takes longer than %s, so it was stopped. What was synced before is still served.", lookLimit))
	defer stop()
	return w.Inspector.InspectSource(ctx, d.Name)
}

// since dates problems: one that was there before keeps its date.
func since(problems, before []Problem, now time.Time) {
	type same struct{ table, code string }
	first := make(map[same]time.Time, len(before))
	for _, p := range before {
		if !p.Since.IsZero() {
			first[same{p.Table, p.Code}] = p.Since
		}
	}
	for i, p := range problems {
		problems[i].Since = now
		if at, known := first[same{p.Table, p.Code}]; known {
			problems[i].Since = at
		}
	}
}
