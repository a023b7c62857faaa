package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/api"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const users = "/api/users"
	w := s.as(s.admin, http.MethodPost, users, object{"email": " Cleo@Example.com ", "name": "Cleo", "send_invite": true})
	made := w.is(http.StatusCreated)
	id := made["id"].(string)
	want := `{"id":"` + id + `","email":"cleo@example.com","name":"Cleo","role":"user","is_admin":false,"is_sso_user":false,"groups":[],"active":true,` +
		`"created_at":"2026-11-22T14:31:00+00:00","deactivated_at":null,"invite_url":"https://agnes.example/invite/cleo@example.com","invite_email_sent":true}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	one, self := users+"/"+id, users+"/"+string(s.admin.ID)
	s.ask([]call{
		{"twice", http.MethodPost, users, object{"email": "CLEO@example.com"}, 409, "detail"},
		{"no address", http.MethodPost, users, object{"email": "Cleo"}, 422, `"loc":["body","email"]`},
		{"one", http.MethodGet, one, nil, 200, `"email":"cleo@example.com"`},
		{"unknown", http.MethodGet, users + "/nobody", nil, 404, "User not found"},
		{"with groups", http.MethodGet, self, nil, 200, `"role":"admin","is_admin":true,"is_sso_user":false,"groups":[{"id":"` + s.group(people.AdminGroup) + `","name":"Admin","is_system":true,"origin":"system"}]`},
		{"renamed", http.MethodPatch, one, object{"name": "Cleopatra", "active": nil}, 200, `"name":"Cleopatra"`},
		{"deactivated", http.MethodPatch, one, object{"active": false}, 200, `"active":false,"created_at":"2026-11-22T14:31:00+00:00","deactivated_at":"2026`},
		{"activated", http.MethodPost, one + "/activate", nil, 200, `"active":true`},
		{"deactivated by its own route", http.MethodPost, one + "/deactivate", nil, 200, `"active":false`},
		{"deactivate yourself", http.MethodPost, self + "/deactivate", nil, 409, "yourself"},
		{"a short password", http.MethodPost, one + "/set-password", object{"password": "short"}, 400, "at least 8 characters"},
		{"the address as a password", http.MethodPost, one + "/set-password", object{"password": "Cleo-and-a-horse"}, 400, "does not contain your address"},
		{"a password of nobody", http.MethodPost, users + "/nobody/set-password", object{"password": password}, 404, "User not found"},
		{"a link to reset", http.MethodPost, one + "/reset-password", nil, 200, `{"reset_url":"https://agnes.example/reset/cleo@example.com","email_sent":true}`},
		{"a link of nobody", http.MethodPost, users + "/nobody/reset-password", nil, 404, "User not found"},
		{"delete yourself", http.MethodDelete, self, nil, 409, "yourself"},
		{"deleted", http.MethodDelete, one, nil, 204, ""},
		{"deleted again", http.MethodDelete, one, nil, 404, "User not found"},
	})
	for action, want := range map[string]int{"user.delete": 1, "user.update": 4} {
		if got := len(s.audited(action)); got != want {
			t.Errorf("%d audit rows %s, want %d", got, action, want)
		}
	}
}

func TestUsersArePaged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustUser("cleo@example.com")
	tests := []struct{ query, want string }{
		{"", "ada@example.com ben@example.com cleo@example.com"},
		{"?limit=2", "ada@example.com ben@example.com"},
		{"?limit=2&offset=2", "cleo@example.com"},
		{"?offset=9", ""},
		{"?search=CLE", "cleo@example.com"},
	}
	for _, tt := range tests {
		w := s.as(s.admin, http.MethodGet, "/api/users"+tt.query, nil)
		var emails []string
		for _, u := range w.list() {
			emails = append(emails, u["email"].(string))
		}
		if got := strings.Join(emails, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
		}
	}
	if got := s.as(s.admin, http.MethodGet, "/api/users?limit=1", nil).Header().Get("X-Total-Count"); got != "3" {
		t.Errorf("X-Total-Count = %s", got)
	}
}

// A new password ends every sign-in from before.
func TestANewPasswordEndsSignIns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.mustToken(s.analyst)
	s.clock.advance(time.Second)
	s.as(s.admin, http.MethodPost, "/api/users/"+string(s.analyst.ID)+"/set-password", object{"password": password}).is(http.StatusNoContent)
	s.clock.advance(time.Second)
	s.as(people.User{}, http.MethodGet, "/api/catalog/tables", nil, "Authorization", "Bearer "+token).is(http.StatusUnauthorized)
	s.as(s.analyst, http.MethodGet, "/api/catalog/tables", nil).is(http.StatusOK)
}

// inviter makes links that name whom they are for, unless it is broken.
type inviter struct{ err error }

func (i *inviter) Invite(_ context.Context, _ audit.Actor, u people.User) (people.Invitation, error) {
	return people.Invitation{URL: "https://agnes.example/invite/" + u.Email, Mailed: true}, i.err
}

func (i *inviter) Reset(_ context.Context, _ audit.Actor, u people.User) (people.Invitation, error) {
	return people.Invitation{URL: "https://agnes.example/reset/" + u.Email, Mailed: true}, i.err
}

// Whom a directory keeps has no password here and is not deleted; an account is
// made though its invitation fails.
func TestUsersOfADirectoryAndWithoutMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g, err := s.store.CreateGroup(t.Context(), tester, "Sales", "")
	must(t, err)
	_, err = s.store.AddMember(t.Context(), tester, g.ID, s.analyst.Email, people.ByGoogleSync)
	must(t, err)
	one := "/api/users/" + string(s.analyst.ID)
	s.inviter.err = domain.E(domain.Unavailable, "mail_refused", "The mail server did not take the mail.")
	cleo := s.mustUser("cleo@example.com")
	s.ask([]call{
		{"shown", http.MethodGet, one, nil, 200, `"is_sso_user":true`},
		{"reset", http.MethodPost, one + "/reset-password", nil, 409, "directory"},
		{"password", http.MethodPost, one + "/set-password", object{"password": password}, 409, "directory"},
		{"delete", http.MethodDelete, one, nil, 409, "directory"},
		{"invited without mail", http.MethodPost, "/api/users", object{"email": "dan@example.com", "send_invite": true}, 201, `"invite_url":null,"invite_email_sent":false`},
		{"reset without mail", http.MethodPost, "/api/users/" + string(cleo.ID) + "/reset-password", nil, 503, "did not take"},
	})
}

func TestSignInAttemptsAreAuditedAndBounded(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) {
		signIn := d.SignIn.(*people.SignIn)
		signIn.Throttle = &people.Throttle{Counter: signIn.Accounts.(people.TryCounter)}
	})
	s.as(s.admin, http.MethodPost, "/api/users/"+string(s.analyst.ID)+"/set-password", object{"password": password}).is(http.StatusNoContent)
	ask := func(email, word string) reply {
		return s.as(people.User{}, http.MethodPost, "/auth/token", object{"email": email, "password": word})
	}
	ask(s.analyst.Email, password).is(http.StatusOK)
	var known, unknown reply
	for range 11 {
		known, unknown = ask(s.analyst.Email, "wrong-and-secret"), ask("nobody@example.com", "wrong-and-secret")
	}
	known.is(http.StatusTooManyRequests)
	if known.Body.String() != unknown.Body.String() || known.Header().Get("Retry-After") != "60" || unknown.Header().Get("Retry-After") != "60" {
		t.Errorf("known: %s %v; unknown: %s %v", known.Body, known.Header(), unknown.Body, unknown.Header())
	}
	ask(s.analyst.Email, password).is(http.StatusTooManyRequests)
	s.clock.advance(time.Minute)
	ask(s.analyst.Email, password).is(http.StatusOK)
	if got := s.audited("login_succeeded"); len(got) != 3 || got[0].Actor.Email != s.analyst.Email || got[0].Params["method"] != "password" || got[1].Actor.Email != s.analyst.Email {
		t.Errorf("login_succeeded: %+v", got)
	}
	reasons := map[any]int{}
	for _, e := range s.audited("login_failed") {
		reasons[e.Params["reason"]]++
		if strings.Contains(fmt.Sprint(e.Params), "secret") || e.Actor.UserID != "anonymous" {
			t.Errorf("audit row: %+v", e)
		}
	}
	if reasons["invalid_credentials"] != 20 || reasons["too_many_attempts"] != 3 {
		t.Errorf("reasons: %v", reasons)
	}
}
