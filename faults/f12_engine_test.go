package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// recovery is how soon readiness must tell the truth again.
const recovery = 2 * time.Second

// engineCrashes is F12: query children crash, by a signal and by a statement,
// and cannot be started for a while; readiness says so and recovers.
func engineCrashes(t *trials) {
	own := filepath.Join(t.newDir("program"), "agnes")
	must(os.Link(t.agnes, own))
	s := t.launchAs(t.newDir("engine"), []string{own, "serve"}, "AGNES_QUERY_TIMEOUT_SECONDS=2")
	defer s.kill()
	s.awaitReady(readyLimit)
	s.signIn(nil)
	t.each(t.n, func(i int) error {
		if _, err := s.query("SELECT 1"); err != nil {
			return err
		}
		switch i % 3 {
		case 0:
			for pid, role := range s.children() {
				if role == "query" {
					must(syscall.Kill(pid, syscall.SIGSEGV))
				}
			}
		case 1:
			_, err := s.query("SELECT " + strings.Repeat("[", 900) + strings.Repeat("]", 900))
			if err != nil && excusable(err) != nil && inWords(err) != nil {
				return fmt.Errorf("the crashing statement: %w", err)
			}
		default:
			if err := t.withoutProgram(s, own); err != nil {
				return err
			}
		}
		if _, err := s.send(http.MethodGet, "/login", "", nil); err != nil {
			return fmt.Errorf("the portal: %w", err)
		}
		if err := s.readyWithin(recovery); err != nil {
			return err
		}
		return eventually(t.ctx, recovery, func() error { _, err := s.query("SELECT 1"); return err })
	})
}

// withoutProgram takes the program away, so that no child can start: readiness
// must say so in time.
func (t *trials) withoutProgram(s *server, own string) error {
	must(os.Rename(own, own+".away"))
	defer func() { must(os.Rename(own+".away", own)) }()
	for pid, role := range s.children() {
		if role == "query" {
			must(syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	return eventually(t.ctx, recovery, func() error {
		if _, err := s.send(http.MethodGet, "/api/health/ready", "", nil); err == nil {
			return fmt.Errorf("readiness says yes while no query can run")
		}
		return nil
	})
}
