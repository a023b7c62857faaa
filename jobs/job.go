package jobs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// maxEvent bounds one line of a child's events.
const maxEvent = 32 << 20

// Extract runs an extract child for one table and tells progress of its events.
// A failure that the child explains is a *work.ChildError, everything else a
// *domain.Error: Cancelled when ctx ended, Unavailable when the child died.
func (s *Supervisor) Extract(ctx context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error) {
	var result *work.Extracted
	err := s.run(ctx, s.slots, "extract", func(b work.Budget) any {
		job.DataDir, job.Budget = s.cfg.DataDir, b
		return job
	}, func(e work.Event) {
		if e.Extracted != nil {
			result = e.Extracted
		}
		progress(e)
	})
	return resultOf(result, err)
}

// PreviewFile reads the first rows of the file, folder or pattern at key in an
// extract child.
func (s *Supervisor) PreviewFile(ctx context.Context, key string, o files.Options) (files.Preview, error) {
	var result *files.Preview
	err := s.run(ctx, s.looks, "extract", func(b work.Budget) any {
		return work.ExtractJob{DataDir: s.cfg.DataDir, Connector: "files", Source: "files", Key: key, Options: o, Inspect: work.InspectFile, Budget: b}
	}, func(e work.Event) {
		if e.Preview != nil {
			result = e.Preview
		}
	})
	return resultOf(result, err)
}

// InspectSource lists what the custom extract of a source offers.
func (s *Supervisor) InspectSource(ctx context.Context, source string) (work.Inspected, error) {
	var found *work.Inspected
	err := s.run(ctx, s.looks, "extract", func(b work.Budget) any {
		return work.ExtractJob{DataDir: s.cfg.DataDir, Connector: "custom", Source: source, Inspect: work.InspectSource, Budget: b}
	}, func(e work.Event) {
		if e.Source != nil {
			found = e.Source
		}
	})
	return resultOf(found, err)
}

// AttachRemote tries to reach outside systems in a child of their own, which
// sees no data. It fails only when the child does.
func (s *Supervisor) AttachRemote(ctx context.Context, source string, systems []work.Attachment) ([]work.Attached, error) {
	tried := []work.Attached{}
	err := s.run(ctx, s.looks, "extract", func(b work.Budget) any {
		return work.ExtractJob{DataDir: s.cfg.DataDir, Connector: "custom", Source: source, Inspect: work.InspectRemote, Attach: systems, Budget: b}
	}, func(e work.Event) { tried = append(tried, e.Attached...) })
	if err != nil {
		return nil, err
	}
	return tried, nil
}

// VerifyVersions compares files of versions with what was published and returns
// what differs, by key. It reads so many bytes a second; 0: no limit.
func (s *Supervisor) VerifyVersions(ctx context.Context, files []registry.File, bytesPerSecond int64) ([]work.Problem, error) {
	var damaged []work.Problem
	err := s.run(ctx, s.looks, "extract", func(b work.Budget) any {
		return work.ExtractJob{DataDir: s.cfg.DataDir, Inspect: work.InspectVersions, Verify: files, BytesPerSecond: bytesPerSecond, Budget: b}
	}, func(e work.Event) { damaged = append(damaged, e.Damaged...) })
	if err != nil {
		return nil, err
	}
	return damaged, nil
}

// Rebuild runs a rebuild child.
func (s *Supervisor) Rebuild(ctx context.Context, job work.RebuildJob) (work.Rebuilt, error) {
	var result *work.Rebuilt
	err := s.run(ctx, s.slots, "rebuild", func(b work.Budget) any {
		job.DataDir, job.Budget = s.cfg.DataDir, b
		return job
	}, func(e work.Event) {
		if e.Rebuilt != nil {
			result = e.Rebuilt
		}
	})
	return resultOf(result, err)
}

func resultOf[T any](result *T, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if result == nil {
		return none, domain.E(domain.Internal, "child_said_nothing", "The work ended without a result. Nothing was changed. Try again; if it stays, tell an administrator.")
	}
	return *result, nil
}

// run carries one job through one child. describe makes the job for the budget
// that the child gets; tell hears every event.
func (s *Supervisor) run(ctx context.Context, slots chan struct{}, kind string, describe func(work.Budget) any, tell func(work.Event)) error {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return jobStopped(ctx)
	}
	part, err := s.broker.takeJob(ctx, s.cfg.Jobs)
	if err != nil {
		return jobStopped(ctx)
	}
	defer part.release()
	c, events, err := s.launch(kind, part.limits, describe)
	if err != nil {
		return err
	}
	defer events.Close()
	unwatch := context.AfterFunc(ctx, s.cfg.Guard.Func("end a job", func() {
		c.ask()
		select {
		case <-c.ended:
		case <-time.After(grace):
			c.kill()
		}
	}))
	defer unwatch()
	defer s.stepBackLater(c, longJob)()
	done, failure, err := readEvents(events, tell)
	if err != nil {
		c.kill()
	}
	<-c.ended
	switch {
	case failure == nil && done && err == nil:
		return nil
	case ctx.Err() != nil:
		return jobStopped(ctx)
	case failure != nil:
		return &work.ChildError{Failure: *failure, Kind: kindOf(failure.Code)}
	}
	return jobDied(c, err)
}

// launch starts a child, hands it its job on standard input and returns its
// events.
func (s *Supervisor) launch(kind string, limits Limits, describe func(work.Budget) any) (*child, *os.File, error) {
	events, writeEvents, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe for events: %w", err)
	}
	defer writeEvents.Close()
	stdin, writeJob, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("pipe for the job: %w", err), events.Close())
	}
	defer stdin.Close()
	c, err := s.start(kind, stdin, writeEvents)
	if err != nil {
		return nil, nil, errors.Join(err, events.Close(), writeJob.Close())
	}
	s.cfg.Guard.Go("hand a job over", func() {
		defer writeJob.Close()
		job := describe(c.budget(limits))
		err := json.NewEncoder(writeJob).Encode(job)
		if more, ok := job.(followed); ok && err == nil {
			err = more.follow(writeJob)
		}
		if err != nil {
			// A child that ended before it read its job explains itself in its
			// events or by its death.
			s.cfg.Log.Debug("job not taken", "kind", kind, "err", err)
		}
	})
	return c, events, nil
}

// readEvents reads a child's events to their end.
func readEvents(events *os.File, tell func(work.Event)) (done bool, failure *work.Failure, err error) {
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		var e work.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return false, nil, fmt.Errorf("read an event: %w", err)
		}
		if e.Failure != nil {
			failure = e.Failure
		}
		done = done || e.Done
		tell(e)
	}
	return done, failure, lines.Err()
}

func jobStopped(ctx context.Context) error {
	var why *domain.Error
	if errors.As(context.Cause(ctx), &why) {
		return why
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return domain.E(domain.Cancelled, "job_timeout", "The work was stopped because it took too long. Nothing was changed.").Because(ctx.Err())
	}
	return domain.E(domain.Cancelled, "job_cancelled", "The work was stopped. Nothing was changed.").Because(ctx.Err())
}

// kindOf sorts the failures that children report: most are about what they
// were given.
func kindOf(code string) domain.Kind {
	switch code {
	case "internal", "":
		return domain.Internal
	case "cancelled":
		return domain.Cancelled
	case "disk_full", "out_of_memory":
		return domain.Unavailable
	}
	return domain.Invalid
}

// jobDied explains the death of a child that left no word.
func jobDied(c *child, cause error) error {
	if c.stopped() && cause == nil {
		return stopping()
	}
	f := work.Failure{
		Code:     "child_died",
		Message:  "The process that did this work ended unexpectedly. Nothing was changed.",
		NextStep: "Try again. If it happens again, the data is likely damaged: the server's log has the details.",
	}
	switch c.death() {
	case outOfMemory:
		f.Code = "out_of_memory"
		f.Message = "The work needs more memory than it may use. Nothing was changed."
		f.NextStep = "Give the work more memory, or bring less at a time."
	case killedOutside:
		f.Code = "child_killed"
		f.Message = "The process that did this work was ended from outside, most likely because the server ran out of memory. Nothing was changed."
		f.NextStep = "Try again when less is running, or give the server more memory."
	case crashed:
	}
	if cause == nil {
		cause = c.exit
	}
	if cause != nil {
		f.Cause = cause.Error()
	}
	return &work.ChildError{Failure: f, Kind: domain.Unavailable}
}
