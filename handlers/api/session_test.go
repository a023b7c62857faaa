package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers"
	"agnes/handlers/api"
	"agnes/handlers/request"
)

func (s *site) mustGroup(name string) people.Group {
	s.t.Helper()
	g, err := s.store.GetGroupByName(s.t.Context(), name)
	must(s.t, err)
	return g
}

func TestMe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	me := s.as(s.admin, http.MethodGet, "/auth/me", nil).is(http.StatusOK)
	for key, want := range map[string]any{"id": string(s.admin.ID), "email": "ada@example.com", "role": "admin", "is_admin": true, "via": "token", "expires_at": "2026-11-23T14:31:00+00:00"} {
		if me[key] != want {
			t.Errorf("%s = %v, want %v", key, me[key], want)
		}
	}
	if groups := me["groups"].([]any); len(groups) != 2 || len(me["scopes"].([]any)) != 0 {
		t.Errorf("groups %v, scopes %v", groups, me["scopes"])
	}
	_, text := s.mustPersonal(s.analyst, "query")
	me = s.with(text, http.MethodGet, "/auth/me", nil).is(http.StatusOK)
	if me["via"] != "pat" || me["role"] != "user" || me["scopes"].([]any)[0] != "query" {
		t.Errorf("a personal token is %v", me)
	}
	s.as(people.User{}, http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, other := s.mustToken(s.analyst), ""
	delete(s.signedIn, s.analyst.ID)
	other = s.mustToken(s.analyst)
	w := s.as(people.User{}, http.MethodPost, "/auth/logout", nil, "Cookie", "access_token="+token)
	if w.is(http.StatusNoContent); !strings.Contains(w.Header().Get("Set-Cookie"), "access_token=; Path=/; Max-Age=0; HttpOnly") {
		t.Errorf("the cookie stays: %v", w.Header()["Set-Cookie"])
	}
	if body := s.with(token, http.MethodGet, "/auth/me", nil).is(http.StatusUnauthorized); body["detail"] != "Invalid or expired token" {
		t.Errorf("afterwards: %v", body)
	}
	s.with(other, http.MethodGet, "/auth/me", nil).is(http.StatusOK)
	if rows := s.audited("logout"); len(rows) != 1 || rows[0].Actor.Email != "ben@example.com" {
		t.Errorf("audit rows %v", rows)
	}
	s.as(people.User{}, http.MethodPost, "/auth/logout", nil).is(http.StatusUnauthorized)
	_, text := s.mustPersonal(s.analyst, "general")
	s.with(text, http.MethodPost, "/auth/logout", nil).is(http.StatusForbidden)
}

func TestLogoutOfABrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cookie, v := s.browser(s.analyst)
	w := s.as(people.User{}, http.MethodPost, "/auth/logout", nil, "Cookie", cookie)
	if w.is(http.StatusNoContent); !strings.Contains(w.Header().Get("Set-Cookie"), "agnes_session=;") {
		t.Errorf("the cookie stays: %v", w.Header()["Set-Cookie"])
	}
	if _, _, err := s.store.PrincipalBySession(t.Context(), v.ID); err == nil {
		t.Error("the sign-in lives on")
	}
}

func TestIssuedTokensAreSignIns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(s.admin, http.MethodPost, "/api/users/"+string(s.analyst.ID)+"/set-password", map[string]string{"password": password}).is(http.StatusNoContent)
	s.as(people.User{}, http.MethodPost, "/auth/token", map[string]string{"email": "ben@example.com", "password": password}, "User-Agent", "agnes/1.0 (linux)").is(http.StatusOK)
	list, err := s.store.ListSessions(t.Context(), s.analyst.ID, time.Time{})
	must(t, err)
	if len(list) != 1 || list[0].Kind != people.TokenSession || list[0].Method != people.ByPassword || list[0].UserAgent != "agnes/1.0 (linux)" || list[0].ExpiresAt.Sub(list[0].CreatedAt) != request.TokenLifetime {
		t.Errorf("sign-ins %+v", list)
	}
	if rows := s.audited("login_succeeded"); len(rows) == 0 || rows[0].Actor.Email != "ben@example.com" || rows[0].Params["method"] != "password" {
		t.Errorf("audit rows %+v", rows)
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	s := emptySite(t, nil)
	good := map[string]string{"email": "EVE@example.com", "name": "Eve", "password": password}
	for name, bad := range map[string]map[string]string{
		"no password": {"email": "eve@example.com"}, "a short one": {"email": "eve@example.com", "password": "1234567"}, "the address": {"email": "everard@example.com", "password": "Everard-and-a-horse"}, "no address": {"email": "eve", "password": password},
	} {
		if got := s.as(people.User{}, http.MethodPost, "/auth/bootstrap", bad); got.Code != http.StatusUnprocessableEntity || strings.Contains(got.Body.String(), "1234567") {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	body := s.as(people.User{}, http.MethodPost, "/auth/bootstrap", good).is(http.StatusOK)
	if body["role"] != "admin" || body["token_type"] != "bearer" || body["email"] != "eve@example.com" {
		t.Errorf("answered %v", body)
	}
	s.with(body["access_token"].(string), http.MethodGet, "/api/users", nil).is(http.StatusOK)
	body = s.as(people.User{}, http.MethodPost, "/auth/bootstrap", map[string]string{"email": "mal@example.com", "password": password}).is(http.StatusForbidden)
	if rows := s.audited("login_failed"); !strings.Contains(body["detail"].(string), "Sign in instead") || len(rows) != 1 || rows[0].Params["email"] != "mal@example.com" {
		t.Errorf("refused with %v, rows %v", body, rows)
	}
}

// What is dangerous asks a browser for a recent proof; programs are asked for nothing.
func TestDangerousActionsNeedARecentSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admins, sales := s.mustGroup(people.AdminGroup), ""
	sales = s.as(s.admin, http.MethodPost, "/api/admin/groups", map[string]string{"name": "sales"}).is(http.StatusCreated)["id"].(string)
	cookie, v := s.browser(s.admin)
	ben := "/api/users/" + string(s.analyst.ID)
	dangerous := [][3]string{
		{http.MethodPost, ben + "/set-password", `{"password":"correct horse battery"}`},
		{http.MethodPost, "/api/admin/groups/" + string(admins.ID) + "/members", `{"email":"ben@example.com"}`},
		{http.MethodDelete, "/api/admin/groups/" + string(admins.ID) + "/members/" + string(s.analyst.ID), ""},
		{http.MethodPost, "/api/admin/users/" + string(s.analyst.ID) + "/memberships", `{"group_id":"` + string(admins.ID) + `"}`},
		{http.MethodDelete, "/api/admin/users/" + string(s.analyst.ID) + "/memberships/" + string(admins.ID), ""},
		{http.MethodPost, "/auth/tokens", `{"name":"x","scope":"admin"}`},
		{http.MethodPost, "/auth/tokens", `{"name":"x"}`},
		{http.MethodDelete, ben, ""},
	}
	ask := func(c [3]string) reply {
		var body any
		if c[2] != "" {
			body = c[2]
		}
		return s.as(people.User{}, c[0], c[1], body, "Cookie", cookie)
	}
	s.clock.advance(access.RecentFor + time.Second)
	before, err := s.store.ListAudit(t.Context(), 0)
	must(t, err)
	for _, c := range dangerous {
		body := ask(c).is(http.StatusForbidden)
		if body["code"] != access.CodeRecent || body["confirm_url"] != "/confirm" {
			t.Errorf("%s %s refused with %v", c[0], c[1], body)
		}
	}
	if after, err := s.store.ListAudit(t.Context(), 0); err != nil || len(after) != len(before) {
		t.Errorf("what was refused left %d rows, %v", len(after)-len(before), err)
	}
	ask([3]string{http.MethodPost, "/api/admin/groups/" + sales + "/members", `{"email":"ben@example.com"}`}).is(http.StatusCreated)

	must(t, s.store.Prove(t.Context(), s.principalOf(v).Actor(), v.ID, people.ByPassword))
	for _, c := range dangerous {
		if got := ask(c); got.Code >= 300 {
			t.Errorf("%s %s after a proof: %d %s", c[0], c[1], got.Code, got.Body)
		}
	}
}

func (s *site) principalOf(v people.Session) access.Principal {
	s.t.Helper()
	p, _, err := s.store.PrincipalBySession(s.t.Context(), v.ID)
	must(s.t, err)
	return p
}

// browser signs a browser in and returns its cookie.
func (s *site) browser(u people.User) (cookie string, v people.Session) {
	s.t.Helper()
	v, err := s.store.StartSession(s.t.Context(), people.NewSession{
		UserID: u.ID, Kind: people.BrowserSession, Method: people.ByPassword, ExpiresAt: s.clock.now().Add(7 * 24 * time.Hour),
	})
	must(s.t, err)
	m := s.sessions
	h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { must(s.t, request.SignIn(r.Context(), m, v)) }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	c := w.Result().Cookies()[0]
	return c.Name + "=" + c.Value, v
}

// mustPersonal makes a personal access token.
func (s *site) mustPersonal(u people.User, scope string) (access.Token, string) {
	s.t.Helper()
	maker := access.Tokens{Store: s.store, Signer: s.tokens, Now: s.clock.now, NewID: uuid.NewString}
	p := access.Principal{UserID: u.ID, Email: u.Email, Admin: u.ID == s.admin.ID, Via: access.ViaSession, ProvedAt: s.clock.now()}
	made, text, err := maker.Make(s.t.Context(), p, access.TokenRequest{Name: "test", Scope: scope, Days: access.DefaultDays()})
	must(s.t, err)
	return made, text
}

// with asks with a token.
func (s *site) with(token, method, path string, body any) reply {
	s.t.Helper()
	return s.as(people.User{}, method, path, body, "Authorization", "Bearer "+token)
}

// TestNoSessionsManager: the API alone, without browsers, signs out too.
func TestLogoutWithoutBrowsers(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) { d.Sessions = nil })
	s.as(s.analyst, http.MethodPost, "/auth/logout", nil).is(http.StatusNoContent)
	if len(s.audited("logout")) != 1 || handlers.TokenCookie != "access_token" {
		t.Errorf("rows %v", s.audited("logout"))
	}
}
