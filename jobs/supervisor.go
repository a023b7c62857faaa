package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"

	"agnes/domain"
	"agnes/domain/guard"
	"agnes/domain/work"
)

// grace is how long a child may take to stop by itself before it is killed.
const grace = 500 * time.Millisecond

// Limits bound the children of one kind.
type Limits struct {
	Children    int   // at a time; 0: as many as there are cores, at least two
	MemoryBytes int64 // of DuckDB in each; 0: 1 GB
	Threads     int   // of DuckDB in each; 0: as many as there are cores
}

func (l Limits) withDefaults() Limits {
	if l.Children <= 0 {
		l.Children = max(2, runtime.NumCPU())
	}
	if l.MemoryBytes <= 0 {
		l.MemoryBytes = 1 << 30
	}
	if l.Threads <= 0 {
		l.Threads = runtime.NumCPU()
	}
	return l
}

// Config says how children are made.
type Config struct {
	Executable string // of this program
	DataDir    string
	Jobs       Limits   // of extract and rebuild children
	Capacity   Capacity // of all children together, query children too
	Env        []string // of children, beside the little that all get; builds for faults only
	NewID      func() string
	Log        *slog.Logger
	Guard      *guard.Guard // of what runs beside requests
}

// Supervisor makes the children of the serving process, holds them to their
// limits and ends them. The serving process never opens DuckDB itself.
type Supervisor struct {
	cfg      Config
	slots    chan struct{} // one per extract or rebuild child
	looks    chan struct{} // one per preview or inspection: nobody waits for syncs to see a file
	profiles chan struct{} // one for all profiles
	starts   chan startRequest
	done     chan struct{}
	joins    singleflight.Group // by version
	broker   *broker

	mu     sync.Mutex
	live   map[*child]struct{}
	closed bool
	counts counts
}

// joinTimeout bounds making one file of a version's several.
const joinTimeout = 30 * time.Minute

// looksAtATime is how many previews and inspections run beside the jobs.
const looksAtATime = 2

// NewSupervisor returns a supervisor without children; Close it.
func NewSupervisor(cfg Config) *Supervisor {
	cfg.Jobs = cfg.Jobs.withDefaults()
	s := &Supervisor{
		cfg: cfg, slots: make(chan struct{}, cfg.Jobs.Children), looks: make(chan struct{}, looksAtATime), profiles: make(chan struct{}, 1),
		starts: make(chan startRequest), done: make(chan struct{}), live: map[*child]struct{}{}, broker: newBroker(cfg.Capacity),
	}
	s.broker.expect(forJobs, cfg.Jobs)
	s.cfg.Guard.Go("start processes", s.startAll)
	return s
}

type startRequest struct {
	cmd     *exec.Cmd
	started chan<- error
}

// startAll starts all processes from one thread that lives as long as the
// supervisor: the kernel kills a child with a parent-death signal when the
// thread that started it ends, not the process.
func (s *Supervisor) startAll() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case r := <-s.starts:
			r.started <- s.cfg.Guard.Do("start a process", r.cmd.Start)
		case <-s.done:
			return
		}
	}
}

// start runs "worker <kind>" in a process group of its own, with an empty
// environment, channel as its descriptor 3 and nothing else of ours.
func (s *Supervisor) start(kind string, stdin *os.File, channel *os.File) (*child, error) {
	scratch := "scratch/" + s.cfg.NewID()
	cmd := exec.Command(s.cfg.Executable, "worker", kind) //nolint:gosec,noctx // our own binary; ended by child.kill, group and all
	cmd.Env = append([]string{"TZ=UTC", "LANG=C.UTF-8"}, s.cfg.Env...)
	cmd.ExtraFiles = []*os.File{channel}
	if stdin != nil {
		cmd.Stdin = stdin
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c := &child{kind: kind, cmd: cmd, scratch: scratch, ended: make(chan struct{}), starved: memoryKills()}
	cmd.Stderr = &c.said
	cmd.WaitDelay = grace // for whoever inherited stderr
	started := make(chan error, 1)
	select {
	case s.starts <- startRequest{cmd: cmd, started: started}:
	case <-s.done:
		return nil, stopping()
	}
	if err := <-started; err != nil {
		return nil, domain.E(domain.Unavailable, "child_not_started", "The server could not start the process for this work. Try again in a moment.").
			Because(fmt.Errorf("start worker %s: %w", kind, err))
	}
	closed := s.admit(c)
	if err := stepBack(cmd.Process.Pid); err != nil {
		s.cfg.Log.Debug("child keeps its priority", "kind", kind, "err", err)
	}
	s.cfg.Guard.Go("wait for a process", func() { s.reap(c) })
	if closed {
		c.kill()
		<-c.ended
		return nil, stopping()
	}
	return c, nil
}

func stopping() error {
	return domain.E(domain.Unavailable, "server_stopping", "The server is stopping. Try again in a moment.")
}

// admit counts a child that was started; closed reports that it came too late.
func (s *Supervisor) admit(c *child) (closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[c] = struct{}{}
	s.counts.Started++
	return s.closed
}

// reap waits for a child's end, logs an end that nobody wanted and removes
// what the child left in its scratch folder.
func (s *Supervisor) reap(c *child) {
	err := c.cmd.Wait()
	c.exit = err
	wanted := c.stopped()
	if err != nil && !wanted {
		s.cfg.Log.Warn("child ended unexpectedly", "kind", c.kind, "pid", c.cmd.Process.Pid, "err", err, "stderr", c.said.String())
	}
	if rerr := os.RemoveAll(s.path(c.scratch)); rerr != nil {
		s.cfg.Log.Warn("scratch folder stays", "key", c.scratch, "err", rerr)
	}
	s.mu.Lock()
	delete(s.live, c)
	if wanted {
		s.counts.Killed++
	} else if err != nil {
		s.counts.Died++
	}
	s.mu.Unlock()
	close(c.ended)
}

func (s *Supervisor) stopping() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Supervisor) path(key string) string {
	return filepath.Join(s.cfg.DataDir, filepath.FromSlash(key))
}

// budget is what a child of the given limits gets.
func (c *child) budget(l Limits) work.Budget {
	return work.Budget{MemoryBytes: l.MemoryBytes, Threads: l.Threads, ScratchKey: c.scratch}
}

// Close kills all children and waits until they are gone or ctx ends. No more
// children start after it.
func (s *Supervisor) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	live := make([]*child, 0, len(s.live))
	for c := range s.live {
		live = append(live, c)
	}
	s.mu.Unlock()
	for _, c := range live {
		c.kill()
	}
	for _, c := range live {
		select {
		case <-c.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for children to end: %w", ctx.Err())
		}
	}
	return nil
}

// counts are sums since the start.
type counts struct {
	Started int64 // children started
	Killed  int64 // ended by us: idle, cancelled, stopping
	Died    int64 // ended by a fault of theirs or from outside
}

// Stats says how the children stand.
type Stats struct {
	Live    int // processes now, of all kinds
	Started int64
	Killed  int64
	Died    int64
	Shares  BrokerStats
}

// Stats returns the state of the moment.
func (s *Supervisor) Stats() Stats {
	shares := s.broker.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Live: len(s.live), Started: s.counts.Started, Killed: s.counts.Killed, Died: s.counts.Died, Shares: shares}
}
