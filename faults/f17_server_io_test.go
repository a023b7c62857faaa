package faults

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// serverErrors is F17: every write, flush, rename, link and removal of the
// serving process itself fails once with EIO: of uploads, of uploads in pieces
// and of the state. What was not confirmed is refused in words; a write or flush
// that failed ends writing until a new start; reading goes on.
func serverErrors(t *trials) {
	dir, l := t.newDir("serverio"), newLedger()
	c := &counter{only: ofServer, do: func() syscall.Errno { return syscall.EIO }}
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
	must(t.writeAll(work))
	calls := c.reset()
	chosen, known := c.choose(t.Rand, t.n)
	t.n = len(chosen)
	ended, ops, places := 0, map[string]int{}, map[string]bool{}
	for _, at := range chosen {
		t.one(at.String(), func() error {
			c.arm(at)
			failed := t.writeAll(work)
			hit := c.take()
			if hit != nil {
				ops[hit.op]++
				places[hit.place()] = true
			}
			stopped, err := t.afterServerError(work, hit, failed)
			if err != nil {
				err = fmt.Errorf("%+v, answer %s: %w", hit, fmt.Sprint(failed), err)
			}
			if err == nil && !stopped {
				return nil
			}
			if stopped {
				ended++
			}
			wrong := err
			s.kill()
			token := s.token
			if s, _, err = t.tapped(dir, c.watch); err != nil {
				return err
			}
			s.awaitReady(2 * readyLimit)
			s.token, work.server = token, s
			return errors.Join(wrong, check(s, l))
		})
	}
	t.also("check", func() error { return check(s, l) })
	s.kill()
	t.note("%d calls, failed %v at %d of %d places; %d ended writing until a new start", calls, ops, len(places), known, ended)
}

// ofServer are the calls of the serving process that change what is kept.
func ofServer(call systemCall) bool {
	if call.role != "serve" || strings.HasSuffix(call.path, "-shm") {
		return false
	}
	for _, dir := range []string{"uploads", "files", "state"} {
		if call.path == dir || strings.HasPrefix(call.path, dir+"/") {
			return true
		}
	}
	return false
}

// writeAll writes in each way that the serving process has of its own.
func (t *trials) writeAll(work *load) error {
	var errs []error
	for _, do := range []func() error{
		func() error { return work.send2("io", work.next("io", usual(t.Rand))) },
		func() error { return work.piece(t.Rand, 0) },
		func() error { return work.person(t.Rand, 0) },
	} {
		errs = append(errs, guarded(do))
	}
	return errors.Join(append(errs, work.settleOrStopped())...)
}

// settleOrStopped waits for syncs, unless none is done any more.
func (s *server) settleOrStopped() error {
	return eventually(s.c.ctx, settleLimit, func() error {
		if s.isReady() {
			return s.settle(0)
		}
		return nil
	})
}

func (s *server) isReady() bool { return s.readyWithin(0) == nil }

// afterServerError judges what a failed call led to.
func (t *trials) afterServerError(work *load, hit *systemCall, failed error) (stopped bool, err error) {
	for _, e := range flat(failed) {
		if err := excusable(e); err != nil {
			return false, err
		}
	}
	if _, err := work.send("GET", "/catalog", "", nil); err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	if err := work.checkRows("io", work.snapshot()["io"]); err != nil {
		return false, err
	}
	told := strings.Contains(fmt.Sprint(failed), "did not confirm")
	err = eventually(t.ctx, recovery, func() error { // an answer of before is kept for a second
		if stopped = work.readyWithin(0) != nil; !stopped && (told || mustStop(hit)) {
			return errors.New("a write that the disk did not confirm is followed by others: readiness says yes")
		}
		return nil
	})
	if !stopped {
		return false, err
	}
	err = work.send2("io", work.next("io", 300))
	if err == nil {
		return true, errors.New("after writing has ended an upload is taken")
	}
	return true, excusable(err)
}

// mustStop reports whether a failed call leaves something that the disk did not
// confirm. The state's own file is written from its log, which is whole; the
// next time it is written again.
func mustStop(hit *systemCall) bool {
	return hit != nil && (hit.op == "write" || hit.op == "fsync") && hit.path != "state/system.db" && !strings.Contains(hit.path, "mirror")
}

// flat are the errors that were joined.
func flat(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
