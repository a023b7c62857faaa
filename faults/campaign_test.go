package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// line is one row of the campaign's table.
type line struct {
	id, fault   string
	short, long int
	try         func(*trials)
}

// campaign is one run of all lines.
type campaign struct {
	ctx    context.Context
	long   bool
	seed   uint64
	dir    string // everything of the campaign lies here
	agnes  string // the program under test
	starts chan startRequest

	mu      sync.Mutex
	undo    []func() // mounts to take away, newest first
	live    map[*server]struct{}
	counter int
}

func newCampaign(ctx context.Context, long bool, seed uint64) (*campaign, error) {
	dir, err := os.MkdirTemp("", "agnes-faults-")
	if err != nil {
		return nil, err
	}
	c := &campaign{ctx: ctx, long: long, seed: seed, dir: dir, live: map[*server]struct{}{}, starts: make(chan startRequest)}
	go c.startAll()
	return c, nil
}

// build makes the program with its fault hooks, unless one is given.
func (c *campaign) build(given string) error {
	if given != "" {
		abs, err := filepath.Abs(given)
		c.agnes = abs
		return err
	}
	c.agnes = filepath.Join(c.dir, "agnes")
	cmd := exec.CommandContext(c.ctx, "go", "build", "-tags", "duckdb_arrow,faults", "-buildvcs=false", "-o", c.agnes, ".")
	cmd.Dir = moduleRoot()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}

// moduleRoot is the folder of go.mod, from here or from the folder above.
func moduleRoot() string {
	for _, dir := range []string{".", ".."} {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	return "."
}

// close ends every process and takes every mount away, whatever happened.
func (c *campaign) close() {
	c.mu.Lock()
	var live []*server
	for s := range c.live {
		live = append(live, s)
	}
	undo := c.undo
	c.undo = nil
	c.mu.Unlock()
	for _, s := range live {
		s.kill()
	}
	for i := len(undo) - 1; i >= 0; i-- {
		undo[i]()
	}
	if *keep {
		fmt.Println("The working directory is kept:", c.dir)
		return
	}
	if err := os.RemoveAll(c.dir); err != nil {
		fmt.Fprintln(os.Stderr, "clean up:", err)
	}
}

func (c *campaign) onClose(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.undo = append(c.undo, f)
}

// newDir makes a directory of its own for a trial.
func (c *campaign) newDir(name string) string {
	c.mu.Lock()
	c.counter++
	dir := filepath.Join(c.dir, fmt.Sprintf("%s-%03d", name, c.counter))
	c.mu.Unlock()
	must(os.MkdirAll(dir, 0o750))
	return dir
}

// trials is one line at work: it counts what was tried and what survived.
type trials struct {
	*campaign
	*rand.Rand
	line line
	n    int // how many the table promises

	mu       sync.Mutex
	tried    int
	survived int
	faults   []string
	notes    []string
	skipped  string
	took     time.Duration
	slowest  time.Duration // trial
}

// each runs n trials until one ends the context.
func (t *trials) each(n int, try func(i int) error) {
	for i := range n {
		if t.ctx.Err() != nil {
			return
		}
		t.one(fmt.Sprintf("#%d", i+1), func() error { return try(i) })
	}
}

// one runs one trial and counts it.
func (t *trials) one(name string, try func() error) {
	began := time.Now()
	err := guarded(try)
	if t.ctx.Err() != nil {
		return // cut short: neither survived nor failed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried++
	t.slowest = max(t.slowest, time.Since(began))
	if err == nil {
		t.survived++
		return
	}
	t.faults = append(t.faults, name+": "+err.Error())
	fmt.Printf("   %s %s: %v\n", t.line.id, name, err)
}

// also runs a check that belongs to all trials: it is not counted, and fails the line.
func (t *trials) also(name string, try func() error) {
	err := guarded(try)
	if err == nil || t.ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, name+": "+err.Error())
	fmt.Printf("   %s %s: %v\n", t.line.id, name, err)
}

// note adds a remark to the row.
func (t *trials) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// guarded turns a broken expectation of must into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(broken)
			if !ok {
				panic(r)
			}
			err = b.error
		}
	}()
	return do()
}

type broken struct{ error }

// must ends a trial with an error.
func must(err error) {
	if err != nil {
		panic(broken{err})
	}
}

// run carries the lines out, prints the table and returns the exit code.
func (c *campaign) run(chosen []line) int {
	began := time.Now()
	var rows []*trials
	for _, l := range chosen {
		if c.ctx.Err() != nil {
			break
		}
		t := &trials{campaign: c, Rand: dice(c.seed, l.id), line: l, n: l.short}
		if c.long {
			t.n = l.long
		}
		fmt.Printf("== %s %s\n", l.id, l.fault)
		at := time.Now()
		if err := guarded(func() error { l.try(t); return nil }); err != nil && c.ctx.Err() == nil {
			t.faults = append(t.faults, "the line stopped: "+err.Error())
		}
		c.endAll()
		t.took = time.Since(at)
		rows = append(rows, t)
	}
	return report(os.Stdout, rows, len(chosen), time.Since(began), c.seed)
}

// endAll kills what a line left running.
func (c *campaign) endAll() {
	c.mu.Lock()
	var live []*server
	for s := range c.live {
		live = append(live, s)
	}
	c.mu.Unlock()
	for _, s := range live {
		s.kill()
	}
}

type startRequest struct {
	cmd     *exec.Cmd
	started chan<- error
}

// startAll starts processes from one thread that lives as long as the
// campaign: the kernel ends a child with the thread that started it.
func (c *campaign) startAll() {
	lockThread()
	for r := range c.starts {
		r.started <- r.cmd.Start()
	}
}

// start starts a process that ends with the campaign, however that ends.
func (c *campaign) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	c.starts <- startRequest{cmd, started}
	return <-started
}

// command runs the program once on a data directory.
func (c *campaign) command(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(c.ctx, c.agnes, args...)
	cmd.Env, cmd.Dir = environment(dir), c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("agnes %s: %w: %s", strings.Join(args, " "), err, lastLines(string(out), 2))
	}
	return string(out), nil
}

// rush starts the program once and kills it after a while, if it still runs.
func (c *campaign) rush(dir string, after time.Duration, args ...string) (finished bool) {
	cmd := exec.Command(c.agnes, args...)
	cmd.Env, cmd.Dir = environment(dir), c.dir
	must(c.start(cmd))
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err == nil
	case <-time.After(after):
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	return <-done == nil
}

func lastLines(text string, n int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-n):], " | ")
}

// eventually tries until it works or the time is up, and returns the last error.
func eventually(ctx context.Context, limit time.Duration, try func() error) error {
	end := time.Now().Add(limit)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if errors.Is(err, errGone) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %s: %w", limit, err)
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		time.Sleep(15 * time.Millisecond)
	}
}
