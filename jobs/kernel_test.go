package jobs

import (
	"context"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"agnes/domain/work"
)

// niceness is how far a process stands back; the system call counts from the
// other end, so that no answer looks like an error.
func niceness(t *testing.T, pid int) int {
	t.Helper()
	left, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - left
}

func TestLongJobsStepBackFurther(t *testing.T) {
	if own := niceness(t, os.Getpid()); own > childNiceness {
		t.Skipf("these tests run with a niceness of %d themselves", own)
	}
	s := newSupervisor(t, quiet())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _ = s.Extract(ctx, work.ExtractJob{Item: "polite"}, func(e work.Event) { // it ends when it is told
		if e.Phase != "convert" {
			return
		}
		defer cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.live {
			pid := c.cmd.Process.Pid
			if got := niceness(t, pid); got != childNiceness {
				t.Errorf("a job begins with a niceness of %d, want %d as queries have", got, childNiceness)
			}
			stop := s.stepBackLater(c, 0)
			until(func() bool { return niceness(t, pid) == longNiceness })
			stop()
			cancel()
			return
		}
		t.Error("no child works")
	})
}
