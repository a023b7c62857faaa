package store

import (
	"context"
	"fmt"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
)

// queryColumns are read by scanQuery, from query_runs q.
const queryColumns = `q.id, q.user_id, q.user_email, q.origin, q.sql, q.state, q.table_names, q.result_columns, q.max_rows, q.rows, q.bytes, q.has_more,
		q.code, q.message, q.error_line, q.error_column, q.kept, q.started_at, q.finished_at, q.as_user`

func scanQuery(row scanner) (query.Record, error) {
	var r query.Record
	err := row.Scan(&r.ID, &r.By.UserID, &r.By.Email, &r.Origin, &r.SQL, &r.State, decoded{&r.Tables}, decoded{&r.Columns}, &r.MaxRows, &r.Rows, &r.Bytes, &r.More,
		&r.Code, &r.Message, &r.Line, &r.Column, &r.Kept, at{&r.StartedAt}, maybeAt{&r.FinishedAt}, eyes{&r.By.As})
	return r, err
}

// eyes scans the id of the person through whose eyes a query was run.
type eyes struct{ to **access.Eyes }

// Scan reads one value.
func (e eyes) Scan(v any) error {
	id, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan eyes: %T is no text", v)
	}
	if id != "" {
		*e.to = &access.Eyes{User: people.UserID(id)}
	}
	return nil
}

// ListQueryRuns returns a person's newest queries, newest first; limit 0 means
// all.
func (s *Store) ListQueryRuns(ctx context.Context, id people.UserID, limit int) ([]query.Record, error) {
	return s.QueryHistory(ctx, query.HistoryFilter{By: access.OwnerOf(id, ""), Limit: limit})
}

// QueryHistory returns a page of a person's queries, newest first. A cursor that is not
// theirs begins at the newest.
func (s *Store) QueryHistory(ctx context.Context, f query.HistoryFilter) ([]query.Record, error) {
	user, as := f.By.Parts()
	runs, err := collect(ctx, s.reader(), scanQuery, `
		SELECT `+queryColumns+`
		FROM query_runs q
		LEFT JOIN query_runs c ON c.id = $3 AND c.user_id = $1 AND c.as_user = $2
		WHERE q.user_id = $1 AND q.as_user = $2
			AND (c.id IS NULL OR q.started_at < c.started_at OR (q.started_at = c.started_at AND q.id < c.id))
			AND ($4 = '' OR q.state = $4) AND ($5 = '' OR q.origin = $5)
			AND ($6 = '' OR lower(q.sql) LIKE lower($6) ESCAPE '!')
			AND (NOT $7 OR q.kept = 'kept')
		ORDER BY q.started_at DESC, q.id DESC
		LIMIT $8`,
		user, as, f.After, f.State, f.Origin, part(f.Text), f.Kept, pageSize(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list queries of %s: %w", f.By, explain(err))
	}
	return runs, nil
}

// part is containing, "" for everything.
func part(text string) string {
	if text == "" {
		return ""
	}
	return containing(text)
}

// GetQueryRun returns a run of a person, with where its rows are. Somebody
// else's is NotFound, like none.
func (s *Store) GetQueryRun(ctx context.Context, by access.Owner, id string) (query.Record, error) {
	user, as := by.Parts()
	r, err := one(ctx, s.reader(), func(row scanner) (query.Record, error) {
		var (
			r       query.Record
			bytes   int64
			batches []int64
			pieces  []query.Piece
		)
		err := row.Scan(&r.ID, &r.By.UserID, &r.By.Email, &r.Origin, &r.SQL, &r.State, decoded{&r.Tables}, decoded{&r.Columns}, &r.MaxRows, &r.Rows, &r.Bytes, &r.More,
			&r.Code, &r.Message, &r.Line, &r.Column, &r.Kept, at{&r.StartedAt}, maybeAt{&r.FinishedAt}, eyes{&r.By.As}, &bytes, decoded{&batches}, decoded{&pieces})
		if r.Kept == query.KeptWhole {
			r.Stored = &query.Stored{Bytes: bytes, Batches: batches, Pieces: pieces}
		}
		return r, err
	}, `
		SELECT `+queryColumns+`, COALESCE(k.bytes, 0), k.batches, k.pieces
		FROM query_runs q
		LEFT JOIN query_results k ON k.run_id = q.id
		WHERE q.id = $1 AND q.user_id = $2 AND q.as_user = $3`, id, user, as)
	if absent(err) {
		err = queryNotFound()
	}
	if err != nil {
		return r, fmt.Errorf("get query %s: %w", id, explain(err))
	}
	return r, nil
}

// ForgetQueryRun takes a run that has ended off its author's list. The audit
// log keeps its row. NotFound for somebody else's, Conflict for one that runs.
func (s *Store) ForgetQueryRun(ctx context.Context, by access.Owner, id string) error {
	user, as := by.Parts()
	err := s.tx(ctx, func(tx runner) error {
		n, err := tx.exec(ctx, `DELETE FROM query_runs WHERE id = $1 AND user_id = $2 AND as_user = $3 AND state <> 'running'`, id, user, as)
		if err != nil || n > 0 {
			return err
		}
		_, err = one(ctx, tx, value[string], `SELECT id FROM query_runs WHERE id = $1 AND user_id = $2 AND as_user = $3`, id, user, as)
		if absent(err) {
			return queryNotFound()
		}
		if err != nil {
			return err
		}
		return query.StillRunning()
	})
	if err != nil {
		return fmt.Errorf("forget query %s: %w", id, err)
	}
	return nil
}
