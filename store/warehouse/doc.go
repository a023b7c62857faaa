// Package warehouse is DuckDB and Parquet: the only package that opens the
// engine, and only ever inside a child process.
//
// It reads people's files and custom extracts, writes versions (one publish
// helper, publish.go, and nothing else puts a file in its final place), writes
// and reads extract.duckdb, publishes analytics/server.duckdb, and runs
// queries. Entry points are RunExtract and RunRebuild, the bodies of the
// children; Sweep is the only one that the serving process calls.
//
// It knows nothing of users, grants, schedules or the state database.
package warehouse
