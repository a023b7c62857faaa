package jobs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/query/export"
	"agnes/store"
	"agnes/store/results"
)

// kept is a runner over real children, a real state and real files.
type kept struct {
	runner  *query.Runner
	results *query.Results
	ada     access.Principal
}

// anybody takes everybody for who they say.
type anybody struct{ access.Catalogs }

func (anybody) Principal(_ context.Context, id people.UserID) (access.Principal, error) {
	return access.Principal{UserID: id}, nil
}

func newKept(t *testing.T) kept {
	t.Helper()
	pool, _ := newPool(t, PoolConfig{Limits: Limits{Children: 2}}, nil)
	state, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: time.Now, NewID: func() string { return ulid.Make().String() }})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := results.Open(pool.supervisor.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	// Nobody is in the state, and everybody is who they say.
	standing := anybody{Catalogs: state}
	r := &query.Runner{
		Catalogs: standing, Engine: pool, Log: state, Keeper: folder, Limits: query.Limits{Timeout: time.Minute},
		Now: time.Now, NewID: func() string { return ulid.Make().String() },
	}
	return kept{
		runner: r, ada: access.Principal{UserID: "ada", Email: "ada@example.com"},
		results: &query.Results{Runs: state, Keeper: folder, Catalogs: standing, Engine: pool, Runner: r, Timeout: time.Minute, Now: time.Now},
	}
}

// keep runs a statement to its end and keeps its rows.
func (k kept) keep(t *testing.T, sql string) query.Record {
	t.Helper()
	run, err := k.runner.Run(t.Context(), k.ada, query.Request{SQL: sql, Origin: query.FromConsole, Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := query.ReadAll(run, query.TextCell); err != nil {
		t.Fatal(err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := k.results.Find(t.Context(), k.ada, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (k kept) csv(t *testing.T, rec query.Record, v query.View) string {
	t.Helper()
	rows, err := k.results.Open(t.Context(), k.ada, rec, v)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := export.Write(t.Context(), &b, export.CSV, rows, export.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a child sends is kept, read again and sorted by another child without a
// change of any value.
func TestKeptRowsOfEveryType(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	for sql, want := range map[string]string{
		"170141183460469231731687303715884105727::HUGEINT":  "170141183460469231731687303715884105727",
		"340282366920938463463374607431768211455::UHUGEINT": "340282366920938463463374607431768211455",
		"18446744073709551615::UBIGINT":                     "18446744073709551615",
		"'12345678901234567890.123456789'::DECIMAL(38,9)":   "12345678901234567890.123456789",
		"TIMESTAMPTZ '2024-02-29 12:34:56.789012+05:30'":    "2024-02-29 07:04:56.789012+00",
		"TIMESTAMP 'infinity'":                              "infinity",
		"DATE '-infinity'":                                  "-infinity",
		"TIME '24:00:00'":                                   "24:00:00",
		"INTERVAL '14 months -3 days 01:02:03.000004'":      "1 year 2 months -3 days 01:02:03.000004",
		"['a, b', NULL, '']":                                `"['a, b', NULL, '']"`,
		"{'a': 1, 'b': [1, NULL]}":                          `"{'a': 1, 'b': [1, NULL]}"`,
		"MAP {'k': NULL, 'l': 2}":                           `"{k=NULL, l=2}"`,
		`'\x00a\xFF'::BLOB`:                                 `\x00a\xFF`,
		"'0190a5b0-0000-7000-8000-000000000001'::UUID":      "0190a5b0-0000-7000-8000-000000000001",
		"'NaN'::DOUBLE":                                     "NaN",
		"'-inf'::FLOAT":                                     "-Infinity",
		"''":                                                `""`,
		"NULL::VARCHAR":                                     "",
		"'b'::ENUM('a', 'b')":                               "b",
		"'101'::BIT":                                        "101",
		"TIMETZ '12:34:56+02'":                              "12:34:56+02",
		"true":                                              "true",
	} {
		rec := k.keep(t, "SELECT "+sql+" AS v, 1 AS n UNION ALL SELECT NULL, 2")
		if got := k.csv(t, rec, query.View{}); got != "v,n\n"+want+",1\n,2\n" {
			t.Errorf("%s is kept as %q", sql, got)
		}
		if got := k.csv(t, rec, query.View{Sort: []query.SortKey{{Column: 1, Down: true}}}); got != "v,n\n,2\n"+want+",1\n" {
			t.Errorf("%s is sorted as %q", sql, got)
		}
	}
}

func TestSortedPagesAreOneOrder(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	rec := k.keep(t, "SELECT i % 3 AS a, i::UHUGEINT AS h, 'x' AS \"A\" FROM range(200000) t(i)")
	if rec.Rows != 200_000 || rec.Kept != query.KeptWhole || len(rec.Stored.Batches) < 2 {
		t.Fatalf("kept %+v", rec)
	}
	by := []query.SortKey{{Column: 0, Down: true}, {Column: 1}}
	var pages strings.Builder
	for from := int64(0); from < 300; from += 100 {
		_, rows, _ := strings.Cut(k.csv(t, rec, query.View{Offset: from, Limit: 100, Sort: by}), "\n")
		pages.WriteString(rows)
	}
	var want strings.Builder
	for i := range 300 {
		fmt.Fprintf(&want, "2,%d,x\n", 2+3*i)
	}
	if pages.String() != want.String() {
		t.Errorf("pages begin with %.60q", pages.String())
	}
}

func TestBackgroundRunIsCancelled(t *testing.T) {
	t.Parallel()
	k := newKept(t)
	rec, err := k.runner.Submit(t.Context(), k.ada, query.Request{SQL: "SELECT count(*) FROM range(1000000000) a(i), range(1000000) b(j) WHERE i * j % 7 = 3", Origin: query.FromBackground})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.results.Forget(t.Context(), k.ada, rec.ID); err != nil {
		t.Fatal(err)
	}
	if err := k.runner.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.results.Find(t.Context(), k.ada, rec.ID); domain.CodeOf(err) != "query_without_rows" {
		t.Errorf("after the cancel: %v", err)
	}
}
