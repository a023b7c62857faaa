package syncs

import (
	"sync"
	"time"

	"agnes/domain"
)

// What says that the disk did not confirm a write: of data, in a child or in the
// server itself, and of the state.
const (
	codeDiskWrite  = "disk_write_failed"
	codeStateWrite = "state_not_durable"
)

// Latch ends writing once the disk did not confirm a write: the kernel may have
// dropped what it could not write, so that trying again proves nothing. Only a
// new start of the server opens it. Syncs, rebuilds, uploads, the mirror and the
// state share one. A nil latch never closes.
type Latch struct {
	Now func() time.Time

	mu sync.Mutex
	at *time.Time
}

// Trip closes the latch when err says that a write was not confirmed. It
// reports whether this call closed it.
func (l *Latch) Trip(err error) bool {
	if l == nil || err == nil {
		return false
	}
	if code, _, _ := explain(err); code != codeDiskWrite && code != codeStateWrite {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at != nil {
		return false
	}
	now := l.Now()
	l.at = &now
	return true
}

// Err says since when and why nothing is written any more, nil while all is well.
func (l *Latch) Err() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		return nil
	}
	return domain.E(domain.Unavailable, "writing_stopped",
		"Nothing new has been written since %s UTC, because the server's disk did not confirm a write. "+
			"What was published before is served. Have the disk checked, then start Agnes again.", l.at.UTC().Format("2 Jan 15:04"))
}
