package query

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Files removes files of results that nothing refers to.
type Files interface {
	Remove(runID string) error
	Sweep(ctx context.Context, before time.Time, keep func(runID string) bool) (removed int, err error)
}

// Sweeper ends the time of kept results.
type Sweeper struct {
	Runs       History
	Files      Files
	Age        time.Duration // 0: results are kept until others need their place
	HistoryAge time.Duration // of runs on their author's list; 0: they stay
	Now        func() time.Time
}

// What is younger may belong to a run that is about to be recorded; usage is
// shown for a while after its day.
const (
	unknownAge = time.Hour
	usageAge   = 35 * 24 * time.Hour
)

// Sweep forgets results and runs past their age, and removes files that no run
// has. The audit log keeps what was run.
func (s *Sweeper) Sweep(ctx context.Context) error {
	now := s.Now()
	if s.Age > 0 {
		if err := s.all(ctx, now.Add(-s.Age), s.Runs.ExpireResults); err != nil {
			return err
		}
	}
	if s.HistoryAge > 0 {
		if err := s.all(ctx, now.Add(-s.HistoryAge), s.Runs.PruneQueryRuns); err != nil {
			return err
		}
	}
	kept, err := s.Runs.KeptResults(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Files.Sweep(ctx, now.Add(-unknownAge), func(id string) bool { _, known := kept[id]; return known }); err != nil {
		return err
	}
	return s.Runs.SweepUsage(ctx, now.Add(-usageAge))
}

// all forgets what is due, portion by portion, and removes the files.
func (s *Sweeper) all(ctx context.Context, before time.Time, forget func(context.Context, time.Time) ([]string, error)) error {
	for {
		runs, err := forget(ctx, before)
		if err != nil {
			return err
		}
		var errs []error
		for _, id := range runs {
			errs = append(errs, s.Files.Remove(id))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("remove expired results: %w", err)
		}
		if len(runs) == 0 {
			return nil
		}
	}
}
