package files

import (
	"context"
	"errors"
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
	if err := os.WriteFile(filepath.Join(f.files(), "a.doc"), []byte("x"), 0o600); err != nil {
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
		{"a/b.csv", domain.NotFound, "file_missing"},
		{`a\b.csv`, domain.Invalid, "file_name_invalid"},
		{".hidden.csv", domain.Invalid, "file_name_invalid"},
		{"a\x00.csv", domain.Invalid, "file_name_invalid"},
		{"a.doc", domain.Invalid, "file_format_unknown"},
		{"gone.csv", domain.NotFound, "file_missing"},
		{"folder.csv", domain.NotFound, "file_missing"},
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

func TestExtractFolders(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for name, text := range map[string]string{"sales/2023.csv": "id\n1\n", "sales/2024.csv.gz": "x", "mixed/a.csv": "x", "mixed/b.json": "x", "one/a.parquet": "x"} {
		place := filepath.Join(f.files(), name)
		if err := os.MkdirAll(filepath.Dir(place), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for item, want := range map[string]files.Format{"sales": files.CSV, "sales/": files.CSV, "sales/*.csv*": files.CSV, "sales/2023.csv": files.CSV, "one": files.Parquet} {
		var sink fakeSink
		_, err := Connector{}.Extract(t.Context(), work.ExtractJob{DataDir: f.Root, Item: item}, &sink)
		if err != nil || sink.format != want || sink.key != "files/"+strings.TrimSuffix(item, "/") {
			t.Errorf("%s: %v, asked for %q as %q", item, err, sink.key, sink.format)
		}
		if _, err := f.Key(t.Context(), item); err != nil {
			t.Errorf("Key(%s): %v", item, err)
		}
	}
	_, err := Connector{}.Extract(t.Context(), work.ExtractJob{DataDir: f.Root, Item: "mixed"}, &fakeSink{})
	wantError(t, err, domain.Invalid, "files_mixed")
	list, err := f.List(t.Context())
	if err != nil || len(list) != 2 || list[1].Name != "sales" || list[1].Files != 2 {
		t.Errorf("List = %+v, %v", list, err)
	}
}

func TestFoldersDoNotLeadOut(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.MkdirAll(f.files(), 0o750); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "a.csv"), []byte("id\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(f.files(), "out")); err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{"out", "out/a.csv", "out/*.csv", "*/a.csv"} {
		if _, err := (Connector{}).Extract(t.Context(), work.ExtractJob{DataDir: f.Root, Item: item}, &fakeSink{}); err == nil {
			t.Errorf("%s was read", item)
		}
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := f.Add(t.Context(), "a.csv", strings.NewReader("id\n1\n")); err != nil {
		t.Fatal(err)
	}
	before, err := f.Changed(t.Context(), "a.csv")
	if err != nil || before.Fingerprint == "" || before.At.IsZero() {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := f.Add(t.Context(), "a.csv", strings.NewReader("id\n1\n2\n")); err != nil {
		t.Fatal(err)
	}
	if after, err := f.Changed(t.Context(), "a.csv"); err != nil || after.Fingerprint == before.Fingerprint || after.At.Before(before.At) {
		t.Errorf("%+v, %v after %+v", after, err, before)
	}
	for _, item := range []string{"gone.csv", "../x", "*.json"} {
		if s, err := f.Changed(t.Context(), item); err != nil || s.Fingerprint != "" {
			t.Errorf("Changed(%s) = %+v, %v", item, s, err)
		}
	}
}

// A table of several files is read anew when any of them came, changed or went;
// nobody else would notice.
func TestChangedOfSeveralFiles(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	place := func(name string) string { return filepath.Join(f.files(), "sales", name) }
	write := func(name, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(place(name)), 0o750), os.WriteFile(place(name), []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("2024.csv", "id\n1\n")
	write("2025.csv", "id\n2\n")
	for _, item := range []string{"sales", "sales/*.csv"} {
		t.Run(item, func(t *testing.T) {
			seen := map[string]string{}
			look := func(step string) {
				t.Helper()
				s, err := f.Changed(t.Context(), item)
				if err != nil || s.Fingerprint == "" || s.At.IsZero() {
					t.Fatalf("%s: %+v, %v", step, s, err)
				}
				if before, same := seen[s.Fingerprint]; same {
					t.Errorf("%s looks like %s", step, before)
				}
				seen[s.Fingerprint] = step
			}
			look("two files")
			write("2026.csv", "id\n3\n")
			look("a third file")
			write("2026.csv", "id\n3\n4\n")
			look("a longer file")
			if err := os.Rename(place("2026.csv"), place("2027.csv")); err != nil {
				t.Fatal(err)
			}
			look("a file with another name")
			if err := os.Remove(place("2027.csv")); err != nil {
				t.Fatal(err)
			}
			if s, err := f.Changed(t.Context(), item); err != nil || seen[s.Fingerprint] != "two files" {
				t.Errorf("without it again: %+v, %v", s, err)
			}
		})
	}
}
