package syncs

import (
	"context"
	"fmt"
	"sync"
	"time"

	"agnes/domain"
)

// Work recovers interrupted runs, then carries queued runs out until ctx ends.
// It returns when the runs under way have stopped.
func (s *Syncer) Work(ctx context.Context) error {
	s.init()
	if err := s.confirmPublished(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	recovered, err := s.Runs.RecoverRuns(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recover runs: %w", err)
	}
	if len(recovered) > 0 {
		s.Log.Info("interrupted syncs are taken up again", "runs", len(recovered))
	}
	free := make(chan struct{}, max(1, s.Workers))
	var under sync.WaitGroup
	defer under.Wait()
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		r, err := s.claim(ctx)
		if err != nil {
			return nil // only the end of ctx stops claiming
		}
		under.Go(s.Guard.Func("a sync", func() {
			release := sync.OnceFunc(func() { <-free })
			defer release()
			s.run(ctx, r, release)
		}))
	}
}

// claim waits for a queued run. Failures of the store are logged and tried
// again at the next nudge or poll; only the end of ctx is returned.
func (s *Syncer) claim(ctx context.Context) (Run, error) {
	poll := time.NewTicker(5 * time.Second) // for runs that another process queued
	defer poll.Stop()
	for {
		r, ok := s.tryClaim(ctx)
		if ok {
			s.nudge() // there may be more for the other workers
			return r, nil
		}
		if ctx.Err() != nil {
			return Run{}, ctx.Err()
		}
		select {
		case <-s.wake:
		case <-poll.C:
		case <-ctx.Done():
			return Run{}, ctx.Err()
		}
	}
}

// tryClaim claims the oldest queued run, if there is one and writing goes on.
func (s *Syncer) tryClaim(ctx context.Context) (Run, bool) {
	if s.Writes.Err() != nil {
		return Run{}, false
	}
	var r Run
	err := s.Guard.Do("claim a sync run", func() (err error) {
		r, err = s.Runs.ClaimRun(ctx)
		return err
	})
	if err != nil && ctx.Err() == nil && domain.KindOf(err) != domain.NotFound {
		s.Log.Error("claim a sync run", "err", err)
	}
	return r, err == nil
}

// run carries one run out and records how it ended. It calls release when it only
// waits, so that another run can begin.
func (s *Syncer) run(server context.Context, r Run, release func()) {
	ctx, stop := context.WithCancelCause(server)
	defer stop(nil)
	s.mu.Lock()
	s.live[r.ID] = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.live, r.ID)
		s.mu.Unlock()
	}()
	r.Code, r.Message, r.NextStep = "", "", "" // why it waited
	err := s.Guard.Do("carry a sync out", func() error { return s.carry(ctx, &r) })
	if err != nil && server.Err() != nil && domain.CodeOf(context.Cause(ctx)) == "" { // nobody cancelled it: the server is stopping, by a signal maybe
		return // stays "running"; RecoverRuns takes it up again at the next start
	}
	s.finish(server, &r, err, context.Cause(ctx), release)
}
