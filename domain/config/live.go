package config

import "sync/atomic"

// Live is the configuration in force while settings change. Those who can take
// a change at once ask Now each time; everything else is as it was at the start.
type Live struct {
	started Config
	state   atomic.Pointer[liveState]
}

type liveState struct {
	now  Config // in force
	next Config // with the next start
}

// NewLive begins with the configuration that the process started with.
func NewLive(c Config) *Live {
	l := &Live{started: c}
	l.state.Store(&liveState{now: c, next: c})
	return l
}

// Now is the configuration in force.
func (l *Live) Now() Config { return l.state.Load().now }

// Started is the configuration that the process began with.
func (l *Live) Started() Config { return l.started }

// Apply puts the live settings of c in force and remembers the others for the
// next start.
func (l *Live) Apply(c Config) {
	now := l.started
	now.effective = append([]Effective(nil), l.started.effective...)
	fresh := map[string]Effective{}
	for _, e := range c.effective {
		fresh[e.Name()] = e
	}
	for _, s := range specs(Machine{}) {
		e, ok := fresh[s.Name()]
		if !s.Live || !ok {
			continue
		}
		s.read.clear(&now)
		if text := e.raw.Reveal(); text != "" && s.read.into(&now, text) != nil {
			continue // Load took it a moment ago
		}
		for i := range now.effective {
			if now.effective[i].Name() == s.Name() {
				now.effective[i] = e
			}
		}
	}
	l.state.Store(&liveState{now: now, next: c})
}

// Waiting lists what differs from the start and is in force only after the next one.
func (l *Live) Waiting() []Effective { return NeedRestart(l.started, l.state.Load().next) }

// NeedRestart lists the settings of after that differ from before and are not live.
func NeedRestart(before, after Config) []Effective {
	was := map[string]Effective{}
	for _, e := range before.effective {
		was[e.Name()] = e
	}
	var waiting []Effective
	for _, e := range after.effective {
		if old, ok := was[e.Name()]; ok && !e.Live && !e.Later && !old.Same(e) {
			waiting = append(waiting, e)
		}
	}
	return waiting
}

// Written is what a file has at a key.
type Written struct {
	Text    string
	Origin  string // file:line
	Section bool   // a section or a list of more than plain values
}

// WrittenIn reads what files have at each key, the later file over the earlier.
// Mistakes are for Load to report.
func WrittenIn(files []File) map[string]Written {
	l := loader{file: map[string]entry{}}
	for _, f := range files {
		l.read(f)
	}
	out := make(map[string]Written, len(l.file))
	for key, e := range l.file {
		out[key] = Written{Text: e.text, Origin: e.origin, Section: e.section}
	}
	return out
}
