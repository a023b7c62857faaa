package store

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/query"
)

// StartQuery records a query before it runs, unless its author has reached a
// limit: then it fails with a *query.LimitError. While the state cannot be
// written, the server's log takes note instead: reading goes on.
func (s *Store) StartQuery(ctx context.Context, r query.Record, limits query.PersonLimits) error {
	tables, err := encoded(r.Tables, len(r.Tables))
	if err != nil {
		return err
	}
	_, as := r.By.Owner().Parts()
	err = s.tx(ctx, func(tx runner) error {
		if err := withinLimits(ctx, tx, r, limits); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `
			INSERT INTO query_runs (id, user_id, user_email, origin, sql, state, table_names, max_rows, started_at, as_user)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			r.ID, r.By.UserID, r.By.Email, r.Origin, r.SQL, r.State, tables, r.MaxRows, micros(r.StartedAt), as)
		return err
	})
	if s.logged(r, err) {
		return nil
	}
	var over *query.LimitError
	if errors.As(err, &over) {
		r.Code = domain.CodeOf(err)
		refused := queryEntry(r)
		refused.Result = "error.429"
		err = errors.Join(err, s.Audit(ctx, refused))
	}
	if err != nil {
		return fmt.Errorf("record the start of query %s: %w", r.ID, err)
	}
	return nil
}

// FinishQuery records how a query ended, with what of its rows is kept and its
// audit row, or as StartQuery does. NotFound for a query that was not started.
func (s *Store) FinishQuery(ctx context.Context, r query.Record) error {
	columns, err := encoded(r.Columns, len(r.Columns))
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(tx runner) error {
		n, err := tx.exec(ctx, `
			UPDATE query_runs
			SET state = $1, rows = $2, bytes = $3, has_more = $4, result_columns = $5, code = $6, message = $7,
				error_line = $8, error_column = $9, kept = $10, finished_at = $11
			WHERE id = $12`,
			r.State, r.Rows, r.Bytes, r.More, columns, r.Code, r.Message, r.Line, r.Column, r.Kept, microsOrNull(r.FinishedAt), r.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return queryNotFound()
		}
		if err := s.keepResult(ctx, tx, r); err != nil {
			return err
		}
		if err := addUsage(ctx, tx, r); err != nil {
			return err
		}
		return s.writeEntry(ctx, tx, queryEntry(r))
	})
	if s.logged(r, err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record the end of query %s: %w", r.ID, err)
	}
	return nil
}

// queryEntry is the audit row of a query that ended.
func queryEntry(r query.Record) audit.Entry {
	took := r.Duration().Milliseconds()
	resource := "adhoc"
	switch {
	case len(r.TableIDs) > 0:
		resource = "table:" + string(r.TableIDs[0])
	case len(r.Tables) > 0:
		resource = "table:" + r.Tables[0]
	}
	action := "query.local"
	if r.Origin == query.FromSample {
		action = "catalog.sample"
	}
	tables := r.Tables
	if len(tables) > auditedTables {
		tables = tables[:auditedTables]
	}
	entry := audit.Entry{
		Actor: r.By.Actor(), Action: action, Resource: resource, Result: queryResult(r), DurationMS: took,
		Params: params{
			"sql_preview": preview(r.SQL), "rows_returned": r.Rows, "bytes_returned": r.Bytes, "duration_ms": took, "tables": tables,
			"bytes_scanned": nil, "bytes_billed": nil, "bq_job_id": nil, "query_id": r.ID, "origin": r.Origin, "outcome": r.State, "code": r.Code,
		},
	}
	if r.By.As != nil {
		entry.Params["as"] = r.By.As.Email
	}
	return entry
}

// auditedTables is how many tables of one query an audit row names.
const auditedTables = 50

func queryNotFound() error {
	return domain.E(domain.NotFound, "query_not_found", "Query not found")
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
