package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
)

// Job is one thing that Agnes does by itself.
type Job struct {
	Name    string
	Every   time.Duration
	Timeout time.Duration // of one round
	Run     func(ctx context.Context) error
}

// Schedule runs jobs, each in one instance at a time, the first round at once.
type Schedule struct {
	cron gocron.Scheduler
	log  *slog.Logger
}

// NewSchedule prepares the jobs; Start runs them.
func NewSchedule(ctx context.Context, table []Job, log *slog.Logger) (*Schedule, error) {
	cron, err := gocron.NewScheduler(gocron.WithLocation(time.UTC), gocron.WithStopTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("new scheduler: %w", err)
	}
	s := &Schedule{cron: cron, log: log}
	for _, j := range table {
		if err := s.add(ctx, j); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", j.Name, err)
		}
	}
	return s, nil
}

func (s *Schedule) add(ctx context.Context, j Job) error {
	round := func() error {
		ctx, cancel := context.WithTimeout(ctx, j.Timeout)
		defer cancel()
		return j.Run(ctx)
	}
	_, err := s.cron.NewJob(
		gocron.DurationJob(j.Every),
		gocron.NewTask(round),
		gocron.WithName(j.Name),
		gocron.WithSingletonMode(gocron.LimitModeReschedule),
		gocron.WithStartAt(gocron.WithStartImmediately()),
		gocron.WithEventListeners(
			gocron.AfterJobRunsWithError(func(_ uuid.UUID, name string, err error) {
				if ctx.Err() == nil {
					s.log.Error("job", "job", name, "err", err)
				}
			}),
			gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, recovered any) {
				s.log.Error("job panicked", "job", name, "panic", recovered)
			}),
		),
	)
	return err
}

// Start runs the jobs until Stop.
func (s *Schedule) Start() { s.cron.Start() }

// Stop waits for the rounds under way, ten seconds at most.
func (s *Schedule) Stop() error { return s.cron.Shutdown() }
