package domain

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

func TestStaleErrorComparesThreeStates(t *testing.T) {
	was := Fields{"name": "a", "about": "x", "owner": "o"}
	theirs := Fields{"name": "b", "about": "x", "owner": "o"}
	yours := Fields{"name": "c", "about": "y"}
	err := fmt.Errorf("save: %w", NewStaleError(7, time.Unix(1, 0), "ada@example.com", was, theirs, yours))

	if KindOf(err) != Stale || CodeOf(err) != "changed_meanwhile" {
		t.Errorf("kind %d, code %q", KindOf(err), CodeOf(err))
	}
	e := StaleOf(err)
	want := []Clash{{"about", "x", "x", "y"}, {"name", "a", "b", "c"}}
	if !slices.Equal(e.Clashes, want) {
		t.Errorf("clashes %+v, want %+v", e.Clashes, want)
	}
	if e.Clashes[0].Both() || !e.Clashes[1].Both() {
		t.Error("only the name was changed by both")
	}
	if got := e.Mine(); !maps.Equal(got, Fields{"about": "y"}) {
		t.Errorf("mine alone: %v", got)
	}
	if got := e.Over(); !maps.Equal(got, Fields{"about": "y", "name": "c"}) {
		t.Errorf("all of mine: %v", got)
	}
	forgotten := NewStaleError(30, time.Time{}, "", nil, theirs, yours)
	if len(forgotten.Mine()) != 0 || !maps.Equal(forgotten.Over(), yours) || len(forgotten.Clashes) != 2 {
		t.Errorf("what was read is forgotten: %+v", forgotten)
	}
	untouched := NewStaleError(2, time.Time{}, "", Fields{"name": "a"}, Fields{"name": "b"}, Fields{"name": "a"})
	if len(untouched.Over())+len(untouched.Mine()) != 0 {
		t.Error("a field that was sent as it was read is nobody's wish")
	}
	if StaleOf(errors.New("x")) != nil {
		t.Error("another error is no stale one")
	}
}
