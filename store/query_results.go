package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"agnes/domain/people"
	"agnes/domain/query"
)

// keepResult notes where a run's rows are.
func (s *Store) keepResult(ctx context.Context, tx runner, r query.Record) error {
	if r.Kept != query.KeptWhole || r.Stored == nil {
		return nil
	}
	batches, err := json.Marshal(r.Stored.Batches)
	if err != nil {
		return fmt.Errorf("encode batches: %w", err)
	}
	pieces, err := json.Marshal(r.Stored.Pieces)
	if err != nil {
		return fmt.Errorf("encode pieces: %w", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO query_results (run_id, user_id, bytes, batches, pieces, kept_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.By.UserID, r.Stored.Bytes, string(batches), string(pieces), micros(s.now()))
	return err
}

// EvictResults forgets the oldest kept results of a person beyond so many bytes
// and results; 0 means no limit. It returns the runs whose files can go.
func (s *Store) EvictResults(ctx context.Context, by people.UserID, bytes int64, results int) ([]string, error) {
	const beyond = `
		SELECT run_id
		FROM (
			SELECT run_id, sum(bytes) OVER newest AS total, row_number() OVER newest AS place
			FROM query_results
			WHERE user_id = $1
			WINDOW newest AS (ORDER BY kept_at DESC, run_id DESC ROWS UNBOUNDED PRECEDING)
		) AS kept
		WHERE ($2 > 0 AND total > $2) OR ($3 > 0 AND place > $3)
		ORDER BY run_id`
	runs, err := collect(ctx, s.reader(), value[string], beyond, by, bytes, results)
	if err == nil && len(runs) > 0 {
		err = s.dropResults(ctx, runs, query.KeptEvicted)
	}
	if err != nil {
		return nil, fmt.Errorf("evict results of %s: %w", by, explain(err))
	}
	return runs, nil
}

// dropResults notes that rows are not kept any more, and why.
func (s *Store) dropResults(ctx context.Context, runs []string, why query.Kept) error {
	return s.tx(ctx, func(tx runner) error {
		for _, id := range runs {
			n, err := tx.exec(ctx, `DELETE FROM query_results WHERE run_id = $1`, id)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := tx.exec(ctx, `UPDATE query_runs SET kept = $1 WHERE id = $2`, why, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// LoseResult notes that a kept result's file is gone or damaged.
func (s *Store) LoseResult(ctx context.Context, run string) error {
	if err := s.dropResults(ctx, []string{run}, query.KeptLost); err != nil {
		return fmt.Errorf("note the lost result of %s: %w", run, err)
	}
	return nil
}

// sweptAtOnce bounds one transaction of a sweep.
const sweptAtOnce = 500

// ExpireResults forgets results that were kept before a time, some at once, and
// returns the runs whose files can go.
func (s *Store) ExpireResults(ctx context.Context, before time.Time) ([]string, error) {
	runs, err := collect(ctx, s.reader(), value[string], `
		SELECT run_id FROM query_results WHERE kept_at < $1 ORDER BY kept_at LIMIT $2`, micros(before), sweptAtOnce)
	if err == nil && len(runs) > 0 {
		err = s.dropResults(ctx, runs, query.KeptExpired)
	}
	if err != nil {
		return nil, fmt.Errorf("expire results: %w", explain(err))
	}
	return runs, nil
}

// PruneQueryRuns forgets runs that ended before a time, with their rows, some at
// once, and returns them. The audit log keeps what was run.
func (s *Store) PruneQueryRuns(ctx context.Context, before time.Time) (runs []string, err error) {
	err = s.tx(ctx, func(tx runner) error {
		runs, err = collect(ctx, tx, value[string], `
			SELECT id FROM query_runs WHERE state <> 'running' AND COALESCE(finished_at, started_at) < $1 ORDER BY started_at LIMIT $2`, micros(before), sweptAtOnce)
		for _, id := range runs {
			if err == nil {
				_, err = tx.exec(ctx, `DELETE FROM query_runs WHERE id = $1`, id)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prune queries: %w", explain(err))
	}
	return runs, nil
}

// KeptResults lists the runs whose rows are kept.
func (s *Store) KeptResults(ctx context.Context) (map[string]struct{}, error) {
	runs, err := collect(ctx, s.reader(), value[string], `SELECT run_id FROM query_results`)
	if err != nil {
		return nil, fmt.Errorf("list kept results: %w", explain(err))
	}
	out := make(map[string]struct{}, len(runs))
	for _, id := range runs {
		out[id] = struct{}{}
	}
	return out, nil
}
