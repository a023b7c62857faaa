//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"agnes/domain/work"
)

const canary = "canary-5c1e7b"

// waysIn are texts that would show the table secret, were it not for the wall
// that stands there. Some make no sense in one world or the other; none may
// show the canary in any.
func waysIn() []string {
	names := []string{
		"secret", "SECRET", `"secret"`, "main.secret", "memory.main.secret", "memory.secret", `main."Secret"`, "'../secret.parquet'", `"../secret.parquet"`,
		"'secret.parquet'", "E'../secret.parquet'", "$$../secret.parquet$$", "'./../secret.parquet'", "'../*.parquet'", "'../s[e]cret.parquet'", "'file:../secret.parquet'",
		"read_parquet('../secret.parquet')", "read_parquet(['orders', '../secret.parquet'])", "parquet_scan('../secret.parquet')", "read_text('../secret.csv')",
		"read_csv('../secret.csv')", "'../secret.csv'", "read_blob('../secret.csv')", "query('FROM secret')", "query('FROM ' || 'secret')", "query_table('secret')",
		"query_table(['secret'])", `"query"('FROM secret')`, "system.main.query('FROM secret')", "histogram_values(secret, word)", "histogram(secret, word)",
		"histogram_values('secret', 'word')", "summary((FROM secret))", "duckdb_table_sample('secret')", "pragma_storage_info('secret')", "pragma_table_info('secret')",
		"pragma_show('secret')", "json_execute_serialized_sql(json_serialize_sql('FROM secret'))", "sql_auto_complete('SELECT * FROM sec')",
		"parquet_metadata('../secret.parquet')", "parquet_schema('../secret.parquet')", "read_duckdb('../secret.duckdb')", "glob('../*')", "sniff_csv('../secret.csv')",
		"secret\u200b", "\u00a0secret", "secret AT (VERSION => 1)", "secret TABLESAMPLE 100%", "(TABLE secret)", "secret POSITIONAL JOIN orders", "orders, LATERAL (FROM secret)",
		"agnes_listing.t", "agnes_listing.c", "duckdb_columns()", "duckdb_tables()", "duckdb_views()", "information_schema.columns", "sqlite_master", "pg_catalog.pg_attribute",
	}
	texts := []string{
		"WITH secret AS (SELECT * FROM secret) SELECT * FROM secret", "WITH secret AS (SELECT 1) SELECT * FROM main.secret", "WITH a AS (FROM secret), secret AS (SELECT 1) FROM a",
		"SELECT * FROM (WITH secret AS (SELECT 1 AS x) FROM secret) a, secret", "WITH RECURSIVE secret AS (FROM secret UNION ALL FROM secret) FROM secret LIMIT 3",
		"WITH a AS (WITH secret AS (SELECT 1) FROM secret) FROM a, secret", "SELECT * FROM orders WHERE customer IN (SELECT word FROM secret) OR true",
		"SELECT (SELECT max(word) FROM secret)", "SELECT * REPLACE ((SELECT max(word) FROM secret) AS id) FROM orders LIMIT 1", "SELECT id FROM orders ORDER BY (SELECT word FROM secret) LIMIT 1",
		"SELECT 1 LIMIT (SELECT length(word) FROM secret)", "SELECT count(*) FILTER (EXISTS (FROM secret)) FROM orders", "SELECT list_transform([1], lambda x: (SELECT word FROM secret))",
		"VALUES ((SELECT word FROM secret))", "FROM secret SELECT word", "TABLE secret", "DESCRIBE secret", "SUMMARIZE secret", "SHOW secret", "DESCRIBE FROM secret", "EXPLAIN FROM secret",
		"EXPLAIN ANALYZE FROM secret", "EXPLAIN (FORMAT json) FROM secret", "PIVOT secret ON word", "PIVOT secret ON word IN ('a')", "PIVOT orders ON (SELECT word FROM secret)",
		"PIVOT orders ON customer IN (SELECT word FROM secret)", "WITH secret AS (FROM secret) PIVOT secret ON word", "UNPIVOT secret ON word", "SELECT word FROM orders SEMI JOIN secret ON true",
		"FROM orders ASOF JOIN secret ON id >= n", "SELECT * FROM orders UNION ALL BY NAME SELECT * FROM secret LIMIT 9000", "SELECT secret FROM secret", "SELECT secret.word", "SELECT word",
		"SELECT COLUMNS('word') FROM secret", "COPY secret TO '../stolen.csv'", "COPY (FROM secret) TO STDOUT", "CREATE TABLE s2 AS FROM secret", "CREATE VIEW orders2 AS FROM secret",
		"ATTACH '../secret.duckdb' AS s", "ATTACH ':memory:' AS secret", "PREPARE p AS FROM secret", "EXECUTE p", "CALL query('FROM secret')", "PRAGMA storage_info('secret')",
		"PRAGMA table_info('secret')", "EXPORT DATABASE '../stolen'", "IMPORT DATABASE '../stolen'", "CREATE MACRO m() AS TABLE FROM secret", "SET VARIABLE v = (SELECT word FROM secret)",
		"SELECT 1; SELECT word FROM secret", "SELECT word FROM secret\x00", "SELECT 1 \x00; SELECT word FROM secret", "/* */ SELECT word -- x\nFROM secret", "FROM secret -- ' \n;",
		"SELECT current_setting('search_path'), word FROM secret", "SELECT error((SELECT word FROM secret))", "SELECT (SELECT word FROM secret)::INTEGER", "SELECT getvariable('v')",
		"SHOW ALL TABLES", "SHOW TABLES", "DESCRIBE", "FROM (SHOW ALL TABLES)", "SELECT json_serialize_plan('FROM secret')", "SELECT pg_get_viewdef(1)", "FROM secret.main.secret", "FROM nosuch.secret",
	}
	for _, n := range names {
		texts = append(texts, "SELECT * FROM "+n, "EXPLAIN ANALYZE SELECT * FROM "+n)
	}
	return texts
}

// layersWorld is queryWorld with a table that nobody was granted, beside it.
func layersWorld(t *testing.T) *queryEngine {
	t.Helper()
	e := queryWorld(t)
	writer := &queryEngine{}
	if err := writer.open(); err != nil {
		t.Fatal(err)
	}
	defer writer.close()
	for _, sql := range []string{
		"COPY (SELECT '" + canary + "' AS word, 1 AS n) TO '../secret.parquet'", "COPY (SELECT '" + canary + "' AS word) TO '../secret.csv'",
		"ATTACH '../secret.duckdb' AS s; CREATE TABLE s.secret AS SELECT '" + canary + "' AS word; DETACH s",
	} {
		if err := writer.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// TestTheCatalogHoldsWithoutTheGate runs every way in past the gate: what is
// not granted does not exist in the instance, and its files cannot be opened.
func TestTheCatalogHoldsWithoutTheGate(t *testing.T) {
	e := layersWorld(t)
	if err := e.ready(map[string]struct{}{"orders": {}}, nil); err != nil {
		t.Fatal(err)
	}
	before := worldFiles(t)
	for _, sql := range waysIn() {
		rows, err := e.ungated(strings.TrimRight(sql, "\x00"))
		if shown := toText(rows, err); strings.Contains(shown, canary) {
			t.Errorf("%q without the gate: %s", sql, shown)
		}
		_ = e.exec("ROLLBACK") // an attack may have left a transaction behind
	}
	if after := worldFiles(t); !slices.Equal(before, after) {
		t.Errorf("files beside the scratch folder are %v, were %v", after, before)
	}
}

// worldFiles lists what lies beside the scratch folder.
func worldFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, fmt.Sprint(entry.Name(), entry.IsDir()))
	}
	return names
}

// ungated runs a text as it is.
func (e *queryEngine) ungated(sql string) (*collected, error) {
	sink := &collected{}
	s := &queryStatement{text: sql}
	if err := e.prepare(s, sql); err != nil {
		return sink, e.exec(sql) // several statements, or one that does not read
	}
	columns, odd := preparedColumns(s.prepared)
	_, err := e.stream(work.QueryJob{SQL: sql}, s, columns, odd, sink)
	return sink, err
}

// TestTheGateHoldsWithoutTheCatalog puts the table into the instance itself: a
// statement that names it in any way still does not get it.
func TestTheGateHoldsWithoutTheCatalog(t *testing.T) {
	e := layersWorld(t)
	if err := e.exec("CREATE TABLE secret AS SELECT '" + canary + "' AS word, 1 AS n"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range waysIn() {
		rows, _, err := e.ask(t, sql, 0)
		shown := toText(rows, err)
		for _, c := range rows.columns {
			shown += " " + c.Name
		}
		if strings.Contains(shown, canary) || err == nil && strings.Contains(shown, "word") && !strings.Contains(sql, "word") {
			t.Errorf("%q in a world that holds the table: %s", sql, shown)
		}
	}
	if rows, _, err := e.ask(t, "SELECT table_name FROM information_schema.tables", 0); err != nil || strings.Contains(toText(rows, nil), "secret") {
		t.Errorf("the list of tables: %v, %v", rows.values, err)
	}
}

// TestNothingIsWrittenWithoutTheGate switches the gate off before the
// transaction: what it would refuse changes nothing that lasts.
func TestNothingIsWrittenWithoutTheGate(t *testing.T) {
	e := layersWorld(t)
	if err := e.ready(map[string]struct{}{"orders": {}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE TABLE x (i INTEGER)", "CREATE OR REPLACE VIEW orders AS SELECT 1", "DROP VIEW orders", "CREATE SCHEMA s", "CREATE TEMP VIEW orders AS SELECT 2 AS id",
		"CREATE TEMP TABLE orders AS SELECT 3 AS id", "CREATE MACRO id() AS 1", "CREATE TYPE t AS ENUM ('a')", "COMMENT ON VIEW orders IS 'x'", "CREATE SEQUENCE q",
		"COPY orders TO '../orders.parquet'", "COPY orders TO '../other.parquet'",
	} {
		if err := e.begin(); err != nil {
			t.Fatal(err)
		}
		_ = e.exec(sql) // whether it is refused or undone is the same here
		if err := e.tidy(); err != nil {
			t.Fatalf("after %s: %v", sql, err)
		}
		rows, end, err := e.ask(t, "SELECT max(id) FROM orders", 0)
		if err != nil || end.Rows != 1 || rows.values[0][0] != "4999" {
			t.Errorf("after %s: %v, %v", sql, rows.values, err)
		}
	}
	if _, err := os.Stat(filepath.Join("..", "other.parquet")); err == nil {
		t.Error("a file was written")
	}
}

func TestAbsentAndForbiddenAreAlike(t *testing.T) {
	e := layersWorld(t)
	for _, sql := range []string{
		"SELECT * FROM %s", "SELECT *\n  FROM orders o JOIN main.%s s ON true", "EXPLAIN SELECT * FROM %s", "DESCRIBE %s", "PIVOT %s ON a", "SELECT (SELECT 1 FROM nosuch.%s)",
	} {
		_, _, forbidden := e.ask(t, fmt.Sprintf(sql, "secret"), 0)
		_, _, absent := e.ask(t, fmt.Sprintf(sql, "teceer"), 0)
		f, a := failureOf(t, forbidden), failureOf(t, absent)
		a.Message, a.Table = strings.ReplaceAll(a.Message, "teceer", "secret"), strings.ReplaceAll(a.Table, "teceer", "secret")
		if !reflect.DeepEqual(f.Failure, a.Failure) || f.Code != work.TableNotFound || !strings.HasSuffix(f.Table, "secret") {
			t.Errorf("%s: %+v for a table that is there, %+v for one that is not", sql, f.Failure, a.Failure)
		}
	}
	for sql, want := range map[string][2]int{
		"SELECT * FROM secret": {1, 15}, "SELECT 'ü',\n  (FROM secret)": {2, 9}, "EXPLAIN\nSELECT * FROM Secret": {2, 15}, "SELECT glob('x'), (FROM glob('*'))": {1, 25},
		"PIVOT secret ON a": {0, 0},
	} {
		_, _, err := e.ask(t, sql, 0)
		if f := failureOf(t, err); f.Line != want[0] || f.Column != want[1] {
			t.Errorf("%q: line %d column %d, want %v", sql, f.Line, f.Column, want)
		}
	}
}
