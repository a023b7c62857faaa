// Package cli holds the client commands: what an analyst or an administrator
// runs on a laptop against a server's JSON API. It never opens DuckDB and never
// reads the environment by itself; main hands everything over in an Env.
//
// Commands is the way in, ExitCode the way out. Every list has --json and
// prints ids. Exit codes: 0 done, 1 a failure, 2 wrong use, 5 the catalog
// cannot be fetched.
package cli
