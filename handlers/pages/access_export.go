package pages

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"time"

	"agnes/domain/access"
	"agnes/domain/query/export"
	"agnes/handlers/request"
)

// accessExport streams the matrix of all tables and groups that match as a
// file. A connection is cut where it fails, so that a file that ends early is
// never taken for a whole one.
func (s *Server) accessExport(w http.ResponseWriter, r *http.Request) error {
	f := parseMatrixQuery(r.URL.Query()).Filter()
	f.Tables, f.Groups = access.Window{}, access.Window{}
	out := &matrixFile{csv: csv.NewWriter(w), now: s.Now()}
	control := http.NewResponseController(w)
	err := s.Access.ExportMatrix(r.Context(), f, func(m access.Matrix) error {
		if !out.begun {
			h := w.Header()
			h.Set("Content-Type", "text/csv; charset=utf-8")
			h.Set("Content-Disposition", `attachment; filename="access-`+s.Now().UTC().Format("20060102-150405")+`.csv"`)
		}
		s.extend(control)
		return out.write(m)
	})
	if err != nil && out.begun {
		request.Logger(r.Context()).WarnContext(r.Context(), "export of the matrix ended early", "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// matrixFile writes a matrix part by part.
type matrixFile struct {
	csv   *csv.Writer
	now   time.Time
	begun bool
}

func (f *matrixFile) write(m access.Matrix) error {
	groups := append([]access.MatrixGroup{m.Everyone}, m.Groups...)
	if !f.begun {
		f.begun = true
		head := []string{"table", "source", "bucket"}
		for _, g := range groups {
			head = append(head, export.Guard(g.Name))
		}
		if err := f.csv.Write(head); err != nil {
			return fmt.Errorf("write header: %w", err)
		}
	}
	for _, t := range m.Tables {
		row := []string{export.Guard(t.Name), export.Guard(t.Table().Source()), export.Guard(t.Bucket)}
		all, ok := m.At(m.Everyone.ID, t.ID)
		for _, g := range groups {
			grant, held := m.At(g.ID, t.ID)
			row = append(row, cellWord(grant, held, ok && all.Live(f.now), f.now))
		}
		if err := f.csv.Write(row); err != nil {
			return fmt.Errorf("write row: %w", err)
		}
	}
	f.csv.Flush()
	return f.csv.Error()
}

// cellWord is what a cell says in the file.
func cellWord(g access.Grant, held, inherited bool, now time.Time) string {
	switch {
	case held && g.Live(now) && g.ExpiresAt != nil:
		return "until " + g.ExpiresAt.UTC().Format(time.DateOnly)
	case held && g.Live(now):
		return "granted"
	case inherited:
		return "inherited"
	case held:
		return "ended " + g.ExpiresAt.UTC().Format(time.DateOnly)
	}
	return ""
}
