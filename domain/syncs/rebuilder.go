package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"agnes/domain/guard"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Rebuilder publishes the artifacts from the current versions, one rebuild at
// a time. Everybody who asks while one is running shares the next one.
type Rebuilder struct {
	Tables    Tables
	Publisher Publisher
	Timeout   time.Duration
	Writes    *Latch // shared with the Syncer
	Log       *slog.Logger
	// Rebuilds remembers how rebuilds went, and Quarantine replaces damaged
	// versions; without them neither happens.
	Rebuilds   Rebuilds
	Quarantine *Quarantine
	Feed       *Feed            // is nudged when a rebuild is remembered; nil has nobody to tell
	Now        func() time.Time // for Rebuilds
	NewID      func() string
	Guard      *guard.Guard

	mu      sync.Mutex
	running bool
	next    *rebuild // asked for while one was running
}

type rebuild struct {
	done   chan struct{}
	report work.Rebuilt
	err    error
}

// Rebuild publishes a state at least as new as the call and says what was left
// out. A caller that gives up does not stop a rebuild that others wait for.
func (r *Rebuilder) Rebuild(ctx context.Context) (work.Rebuilt, error) {
	b := r.join(ctx)
	select {
	case <-b.done:
		return b.report, b.err
	case <-ctx.Done():
		return work.Rebuilt{}, ctx.Err()
	}
}

// Request asks for a rebuild without waiting for it; the end of ctx does not stop it.
func (r *Rebuilder) Request(ctx context.Context) { r.join(ctx) }

func (r *Rebuilder) join(ctx context.Context) *rebuild {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &rebuild{done: make(chan struct{})}
	}
	b := r.next
	if !r.running {
		r.running = true
		r.Guard.Go("rebuilds", func() { r.work(context.WithoutCancel(ctx)) })
	}
	return b
}

// work carries rebuilds out until nobody asks for another.
func (r *Rebuilder) work(ctx context.Context) {
	for {
		r.mu.Lock()
		b := r.next
		r.next = nil
		if b == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		b.err = r.Guard.Do("a rebuild", func() (err error) {
			b.report, err = r.remember(ctx, r.publish)
			return err
		})
		if b.err != nil {
			r.Log.Error("rebuild", "err", b.err)
			r.Writes.Trip(b.err)
		}
		for _, p := range b.report.Problems {
			r.Log.Warn("left out of the rebuild", "source", p.Source, "table", p.Table, "code", p.Code, "reason", p.Message)
		}
		close(b.done)
	}
}

func (r *Rebuilder) publish(ctx context.Context) (work.Rebuilt, error) {
	if err := r.Writes.Err(); err != nil {
		return work.Rebuilt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	var replaced []work.Problem
	for round := 1; ; round++ {
		tables, err := r.Tables.ListTables(ctx)
		if err != nil {
			return work.Rebuilt{}, fmt.Errorf("list tables: %w", err)
		}
		report, err := r.Publisher.Rebuild(ctx, work.RebuildJob{Sources: sourcesOf(tables)})
		if err != nil {
			return work.Rebuilt{}, fmt.Errorf("publish: %w", err)
		}
		told, again, err := r.Quarantine.resolve(ctx, tables, report.Problems)
		if err != nil { // what was published stands all the same
			r.Log.Error("look at tables that could not be read", "err", err)
		}
		replaced = append(replaced, told...)
		if !again || round == maxRounds {
			report.Problems = merge(report.Problems, replaced)
			return report, nil
		}
	}
}

// maxRounds bounds how often a rebuild is repeated because damaged versions
// were replaced by earlier ones.
const maxRounds = 3

// merge puts what became of damaged tables in the place of what the rebuild
// said of them.
func merge(problems, replaced []work.Problem) []work.Problem {
	if len(replaced) == 0 {
		return problems
	}
	at := map[[2]string]int{}
	var all []work.Problem
	for _, p := range append(slices.Clone(problems), replaced...) {
		key := [2]string{p.Source, p.Table}
		if i, there := at[key]; there && suspicious(p) && suspicious(all[i]) {
			all[i] = p
			continue
		}
		at[key] = len(all)
		all = append(all, p)
	}
	return all
}

// remember stores how a rebuild went. That it cannot is no reason to call the
// rebuild failed.
func (r *Rebuilder) remember(ctx context.Context, publish func(context.Context) (work.Rebuilt, error)) (work.Rebuilt, error) {
	if r.Rebuilds == nil {
		return publish(ctx)
	}
	done := Rebuild{ID: r.NewID(), StartedAt: r.Now(), State: OK}
	report, err := publish(ctx)
	done.FinishedAt = r.Now()
	done.Generation, done.Views, done.Unchanged, done.Problems = report.Generation, report.Views, report.Unchanged, report.Problems
	if err != nil {
		done.State = Failed
		done.Code, done.Message, done.NextStep = explain(err)
		if done.Code == "internal" {
			done.Message, done.NextStep = "The rebuild failed inside Agnes. What was published before is still served.", "Look for it in the server's log."
		}
	}
	if serr := r.Rebuilds.SaveRebuild(ctx, done); serr != nil {
		r.Log.Error("remember a rebuild", "err", serr)
	}
	r.Feed.Nudge()
	return report, err
}

// sourcesOf groups the tables that have a version by their source. The one that
// Agnes writes itself is always there: rows of its last table must go with it.
func sourcesOf(tables []registry.Published) []work.RebuildSource {
	own := registry.Table{SourceType: registry.SourceLocal}.Source()
	out := []work.RebuildSource{{Name: own, Owned: true}}
	at := map[string]int{own: 0}
	for _, t := range tables {
		i, ok := at[t.Source()]
		if !ok {
			i = len(out)
			at[t.Source()] = i
			out = append(out, work.RebuildSource{Name: t.Source(), Owned: !t.Foreign()})
		}
		if t.Version == nil {
			continue
		}
		keys, sizes := make([]string, len(t.Version.Files)), make([]int64, len(t.Version.Files))
		for k, f := range t.Version.Files {
			keys[k], sizes[k] = f.Key, f.Bytes
		}
		out[i].Tables = append(out[i].Tables, work.RebuildTable{
			Name: t.Name, Description: t.Description, Rows: t.Version.Rows, Bytes: t.Version.Bytes,
			QueryMode: t.QueryMode, ExtractedAt: t.Version.CreatedAt, Keys: keys, Sizes: sizes,
		})
	}
	return out
}
