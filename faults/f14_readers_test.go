package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
)

// How many read while one publishes.
const (
	fileReaders = 16 // of server.duckdb, each query on the file opened anew
	pageReaders = 4  // of /api/query
)

const generationSQL = `SELECT count(*), coalesce(min(gen), 0), coalesce(max(gen), 0), coalesce(sum(val), 0)::BIGINT FROM `

// readersUnderPublishes is F14: rows are published again and again while readers
// ask without pause, outside and through the server. No query fails, and each
// sees one whole generation that is none older than the newest confirmed.
func readersUnderPublishes(t *trials) {
	s, l := t.serve(t.newDir("readers"), nil), newLedger()
	defer s.kill()
	work := &load{server: s, ledger: l}
	must(work.bring("swap", l.next("swap", usual(t.Rand))))
	r := &readers{l: l}
	ctx, stop := context.WithCancel(t.ctx)
	defer stop()
	for range fileReaders {
		r.start(ctx, &r.file, func() ([]int64, error) { return readPublished(ctx, filepath.Join(s.dir, "analytics", "server.duckdb")) })
	}
	for range pageReaders {
		r.start(ctx, &r.page, func() ([]int64, error) {
			rows, err := s.query(generationSQL + "swap")
			if err != nil {
				return nil, err
			}
			return numbers(rows[0]), nil
		})
	}
	t.each(t.n, func(int) error { return work.bring("swap", l.next("swap", usual(t.Rand))) })
	stop()
	r.wg.Wait()
	t.also("readers", func() error { return errors.Join(r.errs...) })
	t.also("check", func() error { return check(s, l) })
	t.note("%d queries of %d readers of server.duckdb, %d of %d through the server: %d failed, %d mixed or old",
		r.file.Load(), fileReaders, r.page.Load(), pageReaders, r.failed, r.wrong)
}

// readers count what they see.
type readers struct {
	l          *ledger
	wg         sync.WaitGroup
	file, page atomic.Int64

	mu            sync.Mutex
	failed, wrong int
	errs          []error
}

// start begins one reader.
func (r *readers) start(ctx context.Context, count *atomic.Int64, read func() ([]int64, error)) {
	r.wg.Go(func() {
		for ctx.Err() == nil {
			before := r.l.snapshot()["swap"]
			var n []int64
			err := guarded(func() (err error) { n, err = read(); return err })
			if ctx.Err() != nil {
				return
			}
			count.Add(1)
			if err != nil {
				r.note(&r.failed, err)
				continue
			}
			before.sent = slices.Concat(before.sent, r.l.snapshot()["swap"].sent)
			if err := before.held(int(n[0]), int(n[1]), int(n[2]), n[3]); err != nil {
				r.note(&r.wrong, err)
			}
		}
	})
}

// note keeps the first failures.
func (r *readers) note(kind *int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*kind++
	if len(r.errs) < 5 {
		r.errs = append(r.errs, err)
	}
}

// readPublished asks server.duckdb as a program outside does that opens it anew.
func readPublished(ctx context.Context, file string) (n []int64, err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("SET threads = 1; ATTACH '%s' AS server (READ_ONLY)", file)); err != nil {
		return nil, fmt.Errorf("open server.duckdb: %w", err)
	}
	n = make([]int64, 4)
	err = db.QueryRowContext(ctx, generationSQL+"server.swap").Scan(&n[0], &n[1], &n[2], &n[3])
	return n, err
}
