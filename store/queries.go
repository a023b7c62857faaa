package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/query"
)

// StartQuery records a query before it runs. While the state cannot be written,
// the server's log takes note instead: reading goes on.
func (s *Store) StartQuery(ctx context.Context, r query.Record) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			INSERT INTO query_runs (id, user_id, user_email, origin, sql, state, started_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			r.ID, r.By.UserID, r.By.Email, r.Origin, r.SQL, r.State, micros(r.StartedAt))
		return err
	})
	if s.logged(r, err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record the start of query %s: %w", r.ID, err)
	}
	return nil
}

// FinishQuery records how a query ended, with its audit row, or as StartQuery
// does. NotFound for a query that was not started.
func (s *Store) FinishQuery(ctx context.Context, r query.Record) error {
	err := s.tx(ctx, func(tx runner) error {
		n, err := tx.exec(ctx, `
			UPDATE query_runs SET state = $1, rows = $2, code = $3, message = $4, finished_at = $5 WHERE id = $6`,
			r.State, r.Rows, r.Code, r.Message, microsOrNull(r.FinishedAt), r.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return domain.E(domain.NotFound, "query_not_found", "Query not found")
		}
		took := r.Duration().Milliseconds()
		return s.writeEntry(ctx, tx, audit.Entry{
			Actor: r.By.Actor(), Action: "query.local", Resource: "adhoc", Result: queryResult(r), DurationMS: took,
			Params: params{
				"sql_preview": preview(r.SQL), "rows_returned": r.Rows, "duration_ms": took,
				"bytes_scanned": nil, "bytes_billed": nil, "bq_job_id": nil, "query_id": r.ID, "origin": r.Origin,
			},
		})
	})
	if s.logged(r, err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record the end of query %s: %w", r.ID, err)
	}
	return nil
}

// logged takes note of a query in the server's log when err says that the state
// cannot be written, or that the query's start is only there.
func (s *Store) logged(r query.Record, err error) bool {
	switch domain.CodeOf(err) {
	case "state_not_durable", "disk_full", "state_not_writable":
	case "query_not_found":
		if _, there := s.loggedQueries.LoadAndDelete(r.ID); !there {
			return false
		}
	default:
		return false
	}
	if r.FinishedAt == nil {
		s.loggedQueries.Store(r.ID, struct{}{})
	} else {
		s.loggedQueries.Delete(r.ID)
	}
	s.log.Warn("a query that the state cannot take note of", "query_id", r.ID, "user_id", string(r.By.UserID), "origin", string(r.Origin),
		"state", string(r.State), "rows", r.Rows, "code", r.Code)
	return true
}

// queryResult is the outcome in the words of the audit log. A failure without
// a code is one inside Agnes.
func queryResult(r query.Record) string {
	switch {
	case r.State == query.OK:
		return "success"
	case r.State == query.Cancelled:
		return "error.499"
	case r.Code == "":
		return "error.500"
	}
	return "error.400"
}

// preview is the part of a statement that the audit log shows.
func preview(sql string) string {
	if r := []rune(sql); len(r) > 200 {
		return string(r[:200])
	}
	return sql
}

// ListQueryRuns returns a person's newest queries, newest first; limit 0 means
// all.
func (s *Store) ListQueryRuns(ctx context.Context, id people.UserID, limit int) ([]query.Record, error) {
	runs, err := collect(ctx, s.reader(), func(row scanner) (query.Record, error) {
		var r query.Record
		err := row.Scan(&r.ID, &r.By.UserID, &r.By.Email, &r.Origin, &r.SQL, &r.State, &r.Rows, &r.Code, &r.Message,
			at{&r.StartedAt}, maybeAt{&r.FinishedAt})
		return r, err
	}, `
		SELECT id, user_id, user_email, origin, sql, state, rows, code, message, started_at, finished_at
		FROM query_runs
		WHERE user_id = $1
		ORDER BY started_at DESC, id DESC
		LIMIT $2`, id, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list queries of %s: %w", id, explain(err))
	}
	return runs, nil
}

// interruptQueries ends the queries that were running when the last process
// stopped: no child of it is left to answer them.
func (s *Store) interruptQueries(ctx context.Context) error {
	err := s.tx(ctx, func(tx runner) error {
		_, err := tx.exec(ctx, `
			UPDATE query_runs SET state = 'failed', code = 'interrupted', message = $1, finished_at = $2 WHERE state = 'running'`,
			"Agnes stopped while the query ran. Run it again.", micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("end interrupted queries: %w", err)
	}
	return nil
}
