package warehouse

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agnes/domain/work"
)

func mustTables(t *testing.T, s *Store, source string) ([]work.SourceTable, error) {
	t.Helper()
	found, err := s.SourceTables(t.Context(), source)
	return found.Tables, err
}

// newShop makes a custom extract called shop: data/ files, views, tables, and
// the statements given.
func newShop(t *testing.T, s *Store, statements ...string) string {
	t.Helper()
	dir := filepath.Join(s.dir, "extracts", "shop")
	if err := os.MkdirAll(filepath.Join(dir, "data", "part"), 0o750); err != nil {
		t.Fatal(err)
	}
	mustExec(t, slices.Concat([]string{
		"ATTACH " + quoteLiteral(filepath.Join(dir, "extract.duckdb")) + " AS shop",
		"COPY (SELECT 1 AS id, 'x' AS name) TO " + quoteLiteral(filepath.Join(dir, "data", "orders.parquet")),
		"COPY (SELECT 1 AS m) TO " + quoteLiteral(filepath.Join(dir, "data", "part", "1.parquet")),
		"COPY (SELECT 2 AS m) TO " + quoteLiteral(filepath.Join(dir, "data", "part", "2.parquet")),
	}, statements)...)
	return dir
}

func TestSourceTablesAndSnapshots(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	secret := filepath.Join(s.dir, "secret.parquet")
	dir := filepath.Join(s.dir, "extracts", "shop")
	newShop(t, s,
		"COPY (SELECT 'secret' AS s) TO "+quoteLiteral(secret),
		metaFor("shop",
			"('orders','All orders',1,10,now(),'local')", "('part','',2,0,now(),'materialized')", "('phys',NULL,NULL,NULL,NULL,NULL)",
			"('far','',0,0,now(),'remote')", "('gone','',0,0,now(),'local')", "('no name','',0,0,now(),'local')", "('ORDERS','',0,0,now(),'local')",
			"('passwd','',0,0,now(),'local')", "('sneaky','',0,0,now(),'local')", "('attached','',0,0,now(),'local')", "('relative','',0,0,now(),'local')"),
		"CREATE TABLE shop.phys AS SELECT i FROM range(3) AS r(i)",
		"CREATE VIEW shop.orders AS SELECT * FROM read_parquet("+quoteLiteral(filepath.Join(dir, "data/orders.parquet"))+")",
		"CREATE VIEW shop.part AS SELECT * FROM read_parquet("+quoteLiteral(filepath.Join(dir, "data/part/*.parquet"))+")",
		"CREATE VIEW shop.far AS SELECT 1 AS x",
		"CREATE VIEW shop.passwd AS SELECT * FROM read_text('/etc/passwd')",
		"CREATE VIEW shop.sneaky AS SELECT * FROM read_parquet("+quoteLiteral(filepath.Join(dir, "../../secret.parquet"))+")",
		"CREATE VIEW shop.attached AS SELECT * FROM read_text("+quoteLiteral(filepath.Join(dir, "data/orders.parquet"))+") AS a, glob('/etc/*') AS b",
		"CREATE VIEW shop.relative AS SELECT * FROM shop.main.phys",
	)
	tables, err := mustTables(t, s, "shop")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"orders": "", "part": "", "phys": "", "far": "", "gone": "table_missing", "no name": "table_name_invalid",
		"ORDERS": "table_name_doubled", "passwd": "table_unreadable", "sneaky": "table_unreadable", "attached": "table_unreadable", "relative": "",
	}
	for _, got := range tables {
		if code := want[got.Name]; got.Code != code || (got.Problem == "") != (code == "") {
			t.Errorf("%s: code %q (%s), want %q", got.Name, got.Code, got.Problem, code)
		}
		if strings.Contains(got.Problem, s.dir) {
			t.Errorf("%s: problem %q shows a path", got.Name, got.Problem)
		}
	}
	if len(tables) != len(want) || tables[0].Description != "All orders" || tables[0].Rows != 1 || tables[2].QueryMode != "local" {
		t.Errorf("tables %+v", tables)
	}
	for table, rows := range map[string][]string{
		"orders": {"1|x"}, "part": {"1", "2"}, "phys": {"0", "1", "2"}, "relative": {"0", "1", "2"},
	} {
		out, err := s.Snapshot(t.Context(), "shop", table, Target{"shop", table, "v1"}, nil)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if got := mustRead(t, s, out); !slices.Equal(got, rows) {
			t.Errorf("%s: rows %q, want %q", table, got, rows)
		}
	}
	for table, code := range map[string]string{
		"passwd": "table_unreadable", "sneaky": "table_unreadable", "attached": "table_unreadable", "gone": "table_missing",
	} {
		_, err := s.Snapshot(t.Context(), "shop", table, Target{"shop", table, "v1"}, nil)
		wantCode(t, err, code)
	}
	wantClean(t, s)
}

func TestExtractsThatDoNotOpen(t *testing.T) {
	t.Parallel()
	tooNew := make([]byte, 20<<10)
	copy(tooNew[8:], "DUCK")
	binary.LittleEndian.PutUint64(tooNew[12:], newestStorage+1)
	random := make([]byte, 20<<10)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(random); i++ {
		random[i] = byte(r.Uint32())
	}
	whole := func(t *testing.T) []byte {
		t.Helper()
		file := filepath.Join(t.TempDir(), "extract.duckdb")
		mustExec(t, "ATTACH "+quoteLiteral(file)+" AS e", metaFor("e", "('t','',1,1,now(),'local')"), "CREATE TABLE e.t AS SELECT i FROM range(100000) AS r(i)")
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}(t)
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"empty":      {nil, "extract_unreadable"},
		"header cut": {whole[:5000], "extract_unreadable"},
		"random":     {random, "extract_unreadable"},
		"text":       {[]byte("hello"), "extract_unreadable"},
		"too new":    {tooNew, "extract_too_new"},
		"bytes lost": {append(bytes.Clone(whole[:12<<10]), make([]byte, len(whole)-12<<10)...), "extract_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			mustWrite(t, s, "extracts/shop/extract.duckdb", string(c.content))
			_, err := s.SourceTables(t.Context(), "shop")
			wantCode(t, err, c.code)
			_, err = s.Snapshot(t.Context(), "shop", "t", Target{"shop", "t", "v1"}, nil)
			wantCode(t, err, c.code)
			wantClean(t, s)
		})
	}
}

func TestExtractCutInItsData(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT hash(i) AS h FROM range(1000000) AS r(i)", "CHECKPOINT shop")
	file := filepath.Join(dir, "extract.duckdb")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(t.Context(), "shop", "t", Target{"shop", "t", "v1"}, nil); err == nil {
		t.Error("half of a table was published")
	}
	wantClean(t, s)
}

func TestExtractsWithoutContract(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, code string }{
		"no _meta":          {"CREATE TABLE shop.t AS SELECT 1", "meta_missing"},
		"no table_name":     {"CREATE TABLE shop._meta (name VARCHAR)", "meta_invalid"},
		"column of a type":  {"CREATE TABLE shop._meta (table_name INTEGER, description VARCHAR, rows BIGINT, size_bytes BIGINT, query_mode VARCHAR)", "meta_invalid"},
		"_meta is a trap":   {"CREATE VIEW shop._meta AS SELECT content AS table_name, '' AS description, 1 AS rows, 1 AS size_bytes, '' AS query_mode FROM read_text('/etc/passwd')", "extract_unreadable"},
		"_meta in a schema": {"CREATE SCHEMA shop.x; CREATE TABLE shop.x._meta (table_name VARCHAR)", "meta_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			newShop(t, s, c.statement)
			_, err := s.SourceTables(t.Context(), "shop")
			wantCode(t, err, c.code)
		})
	}
}

func TestExtractNames(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	_, err := s.SourceTables(t.Context(), "../shop")
	wantCode(t, err, "source_name_invalid")
	_, err = s.SourceTables(t.Context(), "shop")
	wantCode(t, err, "extract_missing")
	for _, name := range []string{"temp", "system", "Memory", "select"} {
		dir := filepath.Join(s.dir, "extracts", name)
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		mustExec(t, "ATTACH "+quoteLiteral(filepath.Join(dir, "extract.duckdb"))+" AS e", metaFor("e", "('t','',1,1,now(),'local')"), "CREATE TABLE e.t AS SELECT 1")
		if tables, err := mustTables(t, s, name); err != nil || len(tables) != 1 || tables[0].Code != "" {
			t.Errorf("%s: %+v, %v", name, tables, err)
		}
	}
}

func TestExtractFolderBehindALink(t *testing.T) {
	t.Parallel()
	s, elsewhere := newTestStore(t), newTestStore(t)
	mustWrite(t, s, "extracts/x", "")
	if err := os.Symlink(filepath.Join(elsewhere.dir, "extracts/shop"), filepath.Join(s.dir, "extracts/shop")); err != nil {
		t.Fatal(err)
	}
	newShop(t, elsewhere, metaFor("shop", "('orders','',1,1,now(),'local')"),
		"CREATE VIEW shop.orders AS SELECT * FROM read_parquet("+quoteLiteral(filepath.Join(s.dir, "extracts/shop/data/orders.parquet"))+")")
	if tables, err := mustTables(t, s, "shop"); err != nil || tables[0].Code != "" {
		t.Errorf("tables %+v, %v", tables, err)
	}
}

func TestSnapshotOfLiveExtractor(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i",
		"CHECKPOINT shop", "PRAGMA disable_checkpoint_on_shutdown", "INSERT INTO shop.t VALUES (2)")
	if _, err := os.Stat(filepath.Join(s.dir, "extracts/shop/extract.duckdb.wal")); err != nil {
		t.Fatalf("the test needs a log beside the extract: %v", err)
	}
	out, err := s.Snapshot(t.Context(), "shop", "t", Target{"shop", "t", "v1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s, out); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("rows %q", got)
	}
}

// Work that was stopped says nothing about the extract that it read.
func TestStoppedWorkBlamesNoExtract(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	newShop(t, s, metaFor("shop", "('phys','',1,1,now(),'local')"), "CREATE TABLE shop.phys AS SELECT 1 AS i")
	e, err := s.openExtract(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.db.Close(); err != nil {
			t.Error(err)
		}
	}()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, read := range map[string]func() error{
		"columns of _meta": func() error { _, err := e.shape(stopped, "shop"); return err },
		"rows of _meta":    func() error { _, err := e.offered(stopped, "shop"); return err },
		"tables and views": func() error { _, err := e.objects(stopped, "shop"); return err },
		"opening":          func() error { _, err := s.openExtract(stopped, "shop"); return err },
	} {
		if got := FailureOf(read()).Code; got != "cancelled" {
			t.Errorf("%s: code %q, want cancelled", name, got)
		}
	}
}
