package access

import (
	"context"
	"errors"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// standing lets the members of readers read orders, and counts the looks at it.
type standing struct {
	readers people.GroupID
	is      Principal
	err     error
	looks   int
}

func (s *standing) Principal(context.Context, people.UserID) (Principal, error) {
	s.looks++
	return s.is, s.err
}

func (s *standing) Catalog(_ context.Context, p Principal) (Catalog, error) {
	if p.Admin || (len(p.Groups) > 0 && p.Groups[0] == s.readers) {
		return NewCatalog([]registry.Published{table("1", "orders", "1")}), nil
	}
	return NewCatalog(nil), nil
}

func TestWatch(t *testing.T) {
	t.Parallel()
	broken := errors.New("the state does not answer")
	for _, c := range []struct {
		name   string
		change func(*standing)
		code   string
		err    error
	}{
		{"nothing changed", func(*standing) {}, "", nil},
		{"the grant went", func(s *standing) { s.readers = "others" }, "access_ended", nil},
		{"they left the group", func(s *standing) { s.is.Groups = nil }, "access_ended", nil},
		{"they became an administrator", func(s *standing) { s.is.Admin, s.is.Groups = true, nil }, "", nil},
		{"they were deactivated", func(s *standing) { s.err = domain.E(domain.Unauthenticated, "account_deactivated", "") }, "account_deactivated", nil},
		{"nobody knows", func(s *standing) { s.err = broken }, "", broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
			s := &standing{readers: "g", is: Principal{UserID: "u", Groups: []people.GroupID{"g"}}}
			w := NewWatch(s, s.is, []string{"orders"}, func() time.Time { return now })
			c.change(s)
			now = now.Add(Recheck - 1)
			if err := w.Check(t.Context()); err != nil || s.looks != 0 {
				t.Errorf("within a second: %v after %d looks", err, s.looks)
			}
			now = now.Add(1)
			err := w.Check(t.Context())
			if domain.CodeOf(err) != c.code || (c.err != nil && !errors.Is(err, c.err)) || (c.code == "" && c.err == nil && err != nil) {
				t.Errorf("after a second: %v, want code %q or %v", err, c.code, c.err)
			}
			if again := w.Check(t.Context()); (again == nil) != (err == nil) || (err == nil && s.looks != 1) {
				t.Errorf("at once again: %v after %d looks", again, s.looks)
			}
		})
	}
	s, now := &standing{err: broken}, time.Time{}
	w := NewWatch(s, Principal{Admin: true, Via: ViaSystem}, []string{"orders"}, func() time.Time { return now })
	if now = now.Add(Recheck); w.Check(t.Context()) != nil {
		t.Error("Agnes itself may not read on")
	}
	if err := (*Watch)(nil).Check(t.Context()); err != nil {
		t.Errorf("no watch: %v", err)
	}
}
