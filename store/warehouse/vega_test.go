package warehouse

import (
	"os"
	"path/filepath"
	"testing"

	"agnes/domain/files"
)

// TestConvertRealFiles brings in public data sets as people make them, where
// they are installed.
func TestConvertRealFiles(t *testing.T) {
	t.Parallel()
	const data = "../../node_modules/vega-datasets/data"
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Skip("vega-datasets is not installed")
	}
	for _, e := range entries {
		format, known := files.FormatOf(e.Name())
		if !known {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(filepath.Join(data, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			s := newTestStore(t)
			mustWrite(t, s, "files/"+e.Name(), string(content))
			out, err := s.Convert(t.Context(), "files/"+e.Name(), format, Target{"files", "t", "v1"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			preview, err := s.Preview(t.Context(), "files/"+e.Name(), format)
			if err != nil || out.Rows == 0 {
				t.Fatalf("%d rows, preview %v", out.Rows, err)
			}
			if got, want := columnList(preview.Columns), columnList(out.Columns); got != want {
				t.Errorf("previewed %s, published %s", got, want)
			}
		})
	}
}
