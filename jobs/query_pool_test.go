//go:build duckdb_arrow

package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// newPool returns a pool over a data directory with one Parquet file per
// statement, and the catalog of them.
func newPool(tb testing.TB, cfg PoolConfig, tables map[string]string) (*QueryPool, access.Catalog) {
	tb.Helper()
	if cfg.Limits.MemoryBytes == 0 {
		cfg.Limits.MemoryBytes = 256 << 20
	}
	s := newSupervisor(tb, quiet())
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var published []registry.Published
	for name, rows := range tables {
		key := name + ".parquet"
		if _, err := db.ExecContext(tb.Context(), fmt.Sprintf("COPY (%s) TO '%s'", rows, filepath.Join(s.cfg.DataDir, key))); err != nil {
			tb.Fatal(err)
		}
		published = append(published, publishedTable(name, key))
	}
	return NewQueryPool(s, cfg), access.NewCatalog(published)
}

func publishedTable(name, key string) registry.Published {
	return registry.Published{
		Table:   registry.Table{ID: registry.IDFor(name), Name: name},
		Version: &registry.Version{ID: registry.VersionID("v1-" + key), Files: []registry.File{{Key: key}}},
	}
}

// answer runs a statement to its end and returns the rows as text.
func (p *QueryPool) answer(ctx context.Context, c access.Catalog, text string, maxRows int64) (rows []string, more bool, err error) {
	result, err := p.Start(ctx, c, query.Statement{SQL: text, MaxRows: maxRows})
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	for {
		batch, err := result.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, result.More(), nil
		}
		if err != nil {
			return rows, false, err
		}
		for i := range int(batch.NumRows()) {
			cells := make([]string, batch.NumCols())
			for j := range cells {
				cells[j], _ = query.Text(batch.Column(j), i)
			}
			rows = append(rows, strings.Join(cells, "|"))
		}
		batch.Release()
	}
}

func (p *QueryPool) mustAnswer(tb testing.TB, c access.Catalog, text, want string) {
	tb.Helper()
	rows, _, err := p.answer(tb.Context(), c, text, 10)
	if got := strings.Join(rows, ";"); err != nil || got != want {
		tb.Errorf("%s: %q, %v; want %q", text, got, err, want)
	}
}

const ordersSQL = "SELECT range AS id, range % 3 AS kind, range * 1.5 AS amount FROM range(1000)"

func TestQueriesReuseTheirChild(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL})
	for range 3 {
		p.mustAnswer(t, c, "SELECT count(*), max(id) FROM orders", "1000|999")
	}
	if got := p.Stats(); got.Children != 1 || got.Idle != 1 || got.Queries != 3 || got.Kept != 2 {
		t.Errorf("stats %+v, want one child for three queries", got)
	}
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT id, amount::DECIMAL(18,2) AS amount FROM orders"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(result.Columns()), "[{id BIGINT} {amount DECIMAL(18,2)}]"; got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if err := errors.Join(result.Close(), result.Close()); err != nil {
		t.Error(err)
	}
	if _, err := result.Next(t.Context()); err == nil {
		t.Error("a closed result has rows")
	}
	p.mustAnswer(t, c, "SELECT 1", "1")
}

func TestAnotherCatalogIsAnotherChild(t *testing.T) {
	p, all := newPool(t, PoolConfig{Limits: Limits{Children: 2}}, map[string]string{"orders": ordersSQL, "salaries": "SELECT 1000000 AS salary"})
	var few []registry.Published
	for _, table := range all.Tables() {
		if table.Name == "orders" {
			few = append(few, table)
		}
	}
	restricted := access.NewCatalog(few)
	p.mustAnswer(t, all, "SELECT salary FROM salaries", "1000000")
	for _, text := range []string{"SELECT * FROM salaries", "SELECT * FROM 'salaries.parquet'", "SELECT * FROM memory.main.salaries"} {
		_, _, err := p.answer(t.Context(), restricted, text, 0)
		var told *query.SQLError
		if !errors.As(err, &told) || told.Code != work.TableNotFound || !strings.Contains(told.Text, "is not there, or you may not read it") {
			t.Errorf("%s without a grant: %v, want it told like an absent one", text, err)
		}
	}
	p.mustAnswer(t, restricted, "SELECT count(*) FROM orders", "1000")
	p.mustAnswer(t, access.Catalog{}, "SELECT 41 + 1", "42") // a third catalog in a pool of two
	if got := p.Stats(); got.Children != 2 {
		t.Errorf("%d children, want 2", got.Children)
	}
	p.mustAnswer(t, all, "SELECT salary FROM salaries", "1000000")
}

func TestStatementsAtFault(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL})
	tests := []struct{ sql, code string }{
		{"SELEC 1", "query_error"},
		{"SELECT 1; SELECT 2", "several_statements"},
		{"SELECT 1\x00; DROP VIEW orders", "nul_in_statement"},
		{"-- nothing", "empty_statement"},
		{"DROP VIEW orders", "not_a_reading_statement"},
		{"COPY orders TO 'x.csv'", "not_a_reading_statement"},
		{"ATTACH 'x.duckdb'", "not_a_reading_statement"},
		{"SET threads = 1", "not_a_reading_statement"},
		{"INSTALL httpfs", "not_a_reading_statement"},
		{"FROM query('SELECT ' || 1)", "function_refused"},
		{"FROM read_parquet('orders.parquet')", "function_refused"},
	}
	for _, test := range tests {
		_, _, err := p.answer(t.Context(), c, test.sql, 0)
		var told *query.SQLError
		if !errors.As(err, &told) || told.Code != test.code || domain.KindOf(err) != domain.Invalid {
			t.Errorf("%q: %v, want code %s", test.sql, err, test.code)
		}
	}
	_, _, err := p.answer(t.Context(), c, "SELECT 1,\n  nosuch FROM orders", 0)
	var told *query.SQLError
	if !errors.As(err, &told) || told.Line != 2 || told.Column != 3 {
		t.Errorf("%#v, want line 2, column 3", err)
	}
	if got := p.Stats(); got.Children != 2 || got.Died != 0 || got.Kept != int64(len(tests))-1 {
		t.Errorf("stats %+v, want one child for those without a table and one for the others", got)
	}
}

func TestMaxRowsStopsEarly(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	rows, more, err := p.answer(t.Context(), c, "SELECT * FROM range(1000000000)", 5)
	if err != nil || len(rows) != 5 || !more {
		t.Errorf("%v, more %v, %v; want five of very many", rows, more, err)
	}
	rows, more, err = p.answer(t.Context(), c, "SELECT * FROM range(5)", 5)
	if err != nil || len(rows) != 5 || more {
		t.Errorf("%v, more %v, %v; want five of five", rows, more, err)
	}
}

func TestLargeAnswerStreams(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT range AS a, 'some text ' || range AS b FROM range(2000000)"})
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for {
		batch, err := result.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows += batch.NumRows()
		batch.Release()
	}
	if err := result.Close(); err != nil || rows != 2000000 {
		t.Errorf("%d rows, %v; want 2000000", rows, err)
	}
}

func TestCancelKillsWhatDoesNotStop(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{MemoryBytes: 4 << 30}}, nil)
	p.mustAnswer(t, c, "SELECT 1", "1")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err := p.answer(ctx, c, "SELECT length(repeat('x', 1500000000))", 0)
	if domain.KindOf(err) != domain.Cancelled || domain.CodeOf(err) != "query_timeout" {
		t.Errorf("%v, want query_timeout", err)
	}
	p.mustAnswer(t, c, "SELECT 2", "2")
}

func TestCancelBetweenBatches(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	why := domain.E(domain.Cancelled, "query_cancelled", "You stopped the query.")
	ctx, cancel := context.WithCancelCause(t.Context())
	result, err := p.Start(ctx, c, query.Statement{SQL: "SELECT * FROM range(1000000000000)"})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := result.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	batch.Release()
	cancel(why)
	for err == nil {
		if batch, err = result.Next(ctx); err == nil {
			batch.Release()
		}
	}
	if !errors.Is(err, why) {
		t.Errorf("%v, want the cause", err)
	}
	if err := result.Close(); err != nil {
		t.Error(err)
	}
	p.mustAnswer(t, c, "SELECT 3", "3")
}

func TestReaderWhoLeavesEarlyKeepsTheChild(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	for range 3 {
		result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT * FROM range(1000000000000)"})
		if err != nil {
			t.Fatal(err)
		}
		if err := result.Close(); err != nil {
			t.Error(err)
		}
	}
	p.mustAnswer(t, c, "SELECT 1", "1")
	if got := p.Stats(); got.Kept != 3 || got.Forced != 0 || got.Children != 1 {
		t.Errorf("stats %+v, want one child, never forced", got)
	}
}

func TestCrashIsOneQuerysMatter(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL})
	_, _, err := p.answer(t.Context(), c, "SELECT json_structure(repeat('[', 100000) || repeat(']', 100000))", 0)
	if domain.KindOf(err) != domain.Unavailable || domain.CodeOf(err) != "query_crashed" {
		t.Errorf("a statement that crashes the engine: %v, want query_crashed", err)
	}
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	// This one crashes or keeps the planner busy for minutes, deaf to interrupts.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = p.answer(ctx, c, "SELECT "+strings.Repeat("[", 900)+"1"+strings.Repeat("]", 900), 0)
	if code := domain.CodeOf(err); code != "query_crashed" && code != "query_timeout" {
		t.Errorf("a list 900 deep: %v, want query_crashed or query_timeout", err)
	}
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	if got := p.Stats(); got.Died == 0 {
		t.Errorf("stats %+v, want one death", got)
	}
}

func TestMemoryBombs(t *testing.T) {
	if underRace {
		t.Skip("the race detector leaves no room for RLIMIT_DATA, the limit that is tested here")
	}
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1, MemoryBytes: 200 << 20}}, nil)
	for _, bomb := range []string{
		"SELECT length(repeat('x', 2000000000))",
		"SELECT len(range(500000000))",
		"SELECT len(list(range)) FROM range(300000000)",
		"SELECT length(string_agg(repeat('x', 1000), '')) FROM range(2000000)",
	} {
		_, _, err := p.answer(t.Context(), c, bomb, 0)
		if domain.KindOf(err) != domain.Unavailable || domain.CodeOf(err) != "query_memory" {
			t.Errorf("%s: %v, want query_memory", bomb, err)
		}
		p.mustAnswer(t, c, "SELECT 1", "1")
	}
}

func TestChildKilledFromOutside(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT * FROM range(1000000000000)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(result.(*queryResult).child.process.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = result.Next(t.Context())
	}
	if domain.CodeOf(err) != "query_killed" {
		t.Errorf("killed mid-stream: %v, want query_killed", err)
	}
	if err := result.Close(); err != nil {
		t.Error(err)
	}
	p.mustAnswer(t, c, "SELECT 1", "1")
	idle := p.idle[0].process
	if err := syscall.Kill(idle.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-idle.ended
	p.mustAnswer(t, c, "SELECT 2", "2")
}

func TestManyClientsOnTwoChildren(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 2}}, map[string]string{"orders": ordersSQL})
	catalogs := []access.Catalog{c, {}}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for j := range 5 {
				n := fmt.Sprint(i*100 + j)
				p.mustAnswer(t, catalogs[i%2], "SELECT "+n, n)
			}
		})
	}
	all.Wait()
	if got := p.Stats(); got.Queries != 160 || got.Waiting != 0 || got.Children > 2 {
		t.Errorf("stats %+v, want 160 queries on at most 2 children", got)
	}
}

func TestQueueIsBoundedAndLeft(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1}, MaxWaiting: 1}, nil)
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT * FROM range(1000000000000)"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, _, err := p.answer(ctx, c, "SELECT 1", 0)
		left <- err
	}()
	for p.Stats().Waiting == 0 { // until it stands in the queue
		runtime.Gosched()
	}
	if _, _, err := p.answer(t.Context(), c, "SELECT 2", 0); domain.KindOf(err) != domain.Limited {
		t.Errorf("one too many: %v, want Limited", err)
	}
	cancel()
	if err := <-left; domain.CodeOf(err) != "query_cancelled" {
		t.Errorf("left the queue: %v, want query_cancelled", err)
	}
	if err := result.Close(); err != nil {
		t.Error(err)
	}
	p.mustAnswer(t, c, "SELECT 3", "3")
	if _, _, err := p.answer(ctx, c, "SELECT 4", 0); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("with a context that has ended: %v, want Cancelled", err)
	}
}

func TestChildrenRetire(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1}, MaxQueries: 2, Idle: time.Hour}, nil)
	for i := range 4 {
		p.mustAnswer(t, c, fmt.Sprint("SELECT ", i), fmt.Sprint(i))
	}
	if got := p.supervisor.Stats().Started; got != 2 {
		t.Errorf("%d children for 4 queries of at most 2 each, want 2", got)
	}
	o, c := newPool(t, PoolConfig{Limits: Limits{Children: 1}, MaxAge: time.Nanosecond}, nil)
	for range 2 {
		o.mustAnswer(t, c, "SELECT 1", "1")
	}
	if got := o.supervisor.Stats().Started; got != 2 {
		t.Errorf("%d children for 2 queries that each make one old, want 2", got)
	}
	q, c := newPool(t, PoolConfig{Idle: time.Nanosecond}, nil)
	q.mustAnswer(t, c, "SELECT 1", "1")
	for q.Stats().Children > 0 { // until the idle child is gone
		runtime.Gosched()
	}
}

func TestStoppingServerEndsQueries(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1}}, nil)
	result, err := p.Start(t.Context(), c, query.Statement{SQL: "SELECT * FROM range(1000000000000)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.supervisor.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = result.Next(t.Context())
	}
	if domain.CodeOf(err) != "server_stopping" {
		t.Errorf("%v, want server_stopping", err)
	}
	if _, _, err := p.answer(t.Context(), c, "SELECT 1", 0); domain.CodeOf(err) != "server_stopping" {
		t.Errorf("after Close: %v, want server_stopping", err)
	}
	if err := result.Close(); err != nil {
		t.Error(err)
	}
}

func TestUnreadableTableIsNamed(t *testing.T) {
	p, _ := newPool(t, PoolConfig{}, nil)
	c := access.NewCatalog([]registry.Published{publishedTable("orders", "nowhere.parquet"), {Table: registry.Table{Name: "never_synced"}}})
	_, _, err := p.answer(t.Context(), c, "SELECT * FROM orders", 0)
	if domain.CodeOf(err) != "table_unreadable" || !strings.Contains(err.Error(), "orders") || strings.Contains(err.Error(), "nowhere") {
		t.Errorf("%v, want table_unreadable without the file's name", err)
	}
}

// playedBy makes the children that start from now on misbehave by a script.
func (p *QueryPool) playedBy(t *testing.T, script string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.supervisor.cfg.Executable = filepath.Join(t.TempDir(), script)
	if err := os.Symlink(self, p.supervisor.cfg.Executable); err != nil {
		t.Fatal(err)
	}
}

// TestLostChildIsNotItsStatementsMatter shows that a statement whose child lost
// its folder is run again in another.
func TestLostChildIsNotItsStatementsMatter(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL})
	p.playedBy(t, "lost once")
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	if asked := p.Stats().Queries; asked != 2 {
		t.Errorf("%d children were asked, want 2", asked)
	}
}

func TestMisbehavingChildren(t *testing.T) {
	tests := map[string]string{
		"mute": "query_child_setup", "sick": "query_child_setup", "odd": "query_child_setup", "starved": "query_memory",
		"rowless": "query_crashed", "unspoken": "query_crashed", "garbled": "query_crashed", "miscounting": "query_crashed",
		"endless": "query_crashed", "broken": "query_crashed", "lost": "query_crashed",
	}
	for script, code := range tests {
		p, c := newPool(t, PoolConfig{}, nil)
		p.playedBy(t, script)
		_, _, err := p.answer(t.Context(), c, "SELECT 1", 0)
		if domain.CodeOf(err) != code || domain.KindOf(err) != domain.Unavailable {
			t.Errorf("%s: %v, want %s", script, err, code)
		}
		for p.Stats().Children > 0 { // until its slot is free
			runtime.Gosched()
		}
	}
	p, c := newPool(t, PoolConfig{}, nil)
	p.supervisor.cfg.Executable = filepath.Join(t.TempDir(), "nowhere")
	if _, _, err := p.answer(t.Context(), c, "SELECT 1", 0); domain.CodeOf(err) != "child_not_started" {
		t.Errorf("without a program: %v, want child_not_started", err)
	}
}

func TestDeafChildIsKilled(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, nil)
	p.playedBy(t, "deaf")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _, err := p.answer(ctx, c, "SELECT 1", 0); domain.CodeOf(err) != "query_timeout" {
		t.Errorf("%v, want query_timeout", err)
	}
}
