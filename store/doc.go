// Package store keeps the state: people, groups, grants, the registry, runs,
// sessions and the audit log, in one SQLite file. It holds all SQL of that
// file; nothing else opens it. Data, that is Parquet, is not here.
//
// One connection writes and a pool of them reads. A method is as large as the
// write that it must make atomic: one method, one transaction, and the audit
// row is in it. Driver errors become domain errors here and nowhere else.
//
// SQL keeps to what SQLite and PostgreSQL share: $1 parameters, ON CONFLICT,
// RETURNING, common table expressions, window functions; times are integer
// microseconds, JSON is text.
package store
