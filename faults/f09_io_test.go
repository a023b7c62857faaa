package faults

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

// ioErrors is F9: every write, flush, rename, link and removal of a sync's
// children fails once with EIO; the sync fails in words or goes through, and the
// rows from before or after are there, whole. Then the state's flush fails.
func ioErrors(t *trials) {
	dir, l := t.newDir("io"), newLedger()
	c := &counter{only: func(call systemCall) bool { return call.role == "extract" || call.role == "rebuild" }, do: func() syscall.Errno { return syscall.EIO }}
	s, _, err := t.tapped(dir, c.watch)
	if err != nil {
		t.skipped = err.Error()
		return
	}
	s.awaitReady(2 * readyLimit)
	s.signIn(nil)
	work := &load{server: s, ledger: l}
	must(work.bring("io", l.next("io", usual(t.Rand))))
	c.arm(target{})
	must(work.bring("io", l.next("io", usual(t.Rand))))
	calls := c.reset()
	n := calls
	if !t.long {
		n = min(t.n-1, calls)
	}
	chosen, known := c.choose(t.Rand, n)
	t.n = len(chosen) + 1
	failed, restarts, places := 0, 0, map[string]bool{}
	for _, at := range chosen {
		t.one(at.String(), func() error {
			code, err := t.syncWithFault(work, c, at, places)
			if code != "" {
				failed++
			}
			if err == nil && code != "disk_write_failed" {
				err = s.settleOrStopped() // what follows the sync may have ended writing
			}
			if err != nil || code != "disk_write_failed" && s.isReady() {
				return err
			}
			restarts++ // writing has ended, as it must: only a new start begins it again
			if err := stopped(work); err != nil {
				return err
			}
			s.kill()
			token := s.token
			if s, _, err = t.tapped(dir, c.watch); err != nil {
				return err
			}
			s.awaitReady(2 * readyLimit)
			s.token, work.server = token, s
			return s.settle(settleLimit)
		})
	}
	t.also("check", func() error { return check(s, l) })
	s.kill()
	s = t.serve(dir, s)
	t.also("check after a restart", func() error { return check(s, l) })
	s.kill()
	t.one("the state's flush", func() error { return t.stateFlush(dir, l) })
	t.note("%d calls of one sync, failed at %d of %d places; %d syncs failed in words, %d flushes ended writing until a new start", calls, len(places), known, failed, restarts)
}

// syncWithFault brings a generation while one call of its children fails, notes
// the call's place, and returns the code that the sync ended with.
func (t *trials) syncWithFault(work *load, c *counter, at target, places map[string]bool) (code string, err error) {
	c.arm(at)
	g := work.next("io", usual(t.Rand))
	before, err := work.runIDs("io")
	if err == nil {
		err = work.send2("io", g)
	}
	if err == nil {
		err = t.ended(work, before, g)
	}
	hit := c.take()
	if hit != nil {
		places[hit.place()] = true
	}
	var ended *runFailed
	if errors.As(err, &ended) {
		code = ended.run.Code
	}
	if err != nil {
		if err = excusable(err); err != nil {
			return code, fmt.Errorf("%+v: %w", hit, err)
		}
	}
	if err := work.checkRows("io", work.snapshot()["io"]); err != nil {
		return code, fmt.Errorf("%+v: %w", hit, err)
	}
	return code, nil
}

// ended waits until a sync has ended, or all writing has.
func (t *trials) ended(work *load, before map[string]bool, g generation) error {
	var last syncRun
	err := eventually(t.ctx, 20*time.Second, func() (err error) {
		if last, err = work.awaitNew("io", before, 0); err == nil || work.readyWithin(0) == nil {
			return err
		}
		last = syncRun{State: "failed", Code: "disk_write_failed", Message: "nothing is written any more"}
		return nil
	})
	switch {
	case err != nil:
		return err
	case last.State != "ok":
		return &runFailed{last}
	}
	work.confirm("io", g.number)
	return nil
}

// stopped fails unless a server that the disk failed publishes nothing more.
func stopped(work *load) error {
	if err := work.send2("io", work.next("io", 300)); err != nil {
		return excusable(err)
	}
	if err := work.readyWithin(0); err == nil {
		time.Sleep(time.Second) // an answer of before is kept that long
		if work.readyWithin(0) == nil {
			return errors.New("after a flush that failed readiness says yes")
		}
	}
	if last, err := work.lastRun("io"); err != nil || last.State == "ok" {
		return fmt.Errorf("after a flush that failed the next sync is published as if nothing had happened: %w", err)
	}
	return nil
}

// stateFlush fails the flush of the state once: what was not confirmed by the
// disk is not confirmed to people, and writing ends until a restart.
func (t *trials) stateFlush(dir string, l *ledger) error {
	c := &counter{
		only: func(call systemCall) bool {
			return call.role == "serve" && call.op == "fsync" && filepath.Base(call.path) == "system.db-wal"
		},
		do: func() syscall.Errno { return syscall.EIO },
	}
	s, _, err := t.tapped(dir, c.watch)
	if err != nil {
		return err
	}
	defer s.kill()
	s.awaitReady(2 * readyLimit)
	s.signIn(nil)
	c.arm(target{nth: 1})
	l.set(l.groups, "not-durable", unsure)
	if err := s.call("POST", "/api/admin/groups", map[string]string{"name": "not-durable"}, nil); err == nil {
		return fmt.Errorf("a change was confirmed that the disk did not confirm")
	} else if err := excusable(err); err != nil {
		return err
	}
	err = s.call("POST", "/api/admin/groups", map[string]string{"name": "tried-again"}, nil)
	if err == nil {
		return fmt.Errorf("after a failed flush the state is written as if nothing had happened")
	}
	if err := excusable(err); err != nil {
		return err
	}
	if err := eventually(t.ctx, recovery, func() error {
		if s.readyWithin(0) == nil {
			return errors.New("after a failed flush readiness says yes")
		}
		return nil
	}); err != nil {
		return err
	}
	if _, err := s.send("GET", "/catalog", "", nil); err != nil {
		return fmt.Errorf("reading after a failed flush: %w", err)
	}
	s.kill()
	s = t.serve(dir, s)
	defer s.kill()
	return check(s, l)
}
