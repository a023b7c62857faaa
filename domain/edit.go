package domain

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// Fields are what people change of something by forms and requests, as text, by
// the field's name.
type Fields map[string]string

// Only are the named ones among the fields.
func (f Fields) Only(names ...string) Fields {
	some := Fields{}
	for _, name := range names {
		if value, ok := f[name]; ok {
			some[name] = value
		}
	}
	return some
}

// Clash is one field of something that changed since somebody read it.
type Clash struct {
	Field  string
	Was    string // when they read it
	Theirs string // now
	Yours  string // what they send
}

// Both reports whether both sides changed the field, and not to the same.
func (c Clash) Both() bool { return c.Was != c.Theirs && c.Yours != c.Was && c.Yours != c.Theirs }

// StaleError says that something changed since a form or request was made from
// it. It is of the kind Stale.
type StaleError struct {
	Version   int64 // of now
	ChangedAt time.Time
	ChangedBy string  // address of who changed it last; "" when not known
	Clashes   []Clash // every field that differs on any side, by name
	Forgot    bool    // nobody remembers what was read: Was is Theirs
	err       *Error
}

// NewStaleError compares three states of something: as it was read, as it is,
// and as somebody wants it. was is nil when nobody remembers.
func NewStaleError(version int64, at time.Time, by string, was, theirs, yours Fields) *StaleError {
	e := &StaleError{Version: version, ChangedAt: at, ChangedBy: by, Forgot: was == nil}
	e.err = E(Stale, "changed_meanwhile", "This was changed since you read it, so nothing of yours is saved yet. Compare, then send it again.")
	if e.Forgot {
		was = theirs
	}
	names := map[string]struct{}{}
	for _, f := range []Fields{was, theirs, yours} {
		for name := range f {
			names[name] = struct{}{}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c := Clash{Field: name, Was: was[name], Theirs: theirs[name], Yours: was[name]}
		if v, sent := yours[name]; sent {
			c.Yours = v
		}
		if c.Was != c.Theirs || c.Yours != c.Theirs {
			e.Clashes = append(e.Clashes, c)
		}
	}
	return e
}

// Error returns the sentence.
func (e *StaleError) Error() string { return e.err.Error() }

// Unwrap returns the error with kind and code.
func (e *StaleError) Unwrap() error { return e.err }

// Mine are the fields that only the one who sends changed: they can be saved
// over the newer state without undoing anybody's work. There are none when nobody
// remembers what was read.
func (e *StaleError) Mine() Fields {
	mine := Fields{}
	for _, c := range e.Clashes {
		if !e.Forgot && c.Was == c.Theirs && c.Yours != c.Theirs {
			mine[c.Field] = c.Yours
		}
	}
	return mine
}

// Over are all the fields that the one who sends changed: saved over the newer
// state they undo what others made of these fields, and of no other.
func (e *StaleError) Over() Fields {
	over := Fields{}
	for _, c := range e.Clashes {
		if c.Yours != c.Was && c.Yours != c.Theirs {
			over[c.Field] = c.Yours
		}
	}
	return over
}

// StaleOf returns the StaleError in err's chain, or nil.
func StaleOf(err error) *StaleError {
	var e *StaleError
	errors.As(err, &e)
	return e
}
