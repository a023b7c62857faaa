//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"agnes/domain/work"
)

// ipcSink keeps an answer as an Arrow IPC file, as a stored result is.
type ipcSink struct {
	file *os.File
	w    *ipc.FileWriter
}

func (s *ipcSink) schema(work.QuerySchema) error { return nil }

func (s *ipcSink) batch(b arrow.RecordBatch) error {
	if s.w == nil {
		w, err := ipc.NewFileWriter(s.file, ipc.WithSchema(b.Schema()))
		if err != nil {
			return err
		}
		s.w = w
	}
	return s.w.Write(b)
}

// storedResult runs a statement into a file beside the scratch folder and
// returns an engine that holds it as the table result.
func storedResult(t *testing.T, e *queryEngine, sql string) *queryEngine {
	t.Helper()
	file, err := os.Create("../result.arrow")
	if err != nil {
		t.Fatal(err)
	}
	sink := &ipcSink{file: file}
	if _, err := e.run(nil, work.QueryJob{SQL: sql}, sink); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sink.w.Close(), file.Close()); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	return heldEngine(t, work.QueryTable{Name: "result", Keys: []string{"result.arrow"}})
}

// heldEngine is another engine over the same data directory.
func heldEngine(t *testing.T, tables ...work.QueryTable) *queryEngine {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	return holding(t, work.QueryConfig{DataDir: filepath.Dir(here), Budget: work.Budget{MemoryBytes: 64 << 20, Threads: 2}, Tables: tables})
}

func TestStoredResultsAreTables(t *testing.T) {
	e := storedResult(t, queryWorld(t), `SELECT id, customer AS "the 'customer'", amount, id::BIT AS b, id::UHUGEINT AS u, [id::BIGNUM] AS l, '12:00:00+02'::TIMETZ AS z,
		CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END::ENUM('even', 'odd') AS parity, id::HUGEINT * 10000000000000000000 AS h, {'a': id} AS s, MAP {'k': id} AS m,
		NULL AS n, TIMESTAMPTZ '2026-11-22 12:00:00+00' AS "at", id::VARCHAR::BLOB AS blob, INTERVAL (id) DAY AS i, (id || '')::JSON AS j FROM orders`)
	tests := map[string]string{
		"SELECT count(*), sum(id), count(DISTINCT \"the 'customer'\") FROM result":                      "5000 12497500 10\n",
		"SELECT id FROM result ORDER BY u DESC LIMIT 2":                                                 "4999\n4998\n",
		"SELECT max(u), typeof(max(u)) FROM result":                                                     "4999 UHUGEINT\n",
		"SELECT l, typeof(l), z, h, s, m, n, \"at\", blob, i FROM result WHERE id = 2":                  "",
		"SELECT a.id FROM result a JOIN result b ON a.id = b.id + 4998 ORDER BY 1":                      "4998\n4999\n",
		"SELECT parity, count(*) FROM result GROUP BY ALL ORDER BY ALL":                                 "even 2500\nodd 2500\n",
		"SELECT column_type FROM (DESCRIBE result) WHERE column_name IN ('b', 'l', 'z', 'h', 'parity')": "",
	}
	for sql, want := range tests {
		rows, _, err := e.ask(t, sql, 0)
		if got := toText(rows, err); err != nil || want != "" && got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		} else if want == "" {
			t.Logf("%s: %s", sql, got)
		}
	}
}

func TestStoredResultsThatAreEmptyOrDamaged(t *testing.T) {
	world := queryWorld(t)
	scratch, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"empty.arrow": "", "text.arrow": "not rows", "short.arrow": "ARROW1\x00\x00"} {
		if err := os.WriteFile("../"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		e := heldEngine(t, work.QueryTable{Name: "result", Keys: []string{name}})
		_, _, err := e.ask(t, "FROM result", 0)
		if got := failureOf(t, err).Code; got != "table_unreadable" {
			t.Errorf("%s: %s, want table_unreadable", name, got)
		}
		t.Chdir(scratch)
	}
	e := storedResult(t, world, "SELECT id, customer FROM orders LIMIT 1")
	if rows, end, err := e.ask(t, "SELECT * FROM result WHERE id > 10", 0); err != nil || end.Rows != 0 || len(rows.columns) != 2 {
		t.Errorf("no rows of it: %+v, %+v, %v", rows, end, err)
	}
}
