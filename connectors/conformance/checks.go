package conformance

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// identifiers: a name that is none is refused with a code, and writes nothing.
func identifiers(t *testing.T, s Subject) {
	t.Helper()
	for _, item := range append([]string{"", "..", "../x", "a/b", `a\b`, "a\x00b", "no such table", ".hidden"}, s.BadItems...) {
		job := s.job("orders", "v1")
		job.Item = item
		_, _, err := s.extract(t.Context(), job)
		s.wantRefusal(t, fmt.Sprintf("item %q", item), err)
	}
	for _, id := range []registry.VersionID{"", "../v1", "a/b"} {
		s.Put(t, "orders", "SELECT 1 AS id")
		if _, _, err := s.extract(t.Context(), s.job("orders", id)); err == nil {
			t.Errorf("a version called %q was made", id)
		}
	}
	if left := s.state(t); len(left) != 0 {
		t.Errorf("refused jobs left %v", slices.Collect(maps.Keys(left)))
	}
}

// columns: odd and many names survive.
func columns(t *testing.T, s Subject) {
	t.Helper()
	odd := `SELECT 1 AS "we""ird", 2 AS "select", 3 AS "a b", 4 AS "ünï", 5 AS "semi;colon", 6 AS "it's", 7 AS "日本", 8 AS "a.b", 9 AS "$1"`
	s.Put(t, "odd", odd)
	out := s.mustExtract(t, "odd", "v1")
	s.wantRows(t, out, odd)
	if got, want := namesOf(out.Columns), s.Query(t, "SELECT column_name FROM (DESCRIBE "+odd+")"); !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	parts := make([]string, 600)
	for i := range parts {
		parts[i] = fmt.Sprintf("%d AS c%d", i, i)
	}
	wide := "SELECT " + strings.Join(parts, ", ")
	s.Put(t, "wide", wide)
	if out = s.mustExtract(t, "wide", "v1"); len(out.Columns) != len(parts) {
		t.Errorf("%d columns, want %d", len(out.Columns), len(parts))
	}
	s.wantRows(t, out, wide)
}

func namesOf(columns []registry.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// values: every common type, NULL and all of Unicode arrive as they were.
func values(t *testing.T, s Subject) {
	t.Helper()
	for name, query := range map[string]string{
		"nulls": "SELECT * FROM (VALUES (1, NULL, 'a'), (NULL, NULL, NULL), (3, NULL, '')) AS t(i, n, s)",
		"types": `SELECT true AS b, 1::TINYINT AS i1, -2::SMALLINT AS i2, 3::INTEGER AS i4, 9223372036854775807::BIGINT AS i8, 255::UTINYINT AS u1,
			65535::USMALLINT AS u2, 4294967295::UINTEGER AS u4, 18446744073709551615::UBIGINT AS u8, 1.5::FLOAT AS f, 0.1::DOUBLE AS d,
			12345678901234567890.12345::DECIMAL(38, 5) AS dec, DATE '2026-02-28' AS day, TIME '23:59:59.123456' AS tm,
			TIMESTAMP '2026-11-22 21:36:06.123456' AS ts, 'text' AS s, '\xAA\x00'::BLOB AS bin, UUID '00112233-4455-6677-8899-aabbccddeeff' AS id,
			[1, 2, NULL] AS list, {'a': 1, 'b': 'x'} AS st`,
		"edges": `SELECT * FROM (VALUES (DATE '0001-01-01', 'infinity'::DOUBLE, -170141183460469231.5::DECIMAL(38, 2)),
			(DATE '9999-12-31', 'nan'::DOUBLE, 0::DECIMAL(38, 2))) AS t(day, d, dec)`,
		"unicode": `SELECT * FROM (VALUES ('žluťoučký kůň'), ('日本語'), ('👩‍👩‍👧 🏳️‍🌈'), ('שלום'), ('e' || chr(769)), ('a' || chr(10) || 'b' || chr(9)),
			('"quoted", and; ''so'''), (repeat('x', 100000)), (chr(65533)), (' '), ('NULL')) AS t(s)`,
		"many": "SELECT i, 'row ' || i AS s FROM range(300000) AS r(i)",
	} {
		s.Put(t, name, query)
		s.wantRows(t, s.mustExtract(t, name, "v1"), query)
	}
}

// emptyTable: no rows are a table without rows, or a refusal that says so.
func emptyTable(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "none", "SELECT 1 AS id, 'x' AS name WHERE false")
	out, _, err := s.extract(t.Context(), s.job("none", "v1"))
	if s.Empty != "" {
		s.wantRefusal(t, "a table without rows", err)
		return
	}
	if err != nil || out.Rows != 0 || !slices.Equal(namesOf(out.Columns), []string{"id", "name"}) {
		t.Errorf("a table without rows: %+v, %v", out, err)
	}
}

// again: a new extraction is a new version, and the old one stays as it is.
func again(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "orders", "SELECT 1 AS id")
	first := s.mustExtract(t, "orders", "v1")
	before := s.state(t)
	s.Put(t, "orders", "SELECT id, 'new' AS more FROM range(5) AS r(id)")
	second := s.mustExtract(t, "orders", "v2")
	s.wantRows(t, second, "SELECT id, 'new' AS more FROM range(5) AS r(id)")
	s.wantRows(t, first, "SELECT 1 AS id")
	after := s.state(t)
	for file, sum := range before {
		if after[file] != sum {
			t.Errorf("the version before was changed: %s", filepath.Base(file))
		}
	}
	if len(after) <= len(before) {
		t.Error("the second version has no file of its own")
	}
	if _, _, err := s.extract(t.Context(), s.job("orders", "v1")); err == nil {
		t.Error("a version was written over")
	}
	s.wantRows(t, first, "SELECT 1 AS id")
}

// failure: what cannot be had is said, and costs nothing that was there.
func failure(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "orders", "SELECT 1 AS id")
	first := s.mustExtract(t, "orders", "v1")
	before := s.state(t)
	s.Break(t, "orders")
	_, _, err := s.extract(t.Context(), s.job("orders", "v2"))
	s.wantRefusal(t, "a broken source", err)
	if after := s.state(t); !maps.Equal(after, before) {
		t.Errorf("a failure changed files: %v, before %v", after, before)
	}
	s.wantRows(t, first, "SELECT 1 AS id")
}

// cancelled: a job that is stopped leaves nothing.
func cancelled(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "orders", "SELECT i FROM range(100000) AS r(i)")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.extract(ctx, s.job("orders", "v1")); err == nil {
		t.Error("a cancelled job succeeded")
	}
	if left := s.state(t); len(left) != 0 {
		t.Errorf("a cancelled job left %v", slices.Collect(maps.Keys(left)))
	}
}

// progress: the phases are told, in order.
func progress(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "orders", "SELECT 1 AS id")
	_, phases, err := s.extract(t.Context(), s.job("orders", "v1"))
	if want := []string{"extract", "convert", "publish"}; err != nil || !slices.Equal(phases, want) {
		t.Errorf("phases %q, %v, want %q", phases, err, want)
	}
}

// manifest: a version's files lie where they belong and are what they say.
func manifest(t *testing.T, s Subject) {
	t.Helper()
	s.Put(t, "orders", "SELECT i AS id, 'x' AS name FROM range(10) AS r(i)")
	out := s.mustExtract(t, "orders", "v1")
	if len(out.Files) == 0 || out.Rows != 10 || !slices.Equal(namesOf(out.Columns), []string{"id", "name"}) {
		t.Errorf("version = %+v", out)
	}
	total := int64(0)
	for _, f := range out.Files {
		file := filepath.Join(s.Dir, filepath.FromSlash(f.Key))
		info, err := os.Stat(file)
		if err != nil || info.Size() != f.Bytes || sha(t, file) != f.SHA256 {
			t.Errorf("file %s: %v, want %d bytes with the sum %s", f.Key, err, f.Bytes, f.SHA256)
		}
		if !strings.HasPrefix(f.Key, "versions/"+s.Source+"/orders/v1") {
			t.Errorf("file %s lies elsewhere", f.Key)
		}
		total += f.Bytes
	}
	if total != out.Bytes || (len(out.Files) == 1) != (len(out.MD5) == 32) {
		t.Errorf("%d bytes, want %d; md5 %q of %d files", out.Bytes, total, out.MD5, len(out.Files))
	}
}

// metaShape is the _meta table of contract 12.1, as DESCRIBE says it.
const metaShape = `table_name VARCHAR NO
description VARCHAR YES
rows BIGINT YES
size_bytes BIGINT YES
extracted_at TIMESTAMP YES
query_mode VARCHAR YES`

// published: the extract of a source that is ours has the contract's shape, and
// a plain client reads its views.
func published(t *testing.T, s Subject) {
	t.Helper()
	if s.Rebuild == nil {
		t.Skip("the extract of this source is somebody else's")
	}
	s.Put(t, "orders", "SELECT i AS id FROM range(10) AS r(i)")
	out := s.mustExtract(t, "orders", "v1")
	keys := make([]string, len(out.Files))
	for i, f := range out.Files {
		keys[i] = f.Key
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	rebuilt, err := s.Rebuild(t.Context(), []work.RebuildSource{{Name: s.Source, Owned: true, Tables: []work.RebuildTable{{
		Name: "orders", Description: "it's one", Rows: out.Rows, Bytes: out.Bytes, QueryMode: "local", ExtractedAt: at, Keys: keys,
	}}}})
	if err != nil || len(rebuilt.Problems) != 0 {
		t.Fatalf("rebuild: %+v, %v", rebuilt, err)
	}
	attach := "ATTACH " + quote(filepath.Join(s.Dir, "extracts", s.Source, "extract.duckdb")) + " AS e (READ_ONLY); "
	shape := s.Query(t, attach+`SELECT column_name || ' ' || column_type || ' ' || "null" FROM (DESCRIBE e.main._meta)`)
	if got := strings.Join(shape, "\n"); got != metaShape {
		t.Errorf("_meta:\n%s\nwant\n%s", got, metaShape)
	}
	row := s.Query(t, attach+"FROM e.main._meta")
	if want := fmt.Sprintf("orders|it's one|10|%d|2026-11-22 12:00:00|local", out.Bytes); len(row) != 1 || row[0] != want {
		t.Errorf("_meta row %q, want %q", row, want)
	}
	if got := s.Query(t, attach+"SELECT count(*), sum(id) FROM e.main.orders"); len(got) != 1 || got[0] != "10|45" {
		t.Errorf("a plain client reads %q", got)
	}
}

// wantRefusal fails unless err has a code and a sentence for people.
func (s Subject) wantRefusal(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	f := s.Failure(err)
	if f.Code == "" || f.Code == "internal" || f.Message == "" || strings.Contains(f.Message+f.NextStep, s.Dir) {
		t.Errorf("%s: %+v; want a code and a sentence without paths", what, f)
	}
}
