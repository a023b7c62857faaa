package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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

// Inspector lists the tables that a custom extract offers.
type Inspector interface {
	InspectSource(ctx context.Context, source string) ([]work.SourceTable, error)
}

// Sources keeps what is known of sources and who owns which name.
type Sources interface {
	ListSources(ctx context.Context) ([]Source, error)
	SaveSource(ctx context.Context, s Source) error
	DeleteSource(ctx context.Context, name string) error
	// ClaimView gives a name in SQL to the first source that asks, and returns its owner.
	ClaimView(ctx context.Context, view, source string) (owner string, err error)
	// RegisterTables adds tables to the registry; Conflict when a name is taken.
	RegisterTables(ctx context.Context, by audit.Actor, tables []registry.Registration) ([]registry.Table, error)
}

// Watcher finds extracts that custom extractors wrote, registers their tables
// and syncs them. A broken extract is named and harms nothing else.
type Watcher struct {
	Dirs      ExtractDirs
	Inspector Inspector
	Sources   Sources
	Tables    Tables
	Syncer    *Syncer
	Now       func() time.Time
	Log       *slog.Logger

	seen map[string]string // fingerprint at the last tick: a file still being written is left alone
}

// retryBroken is how long a broken extract rests before it is looked at again
// unchanged: its writer may have held a lock.
const retryBroken = 30 * time.Second

// Tick looks once. It is called by one goroutine, every second or two.
func (w *Watcher) Tick(ctx context.Context) error {
	dirs, err := w.Dirs.List(ctx)
	if err != nil {
		return fmt.Errorf("list extracts: %w", err)
	}
	known, err := w.Sources.ListSources(ctx)
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	before := map[string]Source{}
	for _, s := range known {
		before[s.Name] = s
	}
	now := make(map[string]string, len(dirs))
	for _, d := range dirs {
		now[d.Name] = d.Fingerprint
		old, ok := before[d.Name]
		delete(before, d.Name)
		if w.seen[d.Name] != d.Fingerprint || (ok && !w.due(old, d)) {
			continue
		}
		if err := w.look(ctx, d); err != nil {
			return fmt.Errorf("source %s: %w", d.Name, err)
		}
	}
	w.seen = now
	for name := range before { // gone from disk: its tables keep their last version
		if err := w.Sources.DeleteSource(ctx, name); err != nil {
			return fmt.Errorf("forget source %s: %w", name, err)
		}
		w.Log.Warn("a source is gone from disk; its tables keep their last version", "source", name)
	}
	return nil
}

func (w *Watcher) due(old Source, d ExtractDir) bool {
	if old.Fingerprint != d.Fingerprint {
		return true
	}
	return old.State == "broken" && d.Problem == "" && w.Now().Sub(old.CheckedAt) >= retryBroken
}

// look inspects one extract, registers what is new in it and syncs it.
func (w *Watcher) look(ctx context.Context, d ExtractDir) error {
	s := Source{Name: d.Name, Fingerprint: d.Fingerprint, State: "ok", CheckedAt: w.Now()}
	tables, err := w.inspect(ctx, d)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		s.State = "broken"
		s.Code, s.Message, _ = explain(err)
		w.Log.Warn("an extract cannot be read; its tables keep their last version", "source", d.Name, "code", s.Code, "err", err)
		return w.Sources.SaveSource(ctx, s)
	}
	var changed []registry.TableID
	for _, t := range tables {
		id, problem, err := w.adopt(ctx, d.Name, t)
		if err != nil {
			return err
		}
		if problem != nil {
			s.Problems = append(s.Problems, *problem)
			continue
		}
		changed = append(changed, id)
	}
	if err := w.Sources.SaveSource(ctx, s); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if len(changed) == 0 {
		return nil
	}
	_, err = w.Syncer.Trigger(ctx, audit.System("watch"), ByWatch, changed)
	return err
}

func (w *Watcher) inspect(ctx context.Context, d ExtractDir) ([]work.SourceTable, error) {
	if d.Problem != "" {
		return nil, domain.E(domain.Invalid, d.Code, "%s", d.Problem)
	}
	return w.Inspector.InspectSource(ctx, d.Name)
}

// adopt makes sure that one table of an extract is registered under its source.
func (w *Watcher) adopt(ctx context.Context, source string, t work.SourceTable) (registry.TableID, *Problem, error) {
	if t.Problem != "" {
		return "", &Problem{Table: t.Name, Code: t.Code, Message: t.Problem}, nil
	}
	name, err := registry.CheckName(t.Name)
	if err != nil {
		return "", &Problem{Table: t.Name, Code: domain.CodeOf(err), Message: err.Error()}, nil
	}
	id := registry.IDFor(name)
	taken := &Problem{Table: name, Code: "name_taken", Message: fmt.Sprintf("Another source already has a table named %s, and keeps the name. Rename one of the two.", name)}
	owner, err := w.Sources.ClaimView(ctx, name, source)
	if err != nil {
		return "", nil, fmt.Errorf("claim %s: %w", name, err)
	}
	if !strings.EqualFold(owner, source) {
		return "", taken, nil
	}
	there, err := w.Tables.GetTable(ctx, id)
	switch {
	case err == nil && there.SourceType == registry.SourceCustom && there.Bucket == source:
		return id, nil, nil
	case err == nil:
		return "", taken, nil
	case domain.KindOf(err) != domain.NotFound:
		return "", nil, fmt.Errorf("table %s: %w", id, err)
	}
	_, err = w.Sources.RegisterTables(ctx, audit.System("watch"), []registry.Registration{{Table: registry.Table{
		ID: id, Name: name, SourceType: registry.SourceCustom, Bucket: source, SourceTable: t.Name, Description: t.Description,
		SyncStrategy: "full_refresh", QueryMode: registry.ModeLocal, ProfileAfterSync: true,
	}}})
	if domain.KindOf(err) == domain.Conflict {
		return "", taken, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("register %s: %w", name, err)
	}
	return id, nil, nil
}
