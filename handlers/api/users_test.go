package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const users = "/api/users"
	w := s.as(s.admin, http.MethodPost, users, object{"email": " Cleo@Example.com ", "name": "Cleo", "send_invite": true})
	made := w.is(http.StatusCreated)
	id := made["id"].(string)
	want := `{"id":"` + id + `","email":"cleo@example.com","name":"Cleo","role":"user","is_admin":false,"is_sso_user":false,"groups":[],"active":true,` +
		`"created_at":"2026-11-22T14:31:00+00:00","deactivated_at":null,"invite_url":null,"invite_email_sent":false}`
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
		{"a password of nobody", http.MethodPost, users + "/nobody/set-password", object{"password": password}, 404, "User not found"},
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
