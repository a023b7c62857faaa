# Hostile SQL and its honest look-alikes, by class. "!" must be refused, "?" may
# be answered or refused, "=" must be answered; no answer, error or log may hold
# a canary, whatever the mark. {T} stands for each spelling of the forbidden
# table's name, {DIR} for the data directory, {LF} {TAB} {NUL} {U+200B} for
# characters, {900*[} for 900 brackets.

## a forbidden table by its name
! SELECT * FROM {T}
! TABLE {T}
! FROM {T}
! SELECT count(*) FROM {T}
! SELECT 1 FROM {T} LIMIT 0
! SELECT (SELECT max(salary) FROM {T})
! SELECT EXISTS (FROM {T})
! SELECT id FROM orders WHERE id IN (SELECT id FROM {T})
! SELECT * FROM orders o JOIN {T} s ON o.id = s.id
= SELECT 'salaries' AS salaries
= SELECT count(*) AS salaries FROM orders
= SELECT salaries.x FROM (SELECT 1 AS x) salaries
= WITH salaries AS (SELECT 1 AS salary) SELECT * FROM salaries
= SELECT note FROM orders WHERE note LIKE '%salaries%'

## a forbidden table in every place of a statement
! SELECT * FROM orders, salaries
! SELECT * FROM orders NATURAL JOIN salaries
! SELECT * FROM orders POSITIONAL JOIN salaries
! SELECT * FROM orders ASOF JOIN salaries USING (id)
! SELECT * FROM orders SEMI JOIN salaries USING (id)
! SELECT * FROM orders ANTI JOIN salaries USING (id)
! SELECT * FROM orders, LATERAL (SELECT salary FROM salaries s WHERE s.id = orders.id)
! SELECT 1 UNION ALL SELECT salary FROM salaries
! SELECT 1 EXCEPT SELECT salary FROM salaries
! SELECT 1 INTERSECT ALL SELECT salary FROM salaries
! SELECT 1 AS id UNION BY NAME SELECT id FROM salaries
! SELECT * EXCLUDE (id) REPLACE ((SELECT max(employee) FROM salaries) AS note) FROM orders
! SELECT COLUMNS('id'), (FROM salaries SELECT count(*)) FROM orders
! SELECT id FROM orders ORDER BY (SELECT count(*) FROM salaries)
! SELECT id FROM orders GROUP BY id HAVING count(*) < (SELECT count(*) FROM salaries)
! SELECT id FROM orders LIMIT (SELECT count(*) FROM salaries)
! SELECT id FROM orders LIMIT 1 OFFSET (SELECT count(*) FROM salaries)
! SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY (SELECT count(*) FROM salaries)) = 1
! SELECT count(*) FILTER (WHERE id < (SELECT count(*) FROM salaries)) FROM orders
! SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN (SELECT 1 FROM salaries LIMIT 1) PRECEDING AND CURRENT ROW) FROM orders
! SELECT list_transform([1], lambda x: (SELECT max(salary) FROM salaries))
! SELECT [x FOR x IN (SELECT list(salary) FROM salaries)]
! SELECT {'a': (SELECT max(salary) FROM salaries)}
! SELECT MAP {'a': (SELECT max(salary) FROM salaries)}
! SELECT ARRAY(SELECT salary FROM salaries)
! SELECT CASE WHEN (SELECT count(*) FROM salaries) > 5 THEN 1 END
! SELECT 1 = ANY (SELECT salary FROM salaries)
! SELECT 1 WHERE (1, 2) IN (SELECT id, salary FROM salaries)
! SELECT CAST((SELECT max(employee) FROM salaries) AS INTEGER)
! SELECT error((SELECT max(employee) FROM salaries))
! VALUES ((SELECT max(salary) FROM salaries))
! FROM (VALUES ((SELECT max(salary) FROM salaries))) t
! SELECT * FROM unnest((SELECT list(salary) FROM salaries))
! SELECT * FROM range((SELECT max(salary) FROM salaries))
! SELECT * FROM generate_series(1, (SELECT count(*) FROM salaries))
! SELECT * FROM salaries TABLESAMPLE 1 ROWS
! SELECT * FROM orders TABLESAMPLE reservoir(1) UNION ALL FROM salaries
! SELECT * FROM salaries AT (VERSION => 1)
! SELECT salaries FROM salaries
! SELECT * FROM salaries AS orders
! FROM salaries orders SELECT orders.*
! SELECT orders.* FROM orders, main.salaries orders2
= SELECT id FROM orders LIMIT (SELECT count(*) FROM towns)
= SELECT * EXCLUDE (note) REPLACE ((SELECT max(town) FROM towns) AS kind) FROM orders LIMIT 3
= SELECT list_transform([1, 2], lambda x: x + 1), (SELECT count(*) FROM towns)
= SELECT * FROM orders TABLESAMPLE 5 ROWS

## quoted, qualified and unicode names
! SELECT * FROM "main"."salaries"
! SELECT * FROM "memory"."main"."salaries"
! SELECT * FROM memory."salaries"
! SELECT * FROM "SALARIES"
! SELECT * FROM "salaries "
! SELECT * FROM " salaries"
! SELECT * FROM "sal""aries"
! SELECT * FROM "salaries{U+0000}"
! SELECT * FROM U&"salaries"
! SELECT * FROM U&"\0073alaries"
! SELECT * FROM s{U+0430}laries
! SELECT * FROM "{U+FF53}alaries"
! SELECT * FROM {U+017F}alaries
! SELECT * FROM SALAR{U+0130}ES
! SELECT * FROM temp.salaries
! SELECT * FROM temp.main.salaries
! SELECT * FROM system.main.salaries
! SELECT * FROM public.salaries
! SELECT * FROM files.salaries
! SELECT * FROM extracts.main.salaries
! SELECT * FROM server.main.salaries
! SELECT * FROM analytics.salaries
! SELECT * FROM pg_catalog.salaries
! SELECT * FROM information_schema.salaries
! SELECT * FROM main.main.salaries
! SELECT * FROM `salaries`
! SELECT * FROM [salaries]
! SELECT * FROM 'salaries'
! SELECT * FROM $$salaries$$
! SELECT * FROM E'salaries'
! SELECT * FROM E'\x73alaries'
! SELECT * FROM x'73616c6172696573'
= SELECT * FROM "main"."orders" LIMIT 1
= SELECT * FROM "ORDERS" LIMIT 1
= SELECT id AS "sal""aries" FROM "orders" LIMIT 1
= SELECT 1 AS "naïve – ünïcode ✓"

## replacement scans
! FROM 'salaries.parquet'
! FROM "salaries.parquet"
! FROM 'versions/files/salaries/*/*.parquet'
! FROM 'versions/**/*.parquet'
! FROM '{DIR}/versions/**'
! FROM "{DIR}/state/system.db"
! FROM 'state/system.db'
! FROM 'state/system.duckdb'
! FROM 'analytics/server.duckdb'
! FROM './analytics/../state/system.duckdb'
! FROM 'extracts/files/extract.duckdb'
! FROM '/etc/passwd'
! FROM '/etc/passwd.csv'
! FROM '/proc/self/environ'
! FROM '/proc/1/environ.csv'
! FROM '/proc/self/cmdline.json'
! FROM '/dev/stdin'
! FROM '/dev/fd/3'
! FROM 'file:///etc/passwd'
! FROM 'file:{DIR}/state/system.db'
! FROM $$/etc/passwd.csv$$
! FROM E'/etc/passwd\x2ecsv'
! FROM '~/.ssh/id_rsa.csv'
! FROM '*.csv'
! FROM '../../../../etc/passwd.csv'
! FROM 'uploads/*'
! FROM 'results/*.arrow'
! FROM 'scratch/**'
! SELECT * FROM orders JOIN 'salaries.parquet' ON true
! WITH a AS (FROM '/etc/passwd.csv') FROM a
= SELECT '/etc/passwd' AS path
= SELECT 'FROM ''x.parquet''' AS text
= SELECT * FROM orders WHERE note = '../../x'

## file functions
! FROM read_parquet('salaries.parquet')
! FROM read_parquet(['versions/a', 'versions/b'])
! FROM parquet_scan('versions/**')
! FROM read_csv('/etc/passwd')
! FROM read_csv_auto('/etc/passwd')
! FROM sniff_csv('/etc/passwd')
! FROM read_json('/etc/passwd')
! FROM read_json_auto('x.json')
! FROM read_json_objects('/etc/passwd')
! FROM read_ndjson('x.json')
! FROM read_ndjson_objects('/etc/passwd')
! FROM read_text('/etc/passwd')
! FROM read_text(['/etc/passwd', '/etc/hostname'])
! FROM read_blob('{DIR}/state/system.db')
! FROM read_duckdb('state/system.duckdb')
! FROM read_duckdb('analytics/server.duckdb', table_name = 'salaries')
! FROM parquet_metadata('versions/**')
! FROM parquet_schema('versions/**')
! FROM parquet_file_metadata('versions/**')
! FROM parquet_kv_metadata('versions/**')
! FROM parquet_bloom_probe('versions/**', 'id', 1)
! FROM glob('*')
! FROM glob('{DIR}/**')
! FROM glob('/etc/*')
! FROM arrow_scan(1, 2, 3)
! FROM arrow_scan_dumb(1, 2, 3)
! FROM pandas_scan(1)
! FROM sqlite_scan('state/system.db', 'users')
! FROM postgres_scan('host=127.0.0.1', 'public', 'x')
! FROM iceberg_scan('x')
! FROM delta_scan('x')
! FROM st_read('x')
! FROM read_xlsx('x')
! FROM "read_text"('/etc/passwd')
! FROM READ_TEXT('/etc/passwd')
! FROM main.read_text('/etc/passwd')
! FROM system.main.read_text('/etc/passwd')
! FROM pg_catalog.read_text('/etc/passwd')
! SELECT read_text('/etc/passwd')
! SELECT * FROM orders, read_text('/etc/passwd')
! SELECT * FROM orders, LATERAL (FROM read_text(orders.note))
! SELECT (FROM read_text('/etc/passwd') SELECT content)
! WITH a AS MATERIALIZED (FROM read_text('/etc/passwd')) FROM a
! SELECT read_file('/etc/passwd')
! SELECT pg_read_file('/etc/passwd')
! SELECT load_extension('x')
! FROM '/etc/passwd'.read_text()
! SELECT '/etc/passwd'.read_text()
! SELECT content FROM read_text(filename := '/etc/passwd')
= SELECT 'read_parquet(''x'')' AS how
= SELECT id AS read_csv, note AS glob FROM orders LIMIT 2
= SELECT * FROM (SELECT 1 AS read_text) sniff_csv
= SELECT 'abc' GLOB 'a*'

## COPY, EXPORT, IMPORT
! COPY orders TO 'stolen.csv'
! COPY orders TO '/tmp/stolen.csv'
! COPY orders TO '{DIR}/files/stolen.csv'
! COPY (SELECT 1) TO 'versions/x.parquet' (FORMAT parquet, USE_TMP_FILE false)
! COPY (SELECT 1) TO '/dev/stdout'
! COPY (SELECT 1) TO 'scratch/x.parquet'
! COPY (FROM salaries) TO 'x.csv'
! COPY orders FROM '/etc/passwd'
! COPY orders TO 's3://bucket/x'
! COPY FROM DATABASE memory TO x
! EXPORT DATABASE 'stolen'
! EXPORT DATABASE '/tmp/stolen' (FORMAT parquet)
! IMPORT DATABASE 'scratch'
! EXPLAIN ANALYZE COPY orders TO 'stolen.csv'
! WITH a AS (COPY orders TO 'x.csv') FROM a
! FROM (COPY orders TO 'x.csv')
= SELECT 'copy orders to x' AS copy
= SELECT id AS export, kind AS "import" FROM orders LIMIT 1

## ATTACH, DETACH, USE
! ATTACH 'state/system.duckdb'
! ATTACH '{DIR}/analytics/server.duckdb' AS a (READ_ONLY)
! ATTACH 'new.duckdb'
! ATTACH ':memory:' AS other
! ATTACH 'state/system.db' (TYPE sqlite)
! ATTACH 'host=127.0.0.1' (TYPE postgres)
! ATTACH 'https://example.com/x.duckdb'
! ATTACH IF NOT EXISTS 'x.duckdb'
! ATTACH OR REPLACE ':memory:' AS memory
! DETACH memory
! DETACH DATABASE IF EXISTS main
! USE system
! USE memory.main
! USE temp
= SELECT 1 AS attach, 2 AS detach, 3 AS "use"

## INSTALL, LOAD, UPDATE EXTENSIONS
! INSTALL httpfs
! LOAD httpfs
! LOAD '/tmp/x.duckdb_extension'
! FORCE INSTALL httpfs FROM 'https://example.com'
! INSTALL httpfs FROM community
! INSTALL sqlite VERSION 'v1'
! UPDATE EXTENSIONS
! FROM duckdb_extensions()
! SELECT install_extension('httpfs')
= SELECT 'load' AS load, 'install' AS install

## SET, RESET, PRAGMA, CALL
! SET memory_limit = '100GB'
! SET threads = 64
! SET lock_configuration = false
! SET enable_external_access = true
! SET allowed_paths = ['/']
! SET allowed_directories = ['/']
! SET temp_directory = '/tmp'
! SET search_path = 'pg_catalog'
! SET schema = 'main'
! SET GLOBAL TimeZone = 'Asia/Tokyo'
! SET SESSION TimeZone = 'Asia/Tokyo'
! SET LOCAL TimeZone = 'Asia/Tokyo'
! SET TIME ZONE 'Asia/Tokyo'
! SET VARIABLE x = 1
! SET VARIABLE x = (SELECT max(salary) FROM salaries)
! SET default_null_order = 'nulls_first'
! SET integer_division = true
! SET file_search_path = '/etc'
! SET home_directory = '/'
! SET log_query_path = 'x'
! SET profiling_output = 'stolen'
! RESET memory_limit
! RESET ALL
! RESET VARIABLE x
! PRAGMA enable_profiling
! PRAGMA enable_profiling = 'json'
! PRAGMA profiling_output = 'stolen'
! PRAGMA disable_optimizer
! PRAGMA database_list
! PRAGMA database_size
! PRAGMA show_tables
! PRAGMA table_info('salaries')
! PRAGMA storage_info('salaries')
! PRAGMA collations
! PRAGMA version
! PRAGMA platform
! PRAGMA force_checkpoint
! PRAGMA verify_external
! PRAGMA import_database('x')
! PRAGMA memory_limit = '100GB'
! CALL enable_logging()
! CALL duckdb_settings()
! CALL pragma_table_info('salaries')
! CALL pragma_version()
! CALL read_text('/etc/passwd')
! CALL checkpoint()
! CALL query('FROM salaries')
= SELECT 'set threads = 1' AS "set", 'pragma' AS pragma, 1 AS call

## query() and query_table()
! FROM query('FROM salaries')
! FROM query('FROM orders')
! FROM query('FROM ' || 'salaries')
! FROM query('FROM read_text(''/etc/passwd'')')
! FROM query('DROP VIEW orders')
! FROM "query"('FROM salaries')
! FROM QUERY('FROM salaries')
! FROM main.query('FROM salaries')
! FROM system.main.query('FROM salaries')
! FROM "system"."main"."query"('FROM salaries')
! SELECT * FROM orders, query('FROM salaries')
! SELECT (FROM query('FROM salaries') SELECT max(salary))
! WITH a AS (FROM query('FROM salaries')) FROM a
! FROM query($$FROM salaries$$)
! FROM query(E'FROM \x73alaries')
! FROM query(chr(70) || 'ROM salaries')
! FROM query_table('salaries')
! FROM query_table(['orders', 'salaries'])
! FROM query_table(['orders', 'salaries'], true)
! FROM query_table(concat('sala', 'ries'))
! FROM query_table('main.salaries')
! FROM query_table('"salaries"')
! FROM query_table('/etc/passwd.csv')
! FROM QUERY_TABLE('orders')
! FROM 'FROM salaries'.query()
! SELECT query('FROM salaries')
! PIVOT (FROM query('FROM salaries')) ON id IN (1) USING max(salary)
! DESCRIBE FROM query('FROM salaries')
! SUMMARIZE FROM query('FROM salaries')
! EXPLAIN FROM query('FROM salaries')
= SELECT 'query(''x'')' AS query
= SELECT query.id FROM orders AS query LIMIT 1

## serialized statements
! FROM json_execute_serialized_sql(json_serialize_sql('FROM salaries'))
! SELECT * FROM json_execute_serialized_sql('{"statements":[]}')
! SELECT json_serialize_plan('FROM salaries')
! SELECT json_serialize_plan('FROM orders')
! PRAGMA json_execute_serialized_sql('{}')
! CALL json_execute_serialized_sql('{}')
! FROM from_substrait('x'::BLOB)
! FROM from_substrait_json('{}')
! CALL get_substrait('FROM salaries')
? SELECT json_serialize_sql('FROM salaries')
? SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))
= SELECT json_extract('{"a": 1}', '$.a')

## macros and user functions
! CREATE MACRO f(a) AS a
! CREATE MACRO count(a) AS 'poison'
! CREATE OR REPLACE MACRO sum(a) AS 0
! CREATE TEMP MACRO f(a) AS (SELECT max(salary) FROM salaries)
! CREATE MACRO t() AS TABLE FROM salaries
! CREATE FUNCTION f(a) AS a
! DROP MACRO f
! WITH f AS (CREATE MACRO g() AS 1) FROM f
= SELECT 'create macro' AS macro

## prepared statements and transactions
! PREPARE p AS FROM salaries
! PREPARE p AS SELECT $1
! EXECUTE p
! EXECUTE p('x')
! DEALLOCATE p
! BEGIN
! BEGIN TRANSACTION READ WRITE
! COMMIT
! ROLLBACK
! START TRANSACTION
! ABORT
! SAVEPOINT a
! SELECT * FROM orders WHERE id = $1
! SELECT * FROM orders WHERE id = ?
! SELECT $name
! FROM query_table($1)
= SELECT '$1' AS a, '?' AS b
= SELECT 'begin; commit' AS t

## CTEs that shadow themselves
! WITH salaries AS (SELECT * FROM salaries) FROM salaries
! WITH salaries AS MATERIALIZED (FROM salaries) FROM salaries
! WITH salaries AS NOT MATERIALIZED (FROM salaries) SELECT count(*) FROM salaries
! WITH a AS (FROM salaries), salaries AS (SELECT 1) FROM a
! WITH salaries AS (SELECT 1 AS x) FROM main.salaries
! WITH salaries AS (SELECT 1 AS x) SELECT * FROM memory.main.salaries
! WITH a AS (WITH salaries AS (SELECT 1 AS x) FROM salaries) SELECT * FROM a, salaries
! SELECT * FROM (WITH salaries AS (SELECT 1) FROM salaries) x, salaries y
! WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, salaries WHERE n < 3) FROM r
! WITH RECURSIVE salaries AS (SELECT 1 AS n UNION ALL SELECT n FROM main.salaries) FROM salaries
! WITH orders AS (FROM salaries) FROM orders
! WITH x(a) AS (SELECT salary FROM salaries) SELECT a FROM x
? WITH a AS (SELECT 1), b AS (FROM salaries) SELECT 1
! WITH d AS (DELETE FROM orders RETURNING *) FROM d
! WITH d AS (INSERT INTO orders VALUES (1) RETURNING *) FROM d
! WITH d AS (UPDATE orders SET id = 0 RETURNING *) FROM d
= WITH orders AS (SELECT * FROM orders WHERE id < 3) SELECT count(*) FROM orders
= WITH salaries AS (FROM orders) SELECT count(*) FROM salaries
= WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r

## EXPLAIN
! EXPLAIN FROM salaries
! EXPLAIN ANALYZE FROM salaries
! EXPLAIN (FORMAT json) FROM salaries
! EXPLAIN (ANALYZE, FORMAT json) SELECT count(*) FROM salaries
! EXPLAIN ANALYZE CREATE TABLE t AS FROM orders
! EXPLAIN ANALYZE DELETE FROM orders
! EXPLAIN ANALYZE INSERT INTO orders VALUES (1)
! EXPLAIN DROP VIEW orders
! EXPLAIN ATTACH 'x.duckdb'
! EXPLAIN SET threads = 1
! EXPLAIN PRAGMA database_list
! EXPLAIN ANALYZE CALL enable_logging()
! EXPLAIN EXPLAIN FROM salaries
! EXPLAIN PREPARE p AS FROM salaries
! EXPLAIN FROM 'salaries.parquet'
! EXPLAIN FROM read_text('/etc/passwd')
! EXPLAIN SELECT 1; DROP VIEW orders
! EXPLAIN ANALYZE EXECUTE p
? EXPLAIN (FORMAT html) SELECT '<script>' FROM orders
? EXPLAIN ANALYZE SELECT getenv('KBC_TOKEN')
= EXPLAIN SELECT * FROM orders
= EXPLAIN ANALYZE SELECT count(*) FROM orders
= EXPLAIN (FORMAT json) SELECT kind, count(*) FROM orders GROUP BY kind

## listings and metadata functions
? SHOW TABLES
? SHOW ALL TABLES
? SHOW SCHEMAS
? SHOW DATABASES
? FROM information_schema.tables
? FROM information_schema.columns
? FROM information_schema.schemata
? FROM information_schema.views
? FROM information_schema.table_constraints
? FROM information_schema.key_column_usage
? FROM information_schema.referential_constraints
? FROM information_schema.character_sets
? FROM system.information_schema.columns
? FROM "information_schema"."COLUMNS"
? SELECT * FROM INFORMATION_SCHEMA.TABLES WHERE table_name LIKE '%a%'
? FROM duckdb_tables()
? FROM duckdb_views()
? FROM duckdb_columns()
? FROM duckdb_databases()
? FROM duckdb_schemas()
? FROM duckdb_types()
? FROM duckdb_functions()
? FROM duckdb_keywords()
? FROM duckdb_indexes()
? FROM duckdb_constraints()
? FROM duckdb_sequences()
? FROM duckdb_dependencies()
? FROM duckdb_optimizers()
? FROM duckdb_tables
? FROM duckdb_columns
? FROM pg_catalog.pg_tables
? FROM pg_tables
? FROM pg_catalog.pg_class
? FROM pg_catalog.pg_attribute
? FROM pg_catalog.pg_views
? FROM pg_views
? FROM pg_catalog.pg_namespace
? FROM pg_catalog.pg_database
? FROM pg_catalog.pg_settings
? FROM sqlite_master
? FROM sqlite_schema
? FROM sqlite_temp_master
! FROM duckdb_settings()
! FROM duckdb_secrets()
! FROM duckdb_memory()
! FROM duckdb_temporary_files()
! FROM duckdb_logs()
! FROM duckdb_logs
! FROM duckdb_log_contexts()
! FROM duckdb_variables()
! FROM duckdb_prepared_statements()
! FROM duckdb_external_file_cache()
! FROM duckdb_secret_types()
! FROM duckdb_approx_database_count()
! FROM pragma_database_size()
! FROM pragma_database_list()
! FROM pragma_platform()
! FROM pragma_user_agent()
? FROM pragma_collations()
! FROM pragma_show('salaries')
! FROM pragma_table_info('salaries')
! FROM pragma_storage_info('salaries')
! FROM pragma_metadata_info()
! FROM pragma_last_profiling_output()
! FROM pragma_detailed_profiling_output()
! FROM system.main.duckdb_settings()
! FROM "duckdb_settings"()
! SELECT (FROM duckdb_settings() SELECT list(value))
! SHOW salaries
! DESCRIBE salaries
! DESCRIBE main.salaries
! SUMMARIZE salaries
! DESCRIBE SELECT * FROM salaries
! SUMMARIZE SELECT * FROM salaries
! SHOW 'salaries.parquet'
! DESCRIBE '/etc/passwd.csv'
= DESCRIBE orders
= SUMMARIZE towns
= SHOW TABLES
= SELECT table_name FROM information_schema.tables ORDER BY ALL
= SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position

## tables as column arguments
! FROM histogram_values(salaries, salary)
! FROM histogram_values(salaries, employee)
! FROM histogram_values(main.salaries, salary)
! FROM histogram(salaries, salary)
! FROM histogram('salaries', 'salary')
! SELECT * FROM histogram_values('salaries', employee)
! FROM duckdb_table_sample('salaries')
! FROM duckdb_table_sample('orders')
! FROM pragma_storage_info('orders')
! FROM stats('salaries')
! FROM summary((FROM salaries))
! FROM summary((FROM orders))
! SELECT stats(salary) FROM salaries
! FROM checkpoint(salaries)
! FROM unnest(salaries)
? FROM repeat_row(salaries, num_rows = 1)
! SELECT approx_top_k(salaries, 3)
! SELECT nextval('salaries')
! SELECT currval('salaries')
! SELECT 'salaries'::regclass
! SELECT * FROM which_secret('salaries', 's3')
= SELECT histogram(id % 3) FROM orders
= SELECT approx_top_k(kind, 2) FROM orders

## SELECTs with side effects
! FROM checkpoint()
! FROM force_checkpoint()
! SELECT * FROM checkpoint('memory')
! FROM enable_logging()
! FROM enable_logging(storage = 'stdout')
! FROM enable_logging(storage = 'file', storage_path = 'stolen')
! FROM enable_logging('QueryLog')
! FROM disable_logging()
! FROM truncate_duckdb_logs()
! FROM set_logging_storage('stdout')
! FROM enable_profiling()
! FROM enable_profiling(save_location = 'stolen')
! FROM disable_profiling()
! FROM enable_peg_parser()
! FROM disable_peg_parser()
! SELECT write_log('x')
! SELECT write_log((SELECT max(note) FROM orders))
! FROM system.main.checkpoint()
! FROM add_parquet_key('k', '0123456789112345')
! SELECT setseed(0.5), nextval('s')
! FROM start_ui()
! FROM http_post('http://127.0.0.1', headers => {}, params => {})
! SELECT pg_terminate_backend(1)
? SELECT pg_sleep(0.01)
? SELECT setseed(0.5)
= SELECT 'checkpoint()' AS checkpoint
= SELECT id AS enable_logging FROM orders LIMIT 1

## NUL bytes and blanks
! SELECT 1{NUL}
! SELECT * FROM salaries{NUL} WHERE 1 = 0
! SELECT 1{NUL}; DROP VIEW orders
! SELECT '{NUL}' FROM salaries
! {NUL}
! SELECT * FROM "sal{NUL}aries"
! SELECT{U+200B}*{U+200B}FROM{U+200B}salaries
! SELECT{U+00A0}*{U+00A0}FROM{U+00A0}salaries
! SELECT{U+FEFF}*{U+FEFF}FROM{U+FEFF}salaries
! {U+FEFF}DROP VIEW orders
! {U+200B}COPY orders TO 'x.csv'
! {U+2060}SET threads = 1
! SELECT{U+3000}*{U+3000}FROM{U+3000}query('FROM salaries')
! FROM{U+2003}salaries
! FROM{FF}salaries
! FROM{CR}salaries
! FROM/**/salaries
! FROM/* orders */salaries/* towns */
! FROM--orders{LF}salaries
! FROM{TAB}salaries
! SELECT * FROM salaries{U+0085}
! SELECT 1{U+2028}FROM salaries
! SELECT 1;{U+200B}DROP VIEW orders
! SELECT 1{U+037E} DROP VIEW orders
! {U+202E}SELECT * FROM salaries
! /* /* nested */ */ FROM salaries
! SELECT 1 /* ; */ ; /* ; */ DROP VIEW orders
! SELECT * FROM {U+200B}salaries{U+200B}
? SELECT{U+00A0}1
? SELECT 1{U+200B}
= SELECT{TAB}1{LF}{LF}-- the end
= SELECT 1 ; ; -- over{LF}
= /* a */ SELECT 1 /* b */
= SELECT 'a{U+200B}b' AS zero, '{U+00A0}' AS hard
= SELECT{CR}{LF}1

## several statements
! SELECT 1; SELECT 2
! SELECT 1; DROP VIEW orders
! DROP VIEW orders; SELECT 1
! SELECT 1;;;;SELECT 2
! BEGIN; FROM orders; COMMIT
! CREATE VIEW v AS SELECT 1; FROM v
! SET VARIABLE x = 1; SELECT getvariable('x')
! ATTACH ':memory:' AS m; CREATE TABLE m.t AS SELECT 1; FROM m.t
! SELECT 1; -- {LF}COPY orders TO 'x.csv'
! SELECT $$ ; $$; SELECT 2
! SELECT E'\'; DROP VIEW orders; --'; SELECT 2
= SELECT ';' AS semicolon
= SELECT $$; DROP VIEW orders; $$ AS t
= SELECT E'\'; DROP VIEW orders; --' AS t
= SELECT 1;

## statements that write
! CREATE TABLE t AS FROM orders
! CREATE TEMP TABLE t (a INT)
! CREATE OR REPLACE VIEW orders AS SELECT 'poison' AS id
! CREATE TEMP VIEW orders AS SELECT 'poison' AS id
! CREATE SCHEMA s
! CREATE SEQUENCE s
! CREATE TYPE t AS ENUM ('a')
! CREATE INDEX i ON orders (id)
! DROP VIEW orders
! DROP SCHEMA main CASCADE
! DROP TABLE IF EXISTS salaries
! ALTER VIEW orders RENAME TO x
! ALTER TABLE orders ADD COLUMN x INT
! INSERT INTO orders VALUES (1)
! INSERT OR REPLACE INTO orders FROM orders
! UPDATE orders SET id = 0
! DELETE FROM orders
! TRUNCATE orders
! MERGE INTO orders USING towns ON true WHEN MATCHED THEN DELETE
! COMMENT ON VIEW orders IS 'x'
! VACUUM
! VACUUM ANALYZE orders
! ANALYZE
! CHECKPOINT
! FORCE CHECKPOINT
! SELECT 1 INTO t
! SELECT * FROM (DELETE FROM orders RETURNING *)
! GRANT SELECT ON salaries TO anna
= SELECT 'drop table orders' AS t, 1 AS "update", 2 AS "delete"
= SELECT ts AS last_update, note AS payload FROM orders LIMIT 1
= SELECT 'create ' || 'insert ' || 'delete ' || 'alter ' AS words

## secrets, settings and environment
! CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')
! CREATE PERSISTENT SECRET s (TYPE s3)
! DROP SECRET s
! FROM which_secret('s3://x', 's3')
! SELECT getenv('KBC_TOKEN')
! SELECT getenv('JWT_SECRET_KEY')
! SELECT "getenv"('PATH')
! SELECT current_setting('allowed_paths')
! SELECT current_setting('temp_directory')
! SELECT current_setting('memory_limit')
! SELECT current_setting('home_directory')
! SELECT pg_get_viewdef(0)
! SELECT pg_get_viewdef('orders')
! SELECT pg_catalog.current_setting('threads')
! SELECT system.main.current_setting('threads')
! SHOW allowed_paths
! SHOW memory_limit
! SELECT @@version
? SELECT version()
? SELECT current_user
? SELECT current_database(), current_schema(), current_schemas(true)
? SELECT current_query()
? SELECT getvariable('x')
? SELECT txid_current(), pg_backend_pid()
? SELECT session_user, user
? SELECT in_search_path('memory', 'main')
? SELECT sql FROM sqlite_master
? SELECT view_definition FROM information_schema.views
? SELECT filename FROM orders
? SELECT file_row_number FROM orders
? SELECT rowid, * FROM orders LIMIT 1
! SELECT * FROM orders WHERE filename LIKE '%x%'
! SELECT orders.filename, file_index FROM orders
= SELECT 'getenv' AS getenv
= SELECT current_date IS NOT NULL AS today

## the autocomplete function
! FROM sql_auto_complete('SELECT * FROM s')
! FROM sql_auto_complete('SELECT canary')
! SELECT sql_auto_complete('FROM s')
! FROM system.main.sql_auto_complete('FROM ')
! FROM check_peg_parser('FROM salaries')
! SELECT is_formatted('x'), sql_auto_complete('x')
= SELECT 'sql_auto_complete' AS f

## pivots
! PIVOT salaries ON employee
! PIVOT salaries ON employee IN ('a') USING max(salary)
! PIVOT 'salaries.parquet' ON salary IN (1)
! PIVOT (FROM read_text('/etc/passwd')) ON filename
! PIVOT orders ON kind IN (SELECT employee FROM salaries)
! UNPIVOT salaries ON COLUMNS(*)
! FROM salaries PIVOT (max(salary) FOR employee IN ('a'))
! PIVOT (FROM query('FROM salaries')) ON salary
! PIVOT orders ON (SELECT max(employee) FROM salaries)
! PIVOT_WIDER salaries ON id
! SELECT * FROM (PIVOT salaries ON id USING max(salary))
= PIVOT orders ON kind IN ('web', 'shop') USING sum(amount)
= PIVOT orders ON kind USING count(*)
= UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b

## what errors tell
! SELECT canary FROM orders
! SELECT employee FROM orders
! SELECT salaries.employee FROM orders
! SELECT * FROM salarie
! SELECT * FROM salariess
! SELECT * FROM quiet
! SELECT * FROM quiet_ledger
! SELECT * FROM ledger_q7
! SELECT * FROM nosuch.salaries
! SELECT nosuchfunction(1)
! SELECT error('x')
! SELECT CAST(note AS INTEGER) FROM orders
! SELECT 1 / 'x'
! SELECT id FROM orders GROUP BY kind
! SELECT * FROM orders WHERE kind = (SELECT kind FROM towns)
! SELECT (SELECT id FROM orders)
! SELECT strptime('x', '%Y')
! SELECT json_extract('{', '$')
! SELECT 'x'::UUID
! SELECT * FROM range(1, 2, 0, 4, 5)
! SELEC 1
! SELECT 'unterminated
! SELECT "unterminated
! SELECT $$unterminated
! SELECT (((
! )
! SELECT * FROM orders o WHERE o.canary_c = 1
! SELECT * FROM orders USING SAMPLE 1% (nosuch)
! SELECT * FROM "versions"
! SELECT * FROM read
= SELECT try_cast('x' AS INTEGER) AS n
= SELECT error_code FROM (SELECT 1 AS error_code)

## the network
! FROM 'https://example.com/a.parquet'
! FROM 'http://127.0.0.1:8000/api/health'
! FROM 's3://bucket/a.parquet'
! FROM 'gcs://bucket/a.parquet'
! FROM 'azure://x/a.parquet'
! FROM 'hf://datasets/x/y.parquet'
! FROM read_parquet('https://example.com/a.parquet')
! FROM read_csv('http://169.254.169.254/latest/meta-data')
! FROM read_text('https://example.com')
! FROM read_json('gs://x/y.json')
! COPY orders TO 'https://example.com/x'
! ATTACH 'ducklake:https://example.com' AS d
! ATTACH 'md:'
= SELECT 'https://example.com' AS url
= SELECT count(*) FROM orders WHERE note LIKE 'http://%'

## stored results and other people's work
! FROM result
! FROM 'results/a.arrow'
! FROM read_arrow('results/a.arrow')
! FROM query_runs
! FROM audit_log
! FROM agnes_audit
! FROM users
! FROM main.query_runs
! FROM state.query_runs
! FROM system.query_runs
! FROM duckdb_logs_parsed('QueryLog')
= SELECT 'query_runs' AS result

## guesses by size and time
! SELECT count(*) > 70000 FROM salaries
! SELECT CASE WHEN (SELECT count(*) FROM salaries) > 70000 THEN repeat('x', 1000000) END
! SELECT * FROM range((SELECT count(*) FROM salaries))
? SELECT estimated_size FROM duckdb_tables() WHERE table_name = 'salaries' AND error('x') = ''
! SELECT * FROM orders WHERE CASE WHEN EXISTS (FROM salaries) THEN true ELSE error('no') END
! SELECT sleep_ms(1) FROM salaries
? SELECT estimated_size FROM duckdb_tables()
? SELECT table_name, estimated_size, column_count FROM duckdb_tables() WHERE table_name LIKE 's%'
= SELECT estimated FROM (SELECT 3 AS estimated)

## statements too deep for the parser
? SELECT {900*[}{900*]}
? SELECT {5000*(}1{5000*)}
? SELECT {20000*-}1
? SELECT {3000*NOT }true
? SELECT 1{20000*+1}
? {400*SELECT * FROM (}SELECT 1{400*)}
? {900*WITH a AS (}SELECT 1{900*) FROM a}
? SELECT {3000*CASE WHEN true THEN }1{3000* END}
? SELECT json_structure('{60000*[}')
? SELECT '{20000*a}' SIMILAR TO '({200*a?}{200*a})'
? SELECT {2000*list_value(}1{2000*)}
? SELECT {1000*{'a': }1{1000*}}
= SELECT {20*(}1{20*)}
