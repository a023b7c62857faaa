package syncs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"agnes/domain"
)

// How long an end that could not be written rests before it is tried again: a
// moment at first, then twice as long each time, up to a minute.
const (
	firstRest   = time.Second
	longestRest = time.Minute
)

// unwritten is a run that has ended while the state does not say so yet.
type unwritten struct {
	run   Run
	since time.Time
	why   string
}

// leftError is a failed run that left something to undo: the state did not take
// the way back to the version before.
type leftError struct {
	error
	undo func(context.Context) error
}

// Unwrap returns why the run failed.
func (e *leftError) Unwrap() error { return e.error }

// insist does what the end of r needs until the state takes it: without it the
// table could be neither synced, restored nor removed. Between two tries it says
// what it waits for and gives its place to other runs. It returns an error when
// the end will not be written before the next start, which takes the run up.
func (s *Syncer) insist(server context.Context, r *Run, release func(), do func(context.Context) error) error {
	err := s.again(server, release, do, func(err error, rest time.Duration) {
		s.Log.Error("record the end of a sync", "run_id", r.ID, "table_id", string(r.Table), "err", err, "again_in", rest)
		s.tellUnwritten(r, err)
	})
	if err != nil && !settled(err) {
		return err
	}
	if err != nil {
		s.Log.Warn("the end of a sync was settled already", "run_id", r.ID, "err", err)
	}
	s.mu.Lock()
	delete(s.open, r.ID)
	s.mu.Unlock()
	return nil
}

// again does what the state has to take until it does, or has no use for it, or
// takes nothing before the next start. It tells of each failure before it rests.
func (s *Syncer) again(server context.Context, release func(), do func(context.Context) error, tell func(err error, rest time.Duration)) error {
	for rest := firstRest; ; rest = min(2*rest, longestRest) {
		err := s.Guard.Do("end a sync", func() error { return do(context.WithoutCancel(server)) })
		if err == nil || settled(err) {
			return err
		}
		tell(err, rest)
		release()
		if domain.CodeOf(err) == codeStateWrite {
			return err // only a new start writes again
		}
		select {
		case <-s.after(rest):
		case <-server.Done():
			return err
		}
	}
}

// settled reports that the state has no use for an end any more: the table or the
// version is gone, or the run has ended.
func settled(err error) bool {
	kind := domain.KindOf(err)
	return kind == domain.NotFound || kind == domain.Conflict
}

func (s *Syncer) after(d time.Duration) <-chan time.Time {
	if s.After != nil {
		return s.After(d)
	}
	return time.After(d)
}

// tellUnwritten has listeners and Unwritten know that r waits for its end.
func (s *Syncer) tellUnwritten(r *Run, err error) {
	open := unwritten{run: *r, since: s.Now()}
	open.run.State, open.run.FinishedAt, open.run.Code = Running, nil, "end_unwritten"
	open.run.Message, open.run.NextStep = "The sync has ended, and how it ended cannot be stored yet.", "Nothing: Agnes tries again by itself."
	var known *domain.Error
	if errors.As(err, &known) && known.Kind == domain.Unavailable {
		open.why = known.Message
		open.run.Message += " " + known.Message
	}
	s.mu.Lock()
	if before, there := s.open[r.ID]; there {
		open.since = before.since
	}
	s.open[r.ID] = open
	s.mu.Unlock()
	s.Feed.Tell(open.run)
}

// Unwritten says which syncs have ended without the state knowing it, and why;
// nil while there are none.
func (s *Syncer) Unwritten() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return nil
	}
	var all []unwritten
	for _, o := range s.open {
		all = append(all, o)
	}
	first := slices.MinFunc(all, func(a, b unwritten) int { return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.run.ID, b.run.ID)) })
	what := "A sync has ended, and that cannot be stored"
	if len(all) > 1 {
		what = fmt.Sprintf("%d syncs have ended, and that cannot be stored", len(all))
	}
	why := ""
	if first.why != "" {
		why = " " + first.why
	}
	return domain.E(domain.Unavailable, "sync_end_unwritten", "%s since %s UTC. Until then they are shown as running. Agnes tries again by itself.%s",
		what, first.since.UTC().Format("2 Jan 15:04"), why)
}
