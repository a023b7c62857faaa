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

// newLarge makes an extract whose table counts as large.
func newLarge(t *testing.T) *Store {
	t.Helper()
	s := newTestStore(t)
	s.split = split{rows: 1000, bytes: 1 << 20, fileBytes: 200 << 10}
	newShop(t, s, metaFor("shop", "('big','',10,10,now(),'local')", "('said','',5000,10,now(),'local')", "('small','',10,10,now(),'local')"),
		"CREATE TABLE shop.big AS SELECT i AS id, hash(i) AS h, hash(i + 1) AS g FROM range(400000) AS r(i)",
		"CREATE VIEW shop.said AS SELECT i AS id FROM range(10) AS r(i)", "CREATE TABLE shop.small AS SELECT 1 AS id")
	return s
}

func mustSnapshot(t *testing.T, s *Store, table string) work.Extracted {
	t.Helper()
	out, err := s.Snapshot(t.Context(), "shop", table, Target{Source: "shop", Table: table, VersionID: "v1"}, nil)
	if err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	return out
}

func TestLargeTablesAreSeveralFiles(t *testing.T) {
	t.Parallel()
	s := newLarge(t)
	out := mustSnapshot(t, s, "big")
	if len(out.Files) < 2 || out.Rows != 400000 || out.MD5 != "" || columnList(out.Columns) != "id BIGINT, h UBIGINT, g UBIGINT" {
		t.Fatalf("version = %+v", out)
	}
	var paths []string
	total := int64(0)
	for i, f := range out.Files {
		path := mustPath(t, s, f.Key)
		sums, err := hashFile(path)
		if err != nil || sums.sha256 != f.SHA256 || sums.bytes != f.Bytes || f.Key != fmt.Sprintf("versions/shop/big/v1/%04d.parquet", i+1) {
			t.Errorf("file %+v: %+v, %v", f, sums, err)
		}
		paths = append(paths, path)
		total += f.Bytes
	}
	if total != out.Bytes {
		t.Errorf("%d bytes, want %d", total, out.Bytes)
	}
	got := mustQuery(t, "", "SELECT count(*), sum(id), bit_xor(h) FROM read_parquet("+quoteList(quoteFile, paths)+")")
	want := mustQuery(t, "", "SELECT count(*), sum(i), bit_xor(hash(i)) FROM range(400000) AS r(i)")
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	if out := mustSnapshot(t, s, "small"); len(out.Files) != 1 || out.Files[0].Key != "versions/shop/small/v1.parquet" {
		t.Errorf("a small table: %+v", out.Files)
	}
	if out := mustSnapshot(t, s, "said"); len(out.Files) != 1 || out.MD5 == "" || out.Rows != 10 {
		t.Errorf("a table that only says that it is large: %+v", out)
	}
	if _, err := s.Snapshot(t.Context(), "shop", "big", Target{"shop", "big", "v1"}, nil); err == nil {
		t.Error("a version was written over")
	}
	if again := mustQuery(t, "", "SELECT count(*), sum(id), bit_xor(h) FROM read_parquet("+quoteList(quoteFile, paths)+")"); !slices.Equal(again, want) {
		t.Errorf("the version of before lost its files: %q", again)
	}
	wantClean(t, s)
}

// A version of several files is in the published databases like any other.
func TestRebuildOfSeveralFiles(t *testing.T) {
	t.Parallel()
	s := newLarge(t)
	out := mustSnapshot(t, s, "big")
	var keys []string
	for _, f := range out.Files {
		keys = append(keys, f.Key)
	}
	rebuilt, err := s.Rebuild(t.Context(), []work.RebuildSource{{Name: "shop", Tables: []work.RebuildTable{{Name: "big", Rows: out.Rows, QueryMode: "local", Keys: keys}}}}, nil)
	if err != nil || rebuilt.Views != 1 || len(rebuilt.Problems) != 0 {
		t.Fatalf("rebuild: %+v, %v", rebuilt, err)
	}
	if got := mustQuery(t, mustPath(t, s, "analytics/server.duckdb")+"?access_mode=READ_ONLY", "SELECT count(*) FROM big"); got[0] != "400000" {
		t.Errorf("rows %q", got)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	s := newLarge(t)
	out := mustSnapshot(t, s, "big")
	var keys []string
	for _, f := range out.Files {
		keys = append(keys, f.Key)
	}
	one, err := s.Join(t.Context(), "v1", keys)
	if err != nil || len(one.Files) != 1 || one.Files[0].Key != "scratch/joined/v1.parquet" {
		t.Fatalf("join: %+v, %v", one, err)
	}
	file := mustPath(t, s, one.Files[0].Key)
	before, err := hashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustQuery(t, "", "SELECT count(*), sum(id) FROM read_parquet("+quoteFile(file)+")"); got[0] != "400000|79999800000" {
		t.Errorf("rows %q", got)
	}
	again, err := s.Join(t.Context(), "v1", keys)
	if err != nil || again.Files[0].Bytes != before.bytes {
		t.Errorf("joined again: %+v, %v", again, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), "v1", keys); err != nil {
		t.Fatal(err)
	}
	if after, err := hashFile(file); err != nil || after != before {
		t.Errorf("a file made anew differs, so a download that is continued would be torn: %v, %v", after, err)
	}
	if err := os.Remove(mustPath(t, s, keys[1])); err != nil {
		t.Fatal(err)
	}
	_, err = s.Join(t.Context(), "v2", keys)
	wantCode(t, err, "version_unreadable")
	for _, bad := range [][]string{nil, {"../x"}, {"/etc/passwd"}} {
		_, err = s.Join(t.Context(), "v3", bad)
		wantCode(t, err, "job_invalid")
	}
	_, err = s.Join(t.Context(), "../v3", keys)
	wantCode(t, err, "job_invalid")
	wantClean(t, s)
}

// The child that joins may read its source's versions and write the cache.
func TestJoinChild(t *testing.T) {
	t.Parallel()
	s := newLarge(t)
	out := mustSnapshot(t, s, "big")
	job := extractJob(s, "")
	job.Source, job.Inspect, job.VersionID = "shop", work.InspectJoin, "v1"
	for _, f := range out.Files {
		job.Keys = append(job.Keys, f.Key)
	}
	events := mustEvents(t, "extract", job)
	if last := events[len(events)-1]; !last.Done || events[0].Extracted == nil {
		t.Fatalf("events %+v", events)
	}
	if _, err := os.Stat(mustPath(t, s, events[0].Extracted.Files[0].Key)); err != nil {
		t.Error(err)
	}
}

func TestPartsThatDoNotAgree(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for name, queries := range map[string][]string{
		"none":          {},
		"other columns": {"SELECT 1 AS a", "SELECT 1 AS b"},
		"rows missing":  {"SELECT 1 AS a", "SELECT 1 AS a"},
	} {
		_, err := s.publishParts(t.Context(), "versions/shop/t/v1.parquet", func(dir string) (int64, error) {
			for i, q := range queries {
				mustExec(t, "COPY ("+q+") TO "+quoteLiteral(filepath.Join(dir, fmt.Sprintf("part_%d.parquet", i))))
			}
			return 3, nil
		})
		if f := wantCode(t, err, "version_not_readable"); !strings.Contains(f.Message, "stay") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if left, err := filepath.Glob(mustPath(t, s, "versions/shop/t/*")); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	wantClean(t, s)
}
