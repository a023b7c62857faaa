//go:build duckdb_arrow

package warehouse

import (
	"strings"
	"testing"
)

func TestGateAdmits(t *testing.T) {
	e := queryWorld(t)
	for _, sql := range []string{
		"SELECT 1", "select count(*) from ORDERS", "SELECT 1;", ";; SELECT 1 ; ;", "-- why\nSELECT 1 -- because", "/* a */ SELECT ';' /* b; */",
		"FROM orders", "TABLE orders", "VALUES (1), (2)", "(SELECT 1) UNION ALL (SELECT 2)",
		"WITH a AS (SELECT 1 AS x) SELECT * FROM a", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n < 5) FROM r",
		"WITH orders AS (SELECT * FROM orders WHERE id < 3) FROM orders",
		"PIVOT orders ON customer IN ('customer 1', 'customer 2') USING sum(amount)", "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
		"DESCRIBE orders", "DESCRIBE SELECT 1", "DESCRIBE", "SHOW TABLES", "SHOW ALL TABLES", "SUMMARIZE orders", "SHOW orders",
		"EXPLAIN SELECT 1", "explain analyze select count(*) from orders", "EXPLAIN (FORMAT json) SELECT 1", "EXPLAIN (SELECT 1)",
		"EXPLAIN (ANALYZE, FORMAT json) FROM orders", "-- c\n EXPLAIN /* x */ SELECT 1", "EXPLAIN FROM orders",
		"SELECT * FROM range(3)", "SELECT unnest([1,2])", "SELECT * FROM unnest([1,2])", `SELECT * FROM json_each('{"a":1}')`,
		"SELECT * FROM information_schema.tables", "FROM system.information_schema.schemata", "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'",
		"SELECT payload FROM (SELECT 'drop table x; delete ' AS payload)", "SELECT 'query(', \"update\" FROM (SELECT 1 AS \"update\")",
		"SELECT sum(amount) OVER (PARTITION BY customer ORDER BY id) FROM orders LIMIT 1", "SELECT list_transform([1,2], lambda x: x + 1)",
		"SELECT * FROM people p POSITIONAL JOIN orders", "FROM orders SELECT * EXCLUDE (id) LIMIT 1", "SELECT COLUMNS('a.*') FROM orders LIMIT 1",
		"\u00a0EXPLAIN\u200bSELECT\u30001", "\ufeffSELECT 1", "SELECT\u2009count(*)\u00a0FROM\u202forders", "EXPLAIN PIVOT orders ON customer", "\f SELECT 1 \f;",
		"SELECT e FROM (VALUES ('SELECT 1; DROP VIEW orders'))_(e)", "SELECT $$a; b$$, E'\\'; x'", "FROM memory.main.orders LIMIT 1", "FROM memory.orders LIMIT 1",
		"WITH RECURSIVE orders AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM orders WHERE i < 3) FROM orders", "SELECT (WITH a AS (SELECT 1) FROM a)",
		"WITH a AS (WITH b AS (SELECT 1) FROM b) FROM a, (WITH a AS (SELECT 2) FROM a)", "SELECT * FROM (WITH x AS MATERIALIZED (FROM orders) FROM x) LIMIT 1",
		"SELECT id FROM orders QUALIFY row_number() OVER () = 1", "SELECT * FROM orders TABLESAMPLE 1%", "SELECT * FROM main.orders LIMIT 1",
	} {
		if _, _, err := e.ask(t, sql, 10); err != nil {
			t.Errorf("%q was refused: %v", sql, err)
		}
	}
}

func TestGateRefuses(t *testing.T) {
	e := queryWorld(t)
	tests := map[string][]string{
		"nul_in_statement": {"SELECT 1\x00", "SELECT 1\x00; DROP VIEW orders"},
		"empty_statement":  {"", " \n\t", ";", "-- nothing", "/* nothing */"},
		"several_statements": {
			"SELECT 1; SELECT 2", "SELECT 1; DROP VIEW orders", "DROP VIEW orders; SELECT 1",
			"BEGIN; SELECT 1", "PREPARE p AS SELECT 1; EXECUTE p", "SELECT 1; PIVOT orders ON customer", "PIVOT orders ON customer; PIVOT orders ON customer",
			"PIVOT orders ON customer; DROP VIEW orders", "EXPLAIN SELECT 1; SELECT 2",
		},
		"not_a_reading_statement": {
			"INSERT INTO orders VALUES (1)", "UPDATE orders SET id = 1", "DELETE FROM orders", "MERGE INTO orders USING people ON true WHEN MATCHED THEN DELETE",
			"CREATE TABLE x (a INT)", "CREATE OR REPLACE VIEW orders AS SELECT 1", "CREATE TEMP VIEW orders AS SELECT 1", "DROP VIEW orders", "ALTER TABLE orders RENAME TO x",
			"CREATE MACRO f(a) AS a", "COMMENT ON VIEW orders IS 'x'", "TRUNCATE orders", "COPY orders TO 'x.csv'", "COPY orders FROM 'x.csv'",
			"EXPORT DATABASE 'x'", "ATTACH ':memory:' AS m", "ATTACH 'x.duckdb'", "DETACH memory", "USE main", "INSTALL httpfs", "LOAD httpfs",
			"SET threads = 1", "RESET threads", "SET VARIABLE a = 1", "SET search_path = 'x'", "PRAGMA database_list", "PRAGMA enable_profiling", "PRAGMA threads = 1",
			"CALL range(3)", "CALL enable_logging()", "CHECKPOINT", "VACUUM", "ANALYZE", "BEGIN", "COMMIT", "ROLLBACK", "PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p",
			"CREATE SECRET (TYPE s3)", "UPDATE EXTENSIONS", "EXPLAIN INSERT INTO orders VALUES (1)", "EXPLAIN ANALYZE COPY orders TO 'x.csv'",
			"EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", "EXPLAIN (FORMAT json) DELETE FROM orders", "EXPLAIN DROP VIEW orders",
		},
		"function_refused": {
			"FROM read_parquet('orders.parquet')", "FROM READ_PARQUET('orders.parquet')", `SELECT * FROM "read_csv"('x')`, "FROM read_text('/etc/passwd')", "FROM read_blob('x')",
			"FROM read_json('x')", "FROM read_duckdb('x')", "FROM parquet_scan('x')", "FROM parquet_metadata('orders.parquet')", "FROM glob('*')", "FROM sniff_csv('x')",
			"FROM query('SELECT 1')", "FROM query('SELECT * FROM ' || 'secret')", "FROM query_table('orders')", "FROM system.main.query('SELECT 1')",
			"FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", "SELECT * FROM histogram_values(orders, id)", "FROM histogram(orders, id)",
			"FROM enable_logging()", "FROM disable_logging()", "FROM enable_profiling()", "FROM checkpoint()", "FROM force_checkpoint()", "FROM enable_peg_parser()",
			"FROM truncate_duckdb_logs()", "FROM duckdb_settings()", "FROM duckdb_secrets()", "FROM duckdb_variables()", "FROM duckdb_extensions()", "FROM duckdb_logs()",
			"FROM sql_auto_complete('SEL')", "FROM pragma_table_info(concat('or', 'ders'))", "FROM duckdb_memory()", "FROM pragma_storage_info('orders')", "FROM duckdb_external_file_cache()", "FROM which_secret('x', 's3')",
			"SELECT current_setting('allowed_paths')", "SELECT write_log('x')", "SELECT getenv('HOME')", "SELECT json_serialize_plan('SELECT 1')", "SELECT pg_get_viewdef(1)",
			"FROM duckdb_logs", "FROM pg_settings", "FROM pg_catalog.pg_settings", "FROM system.pg_catalog.pg_prepared_statements", "DESCRIBE duckdb_logs", "SHOW pg_settings",
			"FROM duckdb_prepared_statements()", "FROM duckdb_table_sample('orders')", "FROM summary((FROM orders))", "FROM seq_scan()", "FROM arrow_scan(1, 2, 3)",
			"FROM duckdb_logs_parsed('x')", "FROM duckdb_profiling_settings()", "FROM pragma_user_agent()", "FROM duckdb_secret_types()", "FROM parquet_bloom_probe('orders', 'id', 1)",
			"SELECT 1 WHERE EXISTS (FROM query('SELECT 1'))", "WITH a AS (FROM glob('*')) SELECT 1", "SELECT * REPLACE ((SELECT max(file) FROM glob('*')) AS id) FROM orders",
			"SELECT * FROM orders JOIN LATERAL (FROM read_text('x')) ON true", "EXPLAIN FROM checkpoint()", "EXPLAIN ANALYZE FROM enable_logging()", "DESCRIBE FROM glob('*')",
			"SUMMARIZE FROM read_csv('x')", "PIVOT (FROM duckdb_settings()) ON name IN ('a')", "SELECT * FROM (VALUES ((SELECT count(*) FROM glob('*'))))",
			"SELECT id FROM orders ORDER BY (SELECT 1 FROM glob('*'))", "SELECT 1 LIMIT (SELECT count(*) FROM duckdb_settings())", "FROM orders SELECT count(*) FILTER (current_setting('x') = '')",
		},
		"query_error": {
			"SELEC 1", "SELECT nosuch FROM orders", "SELECT $1", "SELECT 1 +", "SELECT 'a'::INTEGER", "WITH d AS (DELETE FROM orders RETURNING *) FROM d",
			"IMPORT DATABASE 'x'", "EXPLAIN EXPLAIN SELECT 1", "EXPLAIN /* /* */ SELECT 1 */ DELETE FROM orders",
		},
	}
	for code, statements := range tests {
		for _, sql := range statements {
			rows, _, err := e.ask(t, sql, 10)
			if err == nil {
				t.Errorf("%q was answered: %v, want %s", sql, rows.values, code)
				continue
			}
			if got := failureOf(t, err); got.Code != code {
				t.Errorf("%q: code %s, want %s (%s)", sql, got.Code, code, got.Message)
			}
		}
	}
	if _, end, err := e.ask(t, "FROM orders", 0); err != nil || end.Rows != 5000 {
		t.Errorf("after all refusals, FROM orders: %v, %v", end, err)
	}
}

func TestScalarFunctionsAreReviewed(t *testing.T) {
	e := &queryEngine{}
	if err := e.open(); err != nil {
		t.Fatal(err)
	}
	defer e.close()
	names, err := e.texts(`SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'macro', 'aggregate')`)
	if err != nil || len(names) < 500 {
		t.Fatalf("list functions: %d, %v", len(names), err)
	}
	reviewed := queryWords(`current_query current_query_id json_serialize_sql json_deserialize_sql parse_duckdb_log_message log log10 log2
		parse_filename parse_dirname parse_dirpath parse_path thread_id catalog current_catalog profile file read_only
		array_cat list_cat url_encode url_decode pg_conf_load_time json_extract_path json_extract_path_text in_search_path
		enable disable log1p has_schema_privilege variant_to_parquet_variant regexp_replace unpivot_list pg_ts_config_is_visible`)
	for _, name := range names {
		_, refused := refusedFunctions[name]
		_, known := reviewed[name]
		for _, word := range []string{"setting", "env", "secret", "file", "path", "query", "execute", "serialize", "read_", "write", "log_", "viewdef", "config", "checkpoint", "enable_", "disable_", "parquet"} {
			if strings.Contains(name, word) && !refused && !known {
				t.Errorf("the engine has a function %s that nobody reviewed: refuse it, or add it to the reviewed ones", name)
			}
		}
	}
}

func TestErrorPlace(t *testing.T) {
	e := queryWorld(t)
	long := strings.Repeat("amount + ", 60)
	tests := []struct {
		sql          string
		line, column int
	}{
		{"SELECT * FORM orders", 1, 15},
		{"SELECT *\nFROM orders\nWHERE nosuch = 1", 3, 7},
		{"SELECT " + long + "nosuch + " + long + "1 FROM orders", 1, 8 + len(long)},
		{"SELECT 'grüße', nosuch FROM orders", 1, 17},
		{"EXPLAIN\n  SELECT nosuch FROM orders", 2, 10},
		{"SELECT $1", 0, 0},
	}
	for _, test := range tests {
		_, _, err := e.ask(t, test.sql, 0)
		f := failureOf(t, err)
		if f.Line != test.line || f.Column != test.column {
			t.Errorf("%.60q: line %d column %d, want %d and %d\n%s", test.sql, f.Line, f.Column, test.line, test.column, f.Message)
		}
	}
	if _, _, err := e.ask(t, "SELECT * FROM nosuch", 0); strings.Contains(err.Error(), "pg_") {
		t.Errorf("the suggestion names a system view: %v", err)
	}
	if _, _, err := e.ask(t, "SELECT * FROM order", 0); err == nil {
		t.Error("a key word as a table name was answered")
	}
}
