package pages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

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

// read runs a query and holds its rows as text. The duration is returned for a
// query that failed, too.
func (s *Server) read(ctx context.Context, p access.Principal, req query.Request) (got, time.Duration, error) {
	began := s.Now()
	run, err := s.Runner.Run(ctx, p, req)
	if err != nil {
		return got{}, s.Now().Sub(began), err
	}
	g, err := gridOf(run)
	if cerr := run.Close(); err == nil && cerr != nil { //nolint:contextcheck // a run keeps its own context
		err = fmt.Errorf("end query %s: %w", run.ID, cerr)
	}
	return g, run.Duration(), err
}

func gridOf(run *query.Run) (got, error) {
	g := got{Grid: views.Grid{Columns: run.Columns(), Rows: [][]*string{}}}
	held := 0
	for {
		batch, err := run.Next()
		if errors.Is(err, io.EOF) {
			g.More = run.More()
			return g, nil
		}
		if err != nil {
			return got{}, err
		}
		held += appendRows(&g.Grid, batch)
		batch.Release()
		if held > maxGridBytes {
			g.More = true
			return g, nil
		}
	}
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
