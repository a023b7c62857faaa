package jobs

import (
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	bodyGrain = 256 << 10 // sizes are rounded up to it, so that more of them fit again
	bodyLarge = 8 << 20   // what is larger is the collector's
	bodySpare = 2         // one that is written on, one that is read into
)

// bodies is the memory of the batches of one answer. What is freed is the
// collector's, because a text of it may still be in use, unless the batch was
// spent: then it serves the next one.
type bodies struct {
	fresh memory.GoAllocator

	mu    sync.Mutex
	last  *byte   // where the newest begins
	spent []*byte // where those begin that may serve again once they are free
	spare [][]byte
	over  bool // no batch comes any more
}

// Allocate returns memory that may hold bytes of an earlier batch.
func (m *bodies) Allocate(size int) []byte {
	if size < bodyGrain || size > bodyLarge {
		return m.fresh.Allocate(size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.spare, func(b []byte) bool { return cap(b) >= size })
	var body []byte
	if i >= 0 {
		body = m.spare[i][:size]
		m.spare = slices.Delete(m.spare, i, i+1)
	} else {
		body = m.fresh.Allocate((size + bodyGrain - 1) / bodyGrain * bodyGrain)[:size]
	}
	m.last = &body[0]
	return body
}

// Reallocate returns memory of another size with the same beginning.
func (m *bodies) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	grown := m.Allocate(size)
	copy(grown, b)
	m.Free(b)
	return grown
}

// Free keeps memory of a spent batch for the next.
func (m *bodies) Free(b []byte) {
	if cap(b) < bodyGrain {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.spent, &b[:1][0])
	if i < 0 || m.over {
		return
	}
	m.spent = slices.Delete(m.spent, i, i+1)
	if len(m.spare) == bodySpare {
		m.spare = slices.Delete(m.spare, 0, 1)
	}
	m.spare = append(m.spare, b)
}

// begin forgets what was handed out for the batch before.
func (m *bodies) begin() {
	m.mu.Lock()
	m.last = nil
	m.mu.Unlock()
}

// end lets go of what is spare.
func (m *bodies) end() {
	m.mu.Lock()
	m.over, m.last, m.spent, m.spare = true, nil, nil, nil
	m.mu.Unlock()
}

// spendable makes the batch that was just read into this memory one that can be
// spent.
func (m *bodies) spendable(batch arrow.RecordBatch) arrow.RecordBatch {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		return batch
	}
	return spendable{RecordBatch: batch, memory: m, body: m.last}
}

// spendable is a batch whose reader can say that it keeps nothing of it.
type spendable struct {
	arrow.RecordBatch
	memory *bodies
	body   *byte
}

// Spend says that the batch's memory may serve again once it is released.
func (s spendable) Spend() {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if !slices.Contains(s.memory.spent, s.body) {
		s.memory.spent = append(s.memory.spent, s.body)
	}
}
