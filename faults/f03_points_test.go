package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// points are the named points of publishing; each kills the child that reaches it.
func points() []string {
	return []string{
		"version:written", "version:checked", "version:hashed", "version:synced", "version:linked", "version:dir-synced", "version:swept",
		"data:linked", "data:renamed",
		"database:built", "database:checked", "database:synced", "database:linked", "database:wal-removed",
		"database:renamed", "database:dir-synced", "database:noted", "database:swept", "rebuild:published",
	}
}

// killAtPoints is F3: a child dies at each named point of publishing, and every
// second time the server with it. The old or the new rows are there, whole.
func killAtPoints(t *trials) {
	dir, l := t.newDir("points"), newLedger()
	s := t.serve(dir, nil)
	must((&load{server: s, ledger: l}).bring("swap", l.next("swap", usual(t.Rand))))
	must(s.stop())
	all := points()
	retried := 0
	for i := range t.n {
		point := all[i%len(all)]
		t.one(point, func() error {
			once := filepath.Join(t.dir, fmt.Sprintf("once-%d", i))
			s = t.serve(dir, s, "AGNES_FAILPOINT="+point, "AGNES_FAILPOINT_ONCE="+once)
			again, err := t.swapAt(s, l, once, i%2 == 1)
			if again {
				retried++
			}
			return err
		})
	}
	t.note("%d runs went through by a retry", retried)
}

// swapAt publishes one generation through a failpoint and then one without.
func (t *trials) swapAt(s *server, l *ledger, once string, both bool) (retried bool, err error) {
	defer s.kill()
	work := &load{server: s, ledger: l}
	g := l.next("swap", usual(t.Rand))
	if err := work.send2("swap", g); err != nil {
		return false, err
	}
	if err := eventually(t.ctx, 10*time.Second, func() error {
		if info, err := os.Stat(once); err != nil || info.Size() == 0 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil {
		return false, errors.New("the point was never reached")
	}
	if !both {
		last, err := s.awaitRun("swap", 20*time.Second)
		if err != nil {
			return false, err
		}
		if last.State == "ok" {
			retried = true
			l.confirm("swap", g.number)
		} else if err := excusable(&runFailed{last}); err != nil {
			return false, err
		}
		if err := s.checkRows("swap", l.snapshot()["swap"]); err != nil {
			return false, err
		}
	}
	s.kill()
	s = t.serve(s.dir, s)
	defer s.kill()
	if err := check(s, l); err != nil {
		return retried, err
	}
	if err := (&load{server: s, ledger: l}).bring("swap", l.next("swap", usual(t.Rand))); err != nil {
		return retried, fmt.Errorf("the next sync: %w", err)
	}
	return retried, check(s, l)
}
