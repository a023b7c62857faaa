package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// clockJumps is F8: the clock jumps by an hour, back and forth, between starts
// and while the server runs. Nothing is lost or run twice, people stay signed in.
func clockJumps(t *trials) {
	dir, l := t.newDir("clock"), newLedger()
	file := filepath.Join(t.dir, "clock")
	jump := func(by time.Duration) { must(os.WriteFile(file, []byte(by.String()), 0o600)) }
	jump(0)
	with := "AGNES_FAULT_CLOCK=" + file
	s := t.serve(dir, nil, with)
	must((&load{server: s, ledger: l}).bring("orders", l.next("orders", usual(t.Rand))))
	now := time.Duration(0)
	t.each(t.n, func(i int) error {
		by := time.Hour
		if (i/2)%2 == 0 {
			by = -time.Hour
		}
		work := &load{server: s, ledger: l, workers: 3, kinds: changes(), answers: excusable}
		if i%2 == 0 { // while it runs, with work under way
			ctx, stop := context.WithTimeout(t.ctx, 800*time.Millisecond)
			time.AfterFunc(300*time.Millisecond, func() { jump(now + by) })
			work.run(ctx, t.Rand)
			stop()
			now += by
		} else {
			s.kill()
			now += by
			jump(now)
			s = t.serve(dir, s, with)
			work.server = s
		}
		if err := work.err(); err != nil {
			return fmt.Errorf("jump by %s: %w", by, err)
		}
		if err := s.settle(settleLimit); err != nil {
			return err
		}
		s.signIn(nil) // a new sign-in works at once
		if err := work.bring("orders", l.next("orders", usual(t.Rand))); err != nil {
			return fmt.Errorf("after a jump by %s: %w", by, err)
		}
		if err := once(s); err != nil {
			return err
		}
		return check(s, l)
	})
	s.kill()
}

// once fails when a table has two live runs, or a run published twice.
func once(s *server) error {
	db, err := openState(s.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	var twice int
	if err := db.QueryRow("SELECT count(*) FROM (SELECT run_id FROM table_versions GROUP BY run_id HAVING count(*) > 1)").Scan(&twice); err != nil {
		return err
	}
	if twice > 0 {
		return fmt.Errorf("%d syncs published twice", twice)
	}
	return nil
}
