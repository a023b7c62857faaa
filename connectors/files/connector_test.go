package files

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/work"
)

// fakeSink remembers what it was asked.
type fakeSink struct {
	work.Sink
	key    string
	format files.Format
}

func (s *fakeSink) Convert(_ context.Context, key string, format files.Format) (work.Extracted, error) {
	s.key, s.format = key, format
	return work.Extracted{Rows: 7}, nil
}

func TestExtract(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := f.Add(t.Context(), "orders.tsv", strings.NewReader("id\n1\n")); err != nil {
		t.Fatal(err)
	}
	var sink fakeSink
	out, err := Connector{}.Extract(t.Context(), work.ExtractJob{DataDir: f.Root, Item: "orders.tsv"}, &sink)
	if err != nil || out.Rows != 7 || sink.key != "files/orders.tsv" || sink.format != files.TSV {
		t.Errorf("Extract = %+v, %v, asked for %q as %q", out, err, sink.key, sink.format)
	}
}

func TestExtractRefusals(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.MkdirAll(filepath.Join(f.files(), "folder.csv"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		item string
		kind domain.Kind
		code string
	}{
		{"", domain.Invalid, "file_name_invalid"},
		{"..", domain.Invalid, "file_name_invalid"},
		{"../state/system.csv", domain.Invalid, "file_name_invalid"},
		{"a/b.csv", domain.Invalid, "file_name_invalid"},
		{`a\b.csv`, domain.Invalid, "file_name_invalid"},
		{".hidden.csv", domain.Invalid, "file_name_invalid"},
		{"a\x00.csv", domain.Invalid, "file_name_invalid"},
		{"a.xlsx", domain.Invalid, "file_format_unknown"},
		{"gone.csv", domain.NotFound, "file_missing"},
		{"folder.csv", domain.Invalid, "file_missing"},
	} {
		_, err := Connector{}.Extract(t.Context(), work.ExtractJob{DataDir: f.Root, Item: c.item}, &fakeSink{})
		wantError(t, err, c.kind, c.code)
	}
}

func FuzzPlainName(f *testing.F) {
	f.Add("a.csv")
	f.Add("../a")
	f.Fuzz(func(t *testing.T, name string) {
		if plainName(name) && (filepath.Dir(filepath.Join("/r", name)) != "/r" || name[0] == '.') {
			t.Errorf("plainName(%q)", name)
		}
	})
}
