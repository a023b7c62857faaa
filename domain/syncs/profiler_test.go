package syncs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// profiles are kept profiles, and a maker that waits to be let go on.
type profiles struct {
	mu      sync.Mutex
	kept    map[registry.TableID]profile.Kept
	left    []registry.TableID
	audited []audit.Entry
	begun   chan string   // names of tables whose profile begins
	letGo   chan struct{} // one value per profile
	err     error
	failed  map[registry.TableID]ProfileFailure
	metrics []profile.Metric
}

func (p *profiles) GetProfileFailure(_ context.Context, table registry.TableID) (ProfileFailure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.failed[table]
	if !ok {
		return f, domain.E(domain.NotFound, "profile_failure_not_found", "None.")
	}
	return f, nil
}

func (p *profiles) SaveProfileFailure(_ context.Context, f ProfileFailure) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = map[registry.TableID]ProfileFailure{}
	}
	p.failed[f.Table] = f
	return nil
}

func (p *profiles) MetricsOf(context.Context, string) ([]profile.Metric, error) {
	return p.metrics, nil
}

func (p *profiles) GetProfile(_ context.Context, table registry.TableID) (profile.Kept, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.kept[table]
	if !ok {
		return k, domain.E(domain.NotFound, "profile_not_found", "No profile.")
	}
	return k, nil
}

func (p *profiles) SaveProfile(_ context.Context, k profile.Kept) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[k.Table] = k
	delete(p.failed, k.Table)
	return nil
}

func (p *profiles) UnprofiledTables(context.Context) ([]registry.TableID, error) { return p.left, nil }

func (p *profiles) Audit(_ context.Context, e audit.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.audited = append(p.audited, e)
	return nil
}

func (p *profiles) Profile(ctx context.Context, job work.ProfileJob) (profile.Profile, error) {
	p.begun <- job.Table
	select {
	case <-p.letGo:
	case <-ctx.Done():
		return profile.Profile{}, ctx.Err()
	}
	return profile.Profile{RowCount: 7, ColumnCount: 2}, p.err
}

// profiler starts a working Profiler over the tables, each with a version.
func newProfiler(t *testing.T, names ...string) (*Profiler, *profiles, *world) {
	t.Helper()
	w := newWorld(names...)
	for id, table := range w.tables {
		table.ProfileAfterSync = true
		table.Version = &registry.Version{ID: registry.VersionID(id + "-v1"), CreatedAt: w.now, Files: []registry.File{{Key: "versions/x.parquet"}}}
		w.tables[id] = table
	}
	kept := &profiles{kept: map[registry.TableID]profile.Kept{}, begun: make(chan string, 16), letGo: make(chan struct{}, 16)}
	return &Profiler{
		Tables: w, Profiles: kept, Maker: kept, Settings: profile.DefaultSettings(), Timeout: time.Minute, Now: w.clock, Log: slog.New(slog.DiscardHandler),
	}, kept, w
}

func (p *Profiler) mustWork(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Work(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

func mustView(t *testing.T, p *Profiler, w *world, id registry.TableID) ProfileView {
	t.Helper()
	table, err := w.GetTable(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Of(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestProfilerCoalesces(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a", "b", "c")
	for range 5 { // before it works, so that all wait
		p.Request("a")
		p.Request("b")
	}
	if err := p.Ask(t.Context(), audit.System("test"), "c"); err != nil {
		t.Fatal(err)
	}
	if v := mustView(t, p, w, "a"); !v.Counting || v.Kept != nil {
		t.Errorf("waiting: %+v", v)
	}
	p.mustWork(t)
	var order []string
	for range 3 {
		order = append(order, <-kept.begun)
		kept.letGo <- struct{}{}
	}
	if want := []string{"c", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v: who is asked for by a person goes first, each once", order, want)
	}
	if len(kept.audited) != 1 || kept.audited[0].Resource != "table:c" {
		t.Errorf("audited %+v", kept.audited)
	}
	// The next profile shows that none came in between.
	refreshed := make(chan profile.Kept, 1)
	go func() {
		k, err := p.Refresh(context.Background(), audit.System("test"), "b")
		if err != nil {
			t.Error(err)
		}
		refreshed <- k
	}()
	if next := <-kept.begun; next != "b" {
		t.Errorf("%s was profiled again", next)
	}
	if v := mustView(t, p, w, "b"); !v.Counting || !v.Current || v.Kept == nil {
		t.Errorf("while it is counted again: %+v", v)
	}
	kept.letGo <- struct{}{}
	if k := <-refreshed; k.Version != "b-v1" || k.Profile.TableID != "b" || !k.ProfiledAt.Equal(w.now) {
		t.Errorf("refreshed %+v", k)
	}
}

func TestProfilerTakesUpWhatWasLeft(t *testing.T) {
	t.Parallel()
	p, kept, _ := newProfiler(t, "a")
	kept.left = []registry.TableID{"a"}
	p.mustWork(t)
	if got := <-kept.begun; got != "a" {
		t.Errorf("began with %s", got)
	}
	kept.letGo <- struct{}{}
}

func TestProfilerLeavesOut(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "quiet", "counted", "rowless", "last")
	quiet := w.tables["quiet"]
	quiet.ProfileAfterSync = false
	w.tables["quiet"] = quiet
	rowless := w.tables["rowless"]
	rowless.Version = nil
	w.tables["rowless"] = rowless
	kept.kept["counted"] = profile.Kept{Table: "counted", Version: "counted-v1"}
	for _, id := range []registry.TableID{"quiet", "counted", "rowless", "gone", "last"} {
		p.Request(id)
	}
	p.mustWork(t)
	if first := <-kept.begun; first != "last" {
		t.Errorf("%s was profiled", first)
	}
	kept.letGo <- struct{}{}
	if v := mustView(t, p, w, "rowless"); v.Failure != nil {
		t.Errorf("a table without rows counts as failed: %+v", v.Failure)
	}
	// A person gets even what does not come by itself.
	go func() {
		<-kept.begun
		kept.letGo <- struct{}{}
	}()
	if _, err := p.Refresh(t.Context(), audit.System("test"), "quiet"); err != nil {
		t.Error(err)
	}
	if _, err := p.Refresh(t.Context(), audit.System("test"), "rowless"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("profile of no rows: %v", err)
	}
}

func TestProfilerFailures(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a")
	p.mustWork(t)
	kept.err = &work.ChildError{Failure: work.Failure{Code: "out_of_memory", Message: "Too little memory.", NextStep: "Give it more."}, Kind: domain.Unavailable}
	kept.letGo <- struct{}{}
	if _, err := p.Refresh(t.Context(), audit.System("test"), "a"); domain.CodeOf(err) != "out_of_memory" {
		t.Errorf("%v, want out_of_memory", err)
	}
	if v := mustView(t, p, w, "a"); v.Counting || v.Failure == nil || v.Failure.NextStep != "Give it more." {
		t.Errorf("after a failure: %+v", v)
	}
	kept.err = errors.New("open /srv/x: denied")
	kept.letGo <- struct{}{}
	if _, err := p.Refresh(t.Context(), audit.System("test"), "a"); err == nil {
		t.Error("a failure counts as a profile")
	}
	if v := mustView(t, p, w, "a"); v.Failure == nil || v.Failure.Code != "internal" {
		t.Errorf("after a fault: %+v", v.Failure)
	}
	kept.err = nil
	kept.letGo <- struct{}{}
	if _, err := p.Refresh(t.Context(), audit.System("test"), "a"); err != nil {
		t.Error(err)
	}
	if v := mustView(t, p, w, "a"); v.Failure != nil || !v.Current {
		t.Errorf("after a success: %+v", v)
	}
}

func TestProfilerTimeout(t *testing.T) {
	t.Parallel()
	p, _, w := newProfiler(t, "a")
	p.Timeout = time.Nanosecond
	p.mustWork(t)
	if _, err := p.Refresh(t.Context(), audit.System("test"), "a"); domain.CodeOf(err) != "profile_timeout" {
		t.Errorf("%v, want profile_timeout", err)
	}
	if v := mustView(t, p, w, "a"); v.Failure == nil || v.Failure.Code != "profile_timeout" {
		t.Errorf("after the limit: %+v", v.Failure)
	}
}

func TestProfileOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a")
	kept.kept["a"] = profile.Kept{Table: "a", Version: "a-v0", Profile: profile.Profile{RowCount: 3}}
	if v := mustView(t, p, w, "a"); v.Kept == nil || v.Current || v.Kept.Profile.TableID != "a" {
		t.Errorf("%+v, want the older profile, marked", v)
	}
}

// A sync asks for a profile and does not wait for it, whatever becomes of it.
func TestSyncAsksForAProfile(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a")
	w.extract = func(context.Context, work.ExtractJob, func(work.Event)) (work.Extracted, error) {
		return work.Extracted{Rows: 10, Files: []registry.File{{Key: "versions/y.parquet"}}}, nil
	}
	s := w.syncer(t)
	s.Profiler = p
	p.mustWork(t)
	if _, err := s.Trigger(t.Context(), audit.System("test"), ByPerson, []registry.TableID{"a"}); err != nil {
		t.Fatal(err)
	}
	if r := <-w.finished; r.State != OK { // nobody has let the profile go on
		t.Fatalf("run %+v; without a success nobody asks for a profile", r)
	}
	if got := <-kept.begun; got != "a" {
		t.Errorf("profile of %s", got)
	}
}

// Why a version could not be counted outlives the process, and is of that
// version alone.
func TestProfileFailureIsKeptWithItsVersion(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a")
	p.mustWork(t)
	kept.err = &work.ChildError{Failure: work.Failure{Code: "out_of_memory", Message: "Too little memory."}, Kind: domain.Unavailable}
	kept.letGo <- struct{}{}
	if _, err := p.Refresh(t.Context(), audit.System("test"), "a"); err == nil {
		t.Fatal("a failure counts as a profile")
	}
	again := &Profiler{Tables: w, Profiles: kept, Maker: kept, Now: w.clock, Log: slog.New(slog.DiscardHandler)}
	if v := mustView(t, again, w, "a"); v.Failure == nil || v.Failure.Code != "out_of_memory" {
		t.Errorf("after a new start: %+v", v)
	}
	if f := kept.failed["a"]; f.Version != "a-v1" || !f.At.Equal(w.now) {
		t.Errorf("kept %+v", f)
	}
	table := w.tables["a"]
	table.Version = &registry.Version{ID: "a-v2"}
	w.tables["a"] = table
	if v := mustView(t, again, w, "a"); v.Failure != nil {
		t.Errorf("the failure of another version is shown: %+v", v.Failure)
	}
}

// older has the profile of one table, as a predecessor left it.
type older struct{ at time.Time }

func (o older) Profile(_ context.Context, table string) (profile.Profile, time.Time, error) {
	if table != "a" {
		return profile.Profile{}, o.at, domain.E(domain.NotFound, "profile_not_found", "None.")
	}
	return profile.Profile{RowCount: 3, TableID: "old"}, o.at, nil
}

func TestProfileOfAPredecessor(t *testing.T) {
	t.Parallel()
	p, kept, w := newProfiler(t, "a", "b")
	p.Older = older{w.now.Add(-time.Hour)}
	kept.metrics = []profile.Metric{{Name: "mrr", File: "finance/mrr.yml"}}
	v := mustView(t, p, w, "a")
	if v.Kept == nil || v.Current || v.Kept.Profile.RowCount != 3 || v.Kept.Profile.TableID != "a" || !v.Kept.ProfiledAt.Equal(w.now.Add(-time.Hour)) {
		t.Errorf("%+v, want the older profile, not as the current one", v)
	}
	if got := v.Kept.Profile.UsedByMetrics; len(got) != 1 || got[0].Name != "mrr" {
		t.Errorf("used by %v", got)
	}
	if v := mustView(t, p, w, "b"); v.Kept != nil {
		t.Errorf("a table that it has none of: %+v", v)
	}
	kept.kept["a"] = profile.Kept{Table: "a", Version: "a-v1", Profile: profile.Profile{RowCount: 9}}
	if v := mustView(t, p, w, "a"); v.Kept.Profile.RowCount != 9 || !v.Current {
		t.Errorf("our own is better: %+v", v)
	}
}
