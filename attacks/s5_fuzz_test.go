//go:build duckdb_arrow

package attacks

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"agnes/domain/work"
)

// pair is a query child beside a plain DuckDB that holds the granted tables and
// nothing else: what the child admits must be what binds there.
type pair struct {
	*cell
	plain *sql.Conn
	slow  int // texts that plain DuckDB did not end in time, so nothing was compared
}

// plainTime bounds a text in plain DuckDB, which keeps whole results in this
// process's memory: a join of a random text makes gigabytes a second.
const plainTime = time.Second

func newPair(ctx context.Context, dir string) (*pair, error) {
	c, db, err := newCell(ctx, dir)
	if err != nil {
		return nil, err
	}
	for _, setting := range []string{"SET TimeZone = 'UTC'", "SET enable_external_access = false"} {
		// The views stay readable: their files are named first.
		if strings.Contains(setting, "external") {
			if err := run(ctx, db, fmt.Sprintf("SET allowed_paths = ['%s', '%s']", filepath.Join(dir, "orders.parquet"), filepath.Join(dir, "towns.parquet"))); err != nil {
				return nil, err
			}
		}
		if err := run(ctx, db, setting); err != nil {
			return nil, err
		}
	}
	conn, err := db.Conn(ctx)
	return &pair{cell: c, plain: conn}, err
}

// binds runs a text in plain DuckDB, if it is one reading statement; the error
// is of the context when that takes too long.
func (p *pair) binds(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, plainTime)
	defer cancel()
	err := p.plain.Raw(func(c any) error {
		prepared, err := c.(driver.ConnPrepareContext).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer prepared.Close()
		kind, err := prepared.(*duckdb.Stmt).StatementType()
		if err != nil {
			return err
		}
		if kind != duckdb.STATEMENT_TYPE_SELECT && kind != duckdb.STATEMENT_TYPE_EXPLAIN {
			return errors.New("it does not read")
		}
		rows, err := prepared.(driver.StmtQueryContext).QueryContext(ctx, nil)
		if err != nil {
			return err
		}
		return rows.Close()
	})
	return cmp.Or(ctx.Err(), err)
}

// agree asks both about one text.
func (p *pair) agree(ctx context.Context, text string, forbidden bool) error {
	r, err := p.ask(text)
	if err != nil {
		return err
	}
	if err := p.leak(r); err != nil {
		return err
	}
	if r.failure == nil && !r.lost {
		p.answered++
	}
	got := r.failure == nil && !r.lost
	if forbidden && got {
		return errors.New("ADMITTED, with a function that is refused")
	} else if forbidden {
		return nil
	}
	plain := p.binds(ctx, text)
	switch {
	case errors.Is(plain, context.DeadlineExceeded):
		p.slow++
		return nil
	case (plain == nil) == got:
		return nil
	case r.lost:
		return errors.Join(errors.New("the child ended; plain DuckDB says so, if anything"), plain)
	case got:
		return fmt.Errorf("ADMITTED, plain DuckDB says %w", plain)
	case r.failure.Code == work.TableNotFound && !p.grants(r.failure.Table):
		return nil // named by a CTE that nothing uses, where plain DuckDB does not look
	}
	return fmt.Errorf("refused (%s: %.200s), plain DuckDB runs it", r.failure.Code, r.failure.Message)
}

// grants reports whether a name, as written, is one of a granted table.
func (p *pair) grants(name string) bool {
	parts := strings.Split(strings.ToLower(strings.ReplaceAll(name, `"`, "")), ".")
	home := strings.Join(parts[:len(parts)-1], ".")
	for _, t := range p.tables {
		if t.Name == parts[len(parts)-1] && (home == "" || home == "main" || home == "memory" || home == "memory.main") {
			return true
		}
	}
	return false
}

// lanes runs n tries in two pairs of processes side by side.
func (t *trials) lanes(n int, try func(p *pair, r *rand.Rand) (string, error)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	lost, answered, slow := 0, 0, 0
	for lane := range 2 {
		wg.Go(func() {
			t.also("a lane", func() error {
				dir := filepath.Join(t.dir, fmt.Sprintf("%s-%d", t.line.id, lane))
				if err := os.MkdirAll(dir, 0o750); err != nil {
					return err
				}
				p, err := newPair(t.ctx, dir)
				if err != nil {
					return err
				}
				defer p.stop()
				r := dice(t.seed, fmt.Sprint(t.line.id, lane))
				for range n / 2 {
					text := ""
					t.one("", func() (err error) {
						if text, err = try(p, r); err != nil {
							err = fmt.Errorf("%.300q: %w", text, err)
						}
						return err
					})
				}
				mu.Lock()
				lost += p.lost
				answered += p.answered
				slow += p.slow
				mu.Unlock()
				if p.slow > max(1, n/1000) {
					return fmt.Errorf("%d of %d texts were too slow to compare", p.slow, n/2)
				}
				return nil
			})
		})
	}
	wg.Wait()
	t.note("%d answered", answered)
	if slow > 0 {
		t.note("%d not compared, endless in plain DuckDB", slow)
	}
	if lost > 0 {
		t.note("%d children ended and were replaced", lost)
	}
}

// differential is S5.
func differential(t *trials) {
	if *texts > 0 {
		t.n = *texts
	}
	refused, mu := 0, sync.Mutex{}
	t.lanes(t.n, func(p *pair, r *rand.Rand) (string, error) {
		text, forbidden := statement(r)
		if forbidden {
			mu.Lock()
			refused++
			mu.Unlock()
		}
		return text, p.agree(t.ctx, text, forbidden)
	})
	t.note("%d with a refused function", refused)
}

// mutations is S5c: statements mutated around the forbidden table; no canary
// comes out, in rows, errors or the child's log.
func mutations(t *trials) {
	if *texts > 0 {
		t.n = *texts
	}
	seeds := hostileSeeds()
	t.lanes(t.n, func(p *pair, r *rand.Rand) (string, error) {
		text := mutate(r, seeds[r.IntN(len(seeds))], seeds)
		got, err := p.ask(text)
		if err == nil {
			err = p.leak(got)
		}
		if got.failure == nil && !got.lost {
			p.answered++
		}
		return text, err
	})
}

// hostileSeeds are the attacks that are not made of thousands of brackets.
func hostileSeeds() []string {
	var out []string
	for _, e := range corpus("attacks.sql", ".") {
		if len(e.text) < 400 {
			out = append(out, e.text)
		}
	}
	return out
}

func TestRandomSQLAgrees(t *testing.T) {
	p, err := newPair(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	for seed := range uint64(300) {
		text, forbidden := statement(rand.New(rand.NewPCG(seed, 1)))
		if err := p.agree(t.Context(), text, forbidden); err != nil {
			t.Error(describe(seed, text), err)
		}
	}
}

// FuzzGate lets the fuzzer choose the grammar's choices.
func FuzzGate(f *testing.F) {
	p, err := newPair(context.Background(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.stop)
	for seed := range uint64(20) {
		f.Add(seed, uint64(2))
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		text, forbidden := statement(rand.New(rand.NewPCG(a, b)))
		if err := p.agree(t.Context(), text, forbidden); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// FuzzCanary lets the fuzzer write SQL from the attacks: no canary may come out.
func FuzzCanary(f *testing.F) {
	p, err := newPair(context.Background(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.stop)
	for _, seed := range hostileSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := p.ask(text)
		if err == nil {
			err = p.leak(r)
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
