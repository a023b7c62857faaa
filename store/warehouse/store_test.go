package warehouse

import (
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// newTestStore returns a store over an empty data directory.
func newTestStore(tb testing.TB) *Store {
	tb.Helper()
	budget := work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/test"}
	s, err := NewStore(tb.TempDir(), budget, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// mustWrite writes a file under the data directory.
func mustWrite(tb testing.TB, s *Store, key, content string) {
	tb.Helper()
	path := mustPath(tb, s, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func mustPath(tb testing.TB, s *Store, key string) string {
	tb.Helper()
	path, err := s.path(key)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// mustExec runs statements in a private DuckDB, as an extractor of somebody's
// own would.
func mustExec(tb testing.TB, statements ...string) {
	tb.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, q := range statements {
		if _, err := db.ExecContext(tb.Context(), q); err != nil {
			tb.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

// mustQuery returns the rows of a query as text, cells joined by "|".
func mustQuery(t *testing.T, dsn, query string) []string {
	t.Helper()
	db, err := sql.Open("duckdb", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := collect(t.Context(), db, "SELECT concat_ws('|', *COLUMNS(*)) FROM ("+query+")", func(r *sql.Rows) (string, error) {
		var line string
		return line, r.Scan(&line)
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

// mustRead returns all rows of a version.
func mustRead(t *testing.T, s *Store, out work.Extracted) []string {
	t.Helper()
	if len(out.Files) != 1 {
		t.Fatalf("version has %d files, want 1", len(out.Files))
	}
	return mustQuery(t, "", "FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")")
}

func wantCode(t *testing.T, err error, code string) work.Failure {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	failure := FailureOf(err)
	if failure.Code != code {
		t.Fatalf("code %q, want %q (%v)", failure.Code, code, err)
	}
	if failure.Message == "" || strings.Contains(failure.Message+failure.NextStep, "/tmp") {
		t.Errorf("message %q, next step %q: want a sentence without paths", failure.Message, failure.NextStep)
	}
	return failure
}

// wantClean fails if a temporary file was left anywhere.
func wantClean(t *testing.T, s *Store) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".tmp-") {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func columnList(columns []registry.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.Name + " " + c.Type
	}
	return strings.Join(parts, ", ")
}

func TestPathStaysInside(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for _, key := range []string{"", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", `a\b`, "a\x00b", "a/", "./a"} {
		if p, err := s.path(key); err == nil {
			t.Errorf("path(%q) = %q, want an error", key, p)
		}
	}
	if got, want := mustPath(t, s, "files/a b.csv"), filepath.Join(s.dir, "files", "a b.csv"); got != want {
		t.Errorf("path = %q, want %q", got, want)
	}
}

func TestNewStoreRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dir, scratch string }{{"relative", "scratch/1"}, {"/data", "../out"}, {"/data", ""}} {
		if _, err := NewStore(c.dir, work.Budget{ScratchKey: c.scratch}, nil); err == nil {
			t.Errorf("NewStore(%q, scratch %q) succeeded", c.dir, c.scratch)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a/b", "../a", "a/../b", "/a", "a\\..\\b", "…/..", "a/..", "~/x"} {
		f.Add(seed)
	}
	s := &Store{dir: "/data"}
	f.Fuzz(func(t *testing.T, key string) {
		p, err := s.path(key)
		if err != nil {
			return
		}
		if rel, err := filepath.Rel("/data", p); err != nil || !filepath.IsLocal(rel) || rel == "." {
			t.Errorf("path(%q) = %q leads out", key, p)
		}
	})
}

func FuzzVersionKey(f *testing.F) {
	f.Add("files", "orders", "01J")
	f.Add("..", "a/b", "../x")
	f.Fuzz(func(t *testing.T, source, table, id string) {
		key, err := versionKey(source, table, registry.VersionID(id))
		if err != nil {
			return
		}
		if strings.Count(key, "/") != 3 || !filepath.IsLocal(key) {
			t.Errorf("versionKey(%q, %q, %q) = %q", source, table, id, key)
		}
	})
}

func TestFailureOfUnknownErrorTellsNoDetails(t *testing.T) {
	t.Parallel()
	failure := FailureOf(errors.New("open /srv/secret: denied"))
	if failure.Code != "internal" || strings.Contains(failure.Message, "secret") || failure.Cause == "" {
		t.Errorf("failure = %+v", failure)
	}
}

func newFuzzStore(f *testing.F) *sql.DB {
	f.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := db.Close(); err != nil {
			f.Error(err)
		}
	})
	return db
}

func validSQLText(text string) bool {
	return strings.ToValidUTF8(text, "") == text && !strings.Contains(text, "\x00")
}
