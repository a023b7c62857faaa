package main

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/files"
	"agnes/domain/query"
	"agnes/jobs"
	"agnes/store"
	"agnes/store/warehouse"
)

// Files that nothing refers to are kept for a day: a query or a download may
// still read them, and a backup of the state may still name them.
const orphanAge = 24 * time.Hour

// joinedRest is how long a joined file stays at least: who asked for it has to
// begin the download.
const joinedRest = 10 * time.Minute

// schedule is what Agnes does by itself.
func (a *app) schedule() []jobs.Job {
	return []jobs.Job{
		{Name: "watch extracts", Every: 2 * time.Second, Timeout: time.Minute, Run: a.watcher.Tick},
		{Name: "watch files", Every: 3 * time.Second, Timeout: time.Minute, Run: a.fileWatcher.Tick},
		{Name: "sync due tables", Every: time.Minute, Timeout: time.Minute, Run: a.lookWhatIsDue},
		{Name: "mirror the state", Every: 15 * time.Second, Timeout: 10 * time.Minute, Run: a.mirror.Tick},
		{Name: "verify versions", Every: time.Hour, Timeout: 23 * time.Hour, Run: a.scrub.Tick},
		{Name: "forget old sessions", Every: time.Hour, Timeout: time.Minute, Run: a.store.SweepSessions},
		{Name: "forget old attempts", Every: 10 * time.Minute, Timeout: time.Minute, Run: a.store.SweepAttempts},
		{Name: "end grants", Every: time.Minute, Timeout: time.Minute, Run: a.store.EndGrants},
		{Name: "sweep changes of access", Every: time.Hour, Timeout: time.Minute, Run: a.store.SweepAccess},
		{Name: "sweep query results", Every: 10 * time.Minute, Timeout: 5 * time.Minute, Run: func(ctx context.Context) error {
			q := a.live.Now().Query
			return (&query.Sweeper{Runs: a.store, Files: a.results, Age: q.ResultAge, HistoryAge: q.HistoryAge, Now: clock}).Sweep(ctx)
		}},
		{Name: "forget old activity", Every: time.Hour, Timeout: 50 * time.Minute, Run: a.activity.Prune},
		{Name: "sweep joined files", Every: time.Minute, Timeout: time.Minute, Run: a.sweepJoined},
		{Name: "sweep old files", Every: time.Hour, Timeout: 10 * time.Minute, Run: a.sweep},
	}
}

// lookWhatIsDue remembers that the scheduler lives, for who asks how Agnes is.
func (a *app) lookWhatIsDue(ctx context.Context) error {
	now := clock()
	a.dueLooked.Store(&now)
	return a.scheduler.Tick(ctx)
}

// ticked is when the scheduler last looked; zero before it did.
func (a *app) ticked() time.Time {
	if at := a.dueLooked.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// guarded has a panic of one job end no more than its round.
func (a *app) guarded(table []jobs.Job) []jobs.Job {
	for i, job := range table {
		table[i].Run = func(ctx context.Context) error {
			return a.guard.Do(job.Name, func() error { return job.Run(ctx) })
		}
	}
	return table
}

// sweepJoined keeps the files that were made for downloads within their limit.
func (a *app) sweepJoined(context.Context) error {
	now := time.Now()
	removed, err := warehouse.SweepJoined(a.cfg.Dirs.Data, now.Add(-orphanAge), now.Add(-joinedRest), a.cfg.Files.JoinedBytes)
	if removed > 0 {
		a.log.Info("joined files removed", "files", removed)
	}
	if err != nil {
		return fmt.Errorf("sweep joined files: %w", err)
	}
	return nil
}

// sweep forgets versions beyond those that are kept, then removes what nothing
// refers to.
func (a *app) sweep(ctx context.Context) error {
	now := time.Now()
	forgotten, err := a.store.PruneVersions(ctx, store.Retention{
		Keep: a.cfg.Files.VersionsKept, Since: now.Add(-a.cfg.Files.VersionsAge), Removed: now.Add(-orphanAge),
	})
	if err != nil {
		return fmt.Errorf("prune versions: %w", err)
	}
	if forgotten > 0 {
		a.log.Info("versions past keeping; their files go in a day", "versions", forgotten)
	}
	keys, err := a.store.VersionKeys(ctx)
	if err != nil {
		return fmt.Errorf("list the versions' files: %w", err)
	}
	before := now.Add(-orphanAge)
	removed, err := warehouse.Sweep(ctx, a.cfg.Dirs.Data, before, func(key string) bool { _, known := keys[key]; return known })
	if removed > 0 {
		a.log.Info("old files removed", "files", removed)
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if _, err := a.folder.SweepUploads(ctx, now.Add(-files.PartLife)); err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	return nil
}
