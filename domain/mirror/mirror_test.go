package mirror

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// fake is a state and a writer.
type fake struct {
	changes             int64
	free, export, place error
	made, placed        int
	now                 time.Time
	takes               time.Duration // one mirror
}

func (f *fake) Changes() int64                   { return f.changes }
func (f *fake) MirrorFree(context.Context) error { return f.free }

func (f *fake) Export(_ context.Context, emit func(work.StateRows) error) error {
	return errors.Join(f.export, emit(work.StateRows{Table: "users"}))
}

func (f *fake) PlaceMirror(context.Context, string) error {
	f.placed++
	return f.place
}

func (f *fake) Mirror(_ context.Context, rows func(emit func(work.StateRows) error) error) (string, work.Mirrored, error) {
	f.made++
	f.now = f.now.Add(f.takes)
	return "file", work.Mirrored{Rows: map[string]int64{"users": 1}}, rows(func(work.StateRows) error { return nil })
}

func TestTick(t *testing.T) {
	t.Parallel()
	f := &fake{now: time.Unix(1000, 0)}
	p := &Publisher{State: f, Writer: f, Every: time.Minute, Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)}
	blocked := domain.E(domain.Conflict, "mirror_blocked", "An old state lies there.")
	broken := errors.New("disk")
	for _, step := range []struct {
		name   string
		do     func()
		placed int
		fails  bool
	}{
		{"the first", func() {}, 1, false},
		{"nothing changed", func() { f.now = f.now.Add(time.Hour) }, 1, false},
		{"a change", func() { f.changes++ }, 2, false},
		{"a change too soon", func() { f.changes++; f.now = f.now.Add(time.Second) }, 2, false},
		{"later", func() { f.now = f.now.Add(time.Minute) }, 3, false},
		{"rows that cannot be read", func() { f.export = broken; f.changes++; f.now = f.now.Add(time.Minute) }, 3, true},
		{"not at once again", func() { f.export = nil }, 3, false},
		{"again", func() { f.now = f.now.Add(time.Minute) }, 4, false},
		{"a place that fails", func() { f.place = broken; f.changes++; f.now = f.now.Add(time.Minute) }, 5, true},
		{"an old state", func() { f.place, f.free = nil, blocked; f.now = f.now.Add(time.Minute) }, 5, false},
		{"still", func() { f.now = f.now.Add(time.Minute) }, 5, false},
		{"moved away", func() { f.free = nil; f.now = f.now.Add(time.Minute) }, 6, false},
		{"off", func() { p.Every = 0; f.changes++; f.now = f.now.Add(time.Hour) }, 6, false},
	} {
		step.do()
		if err := p.Tick(t.Context()); (err != nil) != step.fails || f.placed != step.placed {
			t.Errorf("%s: %v, placed %d, want %d", step.name, err, f.placed, step.placed)
		}
	}
}

// TestNoMirrorAfterAnUnconfirmedWrite: the mirror ends all writing by a write
// that the disk did not confirm, and ends with it.
func TestNoMirrorAfterAnUnconfirmedWrite(t *testing.T) {
	t.Parallel()
	f := &fake{now: time.Unix(1000, 0), place: domain.E(domain.Unavailable, "disk_write_failed", "The disk did not confirm.")}
	now := func() time.Time { return f.now }
	p := &Publisher{State: f, Writer: f, Writes: &syncs.Latch{Now: now}, Every: time.Minute, Now: now, Log: slog.New(slog.DiscardHandler)}
	if err := p.Tick(t.Context()); err == nil || p.Writes.Err() == nil {
		t.Errorf("Tick = %v, the latch says %v", err, p.Writes.Err())
	}
	f.place, f.changes, f.now = nil, 1, f.now.Add(time.Hour)
	if err := p.Tick(t.Context()); err != nil || f.made != 1 {
		t.Errorf("Tick = %v, made %d mirrors after writing ended", err, f.made)
	}
}

// A large state is mirrored less often, so that its mirror takes a twentieth of
// the time at most.
func TestALongMirrorRests(t *testing.T) {
	t.Parallel()
	f := &fake{now: time.Unix(1000, 0), takes: time.Minute}
	p := &Publisher{State: f, Writer: f, Every: 5 * time.Minute, Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler)}
	for range 100 { // a minute apart, with a change in each
		f.changes++
		if err := p.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.now = f.now.Add(time.Minute)
	}
	if f.made != 6 {
		t.Errorf("%d mirrors of a minute each in a hundred, want 6", f.made)
	}
}
