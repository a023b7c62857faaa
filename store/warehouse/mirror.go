package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"agnes/domain/imports"
	"agnes/domain/work"
)

// mirrorRemark is the comment on a mirror's schema_version, by which it is told
// from a predecessor's state.
const mirrorRemark = "Read-only mirror of the state of Agnes, without its secrets"

// RunMirror is the body of a mirror child: it writes the rows that follow its
// job as a DuckDB file in the shape of imports.Schema. See RunExtract for how
// it ends.
func RunMirror(ctx context.Context, stdin io.Reader, events io.Writer, log *slog.Logger) error {
	return runChild(events, log, func(report Report) error {
		in := json.NewDecoder(stdin)
		in.DisallowUnknownFields()
		var job work.MirrorJob
		if err := in.Decode(&job); err != nil {
			return badJob(err)
		}
		s, err := openStore(ctx, job.DataDir, job.Budget, log)
		if err != nil {
			return err
		}
		final, err := s.path(job.Key)
		if err != nil {
			return badJob(err)
		}
		if err := enterSandbox(job.Budget, doors{write: []string{s.scratch, filepath.Dir(final)}}, log); err != nil {
			return err
		}
		rows, err := s.writeMirror(ctx, job.Key, in)
		if err == nil {
			report(work.Event{Mirrored: &work.Mirrored{Rows: rows}})
		}
		return err
	})
}

// writeMirror publishes the mirror at key with the rows of in, which must come
// to their end: half a state is not published.
func (s *Store) writeMirror(ctx context.Context, key string, in *json.Decoder) (counts map[string]int64, err error) {
	tables := map[string]imports.Table{}
	counts = map[string]int64{}
	err = s.PublishFile(ctx, key, func(db *sql.DB) (int, error) {
		for _, t := range imports.Schema() {
			tables[t.Name] = t
			counts[t.Name] = 0
			if _, err := db.ExecContext(ctx, mirrorTable(t)); err != nil {
				return 0, fmt.Errorf("make %s: %w", t.Name, err)
			}
		}
		version := fmt.Sprintf( //nolint:gosec // the values are constants
			`CREATE TABLE %[1]s.main.schema_version (version INTEGER, applied_at TIMESTAMP);
			INSERT INTO %[1]s.main.schema_version VALUES (%[2]d, CAST(now() AS TIMESTAMP));
			COMMENT ON TABLE %[1]s.main.schema_version IS '%[3]s'`, draftName, imports.SchemaVersion, mirrorRemark)
		if _, err := db.ExecContext(ctx, version); err != nil {
			return 0, fmt.Errorf("make schema_version: %w", err)
		}
		for {
			var rows mirrorRows
			if err := in.Decode(&rows); err != nil {
				return 0, fmt.Errorf("read the state's rows: %w", err)
			}
			if rows.End {
				return len(tables) + 1, checkCounts(ctx, db, counts)
			}
			t, known := tables[rows.Table]
			if !known {
				return 0, badJob(fmt.Errorf("table %q is not known", rows.Table))
			}
			n, err := insertMirror(ctx, db, t, rows.Rows)
			if err != nil {
				return 0, fmt.Errorf("fill %s: %w", t.Name, err)
			}
			counts[t.Name] += n
		}
	})
	return counts, err
}

func mirrorTable(t imports.Table) string {
	parts := make([]string, 0, len(t.Columns)+1)
	for _, c := range t.Columns {
		parts = append(parts, quoteIdent(c.Name)+" "+c.Type.Duck())
	}
	if key := t.Key(); t.Index("code") < 0 {
		for i, k := range key {
			key[i] = quoteIdent(k)
		}
		parts = append(parts, "PRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	return "CREATE TABLE " + draftName + ".main." + quoteIdent(t.Name) + " (" + strings.Join(parts, ", ") + ")"
}

// mirrorRows is a work.StateRows whose rows stay the text that DuckDB reads: a
// state has more cells than a child should take apart and put together again.
type mirrorRows struct {
	Table string          `json:"table"`
	Rows  json.RawMessage `json:"rows"`
	End   bool            `json:"end"`
}

// insertMirror adds rows in one statement and returns how many: its one parameter
// is all of them. Secrets become NULL here too, whoever sent them. A row of
// another number of cells than the table has columns fails.
func insertMirror(ctx context.Context, db *sql.DB, t imports.Table, rows json.RawMessage) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	values := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		values[i] = mirrorValue(c, fmt.Sprintf("r[%d]", i+1))
	}
	insert := "INSERT INTO " + draftName + //nolint:gosec // names are quoted, values are a parameter
		".main." + quoteIdent(t.Name) + " SELECT " + strings.Join(values, ", ") +
		` FROM (SELECT unnest(from_json($1, '[["VARCHAR"]]')) AS r) WHERE CASE WHEN len(r) = ` + strconv.Itoa(len(t.Columns)) +
		" THEN true ELSE error('a row has the wrong number of columns') END"
	done, err := db.ExecContext(ctx, insert, string(rows))
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller names the table
	}
	return done.RowsAffected() //nolint:wrapcheck // the driver always knows
}

// mirrorValue is the expression that makes a cell's value of its text.
func mirrorValue(c imports.Column, text string) string {
	if c.Secret {
		return "NULL"
	}
	switch c.Type {
	case imports.Time:
		return "make_timestamp(CAST(" + text + " AS BIGINT))"
	case imports.List:
		return "CAST(from_json(" + text + `, '["VARCHAR"]') AS VARCHAR[])`
	case imports.Text:
		return text
	case imports.Integer, imports.Big, imports.Boolean, imports.Day, imports.JSON, imports.Double:
	}
	return "CAST(" + text + " AS " + c.Type.Duck() + ")"
}

// checkCounts fails unless every table holds as many rows as it was given.
func checkCounts(ctx context.Context, db *sql.DB, counts map[string]int64) error {
	for name, want := range counts {
		var got int64
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+draftName+".main."+quoteIdent(name)).Scan(&got); err != nil {
			return fmt.Errorf("count %s: %w", name, err)
		}
		if got != want {
			return fmt.Errorf("%s has %d rows where %d were written", name, got, want)
		}
	}
	return nil
}
