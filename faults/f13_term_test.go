package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// terminations is F13: SIGTERM under load. What the server began to answer is
// answered whole, and it ends by itself.
func terminations(t *trials) {
	dir, l := t.newDir("term"), newLedger()
	s := t.serve(dir, nil)
	refusedBefore := 0
	t.each(t.n, func(int) error {
		var lost []string
		work := &load{server: s, ledger: l, workers: 6, large: 40_000, kinds: changes(), answers: func(err error) error {
			var cut *lostAnswer
			if errors.As(err, &cut) {
				lost = append(lost, cut.id)
			}
			return nil
		}}
		ctx, stop := context.WithCancel(t.ctx)
		defer stop()
		done := make(chan struct{})
		go func() { work.run(ctx, t.Rand); close(done) }()
		time.Sleep(time.Duration(100+t.IntN(600)) * time.Millisecond)
		began := time.Now()
		if err := s.stop(); err != nil {
			return fmt.Errorf("after %s: %w", time.Since(began).Round(time.Millisecond), err)
		}
		stop()
		<-done
		said, err := os.ReadFile(s.log)
		if err != nil {
			return err
		}
		for _, id := range lost {
			if strings.Contains(string(said), `"request_id":"`+id+`"`) {
				return fmt.Errorf("the answer to request %s was begun and never arrived", id)
			}
			refusedBefore++
		}
		s = t.serve(dir, s)
		return check(s, l)
	})
	t.note("%d requests came too late and were not begun; %d confirmed changes", refusedBefore, l.acked)
	s.kill()
}
