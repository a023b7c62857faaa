//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// queryWorld is a data directory with the tables orders and people granted, one
// file that is not, one table whose file is missing and one whose file is damaged.
func queryWorld(t *testing.T) *queryEngine {
	t.Helper()
	t.Chdir(t.TempDir())
	writer := &queryEngine{}
	if err := writer.open(); err != nil {
		t.Fatal(err)
	}
	defer writer.close()
	for _, sql := range []string{
		"COPY (SELECT range AS id, 'customer ' || range % 10 AS customer, range * 1.5 AS amount FROM range(5000)) TO 'orders.parquet'",
		"COPY (SELECT 'Ada' AS name) TO 'people.parquet'",
		"COPY (SELECT 1000000 AS salary) TO 'secret.parquet'",
	} {
		if err := writer.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("damaged.parquet", []byte("PAR1 no more PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("scratch", 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir("scratch")
	return holding(t, work.QueryConfig{
		DataDir: dir,
		Budget:  work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch"},
		Tables: []work.QueryTable{
			{Name: "orders", Keys: []string{"orders.parquet"}},
			{Name: "People", Keys: []string{"people.parquet"}},
			{Name: "gone", Keys: []string{"gone.parquet"}},
			{Name: "damaged", Keys: []string{"damaged.parquet"}},
			{Name: "outside", Keys: []string{"../outside.parquet"}},
			{Name: "empty"},
		},
	})
}

// holding opens an engine whose scratch folder is the working directory.
func holding(tb testing.TB, cfg work.QueryConfig) *queryEngine {
	tb.Helper()
	held, err := holdTables(cfg, ".")
	if err != nil {
		tb.Fatal(err)
	}
	e, err := openQueryEngine(cfg, held, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.close)
	return e
}

// worldListing is what the catalog tells about queryWorld, and about one table
// that no child has opened.
func worldListing() []work.ListedTable {
	return []work.ListedTable{
		{Name: "orders", Comment: "What was sold", Rows: 5000, Columns: []registry.Column{
			{Name: "id", Type: "BIGINT"}, {Name: "customer", Type: "VARCHAR"}, {Name: "amount", Type: "DECIMAL(21,1)"},
		}},
		{Name: "People", Rows: 1, Columns: []registry.Column{{Name: "name", Type: "VARCHAR"}}},
		{Name: "elsewhere", Rows: 7, Columns: []registry.Column{{Name: "we \"x\"", Type: "INTEGER[]"}}},
	}
}

// collected is an answer held in memory.
type collected struct {
	columns []registry.Column
	values  [][]string
	sizes   []int64 // rows of each batch
	stop    int     // fail after this many batches; 0: never
	first   func()  // called at the first batch, if any
}

var errStopped = errors.New("the reader went away")

func (c *collected) schema(s work.QuerySchema) error {
	c.columns = s.Columns
	return nil
}

func (c *collected) batch(b arrow.RecordBatch) error {
	c.sizes = append(c.sizes, b.NumRows())
	if len(c.sizes) == 1 && c.first != nil {
		c.first()
	}
	if c.stop > 0 && len(c.sizes) >= c.stop {
		return errStopped
	}
	if len(c.values) > 100 {
		return nil
	}
	for i := range min(int(b.NumRows()), 100) {
		row := make([]string, b.NumCols())
		for j := range row {
			text, ok := query.Text(b.Column(j), i)
			if !ok {
				text = "NULL"
			}
			row[j] = strings.Clone(text)
		}
		c.values = append(c.values, row)
	}
	return nil
}

func (e *queryEngine) ask(t *testing.T, sql string, maxRows int64) (*collected, work.QueryEnd, error) {
	t.Helper()
	sink := &collected{}
	job := work.QueryJob{SQL: sql, MaxRows: maxRows}
	end, err := e.run(make(chan struct{}), job, sink)
	if f := (*queryFailure)(nil); errors.As(err, &f) && f.Code == work.NeedsListing {
		job.Listing = worldListing()
		end, err = e.run(make(chan struct{}), job, sink)
	}
	return sink, end, err
}

func failureOf(t *testing.T, err error) *queryFailure {
	t.Helper()
	var f *queryFailure
	if !errors.As(err, &f) {
		t.Fatalf("error is %v (%T), want a *queryFailure", err, err)
	}
	return f
}

func TestUnreadableTablesAreSaidSo(t *testing.T) {
	e := queryWorld(t)
	for _, name := range []string{"gone", "damaged", "DAMAGED", "outside", "empty"} {
		_, _, err := e.ask(t, "SELECT * FROM "+name, 0)
		if got, want := failureOf(t, err).Code, "table_unreadable"; got != want {
			t.Errorf("SELECT FROM %s: code %q, want %q (%v)", name, got, want, err)
		}
	}
	if _, end, err := e.ask(t, "WITH gone AS (SELECT 1 AS a) SELECT * FROM gone", 0); err != nil || end.Rows != 1 {
		t.Errorf("a CTE of an unreadable table's name: %v, %v", end, err)
	}
	if _, end, err := e.ask(t, "SELECT * FROM people, main.orders", 0); err != nil || end.Rows != 5000 {
		t.Errorf("readable tables beside them: %v, %v", end, err)
	}
}

func TestOnlyGrantedFilesAreReadable(t *testing.T) {
	e := queryWorld(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(here)
	for _, sql := range []string{
		"SELECT * FROM 'secret.parquet'",
		`SELECT * FROM "secret.parquet"`,
		"SELECT * FROM '" + filepath.Join(dir, "secret.parquet") + "'",
		"SELECT * FROM './orders.parquet/../secret.parquet'",
		"SELECT * FROM '*.parquet'",
		"SELECT * FROM 'file:" + dir + "/secret.parquet'",
		"SELECT * FROM '/etc/passwd'",
		"SELECT * FROM 'https://example.com/x.parquet'",
		"SELECT * FROM secret",
		"SELECT (SELECT max(salary) FROM 'secret.parquet') FROM orders",
	} {
		rows, _, err := e.ask(t, sql, 0)
		if err == nil {
			t.Errorf("%s: answered %v, want an error", sql, rows.values)
			continue
		}
		if f := failureOf(t, err); f.Code != work.TableNotFound || f.fatal {
			t.Errorf("%s: %+v, want %s", sql, f, work.TableNotFound)
		}
	}
}

func TestErrorsAndPlansShowNoPaths(t *testing.T) {
	e := queryWorld(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(here)
	if err := os.Truncate("../people.parquet", 20); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SELECT * FROM people",
		"SELECT * FROM 'secret.parquet'",
		"EXPLAIN ANALYZE SELECT * FROM orders",
		"EXPLAIN (FORMAT json) SELECT * FROM orders",
		"SELECT * FROM information_schema.tables",
		"SELECT * FROM information_schema.columns",
		"DESCRIBE orders", "SHOW ALL TABLES", "SHOW DATABASES", "SUMMARIZE orders",
	} {
		rows, _, err := e.ask(t, sql, 0)
		shown := strings.Join(strings.Fields(strings.ReplaceAll(toText(rows, err), "│", "")), "")
		if strings.Contains(shown, dir) {
			t.Errorf("%s shows the path:\n%s", sql, shown)
		}
	}
}

func toText(rows *collected, err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, row := range rows.values {
		b.WriteString(strings.Join(row, " ") + "\n")
	}
	return b.String()
}

func TestEngineIsLocked(t *testing.T) {
	e := queryWorld(t)
	for _, sql := range []string{
		"SET memory_limit = '100GB'", "SET lock_configuration = false", "SET enable_external_access = true", "INSTALL httpfs", "LOAD httpfs",
		"COPY orders TO 'other.parquet'", "ATTACH 'other.duckdb'", "CREATE SECRET (TYPE s3)",
	} {
		if err := e.exec(sql); err == nil {
			t.Errorf("%s succeeded behind the gate, want it refused by the engine", sql)
		}
	}
}
