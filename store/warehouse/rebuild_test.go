package warehouse

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"agnes/domain/work"
)

// mustVersion makes a version from a query and returns the table that has it.
func mustVersion(t *testing.T, s *Store, source, table, id, query string) work.RebuildTable {
	t.Helper()
	key := "versions/" + source + "/" + table + "/" + id + ".parquet"
	path := mustPath(t, s, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	mustExec(t, "COPY ("+query+") TO "+quoteLiteral(path)+" (FORMAT parquet)")
	return work.RebuildTable{Name: table, Keys: []string{key}, Rows: 1, Bytes: 10, QueryMode: "local", ExtractedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
}

func mustRebuild(t *testing.T, s *Store, sources ...work.RebuildSource) work.Rebuilt {
	t.Helper()
	out, err := s.Rebuild(t.Context(), sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantClean(t, s)
	return out
}

func readOnly(t *testing.T, s *Store, key string) string {
	t.Helper()
	return mustPath(t, s, key) + "?access_mode=read_only"
}

func TestRebuildPublishes(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	orders := mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS id, 'it''s' AS note")
	orders.Description = "people's orders"
	out := mustRebuild(t, s,
		work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{orders, mustVersion(t, s, "files", "items", "v1", "SELECT 2 AS n")}},
		work.RebuildSource{Name: "shop", Tables: []work.RebuildTable{mustVersion(t, s, "shop", "visits", "v1", "SELECT 3 AS n"), {Name: "far", QueryMode: "remote"}}})
	if out.Views != 3 || len(out.Problems) != 0 {
		t.Errorf("rebuilt %+v", out)
	}
	analytics := readOnly(t, s, analyticsKey)
	if got := mustQuery(t, analytics, "SELECT o.note, i.n, v.n AS v FROM orders AS o, items AS i, visits AS v"); !slices.Equal(got, []string{"it's|2|3"}) {
		t.Errorf("through server.duckdb: %q", got)
	}
	extract := readOnly(t, s, "extracts/files/extract.duckdb")
	want := []string{"items||1|10|2026-11-22 10:00:00|local", "orders|people's orders|1|10|2026-11-22 10:00:00|local"}
	if got := mustQuery(t, extract, "FROM _meta ORDER BY table_name"); !slices.Equal(got, want) {
		t.Errorf("_meta %q, want %q", got, want)
	}
	if got := mustQuery(t, extract, "SELECT note FROM orders"); !slices.Equal(got, []string{"it's"}) {
		t.Errorf("through extract.duckdb: %q", got)
	}
	meta := mustQuery(t, extract, "SELECT column_name, column_type, \"null\" FROM (DESCRIBE _meta)")
	if want := []string{"table_name|VARCHAR|NO", "description|VARCHAR|YES", "rows|BIGINT|YES", "size_bytes|BIGINT|YES", "extracted_at|TIMESTAMP|YES", "query_mode|VARCHAR|YES"}; !slices.Equal(meta, want) {
		t.Errorf("columns of _meta %q, want %q", meta, want)
	}
	if tables, err := mustTables(t, s, "files"); err != nil || len(tables) != 2 || tables[0].Code+tables[1].Code != "" {
		t.Errorf("our own extract reads as %+v, %v", tables, err)
	}
	if _, err := os.Stat(mustPath(t, s, "extracts/shop")); err == nil {
		t.Error("the folder of a custom extractor was touched")
	}
}

func TestRebuildLinksTheCurrentVersion(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	first := mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS id")
	mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{first, mustVersion(t, s, "files", "old", "v1", "SELECT 1 AS id")}})
	second := mustVersion(t, s, "files", "orders", "v2", "SELECT 2 AS id, 3 AS more")
	mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{second}})

	version, err := os.Stat(mustPath(t, s, second.Keys[0]))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.Stat(mustPath(t, s, dataKey("files", "orders")))
	if err != nil || !os.SameFile(version, data) {
		t.Errorf("the contract path is not the current version: %v", err)
	}
	if _, err := os.Stat(mustPath(t, s, dataKey("files", "old"))); !os.IsNotExist(err) {
		t.Errorf("the data of a table that is gone: %v", err)
	}
	if _, err := os.Stat(mustPath(t, s, first.Keys[0])); err != nil {
		t.Errorf("the version before: %v", err)
	}
	if got := mustQuery(t, readOnly(t, s, "extracts/files/extract.duckdb"), "FROM orders"); !slices.Equal(got, []string{"2|3"}) {
		t.Errorf("rows %q", got)
	}
}

func TestRebuildLeavesOutWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	good := mustVersion(t, s, "files", "good", "v1", "SELECT 1 AS id")
	mustWrite(t, s, "versions/files/broken/v1.parquet", "PAR1 not really PAR1")
	out := mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{
		{Name: "broken", Keys: []string{"versions/files/broken/v1.parquet"}},
		{Name: "gone", Keys: []string{"versions/files/gone/v1.parquet"}},
		{Name: "outside", Keys: []string{"../../etc/passwd"}},
		{Name: "no name", Keys: good.Keys},
		{Name: "never"},
		good,
		{Name: "GOOD", Keys: good.Keys},
	}}, work.RebuildSource{Name: "no-name", Owned: true, Tables: []work.RebuildTable{good}})
	codes := map[string]string{}
	for _, p := range out.Problems {
		if codes[p.Table] != "" || p.Message == "" {
			t.Errorf("%q is named twice, or without a sentence: %+v", p.Table, p)
		}
		codes[p.Table] = p.Code
	}
	want := map[string]string{
		"broken": "version_unreadable", "gone": "version_unreadable", "outside": "version_unreadable",
		"no name": "table_name_invalid", "never": "version_missing", "GOOD": "table_name_taken", "": "source_name_invalid",
	}
	if out.Views != 1 || fmt.Sprint(codes) != fmt.Sprint(want) {
		t.Errorf("%d views, problems %v, want %v", out.Views, codes, want)
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "FROM good"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("rows %q", got)
	}
}

func TestRebuildOfNothing(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	if out := mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true}); out.Views != 0 {
		t.Errorf("rebuilt %+v", out)
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "SELECT count(*) AS n FROM duckdb_tables() WHERE NOT internal"); !slices.Equal(got, []string{"0"}) {
		t.Errorf("server.duckdb holds %q tables of its own", got)
	}
}

// TestRebuildWithoutTablesLeavesNoRows: what was published of the last table is
// not readable afterwards, and a folder that never had any is not made.
func TestRebuildWithoutTablesLeavesNoRows(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	none := work.RebuildSource{Name: "files", Owned: true}
	if out := mustRebuild(t, s, none); len(out.Extracts) != 0 {
		t.Errorf("wrote %v of nothing", out.Extracts)
	}
	if _, err := os.Stat(mustPath(t, s, "extracts/files")); !os.IsNotExist(err) {
		t.Errorf("a folder without tables: %v", err)
	}
	some := none
	some.Tables = []work.RebuildTable{mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS id")}
	mustRebuild(t, s, some)
	if out := mustRebuild(t, s, none); out.Views != 0 || !slices.Equal(out.Extracts, []string{"files"}) {
		t.Errorf("rebuilt %+v", out)
	}
	if _, err := os.Stat(mustPath(t, s, dataKey("files", "orders"))); !os.IsNotExist(err) {
		t.Errorf("the data of the table: %v", err)
	}
	if got := mustQuery(t, readOnly(t, s, "extracts/files/extract.duckdb"), "SELECT (SELECT count(*) FROM _meta), (SELECT count(*) FROM duckdb_views() WHERE NOT internal)"); !slices.Equal(got, []string{"0|0"}) {
		t.Errorf("the extract has rows of _meta and views: %q", got)
	}
	if out := mustRebuild(t, s, none); !out.Unchanged {
		t.Errorf("rebuilt again: %+v", out)
	}
}

func TestRebuildRemovesAForeignLog(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, analyticsKey+".wal", "a log that a crash left")
	mustRebuild(t, s)
	if _, err := os.Stat(mustPath(t, s, analyticsKey) + ".wal"); !os.IsNotExist(err) {
		t.Errorf("the log is still there: %v", err)
	}
	mustQuery(t, readOnly(t, s, analyticsKey), "SELECT 1 AS one")
}

func TestRebuildKeepsReadersOfTheFileBefore(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustRebuild(t, s, work.RebuildSource{Name: "files", Tables: []work.RebuildTable{mustVersion(t, s, "files", "a", "v1", "SELECT 1 AS id")}})
	held, err := os.Open(mustPath(t, s, analyticsKey))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	}()
	before, err := held.Stat()
	if err != nil {
		t.Fatal(err)
	}
	mustRebuild(t, s)
	after, err := os.Stat(mustPath(t, s, analyticsKey))
	if err != nil || os.SameFile(before, after) {
		t.Errorf("the file was written in place: %v", err)
	}
}

func TestRebuildOfManyTables(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	first := mustVersion(t, s, "files", "t0", "v1", "SELECT 1 AS id")
	tables := []work.RebuildTable{first}
	for i := 1; i < 300; i++ {
		table := work.RebuildTable{Name: fmt.Sprintf("t%d", i), Keys: []string{fmt.Sprintf("versions/files/t%d.parquet", i)}}
		if err := os.Link(mustPath(t, s, first.Keys[0]), mustPath(t, s, table.Keys[0])); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	if out := mustRebuild(t, s, work.RebuildSource{Name: "files", Owned: true, Tables: tables}); out.Views != 300 || len(out.Problems) != 0 {
		t.Errorf("rebuilt %+v", out)
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "FROM t299"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("rows %q", got)
	}
}

func TestPlaceDataCopies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	version, file := filepath.Join(dir, "v1.parquet"), filepath.Join(dir, "data.parquet")
	if err := os.WriteFile(version, []byte("rows"), 0o400); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(version)
	if err != nil {
		t.Fatal(err)
	}
	if err := copyData(version, file, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if changed, err := newTestStore(t).placeData(version, file); err != nil || changed {
		t.Errorf("a copy of the version was replaced: %t, %v", changed, err)
	}
	if err := os.Chtimes(file, time.Time{}, info.ModTime().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if changed, err := newTestStore(t).placeData(version, file); err != nil || !changed {
		t.Errorf("another file stayed in place: %t, %v", changed, err)
	}
}

func TestPublishFileKeepsTheOneBefore(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustRebuild(t, s, work.RebuildSource{Name: "files", Tables: []work.RebuildTable{mustVersion(t, s, "files", "a", "v1", "SELECT 1 AS id")}})
	for name, build := range map[string]func(db *sql.DB) (int, error){
		"builder fails": func(*sql.DB) (int, error) { return 0, os.ErrInvalid },
		"less than promised": func(db *sql.DB) (int, error) {
			_, err := db.ExecContext(t.Context(), "CREATE TABLE draft.x AS SELECT 1")
			return 2, err
		},
	} {
		if err := s.PublishFile(t.Context(), analyticsKey, build); err == nil {
			t.Errorf("%s: published", name)
		}
		wantClean(t, s)
	}
	if got := mustQuery(t, readOnly(t, s, analyticsKey), "FROM a"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("rows %q", got)
	}
}
