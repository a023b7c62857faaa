//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"agnes/domain/work"
)

// batchStream sends the batches of one answer as one Arrow IPC stream. What a
// batch holds goes to the channel from where it lies.
type batchStream struct {
	conn  io.Writer
	arrow *ipc.Writer
	parts gathered
}

func newBatchStream(conn io.Writer) *batchStream { return &batchStream{conn: conn} }

// send writes one batch as a frame. It is done with the batch when it returns.
func (s *batchStream) send(batch arrow.RecordBatch) error {
	if s.arrow == nil {
		s.arrow = ipc.NewWriter(&s.parts, ipc.WithSchema(batch.Schema()))
	}
	s.parts.reset()
	if err := s.arrow.Write(batch); err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	head, err := work.FrameHead(work.FrameBatch, s.parts.size)
	if err != nil {
		return err
	}
	frame := net.Buffers(slices.Insert(s.parts.list, 0, head[:]))
	if _, err := frame.WriteTo(s.conn); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// close lets go of what the stream remembers of its batches.
func (s *batchStream) close() error {
	if s.arrow == nil {
		return nil
	}
	s.parts.reset()
	if err := s.arrow.Close(); err != nil { // its end mark is not sent: the frame End is one
		return fmt.Errorf("end rows: %w", err)
	}
	return nil
}

// copyBelow is the size from which a piece is sent from where it lies.
const copyBelow = 16 << 10

// gathered collects the pieces of a frame for one call to the kernel: small
// ones in memory of its own, large ones as they are.
type gathered struct {
	list  [][]byte
	small []byte
	from  int  // where the last piece of small begins
	open  bool // the last of list ends where small does
	size  int
}

func (g *gathered) reset() {
	clear(g.list)
	g.list, g.small, g.open, g.size = g.list[:0], g.small[:0], false, 0
}

// Write takes a piece, which must not change before it is sent when it is large.
func (g *gathered) Write(p []byte) (int, error) {
	g.size += len(p)
	if len(p) >= copyBelow {
		g.list, g.open = append(g.list, p), false
		return len(p), nil
	}
	if !g.open {
		g.list, g.from, g.open = append(g.list, nil), len(g.small), true
	}
	g.small = append(g.small, p...)
	g.list[len(g.list)-1] = g.small[g.from:]
	return len(p), nil
}

const (
	scrapGrain = 64 << 10          // sizes are rounded up to it, so that more of them fit again
	scrapBytes = 2 * maxBatchBytes // the most that is kept
)

// scrap is memory that serves one batch after the other, so that an answer of
// any length leaves nothing to collect. It belongs to one answer, and to one
// goroutine.
type scrap struct {
	fresh memory.GoAllocator
	free  [][]byte
	kept  int // bytes in free
}

// Allocate returns memory that may hold bytes of an earlier batch.
func (s *scrap) Allocate(size int) []byte {
	best := -1
	for i, b := range s.free {
		if cap(b) >= size && (best < 0 || cap(b) < cap(s.free[best])) {
			best = i
		}
	}
	if best >= 0 && cap(s.free[best]) <= 2*size+scrapGrain {
		b := s.free[best]
		s.free = slices.Delete(s.free, best, best+1)
		s.kept -= cap(b)
		return b[:size]
	}
	return s.fresh.Allocate((size + scrapGrain - 1) / scrapGrain * scrapGrain)[:size]
}

// Reallocate returns memory of another size with the same beginning.
func (s *scrap) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	grown := s.Allocate(size)
	copy(grown, b)
	s.Free(b)
	return grown
}

// Free keeps memory for the next batch.
func (s *scrap) Free(b []byte) {
	if cap(b) == 0 || s.kept+cap(b) > scrapBytes {
		return
	}
	s.free = append(s.free, b[:0])
	s.kept += cap(b)
}
