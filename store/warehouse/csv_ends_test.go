package warehouse

import (
	"slices"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestLinesThatEndInSeveralWays holds that no row is lost, joined with another or
// gets a \r, wherever the ends of lines change.
func TestLinesThatEndInSeveralWays(t *testing.T) {
	t.Parallel()
	windows := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		last                []string
		rows                int64
	}{
		{"Windows and Unix", "a.csv", "id,a\r\n1,x\n2,y\r\n3,z\n", files.Options{}, []string{"1|x", "2|y", "3|z"}, 3},
		{"only the header", "a.csv", "id,a\n1,x\r\n2,y\r\n", files.Options{}, []string{"1|x", "2|y"}, 2},
		{"only the last line", "a.csv", "id,a\r\n1,x\r\n2,y\n", files.Options{}, []string{"1|x", "2|y"}, 2},
		{"old Macs and Unix", "a.csv", "id,a\r1,x\r2,y\r3,z\n", files.Options{}, []string{"1|x", "2|y", "3|z"}, 3},
		{"old Macs and Windows", "a.csv", "id,a\r\n1,x\r2,y\r\n", files.Options{}, []string{"1|x", "2|y"}, 2},
		{"written as text twice", "a.csv", "id,a\r\r\n1,x\r\r\n2,y\r\r\n", files.Options{}, []string{"1|x", "2|y"}, 2},
		{"one column", "a.csv", "id\r\nx\n\"\"\ny\r\nz\r", files.Options{}, []string{"x", "", "y", "z"}, 4},
		{"breaks within quotes", "a.csv", "id,a\r\n1,\"x\r\ny\"\n2,\"u\rv\"\r\n3,\"u\"\"\n\"\"v\"\n", files.Options{}, []string{"1|x\r\ny", "2|u\rv", "3|u\"\n\"v"}, 3},
		{"breaks within escaped quotes", "a.csv", "id,a\r\n1,\"x\\\"\r\ny\"\n2,z\r\n", files.Options{Escape: `\`}, []string{"1|x\"\r\ny", "2|z"}, 2},
		{"a quote within a value", "a.csv", "id,a\r\n1,5\" pipe\n2,x\r\n", files.Options{}, []string{"1|5\" pipe", "2|x"}, 2},
		{"no quotes", "a.csv", "id,a\r\n1,\"x\n2,y\r\n", files.Options{Quote: files.NoQuote}, []string{"1|\"x", "2|y"}, 2},
		{"separator named", "a.csv", "sep=;\nid;a\r\n1;x\r\n", files.Options{}, []string{"1|x"}, 1},
		{"packed", "a.csv.gz", mustGzip(t, "id,a\r\n1,x\n2,y\r\n"), files.Options{}, []string{"1|x", "2|y"}, 2},
		{"late", "a.csv", manyRows("id,a", "1,x", "2,y\r", "3,z\r4,w"), files.Options{}, []string{"1|x", "2|y", "3|z", "4|w"}, sampleRows + 10003},
		{"late in a file of Windows", "a.csv", windows(manyRows("id,a", "1,x")) + "2,y\n3,z\r4,w\r\n", files.Options{}, []string{"1|x", "2|y", "3|z", "4|w"}, sampleRows + 10003},
		{"rows left out", "a.csv", manyRows("id,a", "1,x", "2,y\r", "3", "4,w"), files.Options{Misfits: files.SkipRows}, []string{"1|x", "2|y", "4|w"}, sampleRows + 10002},
		{"rows left out early", "a.csv", "id,a\r\n1,x\n2\r\n4,w\r", files.Options{Misfits: files.SkipRows}, []string{"1|x", "4|w"}, 2},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, _, err := convertWith(t, s, c.name, c.content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			got := mustRead(t, s, out)
			if out.Rows != c.rows || !slices.Equal(got[max(0, len(got)-len(c.last)):], c.last) {
				t.Errorf("%d rows, the last %q, want %d and %q", out.Rows, got[max(0, len(got)-len(c.last)):], c.rows, c.last)
			}
			format, _ := files.FormatOf(c.name)
			p, err := s.PreviewWith(t.Context(), "files/"+c.name, format, c.options)
			if err != nil || p.TotalRows != c.rows || !slices.Contains(p.Warnings, evenWarning) || !slices.Contains(out.Warnings, evenWarning) {
				t.Errorf("preview of %d rows with warnings %q, %v; the sync says %q", p.TotalRows, p.Warnings, err, out.Warnings)
			}
			wantClean(t, s)
		})
	}
}

func TestLinesThatEndInSeveralWaysName(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	_, err := convert(t, s, "a.csv", "id,a\n1,x\n2,y\rz\n3,w\n")
	failure := wantCode(t, err, "file_row_misfit")
	if failure.Line != 4 || !strings.Contains(failure.NextStep, evenWarning) {
		t.Errorf("line %d, %q", failure.Line, failure.NextStep)
	}
}

func TestFolderOfFilesWhoseLinesEndInSeveralWays(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/d/a.csv", "id,a\r\n1,x\n2,y\r\n")
	mustWrite(t, s, "files/d/b.csv", "id,a\n3,z\n")
	mustWrite(t, s, "files/d/c.csv", "id,a\n4,u\r5,v\n")
	out, err := s.Convert(t.Context(), "files/d", files.CSV, Target{"files", "t", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mustRead(t, s, out), []string{"1|x", "2|y", "3|z", "4|u", "5|v"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	p, err := s.Preview(t.Context(), "files/d", files.CSV)
	if err != nil || len(p.Rows) != 5 || !slices.Contains(p.Warnings, evenWarning) {
		t.Errorf("preview %+v, %v", p, err)
	}
}
