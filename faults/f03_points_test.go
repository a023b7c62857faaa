package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fileLost follows a point at which the server dies, when the new version's file
// is lost with it: what was not read back must not stay current.
const fileLost = " and the file lost"

// points are the named points of publishing; each kills the child, or the
// server, that reaches it.
func points() []string {
	return []string{
		"version:written", "version:checked", "version:hashed", "version:synced", "version:linked", "version:dir-synced", "version:swept",
		"data:linked", "data:renamed",
		"database:built", "database:checked", "database:synced", "database:linked", "database:wal-removed",
		"database:renamed", "database:dir-synced", "database:noted", "database:swept", "rebuild:published",
		"server:published", "server:read-back", "server:published" + fileLost,
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
			name, lost := strings.CutSuffix(point, fileLost)
			s = t.serve(dir, s, "AGNES_FAILPOINT="+name, "AGNES_FAILPOINT_ONCE="+once)
			again, err := t.swapAt(s, l, once, swap{both: strings.HasPrefix(name, "server:") || (i/len(all)+i)%2 == 1, lost: lost})
			if again {
				retried++
			}
			return err
		})
	}
	t.note("%d runs went through by a retry", retried)
}

// swap says what happens beside the death of a child.
type swap struct {
	both bool // the server dies too
	lost bool // and the file of the version that it published is gone
}

// swapAt publishes one generation through a failpoint and then one without.
func (t *trials) swapAt(s *server, l *ledger, once string, how swap) (retried bool, err error) {
	defer s.kill()
	work := &load{server: s, ledger: l}
	g := l.next("swap", usual(t.Rand))
	if err := work.send2("swap", g); err != nil && !s.gone() {
		return false, err
	}
	if err := eventually(t.ctx, time.Minute, func() error {
		if info, err := os.Stat(once); err != nil || info.Size() == 0 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil {
		return false, errors.New("the point was never reached")
	}
	if !how.both {
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
	if how.lost {
		if err := loseNewest(s.dir); err != nil {
			return false, err
		}
	}
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

// loseNewest removes the file of the newest version.
func loseNewest(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "versions", "files", "swap", "*.parquet"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("no version to lose: %w", err)
	}
	slices.Sort(found) // the names grow with time
	return os.Remove(found[len(found)-1])
}
