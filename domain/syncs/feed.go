package syncs

import "sync"

// Feed tells listeners of runs that changed, and that something else they show
// did. It never blocks a run: a listener that does not keep up misses states in
// between, never the latest.
type Feed struct {
	mu        sync.Mutex
	listeners map[*Listener]struct{}
}

// Listener receives the runs that changed since it last looked.
type Listener struct {
	feed    *Feed
	mu      sync.Mutex
	changed map[string]Run
	Wake    chan struct{} // one value when there is something new, in Take or elsewhere
}

// NewFeed returns a feed without listeners.
func NewFeed() *Feed { return &Feed{listeners: map[*Listener]struct{}{}} }

// Listen adds a listener; Close it.
func (f *Feed) Listen() *Listener {
	l := &Listener{feed: f, changed: map[string]Run{}, Wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[l] = struct{}{}
	return l
}

// Close removes the listener from its feed.
func (l *Listener) Close() {
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	delete(l.feed.listeners, l)
}

// Take returns the latest state of every run that changed since the last Take.
func (l *Listener) Take() []Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	runs := make([]Run, 0, len(l.changed))
	for _, r := range l.changed {
		runs = append(runs, r)
	}
	clear(l.changed)
	return runs
}

// Tell hands a run's new state to every listener.
func (f *Feed) Tell(r Run) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		l.mu.Lock()
		l.changed[r.ID] = r
		l.mu.Unlock()
		l.wake()
	}
}

// Nudge tells every listener to look again: what changed is no run, such as a
// rebuild that ended. A nil feed has no listeners.
func (f *Feed) Nudge() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		l.wake()
	}
}

func (l *Listener) wake() {
	select {
	case l.Wake <- struct{}{}:
	default:
	}
}
