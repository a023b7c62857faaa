package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"agnes/domain/work"
)

func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func TestGenerationNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int64{
		"server-1.duckdb": 1, "server-42.duckdb": 42, "server-0.duckdb": 0, "server--1.duckdb": 0, "server-01.duckdb": 0, "server-.duckdb": 0,
		"server.duckdb": 0, "server-1.duckdb.wal": 0, "server-99999999999999999999.duckdb": 0, "other-1.duckdb": 0,
	} {
		if n, ok := generationOf(name); ok != (want > 0) || ok && n != want {
			t.Errorf("generationOf(%q) = %d, %t, want %d", name, n, ok, want)
		}
	}
	if n, ok := generationOf(filepath.Base(generationKey(7))); !ok || n != 7 {
		t.Errorf("the key of 7 reads as %d, %t", n, ok)
	}
}

func TestGenerationsAreNumberedAndSwept(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for i := range 5 {
		out := mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{
			mustVersion(t, s, "files", "orders", fmt.Sprintf("v%d", i), fmt.Sprintf("SELECT %d AS g", i)),
		}})
		if out.Generation != int64(i+1) || out.Unchanged {
			t.Errorf("rebuild %d: %+v", i, out)
		}
		if got := mustQuery(t, readOnly(t, s, generationKey(out.Generation)), "FROM orders"); !slices.Equal(got, []string{fmt.Sprint(i)}) {
			t.Errorf("generation %d has rows %q", out.Generation, got)
		}
	}
	want := []string{"published.json", "server-3.duckdb", "server-4.duckdb", "server-5.duckdb", "server.duckdb"}
	if got := listed(t, mustPath(t, s, analyticsDir)); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	newest, err := os.Stat(mustPath(t, s, generationKey(5)))
	if err != nil {
		t.Fatal(err)
	}
	if server, err := os.Stat(mustPath(t, s, analyticsKey)); err != nil || !os.SameFile(newest, server) {
		t.Errorf("server.duckdb is not the newest generation: %v", err)
	}
}

// A name is never used twice, also when the note is gone.
func TestGenerationsGoOnWithoutTheNote(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	table := mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS g")
	source := work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{table}}
	mustRebuild(t, s, source)
	if err := os.Remove(mustPath(t, s, noteKey(analyticsKey))); err != nil {
		t.Fatal(err)
	}
	if out := mustRebuild(t, s, source); out.Generation != 2 || out.Unchanged {
		t.Errorf("rebuilt %+v, want generation 2", out)
	}
	mustWrite(t, s, generationKey(9), "what a crash left")
	if err := os.Remove(mustPath(t, s, noteKey(analyticsKey))); err != nil {
		t.Fatal(err)
	}
	if out := mustRebuild(t, s, source); out.Generation != 10 {
		t.Errorf("rebuilt %+v, want generation 10", out)
	}
}

func stamps(t *testing.T, s *Store, keys ...string) string {
	t.Helper()
	all := ""
	for _, key := range keys {
		info, err := os.Stat(mustPath(t, s, key))
		if err != nil {
			t.Fatal(err)
		}
		inode := uint64(0)
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = sys.Ino
		}
		all += fmt.Sprintf("%s %v %d;", key, info.ModTime(), inode)
	}
	return all
}

func TestRebuildWritesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	orders := mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS id")
	deals := mustVersion(t, s, "crm", "deals", "v1", "SELECT 1 AS id")
	build := func() work.Rebuilt {
		return mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{orders}},
			work.RebuildSource{Name: "crm", Owned: true, Tables: []work.RebuildTable{deals}})
	}
	first := build()
	if first.Unchanged || !slices.Equal(first.Extracts, []string{"files", "crm"}) {
		t.Errorf("the first rebuild: %+v", first)
	}
	all := []string{analyticsKey, extractKey("files"), extractKey("crm"), noteKey(analyticsKey), dataKey("files", "orders"), dataKey("crm", "deals")}
	before := stamps(t, s, all...)
	if again := build(); !again.Unchanged || again.Views != 2 || again.Generation != first.Generation || len(again.Extracts) != 0 {
		t.Errorf("the same again: %+v", again)
	}
	if after := stamps(t, s, all...); after != before {
		t.Errorf("files were touched:\n%s\n%s", before, after)
	}
	for name, change := range map[string]func(){
		"description": func() { orders.Description += "!" },
		"rows":        func() { orders.Rows++ },
		"version":     func() { orders = mustVersion(t, s, "files", "orders", "v2", "SELECT 2 AS id, 3 AS more") },
		"name":        func() { orders.Name = "Orders" },
		"mode":        func() { orders.QueryMode = "materialized" },
	} {
		crm := stamps(t, s, extractKey("crm"))
		change()
		if out := build(); out.Unchanged || !slices.Equal(out.Extracts, []string{"files"}) {
			t.Errorf("a new %s: %+v, want only files written", name, out)
		}
		if after := stamps(t, s, extractKey("crm")); after != crm {
			t.Errorf("a new %s wrote the other source", name)
		}
		for _, key := range []string{analyticsKey, extractKey("files")} {
			if got := mustQuery(t, readOnly(t, s, key), "SELECT count(*) AS n FROM orders"); !slices.Equal(got, []string{"1"}) {
				t.Errorf("a new %s: %s has %q", name, key, got)
			}
		}
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "SELECT id, more FROM orders"); !slices.Equal(got, []string{"2|3"}) {
		t.Errorf("rows %q", got)
	}
}

// What a rebuild copies is what it would have made.
func TestCopiedViewsAreTheSame(t *testing.T) {
	t.Parallel()
	s, fresh := newTestStore(t), newTestStore(t)
	source := manyTables(t, s, 40)
	mustRebuild(t, s, source)
	source.Tables[7] = mustVersion(t, s, "files", "table_7", "v2", "SELECT 'seven' AS other")
	source.Tables = append(source.Tables[:20], append(source.Tables[23:], mustVersion(t, s, "files", "extra", "v1", "SELECT 1 AS n"))...)
	if out := mustRebuild(t, s, source); out.Views != 38 || len(out.Problems) > 0 {
		t.Fatalf("rebuilt %+v", out)
	}
	fresh.dir = s.dir
	const catalog = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal AND table_name <> '_meta' ORDER BY ALL"
	for _, key := range []string{analyticsKey, extractKey("files")} {
		copied := mustQuery(t, readOnly(t, s, key), catalog)
		forget(t, s)
		mustRebuild(t, fresh, source)
		if made := mustQuery(t, readOnly(t, s, key), catalog); !slices.Equal(copied, made) {
			t.Errorf("%s: copied %d columns, made %d: they differ", key, len(copied), len(made))
		}
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "FROM table_7"); !slices.Equal(got, []string{"seven"}) {
		t.Errorf("rows %q", got)
	}
}

// At every named point server.duckdb is the file before or the file after.
func TestEveryPointLeavesOneState(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	source := func(v string, n int) work.RebuildSource {
		return work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{
			mustVersion(t, s, "files", "a", v, fmt.Sprintf("SELECT %d AS g", n)), mustVersion(t, s, "files", "b", v, fmt.Sprintf("SELECT %d AS g", n)),
		}}
	}
	mustRebuild(t, s, source("v1", 1))
	next := source("v2", 2)
	var passed []string
	s.reached = func(point string) {
		passed = append(passed, point)
		if got := readAttached(t, mustPath(t, s, analyticsKey)); got != "1|1" && got != "2|2" {
			t.Errorf("at %s readers see %q", point, got)
		}
	}
	if out := mustRebuild(t, s, next); out.Generation != 2 {
		t.Errorf("rebuilt %+v", out)
	}
	for _, point := range Points() {
		if !slices.Contains(passed, point) && strings.HasPrefix(point, "database:") {
			t.Errorf("%s was not passed", point)
		}
	}
	if got := readAttached(t, mustPath(t, s, analyticsKey)); got != "2|2" {
		t.Errorf("after it readers see %q", got)
	}
}
