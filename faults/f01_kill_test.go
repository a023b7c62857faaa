package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// killServer is F1: the server is killed while it is at work in one of several
// ways, started again, and everything that it had confirmed must be there.
func killServer(t *trials) {
	dir := t.newDir("kill")
	l := newLedger()
	s := t.serve(dir, nil)
	var slowest time.Duration
	scenes := []string{"mixed", "uploads", "syncs", "people", "backup", "rebuild", "start"}
	t.each(t.n, func(i int) error {
		if s.gone() {
			s = t.serve(dir, s)
		}
		scene := scenes[i%len(scenes)]
		after := time.Duration(20+t.IntN(900)) * time.Millisecond
		if err := t.killDuring(s, l, scene, after); err != nil {
			return fmt.Errorf("%s: %w", scene, err)
		}
		s = t.serve(dir, s)
		slowest = max(slowest, s.ready)
		if err := check(s, l); err != nil {
			return fmt.Errorf("%s, killed after %s: %w", scene, after, err)
		}
		return nil
	})
	t.also("taken files", func() error {
		if s.gone() {
			s = t.serve(dir, s)
		}
		return checkAccepted(s, l)
	})
	t.note("%d confirmed changes, slowest start %s", l.acked, slowest.Round(time.Millisecond))
	s.kill()
}

// killDuring brings the server into a scene and kills it there.
func (t *trials) killDuring(s *server, l *ledger, scene string, after time.Duration) error {
	switch scene {
	case "rebuild": // the one-shot command works on the directory while no server does
		if err := s.stop(); err != nil {
			return err
		}
		t.rush(s.dir, after/3, "rebuild")
		return nil
	case "start":
		s.kill()
		again := t.launch(s.dir)
		time.Sleep(after / 4)
		again.kill()
		return nil
	}
	work := &load{server: s, ledger: l, workers: 4, large: 60_000, kinds: append(changes(), (*load).session, (*load).piece, (*load).piece)}
	switch scene {
	case "uploads":
		work.kinds = []func(*load, *rand.Rand, int) error{(*load).upload}
	case "syncs":
		work.kinds, work.large = []func(*load, *rand.Rand, int) error{(*load).upload, (*load).resync, (*load).resync}, 0
	case "people":
		work.kinds = []func(*load, *rand.Rand, int) error{(*load).person, (*load).share, (*load).session, (*load).piece}
	case "backup":
		go work.copies(filepath.Join(t.newDir("copies"), "copy.db"), after)
	}
	ctx, stop := context.WithCancel(t.ctx)
	defer stop()
	done := make(chan struct{})
	go func() { work.run(ctx, t.Rand); close(done) }()
	time.Sleep(after)
	s.kill()
	stop()
	<-done
	if copied, err := filepath.Glob(filepath.Join(t.dir, "copies-*", "copy.db")); err == nil {
		for _, file := range copied {
			if err := soundCopy(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// copies makes a backup that is killed too, sooner or later.
func (l *load) copies(to string, after time.Duration) {
	_ = guarded(func() error { l.c.rush(l.dir, after/2, "backup", to); return nil })
}

// soundCopy fails for a backup that has its name but is not whole.
func soundCopy(file string) error {
	dir := filepath.Dir(file) + "-restored"
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o750); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "state", "system.db"), data, 0o600), os.RemoveAll(filepath.Dir(file))); err != nil {
		return err
	}
	db, err := openState(dir)
	if err != nil {
		return err
	}
	defer db.Close()
	var sound string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		return fmt.Errorf("a backup with its name is not whole: %s %w", sound, err)
	}
	return nil
}
