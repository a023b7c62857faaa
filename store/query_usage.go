package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/people"
	"agnes/domain/query"
)

// withinLimits refuses a query of a person who has reached a limit. Queries of
// Agnes itself have no author and no limit.
func withinLimits(ctx context.Context, tx runner, r query.Record, limits query.PersonLimits) error {
	if r.By.UserID == "" {
		return nil
	}
	if limits.DailyBytes > 0 {
		used, err := one(ctx, tx, value[int64], `SELECT COALESCE(sum(bytes), 0) FROM query_usage WHERE user_id = $1 AND day = $2`, r.By.UserID, query.Day(r.StartedAt))
		if err != nil {
			return err
		}
		if used >= limits.DailyBytes {
			return &query.LimitError{Kind: query.LimitDaily, Current: used, Limit: limits.DailyBytes, RetryAfter: query.UntilTomorrow(r.StartedAt)}
		}
	}
	if limits.Concurrent <= 0 {
		return nil
	}
	running, err := one(ctx, tx, value[int64], `SELECT count(*) FROM query_runs WHERE user_id = $1 AND state = 'running'`, r.By.UserID)
	if err != nil {
		return err
	}
	if running >= int64(limits.Concurrent) {
		return &query.LimitError{Kind: query.LimitConcurrent, Current: running, Limit: int64(limits.Concurrent)}
	}
	return nil
}

// addUsage counts what a query returned, on the day on which it ended.
func addUsage(ctx context.Context, tx runner, r query.Record) error {
	if r.By.UserID == "" || r.FinishedAt == nil {
		return nil
	}
	_, err := tx.exec(ctx, `
		INSERT INTO query_usage (user_id, day, queries, rows, bytes) VALUES ($1, $2, 1, $3, $4)
		ON CONFLICT (user_id, day) DO UPDATE SET
			queries = query_usage.queries + 1, rows = query_usage.rows + excluded.rows, bytes = query_usage.bytes + excluded.bytes`,
		r.By.UserID, query.Day(*r.FinishedAt), r.Rows, r.Bytes)
	return err
}

// QueryUsage returns what a person's queries returned on the day of a time.
func (s *Store) QueryUsage(ctx context.Context, by people.UserID, on time.Time) (query.Usage, error) {
	u, err := one(ctx, s.reader(), func(row scanner) (query.Usage, error) {
		var u query.Usage
		err := row.Scan(&u.Queries, &u.Rows, &u.Bytes)
		return u, err
	}, `SELECT COALESCE(sum(queries), 0), COALESCE(sum(rows), 0), COALESCE(sum(bytes), 0) FROM query_usage WHERE user_id = $1 AND day = $2`, by, query.Day(on))
	if err != nil {
		return u, fmt.Errorf("usage of %s: %w", by, explain(err))
	}
	return u, nil
}

// SweepUsage forgets the usage of days before that of a time.
func (s *Store) SweepUsage(ctx context.Context, before time.Time) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `DELETE FROM query_usage WHERE day < $1`, query.Day(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old usage: %w", err)
	}
	return nil
}
