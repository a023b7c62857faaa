package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"syscall"
	"time"
)

// killChildren is F2: children die under work; the portal goes on, syncs fail
// with a code and a sentence, queries answer 503 with a sentence.
func killChildren(t *trials) {
	s, l := t.serve(t.newDir("children"), nil), newLedger()
	work := &load{server: s, ledger: l, workers: 4, large: 40_000, kinds: changes(), answers: excusable}
	work.kinds = append(work.kinds, (*load).look, (*load).look, (*load).upload)
	ctx, stop := context.WithCancel(t.ctx)
	defer stop()
	done := make(chan struct{})
	go func() { work.run(ctx, t.Rand); close(done) }()
	kinds := map[string]int{}
	t.each(t.n, func(int) error {
		time.Sleep(time.Duration(t.IntN(250)) * time.Millisecond)
		role, err := killOne(t, s)
		if err != nil {
			return err
		}
		kinds[role]++
		began := time.Now()
		if _, err := s.send(http.MethodGet, "/login", "", nil); err != nil {
			return fmt.Errorf("the portal after the death of a %s child: %w", role, err)
		}
		if took := time.Since(began); took > time.Second {
			return fmt.Errorf("the portal took %s after the death of a %s child", took, role)
		}
		if s.gone() {
			return fmt.Errorf("the server went with its %s child: %s", role, s.lastWords())
		}
		return nil
	})
	stop()
	<-done
	t.also("answers under the load", work.err)
	t.also("check", func() error { return errors.Join(check(s, l), checkAccepted(s, l)) })
	t.note("killed %v; %d operations beside", kinds, work.ops)
	s.kill()
}

// killOne kills a random child and says what it did.
func killOne(t *trials, s *server) (role string, err error) {
	err = eventually(t.ctx, 10*time.Second, func() error {
		children := s.children()
		if len(children) == 0 {
			return errors.New("the server has no children")
		}
		pids := slices.Sorted(maps.Keys(children))
		pid := pids[t.IntN(len(pids))]
		role = children[pid]
		return syscall.Kill(pid, syscall.SIGKILL)
	})
	return role, err
}

// excusable judges a failure that a killed child may cause: it must be told in
// words, and never as a fault of the server.
func excusable(err error) error {
	var no *refused
	var failed *runFailed
	var wrong *wrongRows
	switch {
	case errors.As(err, &wrong):
		return err
	case errors.As(err, &failed):
		r := failed.run
		if r.Code == "" || r.Code == "internal" || r.Message == "" {
			return fmt.Errorf("a sync of %s ended %s with code %q and message %q", r.TableID, r.State, r.Code, r.Message)
		}
		return nil
	case errors.As(err, &no):
		if (no.status == http.StatusServiceUnavailable || no.status == http.StatusConflict) && len(no.text) > 20 {
			return nil
		}
		if no.status == http.StatusConflict && no.text == "sync_already_in_progress" {
			return nil
		}
	}
	return err
}
