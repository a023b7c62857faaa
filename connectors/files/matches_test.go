package files

import (
	"os"
	"path/filepath"
	"testing"

	"agnes/domain"
	"agnes/domain/files"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for name, content := range map[string]string{"a.csv": "id\n1\n", "sales/1.csv": "xx", "sales/deep/2.csv": "yyy", "sales/readme.md": "z", "mixed/a.csv": "x", "mixed/b.json": "[]", "notes.docx": "x"} {
		place := filepath.Join(f.files(), name)
		if err := os.MkdirAll(filepath.Dir(place), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		item           string
		files, skipped int
		bytes          int64
		format         files.Format
	}{
		{"a.csv", 1, 0, 5, files.CSV},
		{"sales", 2, 1, 5, files.CSV},
		{"sales/", 2, 1, 5, files.CSV},
		{"sales/*.csv", 1, 0, 2, files.CSV},
		{"**/2.csv", 1, 0, 3, files.CSV},
		{"mixed/*.json", 1, 0, 2, files.JSON},
		{"sales/deep/2.csv", 1, 0, 3, files.CSV},
	} {
		d, err := f.Matches(t.Context(), c.item)
		if err != nil || len(d.Files) != c.files || d.Skipped != c.skipped || d.Bytes() != c.bytes || d.Format != c.format || d.Newest().IsZero() {
			t.Errorf("Matches(%q) = %+v, %v, want %d files of %d bytes", c.item, d, err, c.files, c.bytes)
		}
	}
	for item, want := range map[string]struct {
		kind domain.Kind
		code string
	}{
		"mixed":        {domain.Invalid, "files_mixed"},
		"absent":       {domain.NotFound, "file_missing"},
		"absent/*.csv": {domain.NotFound, "file_missing"},
		"../state":     {domain.Invalid, "file_name_invalid"},
		"":             {domain.Invalid, "file_name_invalid"},
		"notes.docx":   {domain.Invalid, "file_format_unknown"},
	} {
		_, err := f.Matches(t.Context(), item)
		wantError(t, err, want.kind, want.code)
	}
}
