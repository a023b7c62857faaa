package store

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"modernc.org/sqlite"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/syncs"
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

// TestAnUnconfirmedWriteEndsAllWriting: the latch that uploads, syncs and the
// mirror share hears of it, once and for all.
func TestAnUnconfirmedWriteEndsAllWriting(t *testing.T) {
	o, c := options(t)
	o.Writes = &syncs.Latch{Now: c.Now}
	s := mustOpen(t, o)
	for _, cause := range []error{&sqlite.Error{}, errors.New("x"), nil} {
		if unconfirmed(cause) {
			t.Errorf("%v is no unconfirmed write", cause)
		}
	}
	told := fmt.Errorf("commit: %w", s.endWriting(errors.New("disk I/O error")))
	if domain.CodeOf(told) != "state_not_durable" || domain.CodeOf(o.Writes.Err()) != "writing_stopped" {
		t.Errorf("endWriting = %v, the latch says %v", told, o.Writes.Err())
	}
	_, err := s.CreateGroup(t.Context(), admin, "Sales", "")
	wantError(t, "a change afterwards", err, domain.Unavailable, "state_not_durable")
}

func TestFilesBesideTheState(t *testing.T) {
	if err := unconfirmedFile(fmt.Errorf("sync: %w", syscall.EIO)); domain.CodeOf(err) != "disk_write_failed" {
		t.Errorf("a flush that failed: %v", err)
	}
	if err := unconfirmedFile(syscall.ENOSPC); !errors.Is(err, syscall.ENOSPC) || domain.CodeOf(err) != "" {
		t.Errorf("a full disk: %v", err)
	}
}
