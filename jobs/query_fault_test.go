//go:build duckdb_arrow

package jobs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
)

// TestBrokenEnginesAreReplaced ends engines as a fault of theirs would, at rest
// and at work. Whoever asks next finds a new one within two seconds.
func TestBrokenEnginesAreReplaced(t *testing.T) {
	p, c := newPool(t, PoolConfig{Spares: 1}, map[string]string{"orders": ordersSQL})
	replaced := 0
	for i := range 20 {
		result := p.mustStart(t, c, "ann", "", endless)
		broken := result.(*queryResult).child.process
		if i%2 == 0 { // at rest
			if err := result.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := syscall.Kill(broken.cmd.Process.Pid, syscall.SIGSEGV); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); i%2 != 0 && err == nil; {
			if _, err = result.Next(t.Context()); err != nil && domain.CodeOf(err) != "query_crashed" {
				t.Errorf("at work: %v, want query_crashed", err)
			}
		}
		<-broken.ended
		began := time.Now()
		if err := (query.Probe{Engine: p}).Ready(t.Context()); err == nil && time.Since(began) < 2*time.Second {
			replaced++
		}
		p.mustAnswer(t, c, "SELECT count(*) FROM orders", "1000")
	}
	t.Logf("R14: %d of 20 broken engines replaced", replaced)
	if replaced != 20 {
		t.Errorf("%d of 20 were replaced in time", replaced)
	}
}

// insideGroup marks the process that TestOutOfMemoryInTheGroup starts.
const insideGroup = "AGNES_TEST_INSIDE_GROUP"

// TestOutOfMemoryInTheGroup runs TestInsideGroup in a control group of 512 MB.
// AGNES_TEST_R16 says how often memory runs out there.
func TestOutOfMemoryInTheGroup(t *testing.T) {
	if underRace {
		t.Skip("the race detector alone needs more")
	}
	group, limit := filepath.Join("/sys/fs/cgroup/memory", fmt.Sprint("agnes-test-", os.Getpid())), "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		group, limit = filepath.Join("/sys/fs/cgroup", filepath.Base(group)), "memory.max"
	}
	if err := os.Mkdir(group, 0o750); err != nil {
		t.Skipf("R16 is not shown: no control group can be made here: %v", err)
	}
	defer func() {
		if err := os.Remove(group); err != nil {
			t.Errorf("the control group stays: %v", err)
		}
	}()
	if err := os.WriteFile(filepath.Join(group, limit), []byte(strconv.Itoa(512<<20)), 0); err != nil {
		t.Skipf("R16 is not shown: the control group has no limit: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestInsideGroup$", "-test.v")
	cmd.Env = append(os.Environ(), insideGroup+"="+filepath.Join(group, "cgroup.procs"))
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestInsideGroup")) {
		t.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "R16:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func TestInsideGroup(t *testing.T) {
	members := os.Getenv(insideGroup)
	if members == "" {
		t.Skip("runs in a process of its own, started by TestOutOfMemoryInTheGroup")
	}
	if err := os.WriteFile(members, []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		t.Skipf("R16 is not shown: the control group takes nobody: %v", err)
	}
	p, _ := newPool(t, PoolConfig{Spares: 1, Limits: Limits{Children: 2, MemoryBytes: 2 << 30}}, nil)
	held, rounds := 0, 4
	if n, err := strconv.Atoi(os.Getenv("AGNES_TEST_R16")); err == nil {
		rounds = n
	}
	for range rounds {
		_, _, err := p.answer(t.Context(), access.Catalog{}, "SELECT len(list(range)) FROM range(200000000)", 0)
		var told *domain.Error
		if domain.CodeOf(err) != "query_memory" || !errors.As(err, &told) {
			t.Errorf("%v, want query_memory", err)
			continue
		}
		p.mustAnswer(t, access.Catalog{}, "SELECT 1", "1")
		held++
	}
	t.Logf("R16: %d of %d ran out of memory in the group; the server lives on", held, rounds)
}
