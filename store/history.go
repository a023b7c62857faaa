package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// AnyAnswer reports whether anybody's own query has succeeded.
func (s *Store) AnyAnswer(ctx context.Context) (bool, error) {
	found, err := one(ctx, s.reader(), value[bool],
		`SELECT EXISTS (SELECT 1 FROM query_runs WHERE state = 'ok' AND origin IN ('console', 'api'))`)
	if err != nil {
		return false, fmt.Errorf("look for an answered query: %w", explain(err))
	}
	return found, nil
}

// RecentRuns lists finished runs, newest first.
func (s *Store) RecentRuns(ctx context.Context, limit int) ([]syncs.Run, error) {
	runs, err := collect(ctx, s.reader(), scanRun, `
		SELECT `+runColumns+` FROM sync_runs
		WHERE state NOT IN ('queued', 'running')
		ORDER BY queued_at DESC, id DESC LIMIT $1`, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list recent runs: %w", explain(err))
	}
	return runs, nil
}

// Steps lists the finished phases of several runs, each run's in order.
func (s *Store) Steps(ctx context.Context, runs []string) ([]syncs.Step, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	args := make([]any, len(runs))
	for i, id := range runs {
		args[i] = id
	}
	steps, err := collect(ctx, s.reader(), scanStep, `
		SELECT `+stepColumns+`
		FROM sync_history h
		JOIN sync_runs r ON r.id = h.run_id
		WHERE h.run_id IN (`+places(len(args))+`) AND h.phase <> ''
		ORDER BY h.run_id, h.synced_at, h.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list steps of %d runs: %w", len(runs), explain(err))
	}
	return steps, nil
}

// places is "$1, $2 … $n".
func places(n int) string { return placesFrom(1, n) }

// placesFrom is n placeholders, the first with the number from.
func placesFrom(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// Streaks tells, for every table that failed since its last success, since
// when and how often.
func (s *Store) Streaks(ctx context.Context) (map[registry.TableID]syncs.Streak, error) {
	type row struct {
		id     registry.TableID
		streak syncs.Streak
	}
	rows, err := collect(ctx, s.reader(), func(r scanner) (row, error) {
		var out row
		err := r.Scan(&out.id, at{&out.streak.Since}, &out.streak.Tries)
		return out, err
	}, `
		SELECT r.table_id, min(r.finished_at), count(*)
		FROM sync_runs r
		WHERE r.state = 'failed' AND r.cause <> 'restore'
			AND NOT EXISTS (SELECT 1 FROM sync_runs o WHERE o.table_id = r.table_id AND o.state = 'ok' AND o.cause <> 'restore' AND o.queued_at > r.queued_at)
		GROUP BY r.table_id`)
	if err != nil {
		return nil, fmt.Errorf("list streaks of failures: %w", explain(err))
	}
	out := make(map[registry.TableID]syncs.Streak, len(rows))
	for _, r := range rows {
		out[r.id] = r.streak
	}
	return out, nil
}

// usualRuns is how many of a table's last good runs tell what is usual.
const usualRuns = 10

// UsualDurations tells how long the tables' last good runs took on average.
// Tables without a good run are left out.
func (s *Store) UsualDurations(ctx context.Context, ids []registry.TableID) (map[registry.TableID]time.Duration, error) {
	out := make(map[registry.TableID]time.Duration, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	args := make([]any, 0, len(ids)+1)
	for _, id := range ids {
		args = append(args, id)
	}
	args = append(args, usualRuns)
	type row struct {
		id     registry.TableID
		micros float64
	}
	rows, err := collect(ctx, s.reader(), func(r scanner) (row, error) {
		var out row
		err := r.Scan(&out.id, &out.micros)
		return out, err
	}, `
		SELECT table_id, avg(took)
		FROM (
			SELECT table_id, finished_at - started_at AS took, row_number() OVER (PARTITION BY table_id ORDER BY finished_at DESC) AS place
			FROM sync_runs
			WHERE state = 'ok' AND cause <> 'restore' AND table_id IN (`+places(len(ids))+`)
		) AS good
		WHERE place <= $`+fmt.Sprint(len(args))+`
		GROUP BY table_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("average durations of %d tables: %w", len(ids), explain(err))
	}
	for _, r := range rows {
		out[r.id] = time.Duration(r.micros) * time.Microsecond
	}
	return out, nil
}
