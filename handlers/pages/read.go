package pages

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/views"
)

// maxGridBytes bounds the text of one result shown in a page. Rows beyond it
// are there for the download, like rows beyond the limit.
const maxGridBytes = 16 << 20

// got is a query's answer as a page shows it.
type got struct {
	Grid views.Grid
	More bool // rows beyond these exist
}

// read runs a query and holds its rows as text.
func (s *Server) read(ctx context.Context, p access.Principal, req query.Request) (got, error) {
	run, err := s.Runner.Run(ctx, p, req)
	if err != nil {
		return got{}, err
	}
	g := got{}
	g.Grid, g.More, err = gridOfRows(ctx, query.AsResult(run))
	g.Grid.Columns = run.Columns()
	g.More = g.More || run.More()
	if cerr := run.Close(); err == nil && cerr != nil { //nolint:contextcheck // a run keeps its own context
		err = fmt.Errorf("end query %s: %w", run.ID, cerr)
	}
	return g, err
}

// appendRows adds a batch's rows and returns how many bytes of text they are.
func appendRows(g *views.Grid, batch arrow.RecordBatch) int {
	bytes := 0
	for i := range int(batch.NumRows()) {
		row := make([]*string, batch.NumCols())
		for c := range row {
			if text, ok := query.Text(batch.Column(c), i); ok {
				row[c] = &text
				bytes += len(text)
			}
		}
		g.Rows = append(g.Rows, row)
	}
	return bytes
}
