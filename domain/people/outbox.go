package people

import (
	"slices"
	"sync"
	"time"
)

// Posted is a mail that was not sent, because no mail server is set up.
type Posted struct {
	At      time.Time
	To      string
	Subject string
	URL     string
	Code    string
}

// maxPosted is how many mails an outbox shows.
const maxPosted = 50

// Outbox holds the newest mails that were not sent. They are in memory only: the
// links in them are secrets.
type Outbox struct {
	mu   sync.Mutex
	list []Posted // oldest first
}

func (o *Outbox) add(p Posted) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, p)
	if over := len(o.list) - maxPosted; over > 0 {
		o.list = slices.Delete(o.list, 0, over)
	}
}

// List returns the mails, the newest first.
func (o *Outbox) List() []Posted {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	list := slices.Clone(o.list)
	slices.Reverse(list)
	return list
}
