# Statements as analysts and their tools write them. "=" must be answered as
# plain DuckDB answers over the same files, "~" must be answered.

## aggregates
= SELECT count(*) FROM orders
= SELECT kind, count(*) AS n, sum(amount) AS total FROM orders GROUP BY kind ORDER BY total DESC
= SELECT kind, avg(amount), median(amount), min(ts), max(ts) FROM orders GROUP BY ALL
= SELECT count(DISTINCT customer), approx_count_distinct(kind) FROM orders
= SELECT date_trunc('month', placed) AS m, sum(amount) FROM orders GROUP BY m ORDER BY m
= SELECT customer, sum(amount) AS s FROM orders GROUP BY customer HAVING s > 3700 ORDER BY s DESC, customer LIMIT 10
= SELECT sum(amount) FILTER (WHERE kind = 'web') AS web, sum(amount) FILTER (WHERE kind <> 'web') AS rest FROM orders
= SELECT kind, quantile_cont(amount, [0.25, 0.5, 0.75]) FROM orders GROUP BY kind
= SELECT string_agg(DISTINCT kind, ', ' ORDER BY kind) FROM orders
= SELECT list(DISTINCT kind ORDER BY kind) FROM orders
= SELECT arg_max(customer, amount), arg_min(id, ts) FROM orders WHERE id < 100
= SELECT grouping(kind), kind, count(*) FROM orders GROUP BY GROUPING SETS ((kind), ())
= SELECT kind, customer, count(*) FROM orders WHERE id < 60 GROUP BY CUBE (kind, customer)
= SELECT kind, count(*) FROM orders GROUP BY ROLLUP (kind)
= SELECT stddev(amount), variance(amount), corr(id, amount::DOUBLE) FROM orders
= SELECT histogram(id % 4) FROM orders
= SELECT mode(kind), entropy(kind), kurtosis(id) FROM orders
= SELECT bool_and(open), bool_or(open), bit_xor(id) FROM towns
= SELECT count(note), count(*) - count(note) AS missing FROM orders
= SELECT approx_quantile(id, 0.5) BETWEEN 1400 AND 1600 FROM orders
= SELECT max_by(town, lat), min_by(town, lat) FROM towns
= SELECT product(id + 1) FROM towns WHERE id < 10
= SELECT kind, first(id ORDER BY id), last(id ORDER BY id) FROM orders GROUP BY kind
= SELECT count(*) FROM million WHERE flag
= SELECT kind, count(*), sum(amount) FROM million GROUP BY kind ORDER BY kind

## joins
= SELECT o.kind, i.sku, sum(i.pieces) FROM orders o JOIN items i ON i.order_id = o.id GROUP BY ALL ORDER BY 1, 2 LIMIT 20
= SELECT count(*) FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.line = 9
= SELECT count(*) FROM orders FULL OUTER JOIN towns USING (id)
= SELECT count(*) FROM orders o RIGHT JOIN towns t ON o.id = t.id * 50
= SELECT count(*) FROM towns a CROSS JOIN towns b
= SELECT count(*) FROM orders SEMI JOIN items ON items.order_id = orders.id
= SELECT count(*) FROM orders ANTI JOIN towns USING (id)
= SELECT o.id, t.town FROM orders o ASOF JOIN towns t ON o.id >= t.id * 10 ORDER BY o.id LIMIT 30
= SELECT count(*) FROM orders NATURAL JOIN towns
= SELECT * FROM (SELECT id FROM orders ORDER BY id LIMIT 5) POSITIONAL JOIN (SELECT id AS i2 FROM towns ORDER BY id LIMIT 5)
= SELECT a.id, b.n FROM towns a, LATERAL (SELECT count(*) AS n FROM orders o WHERE o.id % 200 = a.id) b ORDER BY a.id LIMIT 10
= SELECT t.state, sum(o.amount) FROM orders AS o INNER JOIN towns AS t ON o.id % 200 = t.id WHERE t.open GROUP BY t.state
= SELECT x.id FROM orders x JOIN orders y ON x.id = y.id + 1 WHERE x.id < 10 ORDER BY 1
= SELECT * FROM main.orders o JOIN "main"."towns" t USING (id) ORDER BY id LIMIT 3
= SELECT count(*) FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id AND i.pieces > 8)

## windows
= SELECT id, sum(amount) OVER (ORDER BY id) FROM orders ORDER BY id LIMIT 20
= SELECT id, row_number() OVER (PARTITION BY kind ORDER BY id) AS n FROM orders QUALIFY n <= 2 ORDER BY id
= SELECT id, lag(id, 1, -1) OVER w, lead(id) OVER w FROM towns WINDOW w AS (ORDER BY id) ORDER BY id LIMIT 10
= SELECT id, rank() OVER (ORDER BY kind), dense_rank() OVER (ORDER BY kind) FROM orders ORDER BY id LIMIT 10
= SELECT id, avg(amount) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM orders ORDER BY id LIMIT 15
= SELECT DISTINCT ntile(4) OVER (ORDER BY id) FROM towns
= SELECT id, first_value(note IGNORE NULLS) OVER (ORDER BY id) FROM orders ORDER BY id LIMIT 9
= SELECT id, percent_rank() OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM towns ORDER BY id LIMIT 5
= SELECT placed, count(*) OVER (ORDER BY placed RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW) FROM orders WHERE id < 40 ORDER BY placed
= SELECT id, amount - lag(amount) OVER (PARTITION BY customer ORDER BY id) AS d FROM orders WHERE customer = 'customer 1' ORDER BY id LIMIT 12
= SELECT id, nth_value(id, 3) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM towns LIMIT 4
= SELECT kind, sum(sum(amount)) OVER (ORDER BY kind) FROM orders GROUP BY kind ORDER BY kind

## CTEs and subqueries
= WITH a AS (SELECT kind, sum(amount) AS s FROM orders GROUP BY kind) SELECT * FROM a WHERE s > (SELECT avg(s) FROM a)
= WITH a AS (FROM orders WHERE id < 5), b AS (FROM a SELECT id) FROM b ORDER BY id
= WITH orders AS (SELECT * FROM orders WHERE id < 10) SELECT count(*) FROM orders
= WITH RECURSIVE r(n, f) AS (SELECT 1, 1 UNION ALL SELECT n + 1, f * (n + 1) FROM r WHERE n < 10) FROM r ORDER BY n
= WITH a AS MATERIALIZED (SELECT id FROM towns) SELECT count(*) FROM a x, a y
= SELECT * FROM (SELECT kind, count(*) AS n FROM orders GROUP BY kind) AS t(k, c) ORDER BY k
= SELECT id, (SELECT count(*) FROM items i WHERE i.order_id = o.id) AS lines FROM orders o ORDER BY id LIMIT 10
= SELECT id FROM orders WHERE amount > ALL (SELECT lat FROM towns WHERE id < 70) ORDER BY id LIMIT 5
= SELECT id FROM orders WHERE amount = (SELECT max(amount) FROM orders) ORDER BY id
= SELECT id FROM orders WHERE (kind, customer) IN (SELECT 'web', 'customer 3') ORDER BY id LIMIT 5
= WITH x(a, b) AS (VALUES (1, 'x'), (2, 'y')) FROM x ORDER BY a
= WITH RECURSIVE t(n) USING KEY (n) AS (SELECT 1 UNION SELECT n + 1 FROM t WHERE n < 4) SELECT * FROM t ORDER BY n
= SELECT * FROM (FROM towns SELECT state, count(*) AS n GROUP BY state) WHERE n > 1 ORDER BY state
= WITH "update" AS (SELECT 1 AS "delete") SELECT "delete" FROM "update"

## friendly SQL
= FROM orders LIMIT 5
= FROM orders SELECT id, kind WHERE id < 4
= SELECT * EXCLUDE (note, ts) FROM orders ORDER BY id LIMIT 4
= SELECT * REPLACE (amount * 2 AS amount) FROM orders ORDER BY id LIMIT 4
= SELECT * RENAME (id AS nr) FROM towns ORDER BY nr LIMIT 2
= SELECT COLUMNS('a.*') FROM orders ORDER BY ALL LIMIT 3
= SELECT min(COLUMNS(*)) FROM towns
= SELECT COLUMNS(c -> c LIKE '%o%') FROM towns ORDER BY ALL LIMIT 4
= SELECT id + 1 AS n, n * 2 AS m FROM orders ORDER BY n LIMIT 3
= SELECT kind, count(*) FROM orders GROUP BY ALL ORDER BY ALL
= SELECT 'a' || 'b' AS x, 7 // 2, 2 ** 3, 7 % 4
= SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1] AS l
= SELECT 1_000_000 AS million, 1e3 AS exp
= SELECT 'hello'[1:3], [1, 2, 3][-1], ('hello').upper()
= SELECT * FROM towns USING SAMPLE 100 PERCENT (bernoulli) ORDER BY id LIMIT 3
= SELECT id, FROM towns ORDER BY id LIMIT 2
= VALUES (1, 'a'), (2, 'b')
= TABLE towns ORDER BY id LIMIT 2
= SELECT DISTINCT ON (kind) kind, id FROM orders ORDER BY kind, id
= SELECT count() FROM orders
= SELECT * FROM orders ORDER BY id LIMIT 10%
= SELECT * FROM towns ORDER BY id OFFSET 195
= SELECT lat AS "Lat (°)", town "Name" FROM towns ORDER BY id LIMIT 1
= SELECT coalesce(note, '-') AS n FROM orders ORDER BY id LIMIT 8
= SELECT if(open, 'yes', 'no'), CASE state WHEN 'AK' THEN 1 ELSE 0 END FROM towns ORDER BY id LIMIT 4
= SELECT struct_pack(a := 1, b := 'x'), {'k': [1, 2]}
= SELECT equi_width_bins(0, 10, 2, true)

## set operations
= SELECT id FROM towns UNION SELECT id FROM orders WHERE id < 300 ORDER BY 1 LIMIT 400
= SELECT kind AS x FROM orders INTERSECT SELECT 'web'
= SELECT id FROM towns EXCEPT SELECT id FROM orders WHERE id > 10 ORDER BY id
= (SELECT 1 AS a) UNION ALL (SELECT 2) ORDER BY a
= SELECT id, town FROM towns WHERE id < 2 UNION ALL BY NAME SELECT town, state FROM towns WHERE id < 2
= SELECT 1 EXCEPT ALL SELECT 2
= SELECT id % 3 FROM towns INTERSECT ALL SELECT id % 3 FROM towns WHERE id < 9

## pivots
= PIVOT orders ON kind IN ('web', 'shop', 'phone') USING sum(amount)
= PIVOT orders ON kind IN ('web', 'shop') USING count(*) AS n GROUP BY placed ORDER BY placed LIMIT 5
= PIVOT (SELECT kind, id % 3 AS m, amount FROM orders) ON m IN (0, 1, 2) USING sum(amount) GROUP BY kind ORDER BY kind
= FROM (SELECT kind, state, 1 AS one FROM orders, towns WHERE orders.id = towns.id) PIVOT (sum(one) FOR state IN ('AK', 'TX')) ORDER BY kind
= UNPIVOT (SELECT id, lat::VARCHAR AS lat, town FROM towns WHERE id < 3) ON lat, town INTO NAME n VALUE v ORDER BY ALL
= UNPIVOT (SELECT 1 AS a, 2 AS b, 3 AS c) ON COLUMNS(*)
= SELECT * FROM (PIVOT orders ON kind IN ('web') USING count(*)) 
= PIVOT orders ON kind USING sum(amount)
= PIVOT orders ON kind USING count(*) GROUP BY customer ORDER BY customer LIMIT 5
= PIVOT towns ON state USING max(lat)
= WITH p AS (PIVOT orders ON kind IN ('web') USING sum(amount)) FROM p

## text
= SELECT upper(kind), length(customer), left(customer, 4), right(kind, 2) FROM orders ORDER BY id LIMIT 3
= SELECT regexp_extract(customer, '(\d+)', 1)::INTEGER AS n, count(*) FROM orders GROUP BY n ORDER BY n LIMIT 5
= SELECT split_part(customer, ' ', 2), string_split(customer, ' ') FROM orders ORDER BY id LIMIT 3
= SELECT town FROM towns WHERE town ILIKE '%TOWN 1_' ORDER BY town
= SELECT count(*) FROM towns WHERE town SIMILAR TO 'Town [0-9]'
= SELECT regexp_replace('a-b-c', '-', '+', 'g'), replace('aXb', 'X', '--'), trim('  x ')
= SELECT format('{:>6} {}', 'a', 1), printf('%05d', 42), lpad('7', 3, '0')
= SELECT concat_ws(',', 'a', NULL, 'b'), 'a' || NULL, reverse('abc')
= SELECT levenshtein('duck', 'duke'), jaccard('duck', 'duke'), md5('x'), sha256('x')
= SELECT 'É' = 'é', lower('ÀÉ'), strip_accents('àé'), unicode('é'), chr(233)
= SELECT 'it''s', $$dollar 'quoted'$$, E'tab\tnew\nline'
= SELECT contains('abc', 'b'), starts_with('abc', 'a'), position('c' IN 'abc'), instr('abc', 'b')
= SELECT string_agg(c, '') FROM (SELECT unnest(string_split('abc', '')) AS c)
= SELECT to_base64('abc'::BLOB), hex('abc'), url_encode('a b')
= SELECT 'drop table orders; delete from towns' AS text
= SELECT '-- not a comment', '/* nor this */' AS "/* c */"
= SELECT count(*) FROM orders WHERE note LIKE 'note 1\%' ESCAPE '\'
= SELECT bar(id, 0, 10, 5) FROM towns ORDER BY id LIMIT 3
= SELECT parse_filename('a/b.csv'), parse_path('a/b')

## dates and times
= SELECT date_part('year', placed), month(placed), dayname(placed), week(placed) FROM orders ORDER BY id LIMIT 4
= SELECT placed + INTERVAL 1 MONTH, placed - DATE '2024-01-01', date_diff('day', placed, DATE '2024-12-31') FROM orders ORDER BY id LIMIT 4
= SELECT strftime(ts, '%Y-%m-%d %H:%M'), strptime('2024-02-29', '%Y-%m-%d') FROM orders ORDER BY id LIMIT 2
= SELECT time_bucket(INTERVAL 6 HOUR, ts) AS b, count(*) FROM orders GROUP BY b ORDER BY b LIMIT 6
= SELECT range FROM range(DATE '2024-01-01', DATE '2024-01-05', INTERVAL 1 DAY)
= SELECT count(*) FROM generate_series(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL 1 HOUR)
= SELECT last_day(DATE '2024-02-01'), make_date(2024, 2, 29), epoch(TIMESTAMP '2024-01-01')
= SELECT TIMESTAMPTZ '2024-06-01 12:00:00+02' AS z, TIMESTAMP '2024-06-01' AT TIME ZONE 'Europe/Prague'
= SELECT age(TIMESTAMP '2024-03-01', TIMESTAMP '2023-01-15')
= SELECT extract(dow FROM placed) AS d, count(*) FROM orders GROUP BY d ORDER BY d
= SELECT TIME '12:30:00', INTERVAL '1 year 2 months', DATE 'infinity'
= SELECT to_timestamp(0), epoch_ms(1700000000000), isodow(DATE '2024-01-07')
= SELECT current_date = today(), now() IS NOT NULL
= SELECT quarter(placed) AS q, sum(amount) FROM orders GROUP BY q ORDER BY q
= SELECT date_sub('month', DATE '2024-01-31', DATE '2024-03-01')
= SELECT max(ts)::DATE, min(ts)::TIME FROM orders
= SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789', TIMESTAMP_S '2024-01-01 00:00:01'
= SELECT count(*) FROM pg_timezone_names() WHERE name = 'UTC'

## nested types
= SELECT tags, tags[1], len(tags), list_sum(tags) FROM items ORDER BY order_id, line LIMIT 4
= SELECT box.w, box.h, box FROM items ORDER BY order_id, line LIMIT 4
= SELECT t, count(*) FROM (SELECT unnest(tags) AS t FROM items) GROUP BY t ORDER BY t
= SELECT unnest(box) FROM items WHERE order_id < 2
= SELECT list_transform(tags, lambda x: x + 1), list_filter(tags, lambda x: x > 1) FROM items WHERE order_id < 3
= SELECT list_reduce([1, 2, 3], lambda a, b: a + b), list_sort([3, 1, 2], 'DESC'), list_distinct([1, 1, 2])
= SELECT MAP {'a': 1, 'b': 2}, MAP {'a': 1}['a'], map_keys(MAP {'x': 1})
= SELECT [1, 2] || [3], array_slice([1, 2, 3, 4], 2, 3), flatten([[1], [2, 3]])
= SELECT [1, 2, 3]::INTEGER[3], array_distance([1.0, 2.0]::FLOAT[2], [2.0, 4.0]::FLOAT[2])
~ SELECT list_zip([1, 2], ['a', 'b'])
= SELECT unnest([{'a': 1, 'b': [2]}], recursive := true)
= SELECT struct_extract(box, 'h') AS h, count(*) FROM items GROUP BY h ORDER BY h
= SELECT array_agg(sku ORDER BY sku)[1:3] FROM items
= SELECT list_contains(tags, 2), list_position(tags, 1) FROM items WHERE order_id < 4
= SELECT * FROM unnest([1, 2, 3]) AS t(x)
~ SELECT union_value(a := 1)
~ SELECT row(1, 'x'), list_aggregate([1, 2, 3], 'avg')

## JSON
= SELECT json_extract('{"a": {"b": [1, 2]}}', '$.a.b[1]'), '{"a": 1}'->'a', '{"a": "x"}'->>'$.a'
= SELECT * FROM json_each('{"a": 1, "b": 2}')
= SELECT key, value FROM json_tree('[1, {"x": 2}]')
= SELECT to_json(box) FROM items WHERE order_id < 2
= SELECT json_object('a', 1, 'b', [1, 2]), json_array(1, 'x'), json_valid('{')
= SELECT json_group_array(kind) FROM (SELECT DISTINCT kind FROM orders ORDER BY kind)
= SELECT json_structure('{"a": 1, "b": ["x"]}'), json_type('[1]')
= SELECT from_json('{"a": 1}', '{"a": "INTEGER"}').a
= SELECT json_transform('{"a": "2024-01-01"}', '{"a": "DATE"}')
= SELECT json_array_length('[1, 2, 3]'), json_keys('{"a": 1}')
= SELECT '{"a": 1}'::JSON AS j

## numbers and types
= SELECT 170141183460469231731687303715884105727::HUGEINT, 18446744073709551615::UBIGINT, (-9223372036854775808)::BIGINT
= SELECT 1.10::DECIMAL(18, 2), 99999999999999999999999999999999999999::DECIMAL(38, 0), 0.1::FLOAT, 1e308::DOUBLE
= SELECT 'NaN'::DOUBLE, 'inf'::DOUBLE, '-inf'::FLOAT
= SELECT round(2.5), round(-1.555, 2), ceil(1.2), floor(-1.2), trunc(1.9)
= SELECT 1 / 0, 0.0 / 0, 5 / 2, 5 // 2, -7 % 3
= SELECT sqrt(2), ln(10), log2(8), pi(), sin(1), greatest(1, 2), least(3, 4)
= SELECT true AND NULL, NULL IS NULL, 1 IS DISTINCT FROM NULL, nullif(1, 1)
= SELECT try_cast('x' AS INTEGER), '12'::INTEGER, 1::VARCHAR, 'true'::BOOLEAN
= SELECT 'a1b2c3d4-0000-4000-8000-000000000000'::UUID, '\xAA'::BLOB
= SELECT 'x'::ENUM ('x', 'y'), typeof(1), typeof(1.5), typeof([1])
= SELECT bit_count(255), 5 & 3, 5 | 3, xor(5, 3), 1 << 4, ~1
= SELECT factorial(20), gcd(12, 18), even(2.5), sign(-3)
= SELECT hash(1) IS NOT NULL, random() < 1, uuid() IS NOT NULL
~ SELECT '101'::BIT, bit_length('x')
~ SELECT random(), uuid(), now(), gen_random_uuid()

## describing
= DESCRIBE orders
= DESCRIBE SELECT id, box.w FROM items, orders
~ SUMMARIZE orders
~ SUMMARIZE SELECT kind, amount FROM orders
~ SHOW TABLES
~ SHOW ALL TABLES
~ SHOW orders
~ DESCRIBE
~ SELECT table_name FROM information_schema.tables
~ SELECT * FROM information_schema.columns WHERE table_name = 'orders'
~ SELECT schema_name FROM information_schema.schemata
~ SELECT table_name FROM duckdb_tables()
~ SELECT column_name FROM duckdb_columns()
~ SELECT view_name FROM duckdb_views()
~ SELECT tablename FROM pg_catalog.pg_tables
~ SELECT count(*) FROM information_schema.tables t JOIN orders o ON true
~ SELECT current_schema(), current_database()
~ SELECT version()
= SELECT typeof(amount), typeof(ts) FROM orders LIMIT 1

## explaining
~ EXPLAIN SELECT * FROM orders WHERE id < 10
~ EXPLAIN ANALYZE SELECT kind, count(*) FROM orders GROUP BY kind
~ EXPLAIN (FORMAT json) FROM towns
~ explain select 1
~ -- why{LF}EXPLAIN /* x */ SELECT 1

## writing style
= select COUNT(*) from ORDERS where KIND = 'web'
= SELECT 1;
= SELECT 1; -- done
= ; SELECT 1 ;;
= -- first{LF}SELECT 1 /* then */
= /* header{LF} * of a tool */{LF}SELECT count(*){LF}FROM orders{LF}WHERE id < 10{LF};
= SELECT{TAB}id{CR}{LF}FROM towns{CR}{LF}ORDER BY id LIMIT 1
= (SELECT 1)
= ((SELECT id FROM towns ORDER BY id LIMIT 2))
= SELECT 'a;b' AS semi
= SELECT "id" FROM "orders" AS "o" WHERE "o"."id" = 1
= SELECT o."id" AS "the ""id""" FROM orders o ORDER BY 1 LIMIT 1
= SELECT id -- first{LF}, kind -- second{LF}FROM orders ORDER BY id LIMIT 2
= SELECT 1 AS "select", 2 AS "from", 3 AS "table"
= SELECT 'naïve ✓ 日本' AS ünï
= SELECT kind AS last_update, id AS payload, amount AS created_at FROM orders ORDER BY id LIMIT 2
= WITH installs AS (SELECT 1 AS loads) SELECT loads FROM installs
= SELECT /*+ hint */ 1
= SELECT * FROM "towns" -- the end
= FROM (SELECT 42) AS t("the answer")

## questions of tools
= SELECT 1
= SELECT * FROM (SELECT kind, sum(amount) AS s FROM orders GROUP BY 1) AS sub LIMIT 100
= SELECT count(*) FROM (SELECT * FROM orders) AS virtual_table
= SELECT * FROM (SELECT id, ts FROM orders) q WHERE ts >= TIMESTAMP '2024-01-05' AND ts < TIMESTAMP '2024-01-06' ORDER BY id LIMIT 50
= SELECT date_trunc('day', ts) AS __timestamp, sum(amount) AS metric FROM orders GROUP BY date_trunc('day', ts) ORDER BY metric DESC, 1 LIMIT 20
= SELECT min(id), max(id), count(*), count(DISTINCT id), sum(CASE WHEN note IS NULL THEN 1 ELSE 0 END) FROM orders
= SELECT * FROM orders WHERE 1 = 0
= SELECT * FROM towns LIMIT 0
= SELECT count(*) AS "COUNT(*)" FROM orders HAVING count(*) > 0
= SELECT id FROM orders WHERE id IN (1, 2, 3, 5, 8, 13, 21) ORDER BY id
= SELECT x, count(*) FROM (SELECT floor(amount / 10) AS x FROM orders) GROUP BY x ORDER BY x
= SELECT * FROM range(5) t(i) CROSS JOIN (VALUES ('a'), ('b')) v(c) ORDER BY ALL
= SELECT generate_series, generate_series % 2 FROM generate_series(1, 5)
