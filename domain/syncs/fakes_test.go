package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// world is everything around a Syncer, in memory.
type world struct {
	mu       sync.Mutex
	tables   map[registry.TableID]registry.Published
	runs     []Run
	steps    []Step
	finished chan Run
	sources  map[string]Source
	owners   map[string]string
	dirs     []ExtractDir
	inside   map[string][]work.SourceTable
	broken   map[string]error
	outside  map[string][]work.RemoteRow
	aliases  map[string]map[string]string
	answers  map[string]work.Attached
	remotes  map[string]string // alias → source

	attached  []work.Attachment
	attachErr error

	extract  func(ctx context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error)
	rebuild  func(job work.RebuildJob) (work.Rebuilt, error)
	readBack func() (int64, error)
	kept     map[registry.VersionID]registry.Version
	damage   []work.Problem // what verifying finds

	unconfirmed []Unconfirmed // what an earlier process left
	confirmed   []registry.VersionID

	refuse func(what string) error  // of the state; nil: it takes everything
	again  map[registry.TableID]Run // runs that follow
	read   map[registry.TableID]string

	now time.Time
	ids int
}

func newWorld(names ...string) *world {
	w := &world{
		tables: map[registry.TableID]registry.Published{}, finished: make(chan Run, 16), sources: map[string]Source{},
		owners: map[string]string{}, inside: map[string][]work.SourceTable{}, broken: map[string]error{},
		kept: map[registry.VersionID]registry.Version{}, again: map[registry.TableID]Run{}, read: map[registry.TableID]string{},
		outside: map[string][]work.RemoteRow{}, aliases: map[string]map[string]string{}, answers: map[string]work.Attached{},
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
	for _, n := range names {
		w.tables[registry.TableID(n)] = registry.Published{Table: registry.Table{ID: registry.TableID(n), Name: n, SourceTable: n + ".csv"}}
	}
	w.extract = func(_ context.Context, _ work.ExtractJob, progress func(work.Event)) (work.Extracted, error) {
		progress(work.Event{Phase: string(Convert), Rows: 5, Fraction: 0.5})
		return work.Extracted{Rows: 10, Bytes: 100}, nil
	}
	w.rebuild = func(work.RebuildJob) (work.Rebuilt, error) { return work.Rebuilt{}, nil }
	w.readBack = func() (int64, error) { return 10, nil }
	return w
}

// syncer starts a working Syncer over w; it stops with the test.
func (w *world) syncer(t *testing.T) *Syncer {
	t.Helper()
	s := w.idle()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Work: %v", err)
		}
	})
	return s
}

// idle is a Syncer over w that does not work.
func (w *world) idle() *Syncer {
	log := slog.New(slog.DiscardHandler)
	return &Syncer{
		Runs: w, Tables: w, Extractor: w, Reader: w, Verifier: w, Writes: &Latch{Now: w.clock}, Feed: NewFeed(), Timeout: time.Minute, Workers: 2, Now: w.clock, NewID: w.id, Log: log,
		Rebuilder: &Rebuilder{Tables: w, Publisher: w, Timeout: time.Minute, Log: log},
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("id%03d", w.ids)
}

func (w *world) Extract(ctx context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error) {
	return w.extract(ctx, job, progress)
}

func (w *world) Rebuild(_ context.Context, job work.RebuildJob) (work.Rebuilt, error) {
	return w.rebuild(job)
}

func (w *world) CountRows(context.Context, access.Catalog, string) (int64, error) {
	return w.readBack()
}

func (w *world) GetTable(_ context.Context, id registry.TableID) (registry.Published, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tables[id]
	if !ok {
		return t, domain.E(domain.NotFound, "table_not_found", "Table not found")
	}
	return t, nil
}

func (w *world) ListTables(context.Context) ([]registry.Published, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []registry.Published
	for _, t := range w.tables {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b registry.Published) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (w *world) QueueRuns(_ context.Context, by audit.Actor, why Trigger, ids []registry.TableID) ([]Run, error) {
	if err := w.refused("queue"); err != nil {
		return nil, err
	}
	var out []Run
	for _, id := range ids {
		if r, live := w.liveRun(id); live {
			if why.NewRows() && (r.State == Running || r.Version != "") {
				w.again[id] = Run{Table: id, Trigger: why, State: Queued, StartedBy: by.UserID}
			}
			out = append(out, r)
			continue
		}
		r := Run{ID: w.id(), Table: id, Trigger: why, State: Queued, StartedBy: by.UserID}
		w.mu.Lock()
		w.runs = append(w.runs, r)
		w.mu.Unlock()
		out = append(out, r)
	}
	return out, nil
}

func (w *world) liveRun(table registry.TableID) (Run, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs {
		if r.Table == table && r.Live() {
			return r, true
		}
	}
	return Run{}, false
}

func (w *world) ClaimRun(context.Context) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.runs {
		if w.runs[i].State == Queued {
			w.runs[i].State = Running
			if w.runs[i].Version == "" {
				delete(w.again, w.runs[i].Table)
			}
			return w.runs[i], nil
		}
	}
	return Run{}, domain.E(domain.NotFound, "no_run", "No run is queued.")
}

func (w *world) SaveRun(_ context.Context, r Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.runs {
		if w.runs[i].ID == r.ID {
			w.runs[i] = r
		}
	}
	return nil
}

func (w *world) AddStep(_ context.Context, s Step) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, s)
	return nil
}

func (w *world) PublishVersion(_ context.Context, v registry.Version) (*registry.Version, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tables[v.Table]
	before := t.Version
	w.kept[v.ID] = v
	t.Version = &v
	w.tables[v.Table] = t
	return before, nil
}

func (w *world) RevertVersion(_ context.Context, bad registry.Version, to *registry.Version) error {
	if err := w.refused("revert"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tables[bad.Table]
	t.Version = to
	w.tables[bad.Table] = t
	return nil
}

func (w *world) GetRun(_ context.Context, id string) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.runs {
		if r.ID == id {
			return r, nil
		}
	}
	return Run{}, domain.E(domain.NotFound, "run_not_found", "There is no such run.")
}

func (w *world) GetVersion(_ context.Context, _ registry.TableID, id registry.VersionID) (registry.Version, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.kept[id]
	if !ok {
		return v, domain.E(domain.NotFound, "version_not_found", "There is no such version.")
	}
	return v, nil
}

func (w *world) KeepVersion(_ context.Context, v registry.Version) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept[v.ID] = v
	return nil
}

func (w *world) UnpublishVersion(ctx context.Context, v registry.Version, to *registry.Version) error {
	return w.RevertVersion(ctx, v, to)
}

func (w *world) QueueRestore(ctx context.Context, by audit.Actor, table registry.TableID, id registry.VersionID) (Run, error) {
	if _, err := w.GetVersion(ctx, table, id); err != nil {
		return Run{}, err
	}
	r := Run{ID: w.id(), Table: table, Trigger: ByRestore, State: Queued, StartedBy: by.UserID, Version: id}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs = append(w.runs, r)
	return r, nil
}

func (w *world) ReleaseRun(_ context.Context, _ audit.Actor, id string) (Run, error) {
	return w.decide(id, Queued)
}

func (w *world) DiscardRun(_ context.Context, _ audit.Actor, id string) (Run, error) {
	return w.decide(id, Cancelled)
}

func (w *world) decide(id string, state State) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.runs {
		if w.runs[i].ID == id && w.runs[i].State == Held {
			w.runs[i].State, w.runs[i].Phase = state, ""
			return w.runs[i], nil
		}
	}
	return Run{}, domain.E(domain.Conflict, "run_not_held", "The run is not held.")
}

func (w *world) VerifyVersions(context.Context, []registry.File, int64) ([]work.Problem, error) {
	return w.damage, nil
}

func (w *world) refused(what string) error {
	if w.refuse == nil {
		return nil
	}
	return w.refuse(what)
}

func (w *world) FinishRun(ctx context.Context, r Run) error {
	if err := w.refused("finish " + string(r.Table)); err != nil {
		return err
	}
	if err := w.SaveRun(ctx, r); err != nil {
		return err
	}
	if next, follows := w.again[r.Table]; follows {
		next.ID = w.id()
		delete(w.again, r.Table)
		w.mu.Lock()
		w.runs = append(w.runs, next)
		w.mu.Unlock()
	}
	w.finished <- r
	return nil
}

func (w *world) LiveRun(_ context.Context, table registry.TableID) (Run, error) {
	if r, live := w.liveRun(table); live {
		return r, nil
	}
	return Run{}, domain.E(domain.NotFound, "run_not_found", "Sync not found")
}

func (w *world) NoteRead(_ context.Context, table registry.TableID, fingerprint string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read[table] = fingerprint
	return nil
}

func (w *world) FilesRead(context.Context) (map[registry.TableID]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.read), nil
}

func (w *world) Unconfirmed(context.Context) ([]Unconfirmed, error) { return w.unconfirmed, nil }

func (w *world) ConfirmVersion(_ context.Context, v registry.Version) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.confirmed = append(w.confirmed, v.ID)
	return nil
}

func (w *world) RecoverRuns(context.Context) ([]Run, error) { return nil, nil }

func (w *world) CancelRun(_ context.Context, _ audit.Actor, id string) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.runs {
		if w.runs[i].ID != id {
			continue
		}
		if w.runs[i].State == Queued {
			w.runs[i].State = Cancelled
		}
		return w.runs[i], nil
	}
	return Run{}, domain.E(domain.NotFound, "run_not_found", "There is no such run.")
}

func (w *world) LiveRuns(context.Context) ([]Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var live []Run
	for _, r := range w.runs {
		if r.Live() {
			live = append(live, r)
		}
	}
	return live, nil
}

func (w *world) List(context.Context) ([]ExtractDir, error) { return w.dirs, nil }

func (w *world) InspectSource(_ context.Context, source string) (work.Inspected, error) {
	return work.Inspected{Tables: w.inside[source], Remote: w.outside[source]}, w.broken[source]
}

func (w *world) AttachRemote(_ context.Context, _ string, systems []work.Attachment) ([]work.Attached, error) {
	w.attached = append(w.attached, systems...)
	var out []work.Attached
	for _, a := range systems {
		out = append(out, w.answers[a.Alias])
	}
	return out, w.attachErr
}

func (w *world) ClaimRemote(_ context.Context, source string, named, wanted []string) (map[string]string, error) {
	if w.remotes == nil {
		w.remotes = map[string]string{}
	}
	for alias, owner := range w.remotes {
		if owner == source && !slices.Contains(named, alias) {
			delete(w.remotes, alias)
		}
	}
	owners := map[string]string{}
	for _, alias := range wanted {
		if w.remotes[alias] == "" {
			w.remotes[alias] = source
		}
		owners[alias] = w.remotes[alias]
	}
	return owners, nil
}

func (w *world) SourceAliases(_ context.Context, source string) (map[string]string, error) {
	return w.aliases[source], nil
}

func (w *world) SetSourceAlias(_ context.Context, _ audit.Actor, source, table, alias string) error {
	if w.aliases[source] == nil {
		w.aliases[source] = map[string]string{}
	}
	w.aliases[source][table] = alias
	return nil
}

func (w *world) MarkTables(_ context.Context, marks []TableMark) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range marks {
		t := w.tables[m.Table]
		t.Status.State, t.Status.ErrorCode, t.Status.Error, t.Status.NextStep = m.State, m.Code, m.Message, m.NextStep
		w.tables[m.Table] = t
	}
	return nil
}

func (w *world) UpdateTable(_ context.Context, _ audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tables[id]
	c.Apply(&t.Table)
	w.tables[id] = t
	return t, nil
}

func (w *world) ListSources(context.Context) ([]Source, error) {
	var all []Source
	for _, s := range w.sources {
		all = append(all, s)
	}
	return all, nil
}

func (w *world) SaveSource(_ context.Context, s Source) error {
	w.sources[s.Name] = s
	return nil
}

func (w *world) DeleteSource(_ context.Context, name string) error {
	delete(w.sources, name)
	return nil
}

func (w *world) ClaimView(_ context.Context, view, source string) (string, error) {
	if owner, ok := w.owners[view]; ok {
		return owner, nil
	}
	w.owners[view] = source
	return source, nil
}

func (w *world) RegisterTables(_ context.Context, _ audit.Actor, regs []registry.Registration) ([]registry.Table, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var made []registry.Table
	for _, r := range regs {
		w.tables[r.Table.ID] = registry.Published{Table: r.Table}
		made = append(made, r.Table)
	}
	return made, nil
}
