package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/handlers"
	"agnes/handlers/request"
)

// canary is what only those may read who hold the grant, and administrators.
const canary = "kanarienvogel"

const matrixScheduler = "scheduler-token-of-at-least-32-characters"

// matrix is every route of the server, and everybody who may knock.
type matrix struct {
	*app
	t      *testing.T
	real   *handlers.Server
	probe  *handlers.Server // the same routes, whose handlers say only that they were reached
	routes []request.Route
	tokens *request.Tokens
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	env := map[string]string{"DATA_DIR": t.TempDir(), "AGNES_METRICS_ADDR": "off", "SCHEDULER_API_TOKEN": matrixScheduler, "JWT_SECRET_KEY": strings.Repeat("k", 32)}
	cfg, _, err := config.Load(config.Input{
		Getenv:  func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		Machine: config.Machine{CPUs: 2, MemoryBytes: 4 << 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{app: a, t: t}
	stopping := make(chan struct{})
	t.Cleanup(func() {
		close(stopping)
		if err := a.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if m.real, err = a.handler(stopping); err != nil {
		t.Fatal(err)
	}
	c := m.real.Config
	m.tokens = c.Tokens
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	stub := func(routes []request.Route) []request.Route {
		routes = slices.Clone(routes)
		for i := range routes {
			routes[i].Handler, routes[i].Stream, routes[i].Long = reached, false, false
		}
		m.routes = append(m.routes, routes...)
		return routes
	}
	c.API, c.Pages, c.Registry, c.Throttle = stub(c.API), stub(c.Pages), prometheus.NewRegistry(), nil
	if m.probe, err = handlers.New(c); err != nil {
		t.Fatal(err)
	}
	return m
}

// knocker is somebody, and how they knock.
type knocker struct {
	name    string
	header  string // "" for nobody
	value   string
	kind    access.Via
	admin   bool
	stale   bool   // proved who they are long ago
	dead    bool   // what they hold is void
	scopes  string // of a personal access token
	granted bool
}

func (m *matrix) mustUser(email string, groups ...people.GroupID) people.User {
	m.t.Helper()
	u, err := m.store.CreateUser(m.t.Context(), audit.System("test"), people.NewUser{Email: email, Name: "Somebody", Groups: groups})
	if err != nil {
		m.t.Fatal(err)
	}
	return u
}

func (m *matrix) start(u people.User, kind people.SessionKind) people.Session {
	m.t.Helper()
	v, err := m.store.StartSession(m.t.Context(), people.NewSession{UserID: u.ID, Kind: kind, Method: people.ByPassword, ExpiresAt: time.Now().Add(24 * time.Hour)})
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

// browser is a browser session of a user.
func (m *matrix) browser(u people.User) knocker {
	m.t.Helper()
	v, sessions := m.start(u, people.BrowserSession), m.real.Sessions
	w := httptest.NewRecorder()
	sessions.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := request.SignIn(r.Context(), sessions, v); err != nil {
			m.t.Error(err)
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	c := w.Result().Cookies()[0]
	return knocker{header: "Cookie", value: c.Name + "=" + c.Value, kind: access.ViaSession}
}

func (m *matrix) token(u people.User) knocker {
	m.t.Helper()
	text, err := m.tokens.Issue(u, m.start(u, people.TokenSession))
	if err != nil {
		m.t.Fatal(err)
	}
	return knocker{header: "Authorization", value: "Bearer " + text, kind: access.ViaToken}
}

func (m *matrix) personal(u people.User, admin bool, scopes string) knocker {
	m.t.Helper()
	maker := access.Tokens{Store: m.store, Signer: m.tokens, Now: clock, NewID: uuid.NewString}
	p := access.Principal{UserID: u.ID, Email: u.Email, Admin: admin, Via: access.ViaSession, ProvedAt: time.Now()}
	_, text, err := maker.Make(m.t.Context(), p, access.TokenRequest{Name: "matrix", Scope: scopes})
	if err != nil {
		m.t.Fatal(err)
	}
	return knocker{header: "Authorization", value: "Bearer " + text, kind: access.ViaPAT, scopes: scopes}
}

// everybody makes all the principals, and a table that one group may read.
func (m *matrix) everybody() []knocker {
	m.t.Helper()
	ctx, by := m.t.Context(), audit.System("test")
	admins, err := m.store.GetGroupByName(ctx, people.AdminGroup)
	if err != nil {
		m.t.Fatal(err)
	}
	readers, err := m.store.CreateGroup(ctx, by, "readers", "")
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.store.RegisterTables(ctx, by, []registry.Registration{{GrantTo: []people.GroupID{readers.ID}, Table: registry.Table{
		ID: "secret_table", Name: "secret_table", Description: canary, SourceType: registry.SourceLocal, SourceTable: canary + ".csv", SyncStrategy: "full_refresh", QueryMode: registry.ModeLocal,
	}}}); err != nil {
		m.t.Fatal(err)
	}
	admin, user, reader := m.mustUser("ada@example.com", admins.ID), m.mustUser("ben@example.com"), m.mustUser("cy@example.com", readers.ID)
	gone, goneAdmin := m.mustUser("gone@example.com"), m.mustUser("boss@example.com", admins.ID)

	all := []knocker{{name: "nobody"}}
	add := func(name string, k knocker, change func(*knocker)) {
		k.name = name
		if change != nil {
			change(&k)
		}
		all = append(all, k)
	}
	isAdmin := func(k *knocker) { k.admin = true }
	dead := func(k *knocker) { k.dead = true }
	stale := m.browser(admin)
	m.forget(admin.ID)
	add("an administrator's old session", stale, func(k *knocker) { k.admin, k.stale = true, true })
	add("a user's session", m.browser(user), nil)
	add("a granted user's session", m.browser(reader), func(k *knocker) { k.granted = true })
	add("an administrator's session", m.browser(admin), isAdmin)
	add("a user's access token", m.token(user), nil)
	add("a granted user's access token", m.token(reader), func(k *knocker) { k.granted = true })
	add("an administrator's access token", m.token(admin), isAdmin)
	for _, scopes := range []string{"read", "query", "sync", "admin", "general", "bootstrap-analyst"} {
		add("an administrator's token: "+scopes, m.personal(admin, true, scopes), isAdmin)
		if scopes != "admin" {
			add("a user's token: "+scopes, m.personal(user, false, scopes), nil)
		}
	}
	add("the scheduler", knocker{header: "Authorization", value: "Bearer " + matrixScheduler, kind: access.ViaSystem}, isAdmin)
	for name, u := range map[string]people.User{"a deactivated user": gone, "a deactivated administrator": goneAdmin} {
		add(name+"'s session", m.browser(u), dead)
		add(name+"'s access token", m.token(u), dead)
		add(name+"'s token", m.personal(u, u.ID == goneAdmin.ID, "general"), dead)
		off := false
		if _, err := m.store.UpdateUser(ctx, by, u.ID, people.UserChange{Active: &off}); err != nil {
			m.t.Fatal(err)
		}
	}
	return all
}

// forget makes a person's proofs an hour older, past the server's back.
func (m *matrix) forget(id people.UserID) {
	m.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(m.cfg.Dirs.State, "system.db"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(m.t.Context(), `UPDATE sign_ins SET proved_at = proved_at - $1 WHERE user_id = $2`, time.Hour.Microseconds(), id); err != nil {
		m.t.Fatal(err)
	}
}

// asked is the scope that a route asks of a personal token, by its address
// alone: what the routes declare is held against this.
func asked(r request.Route) string {
	for _, c := range []struct{ method, prefix, scope string }{
		{"", "/auth/me", "any"},
		{http.MethodDelete, "/auth/tokens", "general"},
		{"", "/auth/tokens", "read"},
		{"", "/auth/admin", "admin"},
		{"", "/api/query", "query"},
		{"", "/api/sync/manifest", "read"},
		{"", "/api/sync", "sync"},
		{http.MethodPost, "/api/uploads/{id}/table", "admin"},
		{"", "/api/uploads", "sync"},
		{http.MethodPost, "/api/catalog/profile", "sync"},
		{"", "/api/admin", "admin"},
		{"", "/api/users", "admin"},
	} {
		if (c.method == "" || c.method == r.Method) && strings.HasPrefix(r.Pattern, c.prefix) {
			return c.scope
		}
	}
	if r.Need == access.Admin {
		return "admin"
	}
	return "read"
}

// opened are the scopes that each token opens.
func opened(scopes string) []string {
	return map[string][]string{
		"read": {"any", "read"}, "query": {"any", "query"}, "sync": {"any", "sync"}, "admin": {"any", "admin"},
		"general": {"any", "read", "query", "sync", "admin", "general"}, "bootstrap-analyst": {"any", "read", "query"},
	}[scopes]
}

// expected is what a route must answer: 401, 403, or 0 for letting in.
func expected(r request.Route, k knocker) int {
	switch {
	case r.Need == access.Public:
		return 0
	case k.header == "" || k.dead:
		return http.StatusUnauthorized
	case r.Need == access.Admin && !k.admin:
		return http.StatusForbidden
	case r.Terms.Interactive && (k.kind == access.ViaPAT || k.kind == access.ViaSystem):
		return http.StatusForbidden
	case k.kind == access.ViaPAT && !slices.Contains(opened(k.scopes), asked(r)):
		return http.StatusForbidden
	case r.Terms.Recent && k.stale:
		return http.StatusForbidden
	}
	return 0
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func (k knocker) knock(h http.Handler, r request.Route, headers ...string) *httptest.ResponseRecorder {
	body := "{}"
	q := httptest.NewRequest(r.Method, parameter.ReplaceAllString(r.Pattern, "secret_table"), strings.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	if k.header != "" {
		q.Header.Set(k.header, k.value)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(q.Context(), 20*time.Second) // a stream that lets in by mistake must end
	defer cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q.WithContext(ctx))
	return w
}

// refusedAs reports whether an answer is the refusal that is expected. A page
// leads who is not signed in to the sign-in page, and who has to confirm to that one.
func refusedAs(r request.Route, w *httptest.ResponseRecorder, want int, k knocker) bool {
	page := !request.ForMachines(r.Pattern)
	switch {
	case w.Code == want:
		return true
	case page && want == http.StatusUnauthorized && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return w.Code == http.StatusFound && strings.HasPrefix(w.Header().Get("Location"), "/login?next=")
	case page && k.stale:
		return w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/confirm?next=")
	}
	return false
}

// TestEveryRouteByEveryPrincipal asks for every route of the real router as
// everybody. Who is to be let in reaches the route; who is not reaches nothing,
// changes nothing and reads nothing.
func TestEveryRouteByEveryPrincipal(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	everybody := m.everybody()
	if len(m.routes) < 100 {
		t.Fatalf("only %d routes were found", len(m.routes))
	}
	tried, refused := 0, 0
	for _, r := range m.routes {
		for _, k := range everybody {
			tried++
			name := fmt.Sprintf("%s %s by %s", r.Method, r.Pattern, k.name)
			want := expected(r, k)
			w := k.knock(m.probe, r)
			if want == 0 {
				if w.Code != http.StatusTeapot {
					t.Errorf("%s: %d %.200s, want to be let in", name, w.Code, w.Body)
				}
				continue
			}
			refused++
			if !refusedAs(r, w, want, k) {
				t.Errorf("%s: %d, want %d", name, w.Code, want)
			}
			before := m.store.Changes()
			w = k.knock(m.real, r)
			if !refusedAs(r, w, want, k) || strings.Contains(w.Body.String(), canary) {
				t.Errorf("%s, for real: %d %.300s, want %d and no data", name, w.Code, w.Body, want)
			}
			if after := m.store.Changes(); after != before {
				t.Errorf("%s was refused and changed the state %d times", name, after-before)
			}
		}
	}
	t.Logf("%d routes by %d principals: %d of %d refused", len(m.routes), len(everybody), refused, tried)
}

// TestRoutesDeclareWhatTheyAsk holds every route to rules that follow from its
// address, so that a new one cannot be open by an oversight.
func TestRoutesDeclareWhatTheyAsk(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	public := []string{
		"GET /", "GET /login", "POST /login", "GET /first-run", "POST /first-run", "POST /logout", "POST /theme",
		"POST /login/link", "GET /login/sent", "POST /login/code", "GET /login/link/open", "POST /login/link/open", "GET /login/password",
		"GET /login/forgot", "POST /login/forgot", "GET /login/forgot/sent", "GET /login/reset", "POST /login/reset", "GET /login/setup", "POST /login/setup",
		"GET /auth/google/login", "GET /auth/google/callback", "GET /auth/oidc/login", "GET /auth/oidc/callback",
		"POST /auth/email/send-link", "POST /auth/email/verify", "GET /auth/email/verify", "POST /auth/password/login", "POST /auth/password/login/web",
		"GET /auth/password/reset", "POST /auth/password/reset", "POST /auth/password/reset/confirm",
		"POST /auth/password/setup", "GET /auth/password/setup", "POST /auth/password/setup/request", "POST /auth/password/setup/confirm",
		"POST /auth/token", "POST /auth/bootstrap", "GET /api/health", "GET /api/health/ready", "GET /api/version", "GET /api/sync/status",
	}
	recent := []string{
		"DELETE /api/users/{id}", "POST /api/users/{id}/set-password", "POST /api/users/{id}/reset-password", "DELETE /api/users/{id}/identities/{provider}",
		"POST /admin/people/invite", "POST /admin/people/{id}/groups", "POST /admin/people/{id}/invite", "POST /admin/people/{id}/reset", "POST /admin/people/{id}/delete",
	}
	for _, r := range m.routes {
		name := r.Method + " " + r.Pattern
		machine, asks := request.ForMachines(r.Pattern), r.Asked()
		switch {
		case r.Need == access.Undeclared:
			t.Errorf("%s declares no permission", name)
		case (r.Need == access.Public) != slices.Contains(public, name):
			t.Errorf("%s: public %t; a public route is named in this test", name, r.Need == access.Public)
		case !machine && r.Need != access.Public && !r.Terms.Interactive:
			t.Errorf("%s is a page that tokens of automation may use", name)
		case machine && !r.Terms.Interactive && r.Need != access.Public && string(asks.Scope) != asked(r):
			t.Errorf("%s asks for the scope %s, want %s", name, asks.Scope, asked(r))
		case slices.Contains(recent, name) && !r.Terms.Recent:
			t.Errorf("%s does not ask for a recent sign-in", name)
		case strings.Contains(r.Pattern, "/admin/") && r.Need != access.Admin:
			t.Errorf("%s is not for administrators only", name)
		case r.Need == access.Public && r.Method != http.MethodGet && !r.SignIn && r.Pattern != "/logout" && r.Pattern != "/theme":
			t.Errorf("%s is open to all and its tries are not counted", name)
		}
	}
}

// TestGrantsDecideWhoReads asks the real routes for a table as those who may not
// read it, and as one who may.
func TestGrantsDecideWhoReads(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	read := 0
	for _, k := range m.everybody() {
		if k.admin || k.dead || k.header == "" || k.kind == access.ViaPAT && k.scopes != "general" {
			continue
		}
		for _, r := range m.routes {
			if r.Method != http.MethodGet || r.Need == access.Admin {
				continue
			}
			w := k.knock(m.real, r, "Accept", "text/html,application/json")
			found := strings.Contains(w.Body.String(), canary)
			if w.Code >= http.StatusInternalServerError || found && !k.granted {
				t.Errorf("GET %s by %s: %d %.300s", r.Pattern, k.name, w.Code, w.Body)
			}
			if found {
				read++
			}
		}
	}
	if read < 4 {
		t.Errorf("those who hold the grant read the table %d times: the test sees too little", read)
	}
}

// TestOtherSitesChangeNothing sends every unsafe route what a page of another
// site can make a signed-in browser send (S9).
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, k := range m.everybody() {
		if k.kind != access.ViaSession || !k.admin || k.stale {
			continue
		}
		for _, r := range m.routes {
			if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
				continue
			}
			for _, h := range [][]string{
				{"Sec-Fetch-Site", "cross-site"},
				{"Sec-Fetch-Site", "same-site"},
				{"Origin", "https://evil.example"},
				{"Origin", "null"},
				{"Sec-Fetch-Site", "cross-site", "Origin", "http://example.com", "HX-Request", "true"},
			} {
				if w := k.knock(m.probe, r, h...); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "another site") {
					t.Errorf("%s %s with %v: %d %.200s, want 403", r.Method, r.Pattern, h, w.Code, w.Body)
				}
				before := m.store.Changes()
				if w := k.knock(m.real, r, h...); w.Code != http.StatusForbidden || m.store.Changes() != before {
					t.Errorf("%s %s with %v, for real: %d, %d changes", r.Method, r.Pattern, h, w.Code, m.store.Changes()-before)
				}
			}
			if w := k.knock(m.probe, r, "Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"); w.Code != http.StatusTeapot {
				t.Errorf("%s %s from here: %d %.200s", r.Method, r.Pattern, w.Code, w.Body)
			}
		}
	}
}
