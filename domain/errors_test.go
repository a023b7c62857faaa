package domain

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	cause := errors.New("disk is on fire")
	known := E(Unavailable, "disk", "The disk of %s does not answer.", "orders").Because(cause)
	cases := []struct {
		err  error
		kind Kind
		code string
	}{
		{known, Unavailable, "disk"},
		{fmt.Errorf("sync: %w", known), Unavailable, "disk"},
		{context.Canceled, Cancelled, ""},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), Cancelled, ""},
		{cause, Internal, ""},
		{FieldError("name", "A name is missing."), Invalid, "invalid_name"},
	}
	for _, c := range cases {
		if got := KindOf(c.err); got != c.kind {
			t.Errorf("KindOf(%v) = %d, want %d", c.err, got, c.kind)
		}
		if got := CodeOf(c.err); got != c.code {
			t.Errorf("CodeOf(%v) = %q, want %q", c.err, got, c.code)
		}
	}
	if !errors.Is(known, cause) {
		t.Error("the cause is lost")
	}
	if got := known.Error(); got != "The disk of orders does not answer.: disk is on fire" {
		t.Errorf("Error() = %q", got)
	}
}

func TestBecauseKeepsTheOriginal(t *testing.T) {
	plain := E(Invalid, "x", "X.")
	_ = plain.Because(errors.New("y")) // the copy is not of interest
	if plain.Err != nil {
		t.Error("Because changed the error that it copied")
	}
}

func TestKindsAreAll(t *testing.T) {
	if got := Kinds(); len(got) != int(kinds) || got[0] != Internal || got[len(got)-1] != Cancelled {
		t.Errorf("Kinds = %v", got)
	}
}
