package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Rebuilder publishes the artifacts from the current versions, one rebuild at
// a time. Everybody who asks while one is running shares the next one.
type Rebuilder struct {
	Tables    Tables
	Publisher Publisher
	Timeout   time.Duration
	Log       *slog.Logger

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
		go r.work(context.WithoutCancel(ctx))
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
		b.report, b.err = r.publish(ctx)
		if b.err != nil {
			r.Log.Error("rebuild", "err", b.err)
		}
		for _, p := range b.report.Problems {
			r.Log.Warn("left out of the rebuild", "source", p.Source, "table", p.Table, "code", p.Code, "reason", p.Message)
		}
		close(b.done)
	}
}

func (r *Rebuilder) publish(ctx context.Context) (work.Rebuilt, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	tables, err := r.Tables.ListTables(ctx)
	if err != nil {
		return work.Rebuilt{}, fmt.Errorf("list tables: %w", err)
	}
	report, err := r.Publisher.Rebuild(ctx, work.RebuildJob{Sources: sourcesOf(tables)})
	if err != nil {
		return work.Rebuilt{}, fmt.Errorf("publish: %w", err)
	}
	return report, nil
}

// sourcesOf groups the tables that have a version by their source.
func sourcesOf(tables []registry.Published) []work.RebuildSource {
	var out []work.RebuildSource
	at := map[string]int{}
	for _, t := range tables {
		i, ok := at[t.Source()]
		if !ok {
			i = len(out)
			at[t.Source()] = i
			out = append(out, work.RebuildSource{Name: t.Source(), Owned: t.SourceType != registry.SourceCustom})
		}
		if t.Version == nil {
			continue
		}
		keys := make([]string, len(t.Version.Files))
		for k, f := range t.Version.Files {
			keys[k] = f.Key
		}
		out[i].Tables = append(out[i].Tables, work.RebuildTable{
			Name: t.Name, Description: t.Description, Rows: t.Version.Rows, Bytes: t.Version.Bytes,
			QueryMode: t.QueryMode, ExtractedAt: t.Version.CreatedAt, Keys: keys,
		})
	}
	return out
}
