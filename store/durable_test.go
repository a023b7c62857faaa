package store

import (
	"testing"

	"agnes/domain"
	"agnes/domain/people"
)

// TestNothingIsWrittenAfterAFailedFlush: reading goes on, every change is
// refused in words, and readiness hears of it. The fault campaign fails a real
// flush; here the state is as after one.
func TestNothingIsWrittenAfterAFailedFlush(t *testing.T) {
	o, _ := options(t)
	s := mustOpen(t, o)
	s.ended.Store(true)
	_, err := s.CreateUser(t.Context(), admin, people.NewUser{Email: "ada@example.com"})
	if domain.KindOf(err) != domain.Unavailable || domain.CodeOf(err) != "state_not_durable" {
		t.Errorf("CreateUser = %v, want state_not_durable", err)
	}
	if err := s.Check(t.Context()); domain.CodeOf(err) != "state_not_durable" {
		t.Errorf("Check = %v, want state_not_durable", err)
	}
	if _, _, err := s.ListUsers(t.Context(), people.UserFilter{}); err != nil {
		t.Errorf("reading ended too: %v", err)
	}
}
