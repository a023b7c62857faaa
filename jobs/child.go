package jobs

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is one process of our own binary.
type child struct {
	kind    string
	cmd     *exec.Cmd
	scratch string // key of its private folder, removed after its end
	said    excerpt
	ended   chan struct{} // closed when the process is reaped
	exit    error         // of Wait; read after ended
	starved int64         // processes that the kernel had killed for memory when this one started

	mu     sync.Mutex
	wanted bool // we ended it
}

// kill ends the child and its process group at once. It may be called often.
func (c *child) kill() { c.signal(syscall.SIGKILL) }

// ask tells the child to stop by itself.
func (c *child) ask() { c.signal(syscall.SIGTERM) }

func (c *child) signal(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.ended:
		return // its number may be another process's by now
	default:
	}
	c.wanted = true
	// It fails when the group is gone, which is what was wanted.
	_ = syscall.Kill(-c.cmd.Process.Pid, sig)
}

// await waits for the end of a child that hung up, and ends one that lingers.
func (c *child) await() {
	select {
	case <-c.ended:
	case <-time.After(grace):
		c.kill()
		<-c.ended
	}
}

func (c *child) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

// death is why a child ended that nobody had asked to.
type death uint8

const (
	crashed death = iota
	outOfMemory
	killedOutside
)

// death reads the cause off the process's state and last words. The child must
// have ended.
func (c *child) death() death {
	words := c.said.String()
	for _, sign := range []string{"bad_alloc", "out of memory", "cannot allocate memory", "Out of Memory"} {
		if strings.Contains(words, sign) {
			return outOfMemory
		}
	}
	status, known := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if known && !c.stopped() && status.Signaled() && status.Signal() == syscall.SIGKILL {
		if memoryKills() > c.starved {
			return outOfMemory
		}
		return killedOutside
	}
	return crashed
}

// excerptHalf is how much of the beginning and of the end of a child's standard
// error is kept: the reason of a crash comes first, the context last.
const excerptHalf = 4 << 10

// excerpt keeps the beginning and the end of what is written to it.
type excerpt struct {
	mu      sync.Mutex
	head    []byte
	tail    []byte
	skipped int
}

// Write never fails.
func (e *excerpt) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(p)
	room := min(excerptHalf-len(e.head), n)
	e.head = append(e.head, p[:room]...)
	e.tail = append(e.tail, p[room:]...)
	if over := len(e.tail) - excerptHalf; over > 0 {
		e.skipped += over
		e.tail = append(e.tail[:0], e.tail[over:]...)
	}
	return n, nil
}

// String returns what was kept.
func (e *excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.skipped > 0 {
		return fmt.Sprintf("%s\n… %d bytes left out …\n%s", e.head, e.skipped, e.tail)
	}
	return string(e.head) + string(e.tail)
}
