# Statements that want all of the machine. Each must end within its limit and a
# second, without harm to others.

## time
! SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range = c.range
! SELECT length(repeat('x', 1500000000))
! WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r
! SELECT count(*) FROM million a, million b WHERE a.amount * b.amount % 7 = 3
! SELECT sum(levenshtein(a.label || repeat('x', 500), b.label || repeat('y', 500))) FROM million a, million b
! SELECT count(*) FROM million a JOIN million b ON a.amount < b.amount JOIN million c ON b.amount < c.amount
! SELECT max(factorial(20) + a.range) FROM range(1000000000000) a
! SELECT count(*) FROM range(100000000000) WHERE sha256(range::VARCHAR) LIKE '00000000000%'
! SELECT count(*) FROM million WHERE regexp_matches(repeat(label, 1000), '(a|b|ab)*c$')
! SELECT sleep_ms(100000)
! SELECT list_sum(list_transform(range(30000), lambda x: list_sum(list_transform(range(30000), lambda y: x * y))))
! SELECT approx_quantile(a.range * b.range, 0.5) FROM range(1000000) a, range(1000000) b

## memory of one value
! SELECT repeat('x', 2000000000)
! SELECT lpad('x', 2000000000, 'y')
! SELECT printf('%2000000000d', 1)
! SELECT format('{:>2000000000}', 'x')
! SELECT array_to_string(range(100000000), ',')
! SELECT list_transform(range(100000000), lambda x: x::VARCHAR)
! SELECT range(1000000000)
! SELECT list(range) FROM range(1000000000)
! SELECT string_agg(label, '') FROM (FROM million UNION ALL FROM million), range(1000)
! SELECT repeat(repeat(repeat('x', 1000), 1000), 1000)
! SELECT [repeat('x', 100000000) FOR i IN range(100)]
! SELECT string_split(repeat('x,', 200000000), ',')
! SELECT regexp_replace(repeat('x', 200000000), 'x', 'yyyyyyyyyy', 'g')
! SELECT to_json(range(100000000))
! SELECT json_structure(('[' || repeat('1,', 50000000) || '1]')::JSON)
! SELECT replace(repeat('a', 100000000), 'a', repeat('b', 100))
! SELECT hex(repeat('x', 1000000000)::BLOB)
! SELECT map_from_entries([(i, repeat('x', 100000)) FOR i IN range(100000)])
! SELECT bitstring_agg(range, 0, 1000000000) FROM range(1000000000)

## memory of many rows
! SELECT count(DISTINCT range || repeat('x', 100)) FROM range(1000000000)
! SELECT * FROM range(1000000000) ORDER BY hash(range) DESC LIMIT 1000000000
! SELECT max(c) FROM (SELECT range % 500000000 AS k, list(repeat('x', 50)) AS l, count(*) AS c FROM range(2000000000) GROUP BY k)
! SELECT count(*) FROM (SELECT *, row_number() OVER (ORDER BY hash(range)) FROM range(2000000000))
! SELECT mode(range || 'x') FROM range(1000000000)
! SELECT quantile_cont(hash(range)::DOUBLE, 0.5) FROM range(1000000000)
! SELECT histogram(range) FROM range(1000000000)
! SELECT count(*) FROM (SELECT a.range AS x FROM range(200000000) a INTERSECT SELECT b.range FROM range(200000000) b)
! WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r

## the parser and the planner
! SELECT {900*[}{900*]}
! SELECT {20000*(}1{20000*)}
! SELECT {60000*NOT }true
! SELECT 1{200000* + 1}
! {900*SELECT * FROM (}SELECT 1{900*)}
! SELECT count(*) FROM {13*million a, }million b
! SELECT json_structure('{100000*[}')
! SELECT * FROM (VALUES {50000*(1), }(1))
! WITH {30*a AS (SELECT * FROM towns x, towns y, towns z), }z AS (SELECT 1) SELECT * FROM z
