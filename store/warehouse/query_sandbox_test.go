//go:build duckdb_arrow

package warehouse

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"agnes/domain/work"
)

// insideSandbox marks the process that TestSandbox starts to lock itself in.
const insideSandbox = "AGNES_TEST_INSIDE_SANDBOX"

// TestSandbox runs TestInsideSandbox in a process of its own, because the
// doors that it shuts stay shut.
func TestSandbox(t *testing.T) {
	if LandlockABI() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestInsideSandbox$", "-test.v")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), insideSandbox+"="+listener.Addr().String())
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestInsideSandbox")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestInsideSandbox(t *testing.T) {
	address := os.Getenv(insideSandbox)
	if address == "" {
		t.Skip("runs in a process of its own, started by TestSandbox")
	}
	for _, name := range []string{"granted.parquet", "other.parquet"} {
		if err := os.WriteFile(name, []byte("rows"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("scratch", 0o700); err != nil {
		t.Fatal(err)
	}
	budget := work.Budget{MemoryBytes: 100 << 20, ScratchKey: "scratch"}
	if err := enterQuerySandbox(budget, []string{"granted.parquet", "missing.parquet"}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		what string
		do   func() error
		ok   bool
	}{
		{"read a granted file", func() error { _, err := os.ReadFile("granted.parquet"); return err }, true},
		{"write to scratch", func() error { return os.WriteFile(filepath.Join("scratch", "spill"), nil, 0o600) }, true},
		{"read DuckDB's memory limit", func() error { _, err := os.ReadFile("/proc/self/cgroup"); return err }, true},
		{"read another file", func() error { _, err := os.ReadFile("other.parquet"); return err }, false},
		{"list the folder", func() error { _, err := os.ReadDir("."); return err }, false},
		{"read passwords", func() error { _, err := os.ReadFile("/etc/passwd"); return err }, false},
		{"read its environment", func() error { _, err := os.ReadFile("/proc/self/environ"); return err }, false},
		{"write to a granted file", func() error { return os.WriteFile("granted.parquet", nil, 0o600) }, false},
		{"remove a granted file", func() error { return os.Remove("granted.parquet") }, false},
		{"make a file beside it", func() error { return os.WriteFile("new.parquet", nil, 0o600) }, false},
		{"run a program", func() error { return exec.CommandContext(t.Context(), "/bin/true").Run() }, false},
		{"connect", func() error { _, err := net.Dial("tcp", address); return err }, false},
		{"signal another process", func() error { return syscall.Kill(os.Getppid(), 0) }, false},
		{"signal a thread of another process", func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }, false},
		{"signal a thread of its own", func() error { return unix.Tgkill(os.Getpid(), unix.Gettid(), 0) }, true},
		{"change the mode of a granted file", func() error { return os.Chmod("granted.parquet", 0o777) }, false},
		{"change the times of a granted file", func() error { return os.Chtimes("granted.parquet", time.Time{}, time.Unix(1, 0)) }, false},
		{"give a granted file another name", func() error { return os.Link("granted.parquet", filepath.Join("scratch", "linked")) }, false},
		{"make a process", fork, false},
		{"make a local socket", func() error { _, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err }, false},
		{"make a namespace", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, false},
		{"make memory that is a file", func() error { _, err := unix.MemfdCreate("x", 0); return err }, false},
		{"trace its parent", func() error { return unix.PtraceAttach(os.Getppid()) }, false},
		{"lower a limit, which is as raising one", func() error { return unix.Prlimit(0, unix.RLIMIT_CPU, &unix.Rlimit{}, nil) }, false},
		{"be visible to others again", func() error {
			if on, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); on == 0 {
				return errors.ErrUnsupported
			}
			return nil
		}, false},
	}
	for _, test := range tests {
		if err := test.do(); (err == nil) != test.ok {
			t.Errorf("%s: %v, want it allowed: %v", test.what, err, test.ok)
		}
	}
	for resource, want := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: queryOpenFiles, unix.RLIMIT_FSIZE: 800 << 20, unix.RLIMIT_DATA: 712 << 20} {
		var got unix.Rlimit
		err := unix.Getrlimit(resource, &got)
		if raceDetector && resource == unix.RLIMIT_DATA {
			continue
		}
		if err != nil || got.Max > want || got.Cur != got.Max {
			t.Errorf("limit %d is %+v, %v; want %d", resource, got, err, want)
		}
	}
	if on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || on != 1 {
		t.Errorf("no new privileges: %d, %v", on, err)
	}
}

// TestEveryThreadIsShutIn looks at each thread of a process after its doors are
// shut: the filter and the loss of privileges hold for all.
func TestEveryThreadIsShutIn(t *testing.T) {
	const inside = "AGNES_TEST_INSIDE_THREADS"
	if os.Getenv(inside) == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestEveryThreadIsShutIn$", "-test.v")
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("threads shut in")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if !SeccompOffered() {
		t.Skip("this kernel filters no system calls; threads shut in by nothing")
	}
	for range 4 { // threads that stay
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	tasks, err := os.Open("/proc/self/task") // before Landlock shuts it
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(hide(), filterCalls(rights{})); err != nil {
		t.Fatal(err)
	}
	names, err := tasks.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		status, err := os.ReadFile("/proc/self/task/" + name + "/status")
		if err != nil || !bytes.Contains(status, []byte("NoNewPrivs:\t1")) || !bytes.Contains(status, []byte("Seccomp:\t2")) {
			t.Errorf("thread %s: %v\n%s", name, err, status)
		}
	}
	t.Logf("%d threads shut in", len(names))
}

// TestAttemptsSucceedOutside shows that the doctor's attempts prove something:
// without the walls they go through.
func TestAttemptsSucceedOutside(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	job := work.ProveJob{Foreign: foreign, Address: listener.Addr().String(), Parent: os.Getpid()}
	t.Chdir(dir)
	for _, a := range attempts(t.Context(), dir, work.Budget{MemoryBytes: 1 << 20}, job) {
		if a.name == "programs" || a.name == "limits" {
			continue // they would change this process
		}
		if err := a.try(); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
	}
}

func TestRunQueryEndsWhenTheServerHangsUp(t *testing.T) {
	ours, theirs := connected(t)
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	if err := RunQuery(t.Context(), theirs, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("hung up before the configuration: %v", err)
	}
}

func TestRunQueryRefusesNonsense(t *testing.T) {
	ours, theirs := connected(t)
	defer ours.Close()
	ended := make(chan error)
	go func() { ended <- RunQuery(t.Context(), theirs, slog.New(slog.DiscardHandler)) }()
	if err := work.WriteFrame(ours, work.FrameQuery, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("a statement before the configuration was taken")
	}
}

func TestScratchStaysInside(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, key := range []string{"../out", "/tmp/out", ""} {
		cfg := work.QueryConfig{DataDir: ".", Budget: work.Budget{ScratchKey: key}}
		if _, err := setUpQueryChild(cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("scratch folder %q was taken", key)
		}
	}
	if _, err := os.Stat("../out"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a folder outside was made")
	}
}
