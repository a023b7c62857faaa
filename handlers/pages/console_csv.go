package pages

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/query"
	"agnes/handlers/request"
)

// stall is how long a reader may take for one batch of a download.
const stall = time.Minute

// consoleCSV streams all rows of a query as a file. What goes wrong before the
// first rows is a page; after them the connection is cut, so that a file that
// ends early is never taken for a whole one.
func (s *Server) consoleCSV(w http.ResponseWriter, r *http.Request) (err error) {
	p, err := who(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	sql := r.PostFormValue("sql")
	began := s.Now()

	run, err := s.Runner.Run(r.Context(), p, query.Request{SQL: sql, Origin: query.FromExport})
	if err != nil {
		return s.consoleFailure(w, r, p, consoleFailed{sql: sql, limit: defaultLimit, elapsed: s.Now().Sub(began), err: err})
	}
	defer func() { //nolint:contextcheck // a run keeps its own context
		if cerr := run.Close(); cerr != nil {
			request.Logger(r.Context()).ErrorContext(r.Context(), "end export", "query_id", run.ID, "err", cerr)
		}
	}()
	batch, err := run.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return s.consoleFailure(w, r, p, consoleFailed{sql: sql, limit: defaultLimit, elapsed: s.Now().Sub(began), err: err})
	}

	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="query-`+began.UTC().Format("20060102-150405")+`.csv"`)
	if err := s.writeCSV(w, run, batch); err != nil {
		request.Logger(r.Context()).WarnContext(r.Context(), "export ended early", "query_id", run.ID, "rows", run.Rows, "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writeCSV sends the header, the batch at hand (nil: there are no rows) and the rest.
func (s *Server) writeCSV(w http.ResponseWriter, run *query.Run, batch arrow.RecordBatch) error {
	out := rowWriter{Writer: csv.NewWriter(w), raw: w}
	cells := make([]string, len(run.Columns()))
	for i, c := range run.Columns() {
		cells[i] = c.Name
	}
	if err := out.Write(cells); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	control := http.NewResponseController(w)
	for batch != nil {
		s.extend(control)
		err := writeBatch(out, batch, cells)
		batch.Release()
		if err != nil {
			return err
		}
		if batch, err = run.Next(); errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// extend gives the reader time for one more piece. A writer that knows no
// deadlines, as in tests, has none to extend.
func (s *Server) extend(c *http.ResponseController) {
	_ = c.SetWriteDeadline(s.Now().Add(stall))
}

// rowWriter writes a row of one empty cell as "", because readers skip empty lines.
type rowWriter struct {
	*csv.Writer
	raw io.Writer
}

// Write writes one row.
func (w rowWriter) Write(cells []string) error {
	if len(cells) != 1 || cells[0] != "" {
		return w.Writer.Write(cells)
	}
	w.Flush()
	if _, err := io.WriteString(w.raw, "\"\"\n"); err != nil {
		return err
	}
	return w.Error()
}

func writeBatch(out rowWriter, batch arrow.RecordBatch, cells []string) error {
	for i := range int(batch.NumRows()) {
		for c := range cells {
			cells[c], _ = query.Text(batch.Column(c), i) // NULL is an empty cell
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write row: %w", err)
		}
	}
	return nil
}
