// Package mirror keeps a read-only copy of the state beside it, in the shape
// and place of the predecessor's database and without its secrets, for the
// tools that read that.
package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"agnes/domain"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// State is the store that is mirrored.
type State interface {
	// Changes counts changes since the start.
	Changes() int64
	// Export hands over all rows as of one moment.
	Export(ctx context.Context, emit func(work.StateRows) error) error
	// MirrorFree fails with Conflict (mirror_blocked) when a predecessor's
	// database lies in the mirror's place.
	MirrorFree(ctx context.Context) error
	// PlaceMirror publishes a finished file; it fails as MirrorFree does.
	PlaceMirror(ctx context.Context, path string) error
}

// Writer makes a file of rows in a child.
type Writer interface {
	Mirror(ctx context.Context, rows func(emit func(work.StateRows) error) error) (path string, _ work.Mirrored, _ error)
}

// Publisher publishes the mirror after changes.
type Publisher struct {
	State  State
	Writer Writer
	Writes *syncs.Latch  // ends it with all other writing; nil: nothing does
	Every  time.Duration // at most once in this time; 0: never
	Now    func() time.Time
	Log    *slog.Logger

	done    int64 // changes that the last mirror has; -1 with none
	at      time.Time
	took    time.Duration // of the last try
	started bool
	blocked bool
}

// share bounds what mirrors take of the time, however large the state is: one
// that took a minute is followed by the next after twenty.
const share = 20

// Tick publishes the mirror if something changed and the last one is old
// enough. It is called by one goroutine at a time.
func (p *Publisher) Tick(ctx context.Context) error {
	if p.Every <= 0 || p.Writes.Err() != nil {
		return nil //nolint:nilerr // that writing ended was told when it did
	}
	now, changes := p.Now(), p.State.Changes()
	if p.started && (changes == p.done || now.Sub(p.at) < max(p.Every, share*p.took)) {
		return nil
	}
	p.started, p.at = true, now
	err := p.publish(ctx)
	p.took = p.Now().Sub(now)
	p.Writes.Trip(err)
	switch blocked := domain.CodeOf(err) == "mirror_blocked"; {
	case blocked && p.blocked:
		return nil // said once
	case blocked:
		p.blocked = true
		p.Log.Warn("the mirror of the state is not published", "reason", err.Error())
		return nil
	case err != nil:
		return err
	}
	p.done, p.blocked = changes, false
	return nil
}

func (p *Publisher) publish(ctx context.Context) error {
	if err := p.State.MirrorFree(ctx); err != nil {
		return fmt.Errorf("mirror the state: %w", err)
	}
	path, made, err := p.Writer.Mirror(ctx, func(emit func(work.StateRows) error) error { return p.State.Export(ctx, emit) })
	if err != nil {
		return fmt.Errorf("mirror the state: %w", err)
	}
	if err := p.State.PlaceMirror(ctx, path); err != nil {
		return fmt.Errorf("mirror the state: %w", err)
	}
	total := int64(0)
	for _, n := range made.Rows {
		total += n
	}
	p.Log.Debug("mirror of the state published", "rows", total)
	return nil
}
