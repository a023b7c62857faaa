package syncs

import (
	"context"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// progress moves one run from phase to phase and stores each as a step.
type progress struct {
	syncer  *Syncer
	run     *Run
	version registry.VersionID
	since   time.Time // when the phase began
	saved   time.Time // when progress was stored last
}

// enter ends the phase before and begins the next; without a run it does nothing.
func (p *progress) enter(ctx context.Context, next Phase) {
	if p == nil || p.run.Phase == next {
		return
	}
	if p.run.Phase != "" {
		p.step(ctx, OK, "", "")
	}
	p.run.Phase, p.run.Fraction, p.since = next, 0, p.syncer.Now()
	p.save(ctx)
}

// leave ends the last phase.
func (p *progress) leave(ctx context.Context) error {
	p.run.Fraction = 1
	p.step(ctx, OK, "", "")
	return nil
}

// fail ends the phase with what went wrong, and returns it.
func (p *progress) fail(ctx context.Context, err error) error {
	code, message, _ := explain(err)
	p.step(ctx, Failed, code, message)
	return err
}

// event takes a child's word for how far it is. Progress is stored at most
// once a second; listeners hear all of it.
func (p *progress) event(ctx context.Context, e work.Event) {
	if e.Phase != "" {
		p.enter(ctx, Phase(e.Phase))
	}
	if e.Rows > 0 {
		p.run.Rows = e.Rows
	}
	if e.Bytes > 0 {
		p.run.Bytes = e.Bytes
	}
	if e.Report != nil {
		p.run.Report.Report = *e.Report
	}
	p.run.Fraction = e.Fraction
	if p.syncer.Now().Sub(p.saved) >= time.Second {
		p.save(ctx)
		return
	}
	p.syncer.Feed.Tell(*p.run)
}

func (p *progress) save(ctx context.Context) {
	p.saved = p.syncer.Now()
	if err := p.syncer.Runs.SaveRun(ctx, *p.run); err != nil {
		p.syncer.Log.Error("store a sync's progress", "run_id", p.run.ID, "err", err)
	}
	p.syncer.Feed.Tell(*p.run)
}

func (p *progress) step(ctx context.Context, state State, code, message string) {
	now := p.syncer.Now()
	err := p.syncer.Runs.AddStep(context.WithoutCancel(ctx), Step{
		ID: p.syncer.NewID(), RunID: p.run.ID, Table: p.run.Table, Phase: p.run.Phase, At: now,
		Rows: p.run.Rows, Bytes: p.run.Bytes, Duration: now.Sub(p.since), State: state, Code: code, Message: message,
	})
	if err != nil {
		p.syncer.Log.Error("store a sync's step", "run_id", p.run.ID, "err", err)
	}
}
