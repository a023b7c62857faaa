package pages

import (
	"context"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// History is what pages read of what ran, and add of what was refused.
type History interface {
	// ListRuns lists runs, newest first, and counts all that match.
	ListRuns(ctx context.Context, f syncs.RunFilter) ([]syncs.Run, int, error)
	// RecentRuns lists finished runs, newest first.
	RecentRuns(ctx context.Context, limit int) ([]syncs.Run, error)
	// LiveRuns lists queued and running runs, oldest first.
	LiveRuns(ctx context.Context) ([]syncs.Run, error)
	// Steps lists the finished phases of several runs, each run's in order.
	Steps(ctx context.Context, runs []string) ([]syncs.Step, error)
	// Streaks tells, for every table that failed since its last success, since when and how often.
	Streaks(ctx context.Context) (map[registry.TableID]syncs.Streak, error)
	// UsualDurations tells how long the tables' last good runs took.
	UsualDurations(ctx context.Context, ids []registry.TableID) (map[registry.TableID]time.Duration, error)
	// HeldRuns lists the runs whose version waits for a person, oldest first.
	HeldRuns(ctx context.Context) ([]syncs.Run, error)
	// ListVersions lists a table's kept versions, newest first.
	ListVersions(ctx context.Context, table registry.TableID) ([]registry.Version, error)
	// LastRebuild returns the newest rebuild; nil when there was none.
	LastRebuild(ctx context.Context) (*syncs.Rebuild, error)
	// ListDamage lists the tables that serve an earlier version because the newest is damaged.
	ListDamage(ctx context.Context) ([]syncs.Damage, error)
	ListSources(ctx context.Context) ([]syncs.Source, error)
	// CountTroubled counts the tables that are in trouble.
	CountTroubled(ctx context.Context, trouble func(*registry.Published) bool) (int, error)
	// AnyAnswer reports whether anybody's own query has succeeded.
	AnyAnswer(ctx context.Context) (bool, error)
	// Audit records what changes nothing; changes write their own rows.
	Audit(ctx context.Context, e audit.Entry) error
}
