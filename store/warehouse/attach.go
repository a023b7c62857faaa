package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// extensionsDir is where an operator puts DuckDB extensions for outside systems.
const extensionsDir = "extensions"

// attachTimeout bounds the try to reach one outside system.
const attachTimeout = 30 * time.Second

// AttachRemote tries to reach outside systems, each read-only and in its own
// instance. Nothing of the data directory is open in these; extensions are
// loaded, never installed. Answers name neither addresses nor tokens, which the
// engine's own words would.
func (s *Store) AttachRemote(ctx context.Context, systems []work.Attachment) ([]work.Attached, error) {
	tried := make([]work.Attached, 0, len(systems))
	for _, a := range systems {
		answer, err := s.attach(ctx, a)
		if err != nil {
			return nil, err
		}
		tried = append(tried, answer)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return tried, nil
}

// attach tries one outside system. Its error is about this machine.
func (s *Store) attach(ctx context.Context, a work.Attachment) (answer work.Attached, err error) {
	answer.Alias = a.Alias
	if !registry.Identifier(a.Alias) || !registry.Identifier(a.Extension) {
		return answer, badJob(errors.New("an attachment has no name"))
	}
	dir, err := s.path(extensionsDir)
	if err != nil {
		return answer, err
	}
	db, err := s.openWith(ctx, "SET GLOBAL extension_directory = "+quoteLiteral(dir)+";")
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "LOAD "+quoteIdent(a.Extension)); err != nil {
		answer.Code, answer.Message = notLoaded(a, err, extensionsFolder(ctx, db))
		return answer, nil // the engine's words show folders
	}
	before, attach := attachStatements(a)
	_, err = within(ctx, attachTimeout, func(ctx context.Context) (struct{}, error) {
		for _, statement := range append(before, "SET GLOBAL lock_configuration = true", attach) {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return struct{}{}, err //nolint:wrapcheck // its words may hold address and token; a code is told instead
			}
		}
		return struct{}{}, nil
	})
	switch {
	case err == nil:
	case errors.Is(err, errTooLong):
		answer.Code, answer.Message = "attach_timeout", fmt.Sprintf("%s did not answer within %s.", a.Alias, attachTimeout)
	default:
		answer.Code = "attach_failed"
		answer.Message = fmt.Sprintf("%s could not be reached: its extension %s refused the address or the token, or the system did not answer.", a.Alias, a.Extension)
	}
	return answer, nil
}

// notLoaded says why an extension cannot be used, and where its file belongs.
func notLoaded(a work.Attachment, err error, folder string) (code, message string) {
	if strings.Contains(err.Error(), "not found") {
		return "extension_missing", fmt.Sprintf(
			"The extension %s for %s is not installed on the server. Put %s.duckdb_extension into the data directory's folder %s, then look again.",
			a.Extension, a.Alias, a.Extension, folder)
	}
	return "extension_refused", fmt.Sprintf(
		"The extension %s for %s is on the server but does not load: it is damaged, not signed, or for another DuckDB. Put the one for this DuckDB into the data directory's folder %s, then look again.",
		a.Extension, a.Alias, folder)
}

// extensionsFolder is where the engine looks for extensions, in the data
// directory: one folder for each version and platform.
func extensionsFolder(ctx context.Context, db *sql.DB) string {
	var version, platform string
	if err := db.QueryRowContext(ctx, "SELECT version(), platform FROM pragma_platform()").Scan(&version, &platform); err != nil {
		return extensionsDir
	}
	return path.Join(extensionsDir, version, platform)
}

// attachStatements name the outside system, with what the extension has to know
// before; every text in them is quoted. BigQuery takes its token from a secret
// of the instance, which lives as long as that; others take it in ATTACH
// (contract 12.3).
func attachStatements(a work.Attachment) (before []string, attach string) {
	options := []string{"TYPE " + quoteIdent(a.Extension), "READ_ONLY"}
	switch {
	case a.Extension == work.BigQuery:
		if a.Token != "" {
			before = append(before, "CREATE TEMPORARY SECRET "+quoteIdent("bq_secret_"+a.Alias)+" (TYPE bigquery, ACCESS_TOKEN "+quoteLiteral(a.Token)+")")
		}
		if a.QueryTimeout > 0 {
			before = append(before, fmt.Sprintf("SET GLOBAL bq_query_timeout_ms = %d", a.QueryTimeout.Milliseconds()))
		}
	case a.Token != "":
		options = append(options, "TOKEN "+quoteLiteral(a.Token))
	}
	return before, "ATTACH " + quoteLiteral(a.URL) + " AS " + quoteIdent(a.Alias) + " (" + strings.Join(options, ", ") + ")"
}
