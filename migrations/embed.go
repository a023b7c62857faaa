// Package migrations holds the state database's schema as numbered goose
// files. A file is never edited once it was released; a later one changes what
// it made. The statements keep to what SQLite and PostgreSQL both accept:
// times are BIGINT microseconds since 1970 UTC, JSON is TEXT, ids are TEXT.
package migrations

import "embed"

// FS holds the numbered files.
//
//go:embed *.sql
var FS embed.FS
