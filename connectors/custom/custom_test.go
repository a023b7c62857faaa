package custom

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

func mustWrite(t *testing.T, root, key, content string) string {
	t.Helper()
	path := filepath.Join(root, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustList(t *testing.T, f Folder) map[string]syncs.ExtractDir {
	t.Helper()
	list, err := f.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]syncs.ExtractDir, len(list))
	for _, e := range list {
		found[e.Name] = e
	}
	return found
}

func TestList(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir(), Owned: []string{"files"}}
	if list, err := f.List(t.Context()); err != nil || list != nil {
		t.Errorf("list of nothing: %v, %v", list, err)
	}
	for _, key := range []string{"shop", "files", "no-name", ".hidden", "2026"} {
		mustWrite(t, f.Root, "extracts/"+key+"/extract.duckdb", "x")
	}
	mustWrite(t, f.Root, "extracts/not_yet/data/a.parquet", "x")
	mustWrite(t, f.Root, "extracts/a_file", "x")
	if err := os.MkdirAll(filepath.Join(f.Root, "extracts/odd/extract.duckdb"), 0o750); err != nil {
		t.Fatal(err)
	}
	found := mustList(t, f)
	if p := found["odd"].Problem; !strings.Contains(p, "not a file") {
		t.Errorf("a folder in the place of the extract: %q", p)
	}
	for name, code := range map[string]string{"shop": "", "no-name": "source_name_invalid", "2026": "source_name_invalid", "odd": "extract_unreadable"} {
		e, there := found[name]
		if !there || e.Code != code || (e.Problem == "") != (code == "") || (e.Fingerprint == "") != (code != "") {
			t.Errorf("%s: %+v (there %t), want code %q", name, e, there, code)
		}
	}
	if len(found) != 4 {
		t.Errorf("found %v, want 4 extracts", found)
	}
}

func TestFingerprintFollowsEveryChange(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir()}
	extract := mustWrite(t, f.Root, "extracts/shop/extract.duckdb", "one")
	data := mustWrite(t, f.Root, "extracts/shop/data/2026/11/a.parquet", "one")
	seen := map[string]string{}
	check := func(after string) {
		t.Helper()
		mark := mustList(t, f)["shop"].Fingerprint
		if again := mustList(t, f)["shop"].Fingerprint; again != mark {
			t.Errorf("after %s: two looks differ", after)
		}
		if before, same := seen[mark]; same {
			t.Errorf("the fingerprint after %s is that after %s", after, before)
		}
		seen[mark] = after
	}
	check("the first look")
	at := time.Date(2026, 11, 22, 12, 0, 0, 1, time.UTC)
	if err := os.Chtimes(extract, at, at); err != nil {
		t.Fatal(err)
	}
	check("a new time")
	mustWrite(t, f.Root, "extracts/shop/new", "two")
	if err := os.Chtimes(filepath.Join(f.Root, "extracts/shop/new"), at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(f.Root, "extracts/shop/new"), extract); err != nil {
		t.Fatal(err)
	}
	check("another file of the same size and time")
	mustWrite(t, f.Root, "extracts/shop/data/2026/12/b.parquet", "one")
	check("a new data file")
	mustWrite(t, f.Root, "extracts/shop/extract.duckdb.wal", "one")
	check("a log")
	if err := os.Remove(data); err != nil {
		t.Fatal(err)
	}
	check("a data file that went")
}

func TestListOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir()}
	mustWrite(t, f.Root, "extracts", "not a folder")
	if list, err := f.List(t.Context()); err == nil {
		t.Errorf("list %v: a folder that cannot be read passed for an empty one", list)
	}
}

func TestListStops(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir()}
	mustWrite(t, f.Root, "extracts/shop/extract.duckdb", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.List(ctx); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("error %v", err)
	}
}

type fakeSink struct {
	work.Sink
	source, table string
}

func (s *fakeSink) Snapshot(_ context.Context, source, table string) (work.Extracted, error) {
	s.source, s.table = source, table
	return work.Extracted{Rows: 7}, nil
}

func TestExtract(t *testing.T) {
	t.Parallel()
	var sink fakeSink
	out, err := Connector{}.Extract(t.Context(), work.ExtractJob{Source: "shop", Item: "orders", Table: "shop_orders"}, &sink)
	if err != nil || out.Rows != 7 || sink.source != "shop" || sink.table != "orders" {
		t.Errorf("Extract = %+v, %v, asked for %q of %q", out, err, sink.table, sink.source)
	}
	for _, job := range []work.ExtractJob{{Source: "..", Item: "a"}, {Source: "shop", Item: "a b"}, {Source: "shop"}, {Item: "a"}} {
		if _, err := (Connector{}).Extract(t.Context(), job, &sink); domain.CodeOf(err) != "table_name_invalid" {
			t.Errorf("job %+v: %v", job, err)
		}
	}
}

func FuzzExtractNames(f *testing.F) {
	f.Add("shop", "orders")
	f.Add("../x", `a"b`)
	f.Fuzz(func(t *testing.T, source, item string) {
		var sink fakeSink
		if _, err := (Connector{}).Extract(t.Context(), work.ExtractJob{Source: source, Item: item}, &sink); err != nil {
			return
		}
		if filepath.Base(source) != source || filepath.Base(item) != item || source[0] == '.' || item[0] == '.' {
			t.Errorf("source %q and item %q were passed on", source, item)
		}
	})
}

// A place that cannot be listed is not a place without extracts: those would be
// taken for gone.
func TestListOfWhatIsNoFolder(t *testing.T) {
	t.Parallel()
	f := Folder{Root: t.TempDir()}
	mustWrite(t, f.Root, "extracts", "a file")
	list, err := f.List(t.Context())
	if domain.CodeOf(err) != "extracts_unreadable" || list != nil {
		t.Errorf("%v, %v", list, err)
	}
	var told *domain.Error
	if !errors.As(err, &told) || strings.Contains(told.Message, f.Root) {
		t.Errorf("told %+v", told)
	}
}
