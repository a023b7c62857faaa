package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

func TestPreviewOfManyFiles(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for n := range 10 {
		extra, value := "", ""
		if n == 9 {
			extra, value = ",late", ",x"
		}
		mustWrite(t, s, fmt.Sprintf("files/sales/%d.csv", n), "ID,a"+extra+"\n"+strings.Repeat(fmt.Sprintf("%d,1%s\n", n, value), 30))
	}
	p, err := s.PreviewWith(t.Context(), "files/sales", files.CSV, files.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if columnList(p.Columns) != "ID BIGINT, a BIGINT, late VARCHAR" || p.Files != 10 || p.TotalRows != -1 || !p.Partial || len(p.Rows) != 48 || len(p.From) != len(p.Rows) {
		t.Errorf("%s of %d files, %d rows from %d of %d", columnList(p.Columns), p.Files, len(p.Rows), len(p.From), p.TotalRows)
	}
	if got := slices.Compact(slices.Clone(p.From)); !slices.Equal(got, []string{"sales/0.csv", "sales/3.csv", "sales/6.csv", "sales/9.csv"}) {
		t.Errorf("rows of %q", got)
	}
	if p.Rows[0][2] != nil || *p.Rows[47][2] != "x" || *p.Rows[47][0] != "9" {
		t.Errorf("first row %v, last row %v", p.Rows[0], p.Rows[47])
	}
	if want := "These are rows of 4 of 10 files. The others are put below them by the names of their columns."; !slices.Contains(p.Warnings, want) {
		t.Errorf("warnings %q", p.Warnings)
	}
	one, err := s.PreviewWith(t.Context(), "files/sales/0*", files.CSV, files.Options{})
	if err != nil || one.Files != 1 || len(one.From) != 0 || one.TotalRows != 30 || one.Partial {
		t.Errorf("one file: %+v, %v", one, err)
	}
	mustWrite(t, s, "files/sales/3.csv", "id,a\n1\n2,3\n")
	p, err = s.PreviewWith(t.Context(), "files/sales", files.CSV, files.Options{})
	if err != nil || p.Misfits.Count != 1 || p.Misfits.First[0].File != "sales/3.csv" || p.Misfits.First[0].Line != 2 {
		t.Errorf("misfits %+v, %v", p.Misfits, err)
	}
	mustWrite(t, s, "files/sales/9.csv", "%PDF")
	_, err = s.PreviewWith(t.Context(), "files/sales", files.CSV, files.Options{})
	if failure := wantCode(t, err, "file_not_text"); !strings.HasPrefix(failure.Message, "sales/9.csv is a PDF document") {
		t.Errorf("says %q", failure.Message)
	}
}

// A correction may name a column that only some of the files have.
func TestCorrectionsOfManyFiles(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/sales/1.csv", "id,a\n1,x\n")
	mustWrite(t, s, "files/sales/2.csv", "id,late\n2,7\n")
	late := files.Options{Columns: []files.ColumnOption{{Column: "late", Name: "since", Type: "VARCHAR"}}}
	out, err := s.ConvertWith(t.Context(), "files/sales", files.CSV, late, Target{"files", "t", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s, out); columnList(out.Columns) != "id BIGINT, a VARCHAR, since VARCHAR" || !slices.Equal(got, []string{"1|x", "2|7"}) {
		t.Errorf("%s with %q", columnList(out.Columns), got)
	}
	p, err := s.PreviewWith(t.Context(), "files/sales", files.CSV, late)
	if err != nil || columnList(p.Columns) != columnList(out.Columns) || columnList(p.Found) != "id BIGINT, a VARCHAR, late BIGINT" {
		t.Errorf("preview %+v, %v", p, err)
	}
	none := files.Options{Columns: []files.ColumnOption{{Column: "gone", Type: "DATE"}, {Column: "never", Drop: true}}}
	_, err = s.ConvertWith(t.Context(), "files/sales", files.CSV, none, Target{"files", "t", "v2"}, nil)
	if failure := wantCode(t, err, "file_column_missing"); failure.Message != "No file of sales has a column gone, which the table's corrections name." {
		t.Errorf("says %q", failure.Message)
	}
	_, err = s.PreviewWith(t.Context(), "files/sales", files.CSV, none)
	wantCode(t, err, "file_column_missing")
}
