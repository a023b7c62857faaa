package jobs

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"agnes/domain/work"
)

// batchStream reads the Arrow IPC stream that the Batch frames of an answer
// make. What a batch holds is read from the channel into its own memory. Texts
// of a row may outlive their batch, unless that is spent.
type batchStream struct {
	frame  io.LimitedReader // what is left of the frame that is being read
	arrow  *ipc.Reader
	memory bodies
}

// next reads the one batch of a frame of size bytes, which the caller releases.
func (s *batchStream) next(frames io.Reader, size uint32) (arrow.RecordBatch, error) {
	s.frame = io.LimitedReader{R: frames, N: int64(size)}
	if s.arrow == nil {
		stream, err := ipc.NewReaderFromMessageReader(ipc.NewMessageReader(&s.frame,
			ipc.WithAllocator(&s.memory), ipc.WithMetadataSizeLimit(work.MaxFrame), ipc.WithBodySizeLimit(work.MaxFrame)))
		if err != nil {
			return nil, fmt.Errorf("decode rows: %w", err)
		}
		s.arrow = stream
	}
	s.memory.begin()
	if !s.arrow.Next() {
		return nil, errors.Join(errors.New("decode rows: the frame holds none"), s.arrow.Err())
	}
	if s.frame.N > 0 {
		return nil, fmt.Errorf("decode rows: %d bytes after the batch", s.frame.N)
	}
	batch := s.arrow.RecordBatch()
	batch.Retain()
	return s.memory.spendable(batch), nil
}

// close lets go of the last batch; those that were handed out stay.
func (s *batchStream) close() {
	if s.arrow != nil {
		s.arrow.Release()
		s.arrow = nil
	}
	s.memory.end()
}
