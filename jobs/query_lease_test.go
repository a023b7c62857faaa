//go:build duckdb_arrow

package jobs

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// until waits for something that other goroutines bring about.
func until(what func() bool) {
	for !what() {
		runtime.Gosched()
	}
}

func (p *QueryPool) mustStart(tb testing.TB, c access.Catalog, by people.UserID, run, text string) query.Result {
	tb.Helper()
	result, err := p.Start(tb.Context(), c, query.Statement{SQL: text, By: by, RunID: run})
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

const endless = "SELECT * FROM range(1000000000000)"

func TestManyGrantedTablesCostLikeFew(t *testing.T) {
	p, one := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL})
	tables := one.Tables()
	for i := range 9_999 {
		t := publishedTable(fmt.Sprintf("t%05d", i), fmt.Sprintf("nowhere-%d.parquet", i))
		t.Version.Columns = []registry.Column{{Name: "id", Type: "BIGINT"}}
		tables = append(tables, t)
	}
	c := access.NewCatalog(tables)
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	p.mustAnswer(t, one, "SELECT max(id) FROM orders", "999") // fits a smaller catalog too
	if held := len(p.idle[0].held); held != 1 {
		t.Errorf("the child holds %d tables, want one", held)
	}
	p.mustAnswer(t, c, "SELECT count(*), min(table_name) FROM information_schema.tables", "10000|orders")
	if got := p.Stats(); got.Children != 1 || got.Kept != 2 {
		t.Errorf("stats %+v, want one child for all", got)
	}
}

func TestNameThatTheTextHides(t *testing.T) {
	p, c := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL, "towns": "SELECT 'Ulm' AS town"})
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	p.mustAnswer(t, c, `SELECT * FROM E'\x74owns'`, "Ulm")
}

func TestAbsentAndForbiddenAreToldAlike(t *testing.T) {
	p, all := newPool(t, PoolConfig{}, map[string]string{"orders": ordersSQL, "orders_secret": "SELECT 1"})
	few := access.NewCatalog([]registry.Published{mustFind(t, all, "orders"), {Table: registry.Table{ID: "n", Name: "newcomers"}}, {Table: registry.Table{ID: "f", Name: "far", QueryMode: registry.ModeRemote}}})
	told := map[string]string{}
	for _, name := range []string{"orders_secret", "orders_absent", "newcomers", "far"} {
		_, _, err := p.answer(t.Context(), few, "SELECT *\nFROM "+name, 0)
		if domain.CodeOf(err) != work.TableNotFound {
			t.Errorf("%s: %v, want table_not_found", name, err)
			continue
		}
		told[name] = strings.ReplaceAll(err.Error(), name, "x")
	}
	if told["orders_secret"] != told["orders_absent"] || !strings.Contains(told["orders_secret"], "Did you mean orders?") {
		t.Errorf("forbidden: %s\nabsent: %s", told["orders_secret"], told["orders_absent"])
	}
	if !strings.Contains(told["newcomers"], "not synced") {
		t.Errorf("without rows: %s", told["newcomers"])
	}
	if !strings.Contains(told["far"], "stays in an outside system") {
		t.Errorf("outside: %s", told["far"])
	}
}

func mustFind(t *testing.T, c access.Catalog, name string) registry.Published {
	t.Helper()
	found, err := c.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOnePersonLeavesRoomForOthers(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 3}}, nil)
	busy := []query.Result{p.mustStart(t, c, "ann", "busy1", endless), p.mustStart(t, c, "ann", "busy2", endless)}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 3)
	for i := range 3 {
		go func() {
			_, err := p.Start(ctx, c, query.Statement{SQL: "SELECT 1", By: "ann", RunID: fmt.Sprint("ann", i)})
			left <- err
		}()
		until(func() bool { return p.Stats().Waiting == i+1 })
	}
	if got := p.Place("ann2"); got != 3 {
		t.Errorf("place %d, want 3", got)
	}
	if got := p.Place("nobody"); got != 0 {
		t.Errorf("place of none %d, want 0", got)
	}
	if err := p.mustStart(t, c, "bob", "", "SELECT 2").Close(); err != nil { // does not wait for ann
		t.Error(err)
	}
	p.mustAnswer(t, c, "SELECT 3", "3")
	late, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := p.Start(late, c, query.Statement{SQL: "SELECT 1", By: "ann"}); domain.CodeOf(err) != "query_waited" || domain.KindOf(err) != domain.Limited {
		t.Errorf("whose time ended in the queue: %v, want query_waited", err)
	}
	cancel()
	for range 3 {
		if err := <-left; domain.CodeOf(err) != "query_cancelled" {
			t.Errorf("%v, want query_cancelled", err)
		}
	}
	for _, result := range busy {
		if err := result.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnePersonDoesNotFillTheQueue(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 1}, MaxWaiting: 4}, nil)
	busy := p.mustStart(t, c, "ann", "", endless)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 3)
	wait := func(by people.UserID) {
		_, err := p.Start(ctx, c, query.Statement{SQL: "SELECT 1", By: by})
		left <- err
	}
	for i := range 2 {
		go wait("ann")
		until(func() bool { return p.Stats().Waiting == i+1 })
	}
	if _, err := p.Start(ctx, c, query.Statement{SQL: "SELECT 1", By: "ann"}); domain.CodeOf(err) != "query_queue_full" {
		t.Errorf("a third one of the same person: %v, want query_queue_full", err)
	}
	go wait("bob")
	until(func() bool { return p.Stats().Waiting == 3 })
	cancel()
	for range 3 {
		if err := <-left; domain.CodeOf(err) != "query_cancelled" {
			t.Errorf("left the queue: %v", err)
		}
	}
	if err := busy.Close(); err != nil {
		t.Error(err)
	}
}

func TestSparesAndReplacements(t *testing.T) {
	p, c := newPool(t, PoolConfig{Spares: 1, Limits: Limits{MemoryBytes: 4 << 30}}, map[string]string{"orders": ordersSQL})
	until(func() bool { return p.Stats().Spares == 1 })
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	until(func() bool { return p.Stats().Spares == 1 }) // another one
	if got := p.supervisor.Stats().Started; got != 2 {
		t.Errorf("%d processes for one query, want it and a spare", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := p.answer(ctx, c, "SELECT length(repeat('x', 1500000000))", 0); domain.CodeOf(err) != "query_timeout" {
		t.Errorf("%v, want query_timeout", err)
	}
	until(func() bool { return p.Stats().Idle == 1 })
	before := p.Stats()
	p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	if got := p.Stats(); before.Forced != 1 || got.Kept != before.Kept+1 {
		t.Errorf("stats %+v, want a replacement that holds the table", got)
	}
}

func TestJobsAndQueriesShareTheMemory(t *testing.T) {
	p, c := newPool(t, PoolConfig{Limits: Limits{Children: 4, MemoryBytes: 128 << 20}}, nil)
	p.supervisor.broker.memory = 200 << 20 // room for one of either kind
	p.supervisor.broker.expect(forJobs, p.supervisor.cfg.Jobs)
	p.mustAnswer(t, c, "SELECT 1", "1")
	if _, err := p.supervisor.Extract(t.Context(), work.ExtractJob{Item: "fine"}, func(work.Event) {}); err != nil { // the idle child yields
		t.Fatal(err)
	}
	p.mustAnswer(t, c, "SELECT 2", "2")
	busy := p.mustStart(t, c, "ann", "", endless)
	done := make(chan error, 1)
	go func() {
		_, err := p.supervisor.Extract(t.Context(), work.ExtractJob{Item: "fine"}, func(work.Event) {})
		done <- err
	}()
	until(func() bool { return p.supervisor.Stats().Shares.Waiting == 1 })
	if err := busy.Close(); err != nil {
		t.Error(err)
	}
	p.mustAnswer(t, c, "SELECT 3", "3")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := p.supervisor.Stats().Shares; got.MemoryUsed > got.MemoryBytes {
		t.Errorf("%+v: more is handed out than there is", got)
	}
}
