package syncs

import (
	"context"
	"errors"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// failing is a state that refuses one kind of work.
type failing struct {
	*world
	what string
}

var errState = errors.New("the state is busy")

func (f *failing) on(what string) error {
	if f.what == what {
		return errState
	}
	return nil
}

func (f *failing) SaveSource(ctx context.Context, s Source) error {
	if err := f.on("save"); err != nil {
		return err
	}
	return f.world.SaveSource(ctx, s)
}

func (f *failing) MarkTables(ctx context.Context, marks []TableMark) error {
	if err := f.on("mark"); err != nil {
		return err
	}
	return f.world.MarkTables(ctx, marks)
}

func (f *failing) RegisterTables(ctx context.Context, by audit.Actor, regs []registry.Registration) ([]registry.Table, error) {
	if err := f.on("register"); err != nil {
		return nil, err
	}
	return f.world.RegisterTables(ctx, by, regs)
}

func (f *failing) QueueRuns(ctx context.Context, by audit.Actor, why Trigger, ids []registry.TableID) ([]Run, error) {
	if err := f.on("queue"); err != nil {
		return nil, err
	}
	return f.world.QueueRuns(ctx, by, why, ids)
}

func (f *failing) ClaimRemote(ctx context.Context, source string, named, wanted []string) (map[string]string, error) {
	if err := f.on("claim"); err != nil {
		return nil, err
	}
	return f.world.ClaimRemote(ctx, source, named, wanted)
}

func (f *failing) ListSources(ctx context.Context) ([]Source, error) {
	if err := f.on("list"); err != nil {
		return nil, err
	}
	return f.world.ListSources(ctx)
}

// A look that could not be finished is repeated until it is: the new rows of an
// extract are not lost because the state was busy when they came.
func TestALookThatTheStateRefusedIsRepeated(t *testing.T) {
	for _, what := range []string{"list", "claim", "register", "mark", "queue", "save"} {
		t.Run(what, func(t *testing.T) {
			w := newWorld()
			w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
			w.inside["crm"] = []work.SourceTable{{Name: "old"}}
			watch := w.watching(w.idle()) // nobody does the runs, so that they stay to be seen
			f := &failing{world: w}
			watch.Sources, watch.Syncer.Runs = f, f
			tick(t, watch, 2)

			f.what = what
			w.inside["crm"] = []work.SourceTable{{Name: "people"}} // and the old one left
			w.dirs[0].Fingerprint = "2"
			var err error
			for range 3 { // the first sees the change only
				err = watch.Tick(t.Context())
			}
			if !errors.Is(err, errState) {
				t.Fatalf("err = %v", err)
			}
			if got := w.sources["crm"].Fingerprint; got != "1" {
				t.Errorf("the source is known as %s, though its look failed", got)
			}
			f.what = ""
			tick(t, watch, 2) // a list that failed is no look, so there are two to go
			if _, queued := w.liveRun("people"); !queued {
				t.Errorf("runs = %+v", w.runs)
			}
			if st := w.tables["old"].Status; st.ErrorCode != GoneUpstream {
				t.Errorf("the table that left: %+v", st)
			}
			if got := w.sources["crm"].Fingerprint; got != "2" {
				t.Errorf("the source is known as %s", got)
			}
		})
	}
}

// slow is an extract that is looked at until the server stops.
type slow struct{ stop func() }

func (s slow) InspectSource(ctx context.Context, _ string) (work.Inspected, error) {
	s.stop()
	<-ctx.Done()
	return work.Inspected{}, context.Cause(ctx)
}

// A server that stops ends the look that is under way and says nothing of the
// source: it is not broken.
func TestALookThatIsStoppedSaysNothing(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	watch := w.watcher(t)
	ctx, stop := context.WithCancel(t.Context())
	watch.Inspector = slow{stop}
	tick(t, watch, 1)
	if err := watch.Tick(ctx); err == nil {
		t.Error("a look that was stopped went well")
	}
	if s, known := w.sources["crm"]; known {
		t.Errorf("source = %+v", s)
	}
}

// shut is a folder of extracts that cannot be listed.
type shut struct {
	*world
	err error
}

func (s *shut) List(ctx context.Context) ([]ExtractDir, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.world.List(ctx)
}

// While the folder of all extracts cannot be listed no source is looked at: that
// is said of each, unless it is over in a moment, and ends by itself.
func TestExtractsThatCannotBeListed(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}}
	watch := w.watcher(t)
	dirs := &shut{world: w}
	watch.Dirs = dirs
	tick(t, watch, 2)
	<-w.finished
	blind := func(times int) {
		t.Helper()
		for range times {
			if err := watch.Tick(t.Context()); !errors.Is(err, dirs.err) {
				t.Fatalf("err = %v", err)
			}
		}
	}
	dirs.err = domain.E(domain.Unavailable, "extracts_unreadable", "The folder cannot be listed.")
	blind(3)
	if s := w.sources["crm"]; s.State != SourceOK {
		t.Errorf("after a moment: %+v", s)
	}
	if _, err := watch.Inspect(t.Context(), person(), "crm"); domain.CodeOf(err) != "extracts_unreadable" {
		t.Errorf("a person who looks is told %v", err)
	}
	w.now = w.now.Add(retryBroken)
	blind(2)
	if s := w.sources["crm"]; s.State != SourceBroken || s.Code != "extracts_unreadable" || s.Message != "The folder cannot be listed." || len(s.Tables) != 1 {
		t.Errorf("later: %+v", s)
	}
	if st := w.tables["people"].Status; st.ErrorCode == GoneUpstream {
		t.Error("a source that cannot be seen is taken for gone")
	}
	dirs.err = nil
	w.now = w.now.Add(retryBroken)
	tick(t, watch, 1)
	<-w.finished
	if s := w.sources["crm"]; s.State != SourceOK || s.Code != "" {
		t.Errorf("once it can be listed: %+v", s)
	}
}
