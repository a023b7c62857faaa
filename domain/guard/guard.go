// Package guard keeps a panic of one piece of work from ending the server.
package guard

import (
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"agnes/domain"
)

// Guard runs work whose panics it logs and counts. A nil Guard recovers too and
// says nothing.
type Guard struct {
	Log *slog.Logger

	panics atomic.Int64
}

// Do runs work and returns its error; a panic becomes one.
func (g *Guard) Do(task string, work func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			g.Note(nil, task, reason)
			err = domain.E(domain.Internal, "internal", "This could not be done because of a fault in Agnes. Try again; if it stays, tell an administrator.")
		}
	}()
	return work()
}

// Go runs work beside the caller.
func (g *Guard) Go(task string, work func()) { go g.Func(task, work)() }

// Func makes work that recovers by itself, for timers and the like.
func (g *Guard) Func(task string, work func()) func() {
	return func() {
		_ = g.Do(task, func() error { // a panic is logged; there is nobody to tell
			work()
			return nil
		})
	}
}

// Note logs and counts a panic that a caller recovered from; log is for a
// logger that knows more than the guard's own.
func (g *Guard) Note(log *slog.Logger, task string, reason any) {
	if g != nil {
		g.panics.Add(1)
		if log == nil {
			log = g.Log
		}
	}
	if log != nil {
		log.Error("panic", "task", task, "reason", reason, "stack", string(debug.Stack()))
	}
}

// Panics is how many there were so far.
func (g *Guard) Panics() int64 {
	if g == nil {
		return 0
	}
	return g.panics.Load()
}
