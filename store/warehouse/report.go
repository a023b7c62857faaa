package warehouse

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

// progressEvery bounds how often progress is told.
const progressEvery = 250 * time.Millisecond

// Report receives what a child has to tell while it works. A nil Report tells
// nobody.
type Report func(work.Event)

func (r Report) phase(p syncs.Phase) {
	if r != nil {
		r(work.Event{Phase: string(p)})
	}
}

// watch tells progress of a phase that reads the file in and writes the file
// out, until the returned function is called.
func (r Report) watch(p syncs.Phase, in, out string) (done func()) {
	r.phase(p)
	if r == nil {
		return func() {}
	}
	total, start := fileSize(in), bytesRead()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				r(work.Event{Phase: string(p), Fraction: fraction(bytesRead()-start, total), Bytes: fileSize(out)})
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// fraction is how much of total is done, short of all: only the end is 1.
func fraction(done, total int64) float64 {
	if total <= 0 || done <= 0 {
		return 0
	}
	return min(float64(done)/float64(total), 0.99)
}

// fileSize is 0 for a file that cannot be seen: progress is a courtesy.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// bytesRead is what this process has read so far, by the kernel's count; 0
// where it does not count. The child reads little but its input.
func bytesRead() int64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "rchar: ")
	digits, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// teller writes events as JSON lines.
type teller struct {
	mu  sync.Mutex
	out *json.Encoder
	err error // the first error: the parent is gone
}

func newTeller(w io.Writer) *teller { return &teller{out: json.NewEncoder(w)} }

func (t *teller) tell(e work.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = t.out.Encode(e)
	}
}

// close returns the first error of telling.
func (t *teller) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return fmt.Errorf("tell the server: %w", t.err)
	}
	return nil
}

// part tells how many of the parts of a phase are done.
func (r Report) part(p syncs.Phase, done, of int) {
	if r != nil {
		r(work.Event{Phase: string(p), Fraction: fraction(int64(done), int64(of))})
	}
}

// countOf is a number with its word: "1 row", "3 rows".
func countOf(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.FormatInt(n, 10) + " " + word + "s"
}
