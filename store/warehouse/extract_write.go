package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"agnes/domain/work"
)

// extractKey is the place of a source's extract.
func extractKey(source string) string { return path.Join(extractsDir, source, "extract.duckdb") }

// dataKey is the contract's place of a table's current rows.
func dataKey(source, table string) string {
	return path.Join(extractsDir, source, "data", table+".parquet")
}

// metaTable is the self-description of every extract (contract 12.1).
const metaTable = `CREATE TABLE draft.main._meta (
	table_name VARCHAR NOT NULL,
	description VARCHAR,
	rows BIGINT,
	size_bytes BIGINT,
	extracted_at TIMESTAMP,
	query_mode VARCHAR
)`

// writeExtract publishes the extract.duckdb of a source that is Agnes's own,
// unless the one that is there was made of the same. Tables whose file cannot
// be read are left out and returned as problems.
func (s *Store) writeExtract(ctx context.Context, source string, tables []view) (written bool, problems []work.Problem, err error) {
	key, in := extractKey(source), newInputs("extract")
	for _, v := range tables {
		t := v.table
		in.add(t.Name, t.Description, t.Rows, t.Bytes, metaMode(t.QueryMode), metaTime(t.ExtractedAt), strings.Join(t.Keys, "\x00"), strings.Join(v.paths, "\x00"))
	}
	if s.stands(key, s.readNote(key), in.sum()) {
		return false, nil, nil
	}
	now := note{Inputs: in.sum()}
	err = s.PublishFile(ctx, key, func(db *sql.DB) (int, error) {
		var made []view
		made, problems, err = s.fillViews(ctx, db, tables, s.baseOf(key))
		if err != nil {
			return 0, err
		}
		now.Views, now.Made = len(made), marks(made)
		if _, err := db.ExecContext(ctx, metaTable); err != nil {
			return 0, fmt.Errorf("make _meta: %w", err)
		}
		if len(problems) > 0 {
			now.Inputs = "" // they may be readable next time
		}
		return len(made) + 1, fillMeta(ctx, db, made)
	})
	if err != nil {
		return false, nil, fmt.Errorf("write extract of %s: %w", source, err)
	}
	s.noteDown(key, now)
	return true, problems, nil
}

// metaBatch is how many rows one statement has: longer ones take longer to parse.
const metaBatch = 500

// fillMeta describes the views, many rows in one statement.
func fillMeta(ctx context.Context, db *sql.DB, views []view) error {
	for batch := range slices.Chunk(views, metaBatch) {
		rows := make([]string, len(batch))
		for i, v := range batch {
			t := v.table
			rows[i] = fmt.Sprintf("(%s, %s, %d, %d, %s, %s)", quoteLiteral(t.Name), quoteLiteral(t.Description), t.Rows, t.Bytes,
				metaTime(t.ExtractedAt), quoteLiteral(metaMode(t.QueryMode)))
		}
		insert := "INSERT INTO draft.main._meta VALUES " + strings.Join(rows, ", ") //nolint:gosec // every text in it is quoted
		if _, err := db.ExecContext(ctx, insert); err != nil {
			return fmt.Errorf("fill _meta: %w", err)
		}
	}
	return nil
}

func metaTime(t time.Time) string {
	if t.IsZero() {
		return "NULL"
	}
	return "TIMESTAMP " + quoteLiteral(t.UTC().Format("2006-01-02 15:04:05.999999"))
}

func metaMode(mode string) string {
	if mode == "" {
		return "local"
	}
	return mode
}
