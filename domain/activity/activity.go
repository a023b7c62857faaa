// Package activity is what administrators do with the audit log: read it by one
// filter, export it, keep filters under names, and have old rows deleted where
// the configuration says so. The rows themselves are of package audit.
package activity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"agnes/domain/audit"
)

// Store reads the log and keeps views of it.
type Store interface {
	ListActivity(ctx context.Context, f audit.Filter, o audit.ListOptions) (audit.Page, error)
	CountActivity(ctx context.Context, f audit.Filter, facets bool) (audit.Counts, error)
	ChartActivity(ctx context.Context, f audit.Filter, now time.Time) ([]audit.Bucket, error)
	CountNewer(ctx context.Context, f audit.Filter, from audit.Cursor, most int) (int, error)
	Audit(ctx context.Context, e audit.Entry) error
	ListViews(ctx context.Context, user string) ([]audit.View, error)
	SaveView(ctx context.Context, by audit.Actor, name, query string) (audit.View, error)
	DeleteView(ctx context.Context, by audit.Actor, id string) error
	PruneAudit(ctx context.Context, before time.Time, most int) (int, error)
}

// Log is the audit log as people look at it.
type Log struct {
	Store
	Now func() time.Time
	// Retention is how long rows stay; 0: for ever.
	Retention time.Duration

	mu     sync.Mutex
	looked map[string]time.Time
	health kept
}

// lookGap is how long the same look of the same person is written down once.
const lookGap = time.Minute

// Look writes down that somebody reads the log. The same person's look at the
// same is one row a minute; key tells looks apart.
func (l *Log) Look(ctx context.Context, by audit.Actor, key string, params map[string]any) error {
	return l.Once(ctx, key, audit.Entry{Actor: by, Action: audit.ActionRead, Resource: "audit_log", Params: params, Result: "success"})
}

// Once writes a row unless it wrote one of the same actor, action, resource and
// key within the last minute.
func (l *Log) Once(ctx context.Context, key string, e audit.Entry) error {
	now := l.Now()
	key = e.Actor.UserID + " " + e.Action + " " + e.Resource + " " + key
	if !l.first(key, now) {
		return nil
	}
	if err := l.Audit(ctx, e); err != nil {
		l.mu.Lock()
		delete(l.looked, key)
		l.mu.Unlock()
		return fmt.Errorf("write down %s: %w", e.Action, err)
	}
	return nil
}

// mostLooked bounds what is remembered of the last minute.
const mostLooked = 10_000

// first reports whether a key is new in this minute.
func (l *Log) first(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.looked[key]; ok && now.Sub(last) < lookGap {
		return false
	}
	if l.looked == nil || len(l.looked) >= mostLooked {
		l.looked = map[string]time.Time{}
	}
	for k, at := range l.looked {
		if now.Sub(at) >= lookGap {
			delete(l.looked, k)
		}
	}
	l.looked[key] = now
	return true
}

// pruneBatch is how many rows one transaction deletes; writers get in between.
const pruneBatch = 2000

// Prune deletes the rows that are older than the configuration keeps, in small
// pieces, and writes down how many.
func (l *Log) Prune(ctx context.Context) error {
	if l.Retention <= 0 {
		return nil
	}
	before := l.Now().Add(-l.Retention)
	total := 0
	var failed error
	for {
		n, err := l.PruneAudit(ctx, before, pruneBatch)
		total += n
		if err != nil {
			failed = fmt.Errorf("delete old rows of the audit log: %w", err)
			break
		}
		if n < pruneBatch {
			break
		}
	}
	if total == 0 {
		return failed
	}
	err := l.Audit(context.WithoutCancel(ctx), audit.Entry{
		Actor: audit.System("retention"), Action: "audit.pruned", Resource: "audit_log", Result: "success",
		Params: map[string]any{"rows": total, "before": before.UTC().Format(time.RFC3339), "days": int(l.Retention / (24 * time.Hour))},
	})
	if failed == nil && err != nil {
		failed = fmt.Errorf("write down what was deleted: %w", err)
	}
	return failed
}

// KeptFor says in words how long rows stay.
func (l *Log) KeptFor() string {
	if l.Retention <= 0 {
		return "kept for ever"
	}
	if days := int(l.Retention / (24 * time.Hour)); days != 1 {
		return fmt.Sprintf("kept for %d days", days)
	}
	return "kept for a day"
}
