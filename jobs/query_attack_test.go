//go:build duckdb_arrow

package jobs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// canary is what the table that is not granted holds.
const canary = "CANARY-7261"

// attacks try to read what is not granted, to write, to change the engine or
// to exhaust it. %[1]s is the data directory.
const attacks = `
SELECT * FROM salaries
SELECT * FROM main.salaries
SELECT * FROM "salaries"
SELECT * FROM memory.main."salaries"
TABLE salaries
FROM 'salaries.parquet'
FROM "salaries.parquet"
FROM E'salaries.parquet'
FROM $$salaries.parquet$$
FROM '%[1]s/salaries.parquet'
FROM '%[1]s/./orders.parquet/../salaries.parquet'
FROM 'scratch/../salaries.parquet'
FROM '*.parquet'
FROM '%[1]s/*'
FROM 's?laries.parquet'
FROM '[s]alaries.parquet'
FROM 'file://%[1]s/salaries.parquet'
FROM '/proc/self/environ'
FROM '/proc/self/cmdline'
FROM '/etc/passwd'
FROM '/etc/passwd.csv'
FROM 'state/system.db'
FROM 'https://example.com/a.parquet'
FROM 's3://bucket/a.parquet'
FROM read_parquet('salaries.parquet')
FROM read_parquet(['orders.parquet', 'salaries.parquet'])
FROM parquet_scan('salaries.parquet')
FROM read_text('salaries.parquet')
FROM read_blob('%[1]s/salaries.parquet')
FROM read_csv_auto('/etc/passwd')
FROM glob('%[1]s/*')
FROM parquet_metadata('salaries.parquet')
FROM parquet_schema('salaries.parquet')
FROM sniff_csv('/etc/passwd')
FROM query('FROM salaries')
FROM query('FROM read_text(''salaries.parquet'')')
FROM "query"('FROM ' || 'salaries')
FROM query_table('salaries')
FROM query_table(['orders', 'salaries'])
FROM query_table(concat('sala', 'ries'))
FROM histogram_values(salaries, salary)
FROM histogram('salaries', 'salary')
FROM json_execute_serialized_sql(json_serialize_sql('FROM salaries'))
SELECT json_serialize_plan('FROM orders')
FROM duckdb_settings()
SELECT current_setting('allowed_paths')
SELECT current_setting('temp_directory')
SELECT pg_get_viewdef(0)
FROM duckdb_external_file_cache()
FROM sql_auto_complete('SELECT * FROM s')
FROM pragma_storage_info('orders')
WITH salaries AS (SELECT * FROM salaries) FROM salaries
WITH a AS (FROM query('FROM salaries')) FROM a
SELECT (SELECT max(salary) FROM salaries)
SELECT * REPLACE ((SELECT salary FROM salaries) AS id) FROM orders
SELECT * FROM orders JOIN 'salaries.parquet' ON true
PIVOT 'salaries.parquet' ON salary IN (1)
DESCRIBE salaries
SUMMARIZE 'salaries.parquet'
SHOW salaries
EXPLAIN ANALYZE FROM 'salaries.parquet'
EXPLAIN ANALYZE COPY orders TO 'stolen.csv'
EXPLAIN ANALYZE CREATE TABLE t AS FROM orders
COPY orders TO 'stolen.csv'
COPY (SELECT 1) TO 'orders.parquet' (FORMAT parquet, USE_TMP_FILE false)
COPY (SELECT 1) TO 'scratch/x.parquet'
EXPORT DATABASE 'stolen'
IMPORT DATABASE 'scratch'
ATTACH 'new.duckdb'
ATTACH 'state/system.db' (TYPE sqlite)
ATTACH ':memory:' AS other
CREATE OR REPLACE VIEW orders AS SELECT 'poison' AS id
CREATE TEMP VIEW orders AS SELECT 'poison' AS id
CREATE MACRO count(a) AS 'poison'
DROP VIEW orders
SET memory_limit = '100GB'
SET lock_configuration = false
RESET memory_limit
SET search_path = 'pg_catalog'
SET VARIABLE x = 1
USE system
PRAGMA enable_profiling
PRAGMA database_list
PRAGMA disable_optimizer
CALL enable_logging()
FROM enable_logging(storage = 'stdout')
FROM enable_logging(storage = 'file', storage_path = 'stolen')
FROM enable_profiling()
FROM checkpoint()
FROM enable_peg_parser()
FROM truncate_duckdb_logs()
SELECT write_log('x')
INSTALL httpfs
LOAD httpfs
FORCE INSTALL httpfs FROM 'https://example.com'
CREATE SECRET s (TYPE s3)
FROM duckdb_secrets()
FROM which_secret('s3://x', 's3')
BEGIN
PREPARE p AS SELECT 1
SELECT 1; DROP VIEW orders
DROP VIEW orders; SELECT 1
SELECT * FROM (DELETE FROM orders RETURNING *)
WITH d AS (DELETE FROM orders RETURNING *) FROM d
`

// lookAlikes are answered, from the listing of what is granted.
var lookAlikes = []string{"FROM duckdb_views()", "FROM information_schema.views", "FROM sqlite_master", "SHOW ALL TABLES", "PIVOT orders ON kind"}

func TestAttacksAreHeld(t *testing.T) {
	p, all := newPool(t, PoolConfig{Limits: Limits{Children: 1, Threads: 1}}, map[string]string{
		"orders": ordersSQL, "salaries": "SELECT '" + canary + "' AS salary",
	})
	dir := p.supervisor.cfg.DataDir
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "state", "system.db"), []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	var granted []registry.Published
	for _, table := range all.Tables() {
		if table.Name == "orders" {
			granted = append(granted, table)
		}
	}
	c := access.NewCatalog(granted)
	before := world(t, dir)
	for attack := range strings.SplitSeq(strings.TrimSpace(attacks), "\n") {
		text := strings.ReplaceAll(attack, "%[1]s", dir)
		rows, _, err := p.answer(t.Context(), c, text, 100)
		var told *query.SQLError
		if !errors.As(err, &told) {
			t.Errorf("%s: %v, %v; want it refused", attack, rows, err)
			continue
		}
		if shown := strings.ReplaceAll(told.Text, text, ""); strings.Contains(shown, canary) || (strings.Contains(shown, dir) && !strings.Contains(text, dir)) {
			t.Errorf("%s: the refusal tells too much: %s", attack, told.Text)
		}
	}
	for _, text := range lookAlikes {
		rows, _, err := p.answer(t.Context(), c, text, 100)
		if all := strings.Join(rows, "\n"); err != nil || strings.Contains(all, "salar") || strings.Contains(all, dir) || strings.Contains(all, ".parquet") {
			t.Errorf("%s: %s, %v", text, all, err)
		}
	}
	if after := world(t, dir); after != before {
		t.Errorf("files before:\n%s\nand after:\n%s", before, after)
	}
	p.mustAnswer(t, c, "SELECT count(*), min(id) FROM orders", "1000|0")
	if got := p.supervisor.Stats(); got.Died != 0 {
		t.Errorf("stats %+v, want no child harmed", got)
	}
}

// world lists every file with its content's hash, scratch folders excepted.
func world(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "scratch":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBombsEnd runs statements that neither DuckDB's memory limit nor its
// interrupts hold; each must end, and the next query be answered.
func TestBombsEnd(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1, MemoryBytes: 200 << 20}}, map[string]string{"orders": ordersSQL})
	for _, bomb := range []string{
		"SELECT lpad('x', 2000000000, 'y')",
		"SELECT printf('%2000000000d', 1)",
		"SELECT list_transform(range(100000000), lambda x: x::VARCHAR)",
		"SELECT array_to_string(range(100000000), ',')",
		"SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range = c.range",
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
		"SELECT * FROM range(100000000) ORDER BY hash(range) DESC",
		"SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, _, err := p.answer(ctx, c, bomb, 10)
		cancel()
		switch code := domain.CodeOf(err); code {
		case "query_timeout", "query_memory", "query_crashed", "query_error", "statement_too_deep", "":
		default:
			t.Errorf("%.60s: %v", bomb, err)
		}
		p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	}
}

// TestStreamingIsBounded reads far more rows than the child may hold.
func TestStreamingIsBounded(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1, MemoryBytes: 128 << 20, Threads: 2}}, nil)
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT range AS a, repeat('x', 200) || range AS b FROM range(2000000)"})
	if err != nil {
		t.Fatal(err)
	}
	pid := result.(*queryResult).child.process.cmd.Process.Pid
	for err == nil {
		batch, nerr := result.Next(t.Context())
		if err = nerr; err == nil {
			batch.Release()
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(peak)[0])
	if limit := 300 << 10; err != nil || (kilobytes > limit && !underRace) {
		t.Errorf("the child held %d kB for 400 MB of rows, %v; want at most %d", kilobytes, err, limit)
	}
	if err := result.Close(); err != nil {
		t.Error(err)
	}
}
