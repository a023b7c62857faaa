// Package domain says what things are in Agnes. Its sub-packages say what may
// happen to them, one capability each; they import nothing of ours but each
// other, no HTTP, no SQL, no operating system.
//
// Glossary, one word per thing, in code, JSON, pages and documents:
//
//	table      a registered set of rows that people query by its name; never "dataset"
//	source     one outside place that tables come from, and its folder extracts/<source>
//	connector  the code that reads one kind of source: files, custom, later keboola …
//	extract    a source's self-describing extract.duckdb with Parquet files beside it
//	version    one immutable state of a table's rows: Parquet files, schema, hash
//	sync       bringing a table's newest rows here; one table's sync is a run
//	run        one sync of one table, or one query of one person, with its outcome
//	step       one phase of a sync run: extract, convert, publish, read back
//	rebuild    publishing analytics/server.duckdb from the current versions
//	catalog    the tables, with their current versions, that one principal may read
//	principal  who is asking: a person in a browser, a token, the scheduler
//	group      people who share grants; never "role"
//	grant      one group's permission to read one resource
//	child      a process of the same binary that opens DuckDB for the server
package domain
