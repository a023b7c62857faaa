//go:build duckdb_arrow

package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"agnes/domain/work"
)

// RunProve is the life of a child that proves the walls around queries by
// running against each: it sets itself up as a query child does, with a working
// engine inside, and tells how every attempt went. The last one replaces the
// process if its wall is missing, which the server sees as a missing answer.
func RunProve(ctx context.Context, conn io.ReadWriter, log *slog.Logger) error {
	var cfg work.QueryConfig
	if err := readJSONFrame(conn, work.FrameConfigure, &cfg); err != nil {
		return err
	}
	var job work.ProveJob
	if err := readJSONFrame(conn, work.FrameProve, &job); err != nil {
		return err
	}
	dir := cfg.DataDir
	engine, err := setUpQueryChild(cfg, log)
	if err != nil {
		return err
	}
	defer engine.close()
	for _, a := range attempts(ctx, dir, cfg.Budget, job) {
		wall := work.Wall{Name: a.name, Detail: "It was possible: " + a.what + "."}
		if err := a.try(); err != nil {
			wall.Held, wall.Detail = true, a.what+" is refused"
		}
		if err := work.WriteJSONFrame(conn, work.FrameProve, wall); err != nil {
			return err
		}
	}
	return work.WriteJSONFrame(conn, work.FrameEnd, work.QueryEnd{})
}

func readJSONFrame(conn io.Reader, want work.FrameType, v any) error {
	t, payload, err := work.ReadFrame(conn)
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("expected frame %q, got %q", byte(want), byte(t))
	}
	return json.Unmarshal(payload, v)
}

// attempt is one way out. It fails when the wall holds.
type attempt struct {
	name, what string
	try        func() error
}

func attempts(ctx context.Context, dir string, budget work.Budget, job work.ProveJob) []attempt {
	all := append(fileAttempts(dir, job), processAttempts(job)...)
	return append(append(all, limitAttempts(budget)...),
		attempt{"network", "connecting to a server", func() error { return dial(ctx, "tcp", job.Address) }},
		attempt{"sockets", "making a local socket", func() error { return dial(ctx, "unix", filepath.Join(dir, "nowhere")) }},
		attempt{"environment", "reading a variable of the server", foreignVariables},
		attempt{"programs", "running a program", func() error { return unix.Exec("/proc/self/exe", []string{"agnes", "worker", "none"}, nil) }},
	)
}

func fileAttempts(dir string, job work.ProveJob) []attempt {
	return []attempt{
		{"foreign files", "reading a file that is not granted", func() error { _, err := os.ReadFile(job.Foreign); return err }},
		{"folders", "listing the data directory", func() error { _, err := os.ReadDir(dir); return err }},
		{"data directory", "writing into the data directory", func() error {
			return os.WriteFile(filepath.Join(dir, ".doctor-child"), []byte("x"), 0o600)
		}},
		{"file rights", "changing a file's mode", func() error { return os.Chmod(job.Foreign, 0o600) }},
		{"passwords", "reading the machine's users", func() error { _, err := os.ReadFile("/etc/passwd"); return err }},
	}
}

func processAttempts(job work.ProveJob) []attempt {
	return []attempt{
		{"processes", "starting a process", fork},
		{"signals", "signalling the server", func() error { return unix.Kill(job.Parent, 0) }},
		{"memory of others", "opening the server's memory", func() error {
			f, err := os.Open("/proc/" + strconv.Itoa(job.Parent) + "/mem")
			if err == nil {
				err = f.Close()
			}
			return err
		}},
	}
}

func limitAttempts(budget work.Budget) []attempt {
	return []attempt{
		{"memory", "taking more memory than allowed", func() error {
			_, err := unix.Mmap(-1, 0, int(2*budget.MemoryBytes)+dataSlack, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			return err
		}},
		{"large files", "writing a file beyond the limit", func() error { return writeOverlong(queryScratchFactor*budget.MemoryBytes + 1) }},
		{"limits", "raising its own limits", func() error {
			return unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: queryOpenFiles, Max: 2 * queryOpenFiles}, nil)
		}},
	}
}

// writeOverlong makes a file of a size in the scratch folder, the working
// directory.
func writeOverlong(size int64) error {
	f, err := os.Create("overlong")
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close(), os.Remove("overlong"))
}

func dial(ctx context.Context, network, address string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, address)
	if err != nil {
		if network == "unix" && !strings.Contains(err.Error(), "socket:") {
			return nil // the socket was made; only nobody listens
		}
		return err
	}
	return conn.Close()
}

func foreignVariables() error {
	for _, v := range os.Environ() { //nolint:forbidigo // that it holds nothing is what is tried
		name, _, _ := strings.Cut(v, "=")
		if name != "TZ" && name != "LANG" {
			return nil
		}
	}
	return errors.New("no variable but the child's own")
}

// fork makes a process in the rawest way there is, and ends it at once.
func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		for {
			_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) // nothing of Go works in here
		}
	}
	_, _ = unix.Wait4(int(pid), nil, 0, nil) // it was made, which is what was tried
	return nil
}
