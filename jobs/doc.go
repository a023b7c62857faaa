// Package jobs is what runs beside requests: the schedule of what Agnes does by
// itself, and the child processes in which everything happens that needs
// DuckDB.
//
// Supervisor starts children of this same binary ("agnes worker …"), carries
// extract and rebuild jobs through them, and ends them. QueryPool is the
// query.Engine: it keeps query children, one catalog each. A child that
// crashes, runs out of memory or does not stop costs its own work and nothing
// else. The package opens no database and knows no connector.
package jobs
