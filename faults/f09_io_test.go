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
	c.n = 0
	must(work.bring("io", l.next("io", usual(t.Rand))))
	calls := c.n
	step := 1
	if !t.long {
		step = max(1, calls/t.n)
	}
	t.n = 1 + (calls-1)/step + 1
	failed := 0
	restarts := 0
	for at := 1; at <= calls; at += step {
		t.one(fmt.Sprintf("call %d", at), func() error {
			code, err := t.syncWithFault(work, c, at)
			if code != "" {
				failed++
			}
			if code != "disk_write_failed" || err != nil {
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
	t.note("%d calls of one sync, every %d. failed; %d syncs failed in words, %d flushes ended writing until a new start", calls, step, failed, restarts)
}

// syncWithFault brings a generation while one call of its children fails, and
// returns the code that the sync ended with.
func (t *trials) syncWithFault(work *load, c *counter, at int) (code string, err error) {
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
	c.mu.Lock()
	c.at = c.n + 1
	c.mu.Unlock()
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
