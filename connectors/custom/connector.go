// Package custom is the connector of a company's own extractors: Folder watches
// their extracts for the serving process, Connector hands one table of one
// extract to the sink of an extract child. Agnes never writes in their folders
// and never reads an extract.duckdb as a file.
package custom

import (
	"context"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Connector finds the table of a job. Its zero value is ready.
type Connector struct{}

// Extract hands the table job.Item of extracts/job.Source to the sink.
func (Connector) Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error) {
	if !registry.Identifier(job.Source) || !registry.Identifier(job.Item) {
		return work.Extracted{}, domain.E(domain.Invalid, "table_name_invalid",
			"The table or its source has a name that cannot be used: letters, digits and _, no digit first, at most 64 characters. Rename it in the extractor.")
	}
	return sink.Snapshot(ctx, job.Source, job.Item) //nolint:wrapcheck // the sink's words are for people
}
