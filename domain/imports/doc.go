// Package imports takes over the state of the Python server that Agnes
// succeeds: what its system.duckdb holds at schema 51, how each row is kept
// here, and what is said of those that do not fit. Nothing in it reads files or
// databases: rows arrive from a child process and leave to the store.
//
// Schema describes the tables once, for the child that reads them, for the
// import, and for the mirror that is written in the same shape.
package imports
