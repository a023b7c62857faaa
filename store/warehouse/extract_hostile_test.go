package warehouse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/work"
)

// Each wrong _meta costs one sentence, and what can be read of it is.
func TestMetaThatIsNotTheContracts(t *testing.T) {
	t.Parallel()
	object := "CREATE TABLE shop.t AS SELECT 1 AS i"
	for name, c := range map[string]struct {
		statements []string
		code       string // of the source
		table      string // code of its first table
		mode       string
	}{
		"only names":        {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name", object}, "", "", "local"},
		"wrong types":       {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name, 1 AS description, 'many' AS rows, [1] AS size_bytes, 'x' AS extracted_at, 5 AS query_mode", object}, "", "", "5"},
		"odd case":          {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS TABLE_NAME, 'LOCAL' AS Query_Mode", object}, "", "", "local"},
		"nulls":             {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name, NULL::VARCHAR AS description, NULL::BIGINT AS rows, NULL::VARCHAR AS query_mode", object}, "", "", "local"},
		"a NULL name":       {[]string{"CREATE TABLE shop._meta (table_name VARCHAR)", "INSERT INTO shop._meta VALUES (NULL)"}, "", "table_name_invalid", "local"},
		"names are numbers": {[]string{"CREATE TABLE shop._meta AS SELECT 1 AS table_name"}, "meta_invalid", "", ""},
		"no names":          {[]string{"CREATE TABLE shop._meta AS SELECT 1 AS description"}, "meta_invalid", "", ""},
		"twice":             {[]string{"CREATE TABLE shop._meta AS SELECT unnest(['t', 't', 'T']) AS table_name", object}, "", "", "local"},
		"a million rows":    {[]string{"CREATE TABLE shop._meta AS SELECT 't' || i AS table_name FROM range(1000000) AS r(i)"}, "meta_too_large", "", ""},
		"a huge name":       {[]string{"CREATE TABLE shop._meta AS SELECT repeat('x', 2000000) AS table_name, repeat('y', 2000000) AS description"}, "", "table_name_invalid", "local"},
		"negative numbers":  {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name, -1 AS rows, -9 AS size_bytes", object}, "", "", "local"},
		"a view":            {[]string{"CREATE VIEW shop._meta AS SELECT 't' AS table_name", object}, "", "", "local"},
		"a macro":           {[]string{"CREATE TABLE shop._meta AS SELECT 'm' AS table_name", "CREATE MACRO shop.m() AS TABLE SELECT 1 AS i"}, "", "table_missing", "local"},
		"a view on a macro": {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name", "CREATE MACRO shop.m(a) AS a + 1", "CREATE VIEW shop.t AS SELECT shop.main.m(1) AS i"}, "", "", "local"},
		"a sequence":        {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name", "CREATE SEQUENCE shop.q", "CREATE TABLE shop.t AS SELECT 1 AS i"}, "", "", "local"},
		"an odd schema":     {[]string{"CREATE TABLE shop._meta AS SELECT 't' AS table_name", "CREATE SCHEMA shop.other", "CREATE TABLE shop.other.t AS SELECT 1"}, "", "table_missing", "local"},
		"remote":            {[]string{"CREATE TABLE shop._meta AS SELECT 'far' AS table_name, 'REMOTE' AS query_mode"}, "", "", "remote"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			newShop(t, s, c.statements...)
			found, err := s.SourceTables(t.Context(), "shop")
			if c.code != "" {
				wantCode(t, err, c.code)
				return
			}
			if err != nil || len(found.Tables) == 0 {
				t.Fatalf("%+v, %v", found, err)
			}
			got := found.Tables[0]
			if got.Code != c.table || got.QueryMode != c.mode || len(got.Name) > 200 || len(got.Description) > 4000 || got.Rows < 0 || got.Bytes < 0 {
				t.Errorf("table %.300v, want code %q and mode %q", got, c.table, c.mode)
			}
			for _, more := range found.Tables[1:] {
				if more.Code != "table_name_doubled" {
					t.Errorf("a row more: %+v", more)
				}
			}
		})
	}
}

// Views are somebody else's SQL: each costs one sentence, not the others.
func TestViewsThatMeanHarm(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := filepath.Join(s.dir, "extracts", "shop")
	mustWrite(t, s, "extracts/crm/extract.duckdb", "x")
	mustWrite(t, s, "state/system.db", "secret")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mustPath(t, s, "state/system.db"), filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	views := map[string]string{
		"other_extract": "SELECT * FROM read_text(" + quoteLiteral(mustPath(t, s, "extracts/crm/extract.duckdb")) + ")",
		"state":         "SELECT * FROM read_text(" + quoteLiteral(mustPath(t, s, "state/system.db")) + ")",
		"attached":      "SELECT * FROM other.main.t",
		"catalogs":      "SELECT * FROM system.main.nothing",
		"lost_file":     "SELECT * FROM read_parquet(" + quoteLiteral(filepath.Join(dir, "data/none.parquet")) + ")",
		"itself":        "SELECT 1 AS i",
	}
	var names, statements []string
	for name := range views {
		names = append(names, "('"+name+"','',1,1,now(),'local')")
	}
	// A view is bound when it is made; what it reads goes afterwards.
	statements = append(statements, "CREATE TABLE shop.good AS SELECT 7 AS i", "ATTACH ':memory:' AS other", "CREATE TABLE other.t AS SELECT 1 AS i",
		"COPY (SELECT 1 AS i) TO "+quoteLiteral(filepath.Join(dir, "data/none.parquet")),
		metaFor("shop", append(names, "('good','',1,1,now(),'local')", "('forever','',1,1,now(),'local')")...),
		"CREATE TABLE system_stand_in AS SELECT 1 AS i",
		"CREATE VIEW shop.forever AS WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT * FROM r")
	for name, query := range views {
		if name == "catalogs" {
			query = "SELECT * FROM system_stand_in"
		}
		statements = append(statements, "CREATE VIEW shop."+name+" AS "+query)
	}
	statements = append(statements, "CREATE OR REPLACE VIEW shop.itself AS SELECT * FROM shop.main.itself")
	newShop(t, s, statements...)
	if err := os.Remove(filepath.Join(dir, "data/none.parquet")); err != nil {
		t.Fatal(err)
	}
	found, err := s.SourceTables(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range found.Tables {
		want := "table_unreadable"
		if got.Name == "good" || got.Name == "forever" {
			want = ""
		}
		if got.Code != want || strings.Contains(got.Problem, s.dir) {
			t.Errorf("%s: %q %q, want %q", got.Name, got.Code, got.Problem, want)
		}
	}
	if out, err := s.Snapshot(t.Context(), "shop", "good", Target{"shop", "good", "v1"}, nil); err != nil || out.Rows != 1 {
		t.Errorf("the good table: %+v, %v", out, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	_, err = s.Snapshot(ctx, "shop", "forever", Target{"shop", "forever", "v1"}, nil)
	wantCode(t, err, "cancelled")
	wantClean(t, s)
}

func TestExtractFilesThatAreNone(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i", "CHECKPOINT shop")
	file := filepath.Join(dir, "extract.duckdb")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := filepath.Join(t.TempDir(), "e.duckdb")
	mustExec(t, "SET force_mbedtls_unsafe = true", "ATTACH "+quoteLiteral(encrypted)+" AS shop (ENCRYPTION_KEY 'k')", metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i", "DETACH shop")
	locked, err := os.ReadFile(encrypted)
	if err != nil {
		t.Fatal(err)
	}
	older := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		prepare func() error
		code    string
	}{
		"a folder":        {func() error { return os.Mkdir(file, 0o750) }, "extract_unreadable"},
		"encrypted":       {func() error { return os.WriteFile(file, locked, 0o600) }, "extract_encrypted"},
		"a link to none":  {func() error { return os.Symlink(filepath.Join(dir, "nothing"), file) }, "extract_missing"},
		"a link to state": {func() error { return os.Symlink("/etc/passwd", file) }, "extract_unreadable"},
		"a stale log": {func() error {
			if err := os.WriteFile(file+".wal", []byte("old"), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(file+".wal", older, older); err != nil {
				return err
			}
			return os.WriteFile(file, whole, 0o600)
		}, "extract_log_stale"},
		"a stale log of a checkpoint": {func() error {
			log := file + ".wal.checkpoint"
			return errors.Join(os.WriteFile(log, []byte("old"), 0o600), os.Chtimes(log, older, older), os.WriteFile(file, whole, 0o600))
		}, "extract_log_stale"},
		"a log of nonsense": {func() error {
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				return err
			}
			return os.WriteFile(file+".wal", []byte(strings.Repeat("nonsense", 100)), 0o600)
		}, ""}, // the file itself is whole
	} {
		for _, old := range []string{file, file + ".wal", file + ".wal.checkpoint"} {
			if err := os.RemoveAll(old); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.prepare(); err != nil {
			t.Fatal(err)
		}
		_, err := s.SourceTables(t.Context(), "shop")
		if err == nil || c.code == "" {
			if err != nil || c.code != "" {
				t.Errorf("%s: %v, want %q", name, err, c.code)
			}
			continue
		}
		if f := FailureOf(err); f.Code != c.code || f.Message == "" || strings.Contains(f.Message, s.dir) {
			t.Errorf("%s: %q %q (%v), want %s", name, f.Code, f.Message, err, c.code)
		}
	}
}

func TestExtractReplacedWhileItIsRead(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i", "CHECKPOINT shop")
	file := filepath.Join(dir, "extract.duckdb")
	e, err := s.openExtract(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := e.unchanged("shop"); err != nil {
		t.Errorf("untouched: %v", err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	wantCode(t, e.unchanged("shop"), "extract_changed")
	mustWrite(t, s, "extracts/shop/new", "another file")
	if err := os.Rename(filepath.Join(dir, "new"), file); err != nil {
		t.Fatal(err)
	}
	if err := e.unchanged("shop"); err != nil {
		t.Errorf("replaced by a rename: %v", err)
	}
	tables, err := e.offered(t.Context(), "shop")
	if err != nil || len(tables) != 1 {
		t.Errorf("what was opened is not whole any more: %+v, %v", tables, err)
	}
}

func TestRemoteRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		want      []work.RemoteRow
	}{
		"none":       {"SELECT 1", nil},
		"contract":   {"CREATE TABLE shop._remote_attach AS SELECT 'kbc' AS alias, 'keboola' AS extension, 'https://x.example' AS url, 'KBC_TOKEN' AS token_env", []work.RemoteRow{{Alias: "kbc", Extension: "keboola", URL: "https://x.example", TokenEnv: "KBC_TOKEN"}}},
		"fewer":      {"CREATE TABLE shop._remote_attach AS SELECT 'bq' AS ALIAS, 'bigquery' AS extension, NULL AS url", []work.RemoteRow{{Alias: "bq", Extension: "bigquery"}}},
		"odd types":  {"CREATE TABLE shop._remote_attach AS SELECT 1 AS alias, [1] AS extension, 2 AS url, DATE '2026-01-01' AS token_env", []work.RemoteRow{{Alias: "1", Extension: "[1]", URL: "2", TokenEnv: "2026-01-01"}}},
		"no columns": {"CREATE TABLE shop._remote_attach AS SELECT 1 AS x", []work.RemoteRow{{}}},
		"a trap":     {"CREATE VIEW shop._remote_attach AS SELECT content AS alias FROM read_text('/etc/passwd')", []work.RemoteRow{{Unreadable: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i", c.statement)
			found, err := s.SourceTables(t.Context(), "shop")
			if err != nil || len(found.Tables) != 1 || found.Tables[0].Code != "" || !slices.Equal(found.Remote, c.want) {
				t.Errorf("found %+v, %v, want %+v", found, err, c.want)
			}
		})
	}
	s := newTestStore(t)
	newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop._remote_attach AS SELECT repeat('x', 10000) AS alias FROM range(1000)")
	found, err := s.SourceTables(t.Context(), "shop")
	if err != nil || len(found.Remote) != remoteRows || len(found.Remote[0].Alias) != 200 {
		t.Errorf("%d rows, %v", len(found.Remote), err)
	}
}

// TestFlippedBytes is the parent's side: whatever a damaged file does to its
// child, the parent gets an event with a code, or what can still be read.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	flips := 200
	if testing.Short() {
		flips = 20
	}
	s := newTestStore(t)
	dir := newShop(t, s, metaFor("shop", "('t','A table',1000,1,now(),'local')", "('v','',1,1,now(),'local')"),
		"CREATE TABLE shop.t AS SELECT i, 'row ' || i AS s, hash(i) AS h FROM range(20000) AS r(i)", "CREATE VIEW shop.v AS SELECT i + 1 AS j FROM shop.main.t",
		"CREATE TABLE shop._remote_attach AS SELECT 'kbc' AS alias, 'keboola' AS extension, '' AS url, '' AS token_env", "CHECKPOINT shop")
	file := filepath.Join(dir, "extract.duckdb")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	job := extractJob(s, "")
	job.Connector, job.Source, job.Inspect = "custom", "shop", work.InspectSource
	random := rand.New(rand.NewPCG(31, 12))
	codes := map[string]int{}
	for i := range flips {
		damaged := slices.Clone(whole)
		for range 1 + random.IntN(4) {
			damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		}
		if i%4 == 0 { // where the catalog and _meta lie
			damaged[random.IntN(16<<10)] ^= 0xff
		}
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		codes[outcome(t, i, job)]++
	}
	t.Log(codes)
	if codes["ok"] == flips {
		t.Error("no flip was found: the test does nothing")
	}
}

// outcome is the code that a child ends with: ok, that of its failure, or died.
func outcome(t *testing.T, flip int, job work.ExtractJob) string {
	t.Helper()
	events, died := tryEvents(t, "extract", job)
	if died {
		return "died"
	}
	last := events[len(events)-1]
	switch {
	case last.Done:
		return "ok"
	case last.Failure != nil && last.Failure.Code != "" && last.Failure.Code != "internal" && last.Failure.Message != "":
		return last.Failure.Code
	}
	t.Errorf("flip %d: last event %s", flip, fmt.Sprintf("%+v", last))
	return "?"
}

// tryEvents runs a child that may die, and returns what it told before.
func tryEvents(t *testing.T, role string, job any) (events []work.Event, died bool) {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := childCommand(t, role)
	cmd.Stdin, cmd.ExtraFiles = bytes.NewReader(text), []*os.File{write}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(read)
	for {
		var e work.Event
		if err := lines.Decode(&e); err != nil {
			break // its end, or that of a child that died in mid-line
		}
		events = append(events, e)
	}
	failed := cmd.Wait()
	if err := read.Close(); err != nil {
		t.Error(err)
	}
	return events, failed != nil || len(events) == 0
}

// A file that Agnes may not read is a matter of the server, not of who wrote it.
func TestATableWhoseFileMayNotBeRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	s := newTestStore(t)
	file := filepath.Join(s.dir, "extracts", "shop", "data", "orders.parquet")
	newShop(t, s, metaFor("shop", "('orders','',1,10,now(),'local')"), "CREATE VIEW shop.orders AS SELECT * FROM read_parquet("+quoteLiteral(file)+")")
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	tables, err := mustTables(t, s, "shop")
	if err != nil || len(tables) != 1 || tables[0].Code != "table_unreadable" || !strings.Contains(tables[0].Problem, "Agnes may not read a file that it needs.") {
		t.Errorf("tables %+v, %v", tables, err)
	}
	_, err = s.Snapshot(t.Context(), "shop", "orders", Target{"shop", "orders", "v1"}, nil)
	wantCode(t, err, "table_unreadable")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(t.Context(), "shop", "orders", Target{"shop", "orders", "v1"}, nil); err != nil {
		t.Error(err)
	}
}
