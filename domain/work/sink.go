package work

import (
	"context"

	"agnes/domain/files"
)

// Sink is what an extract child hands to its connector: the connector says
// where the rows are, the sink makes the job's version of them.
type Sink interface {
	// Convert publishes the rows of the file, folder or pattern at key, a place
	// under the data directory, as the version, with the job's corrections.
	Convert(ctx context.Context, key string, format files.Format) (Extracted, error)
	// Snapshot publishes the rows of one table of the extract.duckdb of a
	// source as the version.
	Snapshot(ctx context.Context, source, table string) (Extracted, error)
}
