package store

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"agnes/domain/people"
)

// TestCrashWriter is not a test but the child of TestKilledWriterLosesNothing:
// it writes for as long as it lives and names on stdout what was committed.
func TestCrashWriter(t *testing.T) {
	if flag.NArg() != 2 {
		t.Skip("the child of TestKilledWriterLosesNothing")
	}
	o, _ := options(t)
	o.Dir = flag.Arg(0)
	round := flag.Arg(1)
	seq := o.NewID
	o.NewID = func() string { return round + seq() }
	s := mustOpen(t, o)
	var wg sync.WaitGroup
	var out sync.Mutex
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				email := fmt.Sprintf("u%s.%d.%d@example.com", round, w, i)
				if _, err := s.CreateUser(t.Context(), admin, people.NewUser{Email: email}); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				out.Lock()
				fmt.Fprintln(os.Stdout, "acknowledged", email)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKilledWriterLosesNothing: what a process said it wrote is there after
// the process was killed in the midst of writing more.
func TestKilledWriterLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts ten processes")
	}
	o, _ := options(t)
	left := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 10 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriter$", "--", o.Dir, fmt.Sprint(round))
		child.Env = append(child.Environ(), "TMPDIR="+left) // what it cannot tidy up itself
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			if email, ok := strings.CutPrefix(lines.Text(), "acknowledged "); ok {
				acknowledged[email] = true
				if n++; n == 20+7*round {
					if err := child.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if err := child.Wait(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("round %d: the child ended by itself: %v", round, err)
		}
		checkAfterCrash(t, o, round, acknowledged)
	}
}

func checkAfterCrash(t *testing.T, o Options, round int, acknowledged map[string]bool) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("round %d: open after the kill: %v", round, err)
	}
	users, total, err := s.ListUsers(t.Context(), people.UserFilter{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, u := range users {
		there[u.Email] = true
	}
	for email := range acknowledged {
		if !there[email] {
			t.Errorf("round %d: %s was acknowledged and is lost", round, email)
		}
	}
	if rows := len(actions(t, s, 0)); rows != total {
		t.Errorf("round %d: %d people and %d audit rows: a transaction was torn", round, total, rows)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := inspect(t.Context(), filepath.Join(o.Dir, fileName)); err != nil {
		t.Errorf("round %d: %v", round, err)
	}
}
