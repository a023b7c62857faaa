//go:build duckdb_arrow

package attacks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// line is one row of the campaign's table.
type line struct {
	id, what    string
	short, long int // how many are tried; 0: all of the corpus
	try         func(*trials)
}

// campaign is one run of all lines against one server.
type campaign struct {
	ctx    context.Context
	long   bool
	seed   uint64
	dir    string // everything of the campaign lies here
	agnes  string // the program under test
	starts chan startRequest

	mu        sync.Mutex
	live      map[*server]struct{}
	w         *world // made by the first line that needs it
	id        *identity
	ends      []func() // of servers within this process
	bounded   *limited
	addresses int   // of this machine that were used
	seen      leaks // of all answers of all lines
}

// promised is a time that holds on a machine of one's own, where the long form
// runs; the short form runs where others work too and allows five times as much.
func (c *campaign) promised(d time.Duration) time.Duration {
	if c.long {
		return d
	}
	return 5 * d
}

func newCampaign(ctx context.Context, long bool, seed uint64) (*campaign, error) {
	dir, err := os.MkdirTemp("", "agnes-attacks-")
	if err != nil {
		return nil, err
	}
	c := &campaign{ctx: ctx, long: long, seed: seed, dir: dir, live: map[*server]struct{}{}, starts: make(chan startRequest)}
	go c.startAll()
	return c, nil
}

// build makes the program, unless one is given.
func (c *campaign) build(given string) error {
	if given != "" {
		abs, err := filepath.Abs(given)
		c.agnes = abs
		return err
	}
	c.agnes = filepath.Join(c.dir, "agnes")
	cmd := exec.CommandContext(c.ctx, "go", "build", "-tags", "duckdb_arrow", "-buildvcs=false", "-o", c.agnes, ".")
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

func (c *campaign) close() {
	for _, s := range c.servers() {
		s.kill()
	}
	for _, end := range c.ends {
		end()
	}
	if *keep {
		fmt.Println("The working directory is kept:", c.dir)
		return
	}
	if err := os.RemoveAll(c.dir); err != nil {
		fmt.Fprintln(os.Stderr, "clean up:", err)
	}
}

func (c *campaign) servers() []*server {
	c.mu.Lock()
	defer c.mu.Unlock()
	var live []*server
	for s := range c.live {
		live = append(live, s)
	}
	return live
}

// trials is one line at work: it counts what was tried and what held.
type trials struct {
	*campaign
	*rand.Rand
	line line
	n    int // how many the table promises

	mu      sync.Mutex
	tried   int
	held    int
	faults  []string
	notes   []string
	skipped string
	slowest time.Duration
	took    time.Duration
}

// one runs one trial and counts it.
func (t *trials) one(name string, try func() error) {
	began := time.Now()
	err := guarded(try)
	took := time.Since(began)
	if t.ctx.Err() != nil {
		return // cut short: neither held nor failed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tried++
	t.slowest = max(t.slowest, took)
	if err == nil {
		t.held++
		return
	}
	t.fault(name, err)
}

// also runs a check that belongs to all trials: it is not counted, and fails the line.
func (t *trials) also(name string, try func() error) {
	err := guarded(try)
	if err == nil || t.ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault(name, err)
}

// fault is called with t.mu held.
func (t *trials) fault(name string, err error) {
	t.faults = append(t.faults, name+": "+err.Error())
	if len(t.faults) <= 60 {
		fmt.Printf("   %s %s: %v\n", t.line.id, name, err)
	}
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
		fmt.Printf("== %s %s\n", l.id, l.what)
		at := time.Now()
		t.also("the line stopped", func() error { l.try(t); return nil })
		if t.n == 0 {
			t.n = t.tried
		}
		t.took = time.Since(at)
		rows = append(rows, t)
	}
	return report(os.Stdout, rows, len(chosen), time.Since(began), c.seed)
}

// verdict says how a row of the table ended.
func (t *trials) verdict() string {
	switch {
	case len(t.faults) > 0 || t.held < t.tried:
		return "FAILED"
	case t.skipped != "":
		return "skipped"
	case t.tried < t.n || t.tried == 0:
		return "cut short"
	}
	return "ok"
}

// report prints the table; it returns 0 only when every line was shown whole.
func report(w io.Writer, rows []*trials, wanted int, took time.Duration, seed uint64) int {
	fmt.Fprintf(w, "\n%-4s %-45s %6s %6s  %-9s %9s %8s  %s\n", "", "proof", "tried", "held", "", "slowest", "time", "notes")
	bad := wanted - len(rows)
	for _, t := range rows {
		v := t.verdict()
		if v != "ok" {
			bad++
		}
		notes := t.notes
		if t.skipped != "" {
			notes = append([]string{"not shown: " + t.skipped}, notes...)
		}
		fmt.Fprintf(w, "%-4s %-45s %6d %6d  %-9s %9s %8s  %s\n", t.line.id, t.line.what, t.tried, t.held, v,
			t.slowest.Round(time.Millisecond), t.took.Round(100*time.Millisecond), strings.Join(notes, "; "))
		for i, f := range t.faults {
			if i == 8 {
				fmt.Fprintf(w, "       and %d more\n", len(t.faults)-i)
				break
			}
			fmt.Fprintf(w, "       %.400s\n", f)
		}
	}
	fmt.Fprintf(w, "\nseed %d, %s in all", seed, took.Round(time.Second))
	if bad > 0 {
		fmt.Fprintf(w, "; %d of %d lines are not shown to hold\n", bad, wanted)
		return 1
	}
	fmt.Fprintf(w, "; all %d lines hold\n", wanted)
	return 0
}

type startRequest struct {
	cmd     *exec.Cmd
	started chan<- error
}

// startAll starts processes from one thread that lives as long as the
// campaign: the kernel ends a child with the thread that started it.
func (c *campaign) startAll() {
	runtime.LockOSThread()
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

// eventually tries until it works or the time is up, and returns the last error.
func eventually(ctx context.Context, limit time.Duration, try func() error) error {
	end := time.Now().Add(limit)
	for {
		err := try()
		if err == nil {
			return nil
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
