package warehouse

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/imports"
	"agnes/domain/work"
)

// newPredecessor makes a state of the predecessor, with statements after it.
func newPredecessor(t *testing.T, more ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "system.duckdb")
	script, err := os.ReadFile("testdata/predecessor.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"ATTACH " + quoteLiteral(file) + " AS p", "USE p", string(script)}
	for _, table := range imports.Schema() {
		columns := make([]string, len(table.Columns))
		for i, c := range table.Columns {
			columns[i] = quoteIdent(c.Name) + " " + c.Type.Duck()
		}
		statements = append(statements, "CREATE TABLE IF NOT EXISTS "+table.Name+" ("+strings.Join(columns, ", ")+")")
	}
	mustExec(t, append(append(statements, more...), "USE memory", "DETACH p")...)
	return file
}

// readAll reads a predecessor's state as the child does, without its sandbox.
func readAll(t *testing.T, s *Store, file string) (work.StateSchema, map[string]work.StateRows, error) {
	t.Helper()
	var schema work.StateSchema
	tables := map[string]work.StateRows{}
	copied, _, err := s.copyPredecessor(t.Context(), file)
	if err != nil {
		return schema, tables, err
	}
	err = s.readPredecessor(t.Context(), copied, func(e work.Event) {
		if e.Schema != nil {
			schema = *e.Schema
		}
		if e.State != nil {
			all := tables[e.State.Table]
			if all.Unknown == nil {
				all.Unknown = map[string]int64{}
			}
			maps.Copy(all.Unknown, e.State.Unknown)
			all.Rows = append(all.Rows, e.State.Rows...)
			all.Absent = append(all.Absent, e.State.Absent...)
			all.TooLarge = append(all.TooLarge, e.State.TooLarge...)
			tables[e.State.Table] = all
		}
	})
	return schema, tables, err
}

func cellOf(t *testing.T, tables map[string]work.StateRows, table, id, column string) *string {
	t.Helper()
	shape, _ := imports.Find(table)
	for _, row := range tables[table].Rows {
		if row[0] != nil && *row[0] == id {
			return row[shape.Index(column)]
		}
	}
	t.Fatalf("%s has no row %s", table, id)
	return nil
}

func TestImportReadsEveryRow(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	file := newPredecessor(t)
	before, err := hashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schema, tables, err := readAll(t, s, file)
	if err != nil {
		t.Fatal(err)
	}
	if schema.Version != 51 || schema.AppliedAt.Format("2006-01-02T15:04:05.999999") != "2026-05-01T10:20:30.123456" {
		t.Errorf("schema %+v", schema)
	}
	for table, want := range map[string]int{"users": 7, "audit_log": 10000, "sync_history": 3000, "resource_grants": 10, "knowledge_items": 1} {
		if got := len(tables[table].Rows); got != want {
			t.Errorf("%s: %d rows, want %d", table, got, want)
		}
	}
	if got := tables["knowledge_items"].TooLarge; len(got) != 1 || got[0] != "km_2" {
		t.Errorf("too large: %v", got)
	}
	for _, c := range []struct{ table, id, column, want string }{
		{"users", "u-ada", "created_at", "1738555506789000"},
		{"users", "u-eva", "name", "Eva Nováková 🦊"},
		{"users", "u-old", "active", "false"},
		{"table_registry", "orders", "registered_at", "1736057228000009"},
		{"sync_state", "orders", "rows", "9007199254740993"},
		{"personal_access_tokens", "5f2b", "expires_at", "infinity"},
		{"metric_definitions", "sales/revenue", "tables", `["orders","a \"b\" č"]`},
		{"knowledge_items", "km_1", "confidence", "0.1"},
	} {
		if got := cellOf(t, tables, c.table, c.id, c.column); got == nil || *got != c.want {
			t.Errorf("%s %s %s = %v, want %s", c.table, c.id, c.column, got, c.want)
		}
	}
	if got := cellOf(t, tables, "users", "u-nul", "email"); got != nil {
		t.Errorf("NULL became %q", *got)
	}
	after, err := hashFile(file)
	if err != nil || after != before {
		t.Errorf("the original changed: %v, %v", after, err)
	}
}

func TestImportTakesTheLogAlong(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	file := newPredecessor(t)
	// A writer that is killed leaves its last rows in the log.
	live := filepath.Join(t.TempDir(), "system.duckdb")
	copyWhileOpen(t, file, live)
	_, tables, err := readAll(t, s, live)
	if err != nil {
		t.Fatal(err)
	}
	if got := *cellOf(t, tables, "users", "u-late", "email"); got != "late@example.com" {
		t.Errorf("row of the log: %q", got)
	}
	if _, err := os.Stat(live + ".wal"); err != nil {
		t.Errorf("the original's log is gone: %v", err)
	}
}

// copyWhileOpen copies a database and its log while a writer that just inserted
// has it open, as a stop without warning leaves them.
func copyWhileOpen(t *testing.T, from, to string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, q := range []string{
		"ATTACH " + quoteLiteral(from) + " AS p",
		"INSERT INTO p.users BY NAME SELECT 'u-late' AS id, 'late@example.com' AS email",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, suffix := range []string{"", ".wal"} { // read here, this process's lock on the file would go; it has no other use
		content, err := os.ReadFile(from + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// checkpointEnv makes the test binary write to a database while a checkpoint runs.
const checkpointEnv = "AGNES_TEST_CHECKPOINT"

func TestWriteDuringACheckpoint(t *testing.T) {
	file := os.Getenv(checkpointEnv)
	if file == "" {
		t.Skip("a helper of TestImportTakesTheLogOfACheckpointAlong")
	}
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	session := func() *sql.Conn {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	do := func(c *sql.Conn, query string) {
		if _, err := c.ExecContext(t.Context(), query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	writer, checkpointer, reader := session(), session(), session()
	do(writer, "CREATE TABLE plain AS SELECT 0 AS i")
	do(writer, "CHECKPOINT")
	do(reader, "BEGIN") // with a reader at work, others may write while the checkpoint runs
	do(reader, "SELECT count(*) FROM plain")
	do(writer, "INSERT INTO plain VALUES (1)")
	do(writer, "SET GLOBAL debug_checkpoint_sleep_ms = 600000")
	go do(checkpointer, "CHECKPOINT")
	for i := 2; ; i++ {
		do(writer, fmt.Sprintf("INSERT INTO plain VALUES (%d)", i))
		if _, err := os.Stat(file + ".wal.checkpoint"); err == nil {
			fmt.Println("written", i)
			select {} // until it is killed
		}
	}
}

func TestImportTakesTheLogOfACheckpointAlong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "system.duckdb")
	server := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestWriteDuringACheckpoint$", "-test.v")
	server.Env = append(os.Environ(), checkpointEnv+"="+file)
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var last int
	for lines := bufio.NewScanner(stdout); last == 0 && lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), "written "); found {
			last, err = strconv.Atoi(after)
		}
	}
	if err := errors.Join(err, server.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err == nil || last == 0 {
		t.Fatalf("the server ended by itself: %v", err)
	}
	before := filesOf(t, filepath.Dir(file))
	s := newTestStore(t)
	copied, _, err := s.copyPredecessor(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := s.openPredecessor(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+predecessor+".plain").Scan(&rows); err != nil || rows != last+1 {
		t.Errorf("%d rows, %v; want all %d that were confirmed", rows, err, last+1)
	}
	if after := filesOf(t, filepath.Dir(file)); !maps.Equal(before, after) {
		t.Errorf("the original changed from %v to %v", before, after)
	}
}

// filesOf returns the hashes of a folder's files.
func filesOf(t *testing.T, dir string) map[string]fileSums {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]fileSums{}
	for _, e := range entries {
		if files[e.Name()], err = hashFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, code string
		file       func(t *testing.T) string
	}{
		{"older", "schema_too_old", func(t *testing.T) string {
			t.Helper()
			return newPredecessor(t, "DELETE FROM schema_version WHERE version = 51", "INSERT INTO schema_version VALUES (50, NULL)")
		}},
		{"newer", "schema_too_new", func(t *testing.T) string {
			t.Helper()
			return newPredecessor(t, "INSERT INTO schema_version VALUES (52, now())")
		}},
		{"another database", "not_a_state", func(t *testing.T) string { t.Helper(); return newPredecessor(t, "DROP TABLE schema_version") }},
		{"no version", "not_a_state", func(t *testing.T) string { t.Helper(); return newPredecessor(t, "DELETE FROM schema_version") }},
		{"missing", "database_missing", func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "x") }},
		{"a folder", "database_missing", func(t *testing.T) string { t.Helper(); return t.TempDir() }},
		{"cut", "database_damaged", func(t *testing.T) string {
			t.Helper()
			file := newPredecessor(t)
			if err := os.Truncate(file, 30_000); err != nil {
				t.Fatal(err)
			}
			return file
		}},
		{"no database", "not_a_database", func(t *testing.T) string {
			t.Helper()
			file := filepath.Join(t.TempDir(), "system.duckdb")
			if err := os.WriteFile(file, bytes.Repeat([]byte("no database "), 2000), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readAll(t, newTestStore(t), c.file(t))
			if f := wantCode(t, err, c.code); f.NextStep == "" {
				t.Error("no next step")
			}
		})
	}
}

func TestImportWithoutTables(t *testing.T) {
	t.Parallel()
	_, tables, err := readAll(t, newTestStore(t), newPredecessor(t, "DROP TABLE usage_events", "ALTER TABLE sync_history DROP COLUMN error"))
	if err != nil {
		t.Fatal(err)
	}
	if got := tables["usage_events"].Absent; len(got) != 1 || got[0] != "*" {
		t.Errorf("a table that is not there: %v", got)
	}
	if got := tables["sync_history"]; len(got.Rows) != 3000 || len(got.Absent) != 1 || got.Absent[0] != "error" {
		t.Errorf("a column that is not there: %d rows, absent %v", len(got.Rows), got.Absent)
	}
}

func TestImportSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	_, tables, err := readAll(t, newTestStore(t), newPredecessor(t,
		"ALTER TABLE users ADD COLUMN Avatar VARCHAR", "ALTER TABLE users ADD COLUMN empty VARCHAR", "UPDATE users SET avatar = 'x' WHERE id IN ('u-ada', 'u-eva')",
		"CREATE TABLE Surveys AS SELECT * FROM range(12)", "CREATE TABLE nothing (i INTEGER)", "CREATE VIEW shown AS SELECT 1 AS i",
		"CREATE SCHEMA extra", "CREATE TABLE extra.users AS SELECT 1 AS i",
		"CREATE SCHEMA fts_main_knowledge_items", "CREATE TABLE fts_main_knowledge_items.docs AS SELECT 1 AS i"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]int64{}
	for name, rows := range tables {
		if len(rows.Unknown) > 0 {
			got[name] = rows.Unknown
		}
	}
	if diff := cmp.Diff(map[string]map[string]int64{
		"users": {"avatar": 2, "empty": 0}, "Surveys": {"*": 12}, "nothing": {"*": 0}, "extra.users": {"*": 1},
	}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(tables["users"].Rows); n != 7 {
		t.Errorf("%d users", n)
	}
}

// mirrorInput is a mirror child's standard input after its job.
func mirrorInput(t *testing.T, rows ...work.StateRows) io.Reader {
	t.Helper()
	var b bytes.Buffer
	for _, r := range rows {
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func TestMirrorRoundTrip(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	_, tables, err := readAll(t, s, newPredecessor(t))
	if err != nil {
		t.Fatal(err)
	}
	shape, _ := imports.Find("personal_access_tokens")
	for _, row := range tables[shape.Name].Rows { // the state keeps no infinite time
		if p := row[shape.Index("expires_at")]; p != nil && *p == "infinity" {
			row[shape.Index("expires_at")] = nil
		}
	}
	var rows []work.StateRows
	for name, r := range tables {
		if len(r.Rows) > 0 {
			rows = append(rows, work.StateRows{Table: name, Rows: r.Rows})
		}
	}
	counts, err := s.writeMirror(t.Context(), "mirror/system.duckdb", json.NewDecoder(mirrorInput(t, append(rows, work.StateRows{End: true})...)))
	if err != nil {
		t.Fatal(err)
	}
	if counts["audit_log"] != 10000 || counts["usage_events"] != 0 {
		t.Errorf("counts %v", counts)
	}
	file := mustPath(t, s, "mirror/system.duckdb")
	_, _, err = readAll(t, newTestStore(t), file)
	wantCode(t, err, "state_is_a_mirror") // it has no passwords, and rows that were deleted since
	mustExec(t, "ATTACH "+quoteLiteral(file)+" AS m", "COMMENT ON TABLE m.schema_version IS NULL", "DETACH m")
	_, again, err := readAll(t, newTestStore(t), file)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range tables {
		if len(again[name].Rows) != len(r.Rows) {
			t.Errorf("%s: %d rows, want %d", name, len(again[name].Rows), len(r.Rows))
		}
	}
	for _, c := range []struct{ table, id, column string }{
		{"users", "u-eva", "name"},
		{"users", "u-ada", "created_at"},
		{"table_registry", "orders", "where_filters"},
		{"metric_definitions", "sales/revenue", "tables"},
		{"metric_definitions", "sales/revenue", "sql_variants"},
		{"sync_state", "orders", "rows"},
	} {
		if got, want := cellOf(t, again, c.table, c.id, c.column), cellOf(t, tables, c.table, c.id, c.column); got == nil || *got != *want {
			t.Errorf("%s %s %s = %v, want %q", c.table, c.id, c.column, got, *want)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("canary")) || bytes.Contains(content, []byte("argon2id")) {
		t.Error("a secret is in the mirror")
	}
	wantClean(t, s)
}

func TestMirrorRefusesHalfAState(t *testing.T) {
	t.Parallel()
	one := "x"
	for name, in := range map[string]io.Reader{
		"no end":        mirrorInput(t, work.StateRows{Table: "user_groups"}),
		"unknown table": mirrorInput(t, work.StateRows{Table: "sqlite_master"}, work.StateRows{End: true}),
		"short row":     mirrorInput(t, work.StateRows{Table: "users", Rows: [][]*string{{&one}}}, work.StateRows{End: true}),
		"no JSON":       strings.NewReader("{"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			if _, err := s.writeMirror(t.Context(), "mirror/system.duckdb", json.NewDecoder(in)); err == nil {
				t.Fatal("published")
			}
			if _, err := os.Stat(mustPath(t, s, "mirror/system.duckdb")); !os.IsNotExist(err) {
				t.Errorf("a file is there: %v", err)
			}
			wantClean(t, s)
		})
	}
}

func TestImportAndMirrorRefuseOddJobs(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for name, child := range map[string]func(io.Reader, io.Writer) error{
		"import": func(in io.Reader, out io.Writer) error { return RunImport(t.Context(), in, out, log) },
		"mirror": func(in io.Reader, out io.Writer) error { return RunMirror(t.Context(), in, out, log) },
	} {
		for _, job := range []string{"", "{", `{"nonsense": 1}`, `{"data_dir": "relative"}`, `{"data_dir": "/x", "key": "../y", "budget": {"scratch_key": "s"}}`} {
			var out bytes.Buffer
			if err := child(strings.NewReader(job), &out); err != nil {
				t.Errorf("%s of %q: %v", name, job, err)
			}
			if !strings.Contains(out.String(), `"code":"job_invalid"`) {
				t.Errorf("%s of %q said %s", name, job, out.String())
			}
		}
	}
}
