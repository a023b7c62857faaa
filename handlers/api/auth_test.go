package api_test

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/people"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, u := range []people.User{s.admin, s.analyst} {
		s.as(s.admin, http.MethodPost, "/api/users/"+string(u.ID)+"/set-password", map[string]string{"password": password}).is(http.StatusNoContent)
	}
	s.mustUser("gone@example.com")
	tests := []struct {
		name, email, password string
		status                int
		want                  string // role, or detail
	}{
		{"a person", "ben@example.com", password, 200, "user"},
		{"an administrator", "ada@example.com", password, 200, "admin"},
		{"an address in capitals", " BEN@Example.com", password, 200, "user"},
		{"a wrong password", "ben@example.com", "wrong", 401, "E-mail and password do not match."},
		{"an unknown address", "nobody@example.com", password, 401, "E-mail and password do not match."},
		{"an account without a password", "gone@example.com", password, 401, "E-mail and password do not match."},
		{"no password", "ben@example.com", "", 401, "Password required"},
		{"no address", "", password, 401, "E-mail and password do not match."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := s.as(people.User{}, http.MethodPost, "/auth/token", map[string]string{"email": tt.email, "password": tt.password}).is(tt.status)
			if tt.status != http.StatusOK {
				if body["detail"] != tt.want {
					t.Errorf("detail %v, want %s", body["detail"], tt.want)
				}
				return
			}
			if body["token_type"] != "bearer" || body["role"] != tt.want || body["user_id"] == "" || body["email"] == "" {
				t.Errorf("body %v", body)
			}
			s.as(people.User{}, http.MethodGet, "/api/catalog/tables", nil, "Authorization", "Bearer "+body["access_token"].(string)).is(http.StatusOK)
		})
	}
	if strings.Contains(s.log.String(), password) || !strings.Contains(s.log.String(), "sign-in refused") {
		t.Error("the log holds a password, or no refusal")
	}
}
