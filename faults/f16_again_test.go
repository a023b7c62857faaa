package faults

import (
	"errors"
	"fmt"
	"time"
)

// takenUpAgain is F16: the server is killed while a sync runs. At the next start
// the run says so, or ends well, and the table's rows are there within a minute
// without anybody's help.
func takenUpAgain(t *trials) {
	dir, l := t.newDir("again"), newLedger()
	s := t.serve(dir, nil)
	must((&load{server: s, ledger: l}).bring("slow", l.next("slow", 200_000)))
	var slowest time.Duration
	t.each(t.n, func(int) error {
		work := &load{server: s, ledger: l}
		run, err := killRunning(t, work)
		if err != nil {
			return err
		}
		s = t.serve(dir, s)
		began := time.Now()
		if err := s.settle(settleLimit); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(began))
		if err := said(s, run); err != nil {
			return err
		}
		return errors.Join(checkAccepted(s, l), check(s, l))
	})
	t.note("slowest from ready to synced %s", slowest.Round(time.Millisecond))
	s.kill()
}

// killRunning kills the server while it syncs a new file, and names the run.
func killRunning(t *trials, work *load) (run string, err error) {
	if err := work.send2("slow", work.next("slow", 200_000+t.IntN(5_000))); err != nil {
		return "", err
	}
	wait := time.Duration(t.IntN(150)) * time.Millisecond
	for {
		last, err := work.lastRun("slow")
		if err != nil {
			return "", err
		}
		switch {
		case last.State == "running" && wait <= 0:
			work.kill()
			return last.ID, nil
		case !last.live(): // it was faster: the next file
			return killRunning(t, work)
		case last.State == "running":
			time.Sleep(5 * time.Millisecond)
			wait -= 5 * time.Millisecond
		}
	}
}

// said fails unless a run that was killed says what became of it.
func said(s *server, id string) error {
	runs, err := s.runs("limit=1000&table=slow")
	if err != nil {
		return err
	}
	for i, r := range runs {
		if r.ID != id {
			continue
		}
		if r.State == "ok" || r.Code == "interrupted" && i > 0 && runs[0].State == "ok" {
			return nil
		}
		return fmt.Errorf("the run that was killed is %s %q, the newest %s %q", r.State, r.Code, runs[0].State, runs[0].Code)
	}
	return errors.New("the run that was killed is lost")
}
