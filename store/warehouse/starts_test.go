package warehouse

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agnes/domain/work"
)

// start is what a crash, or somebody, left where a rebuild is about to write.
type start struct {
	name    string
	leave   func(t *testing.T, file string)
	refused bool // with one clear line, and nothing changed
}

func starts() []start {
	write := func(t *testing.T, file, content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder := func(t *testing.T, dir string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "inside"), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	return []start{
		{name: "nothing", leave: func(t *testing.T, file string) { t.Helper() }},
		{name: "a log of something", leave: func(t *testing.T, file string) { t.Helper(); write(t, file+".wal", "a log that a crash left") }},
		{name: "a log of a checkpoint", leave: func(t *testing.T, file string) {
			t.Helper()
			write(t, file+".wal.checkpoint", "a log that a crash left")
		}},
		{name: "a log that can be replayed", leave: func(t *testing.T, file string) { t.Helper(); crashedWriter(t, file) }},
		{name: "temporary files", leave: func(t *testing.T, file string) {
			t.Helper()
			write(t, filepath.Join(filepath.Dir(file), ".tmp-1"), "half")
			write(t, filepath.Join(filepath.Dir(file), ".tmp-1.wal"), "half")
			write(t, file+".tmp", "half")
		}},
		{name: "a lock file", leave: func(t *testing.T, file string) { t.Helper(); write(t, file+".lock", "4711") }},
		{name: "an empty file", leave: func(t *testing.T, file string) { t.Helper(); write(t, file, "") }},
		{name: "half a file", leave: func(t *testing.T, file string) {
			t.Helper()
			whole, err := os.ReadFile(file)
			if err != nil || os.WriteFile(file, whole[:len(whole)/2], 0o600) != nil {
				t.Fatalf("halve %s: %v", filepath.Base(file), err)
			}
		}},
		{name: "a file of something else", leave: func(t *testing.T, file string) { t.Helper(); write(t, file, strings.Repeat("not a database ", 1000)) }},
		{name: "a link to nowhere", leave: func(t *testing.T, file string) {
			t.Helper()
			if os.Remove(file) != nil || os.Symlink("/nowhere/at/all", file) != nil {
				t.Fatal("no link")
			}
		}},
		{name: "a folder", refused: true, leave: func(t *testing.T, file string) {
			t.Helper()
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			folder(t, file)
		}},
		{name: "a folder as the log", refused: true, leave: func(t *testing.T, file string) { t.Helper(); folder(t, file+".wal") }},
		{name: "flipped bytes", leave: func(t *testing.T, file string) {
			t.Helper()
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i := 4096; i < len(whole); i += 997 {
				whole[i] ^= 0x40
			}
			write(t, file, string(whole))
		}},
		{name: "a note of something", leave: func(t *testing.T, file string) {
			t.Helper()
			write(t, filepath.Join(filepath.Dir(file), "published.json"), `{"inputs":"x","generation":-3,`)
		}},
		{name: "an empty note", leave: func(t *testing.T, file string) {
			t.Helper()
			write(t, filepath.Join(filepath.Dir(file), "published.json"), "")
		}},
	}
}

// crashedWriter leaves a log beside file that DuckDB would replay into whatever
// has the file's name.
func crashedWriter(t *testing.T, file string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other.duckdb")
	mustExec(t, "ATTACH "+quoteLiteral(other)+" AS o", "CREATE TABLE o.stale AS SELECT 1 AS old", "CHECKPOINT o",
		"SET wal_autocheckpoint = '1GB'", "INSERT INTO o.stale SELECT * FROM range(500)",
		"COPY (SELECT content FROM read_blob("+quoteLiteral(other+".wal")+")) TO "+quoteLiteral(other+".copy")+" (FORMAT blob)")
	log, err := os.ReadFile(other + ".copy")
	if err != nil || len(log) == 0 {
		t.Fatalf("no log of a crashed writer: %d bytes, %v", len(log), err)
	}
	if err := os.WriteFile(file+".wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRebuildFromEveryStart is R4: whatever lies there, a rebuild publishes the
// new state whole or refuses with a sentence; it never mixes.
func TestRebuildFromEveryStart(t *testing.T) {
	t.Parallel()
	keys := []string{analyticsKey, extractKey("files"), dataKey("files", "orders")}
	if testing.Short() {
		keys = keys[:1]
	}
	for _, key := range keys {
		for _, c := range starts() {
			t.Run(filepath.Base(key)+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				testStart(t, key, c)
			})
		}
	}
}

func testStart(t *testing.T, key string, c start) {
	t.Helper()
	s := newTestStore(t)
	source := func(version string, rows int) work.RebuildSource {
		return work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{
			mustVersion(t, s, "files", "orders", version, fmt.Sprintf("SELECT %d AS id", rows)),
		}}
	}
	mustRebuild(t, s, source("v1", 1))
	c.leave(t, mustPath(t, s, key))
	out, err := s.Rebuild(t.Context(), []work.RebuildSource{source("v2", 2)}, nil)
	data := strings.HasSuffix(key, ".parquet")
	if c.refused && !data {
		wantCode(t, err, "place_taken")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	files := []string{analyticsKey, extractKey("files")}
	if c.name == "a folder" { // the extract cannot have the table, and says so
		files = files[:1]
		if len(out.Problems) != 1 || out.Problems[0].Table != "orders" {
			t.Errorf("problems %+v, want one about orders", out.Problems)
		}
	}
	for _, file := range files {
		if got := mustQuery(t, readOnly(t, s, file), "FROM orders"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("%s: rows %q, want the new version's", file, got)
		}
		if got := mustQuery(t, readOnly(t, s, file), "SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = 'stale'"); !slices.Equal(got, []string{"0"}) {
			t.Errorf("%s: an old log was replayed", file)
		}
		if left, err := filepath.Glob(mustPath(t, s, file) + ".wal*"); err != nil || len(left) > 0 {
			t.Errorf("%s: a log lies beside it: %v", file, err)
		}
	}
	if again := mustRebuildAgain(t, s, source("v2", 2)); !again.Unchanged && !data {
		t.Errorf("the rebuild after it: %+v, want unchanged", again)
	}
}

func mustRebuildAgain(t *testing.T, s *Store, source work.RebuildSource) work.Rebuilt {
	t.Helper()
	out, err := s.Rebuild(t.Context(), []work.RebuildSource{source}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
