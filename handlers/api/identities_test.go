package api_test

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/people"
)

func TestIdentities(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	in := people.FederatedSignIn{Claims: people.Claims{Provider: people.ByGoogle, Subject: "g1", Email: s.analyst.Email, EmailVerified: true}}
	_, err := s.store.SignInFederated(t.Context(), audit.Actor{ClientKind: "web"}, in)
	must(t, err)
	path := "/api/users/" + string(s.analyst.ID) + "/identities"

	s.as(s.analyst, http.MethodGet, path, nil).is(http.StatusForbidden)
	s.as(s.analyst, http.MethodDelete, path+"/google", nil).is(http.StatusForbidden)
	s.as(people.User{}, http.MethodDelete, path+"/google", nil).is(http.StatusUnauthorized)
	got := s.as(s.admin, http.MethodGet, path, nil)
	if list := got.list(); len(list) != 1 || list[0]["provider"] != "google" || list[0]["email"] != s.analyst.Email || strings.Contains(got.Body.String(), "g1") {
		t.Errorf("identities: %s", got.Body)
	}
	s.as(s.admin, http.MethodDelete, path+"/myspace", nil).is(http.StatusUnprocessableEntity)
	s.as(s.admin, http.MethodDelete, path+"/oidc", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodDelete, "/api/users/nobody/identities/google", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodGet, "/api/users/nobody/identities", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodDelete, path+"/google", nil).is(http.StatusNoContent)
	s.as(s.admin, http.MethodDelete, path+"/google", nil).is(http.StatusNotFound)
	if list := s.as(s.admin, http.MethodGet, path, nil).list(); len(list) != 0 {
		t.Errorf("identities stay: %v", list)
	}
	if rows := s.audited("user.identity_unlinked"); len(rows) != 1 || rows[0].Actor.Email != s.admin.Email {
		t.Errorf("audit: %+v", rows)
	}
}

// TestManagedGroup: contract 5.3 fixes the words for programs.
func TestManagedGroup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	err := s.store.SyncGroups(t.Context(), tester, s.analyst.ID, people.GroupSync{Source: people.ByGoogleSync, CreatedBy: "system:google-sync", Names: []string{"a@example.com"}})
	must(t, err)
	g, err := s.store.GetGroupByName(t.Context(), "a@example.com")
	must(t, err)
	body := s.as(s.admin, http.MethodDelete, "/api/admin/groups/"+string(g.ID), nil).is(http.StatusConflict)
	detail, ok := body["detail"].(map[string]any)
	if !ok || detail["code"] != "google_managed_readonly" || detail["message"] == "" {
		t.Errorf("detail: %v", body)
	}
	one := s.as(s.admin, http.MethodGet, "/api/admin/groups/"+string(g.ID), nil).is(http.StatusOK)
	if one["origin"] != "google_sync" || one["is_google_managed"] != true {
		t.Errorf("group: %v", one)
	}
}
