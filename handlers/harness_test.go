package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers"
	"agnes/handlers/request"
	"agnes/store"
)

const schedulerToken = "scheduler-token-of-at-least-32-characters"

var tester = audit.Actor{UserID: "tester", Email: "tester@example.com", ClientKind: "web"}

// clock is a time that only tests move.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// site is a router over a real state, with a few routes of its own.
type site struct {
	t        *testing.T
	server   *handlers.Server
	store    *store.Store
	tokens   *request.Tokens
	sessions *scs.SessionManager
	clock    *clock
	log      *bytes.Buffer
	stopping chan struct{}
	admin    people.User
	user     people.User
}

// newSite makes a site; change may alter its configuration.
func newSite(t *testing.T, change func(*handlers.Config)) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{}, log: &bytes.Buffer{}, stopping: make(chan struct{})}
	// Before any real time: the session library has a clock of its own.
	s.clock.micros.Store(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).UnixMicro())
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id%06d", ids.Add(1)) }
	var err error
	s.store, err = store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: s.clock.now, NewID: newID})
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	s.tokens, err = request.NewTokens([]byte("0123456789abcdef0123456789abcdef"), s.clock.now)
	must(t, err)
	s.sessions = handlers.NewSessions(s.store.Sessions(), false, 0)

	config := handlers.Config{
		People: s.store, Tokens: s.tokens, Sessions: s.sessions, SchedulerToken: schedulerToken,
		API: s.apiRoutes(), Pages: s.pageRoutes(), PageError: pageError,
		CORSOrigins: []string{"https://tools.example.com", "http://localhost:3000"}, TrustedOrigins: []string{"https://tools.example.com"}, Version: "1.2.3", Stopping: s.stopping,
		Throttle: &people.Throttle{Counter: s.store},
		Registry: prometheus.NewRegistry(), Now: s.clock.now, Log: slog.New(slog.NewJSONHandler(s.log, nil)),
		Gauges: []handlers.Gauge{{Name: "agnes_children", Help: "Children alive.", Read: func() float64 { return 3 }}},
	}
	if change != nil {
		change(&config)
	}
	s.server, err = handlers.New(config)
	must(t, err)
	admins, err := s.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	s.admin = s.mustUser("ada@example.com", admins.ID)
	s.user = s.mustUser("ben@example.com")
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) mustUser(email string, groups ...people.GroupID) people.User {
	s.t.Helper()
	u, err := s.store.CreateUser(s.t.Context(), tester, people.NewUser{Email: email, Groups: groups, Source: people.ByAdmin})
	must(s.t, err)
	return u
}

func (s *site) mustToken(u people.User) string {
	s.t.Helper()
	token, err := s.tokens.Issue(u, s.mustSession(u.ID, people.TokenSession))
	must(s.t, err)
	return token
}

func (s *site) mustSession(id people.UserID, kind people.SessionKind) people.Session {
	s.t.Helper()
	life := request.TokenLifetime
	if kind == people.BrowserSession {
		life = 7 * 24 * time.Hour
	}
	v, err := s.store.StartSession(s.t.Context(), people.NewSession{
		UserID: id, Kind: kind, Method: people.ByPassword, Client: audit.Actor{ClientIP: "192.0.2.7"}, ExpiresAt: s.clock.now().Add(life),
	})
	must(s.t, err)
	return v
}

// mustPersonal makes a personal access token with scopes.
func (s *site) mustPersonal(u people.User, scope string) (access.Token, string) {
	s.t.Helper()
	maker := access.Tokens{Store: s.store, Signer: s.tokens, Now: s.clock.now, NewID: uuid.NewString}
	p := access.Principal{UserID: u.ID, Email: u.Email, Admin: u.ID == s.admin.ID, Via: access.ViaSession, ProvedAt: s.clock.now()}
	t, text, err := maker.Make(s.t.Context(), p, access.TokenRequest{Name: "test", Scope: scope, Days: access.DefaultDays()})
	must(s.t, err)
	return t, text
}

func pageError(w http.ResponseWriter, _ *http.Request, status int, err *domain.Error) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<h1>%s</h1>", err.Message)
}

// answer is a handler that says who asks.
func answer(w http.ResponseWriter, r *http.Request) {
	p := request.Principal(r.Context())
	if p == nil {
		fmt.Fprint(w, "nobody")
		return
	}
	fmt.Fprintf(w, "%s by %s, %s", p.Email, p.Via, p.Client.ClientKind)
}

func (s *site) apiRoutes() []request.Route {
	h := http.HandlerFunc(answer)
	return []request.Route{
		{Method: http.MethodGet, Pattern: "/api/open", Need: access.Public, Handler: h},
		{Method: http.MethodGet, Pattern: "/api/mine", Need: access.SignedIn, Handler: h},
		{Method: http.MethodPost, Pattern: "/api/mine", Need: access.SignedIn, Handler: h},
		{Method: http.MethodGet, Pattern: "/api/tables/{id}", Need: access.NeedTable, Handler: h},
		{Method: http.MethodDelete, Pattern: "/api/all/{id}", Need: access.Admin, Handler: h},
		{Method: http.MethodPost, Pattern: "/auth/token", Need: access.Public, SignIn: true, Handler: h},
		{Method: http.MethodPost, Pattern: "/auth/rare", Need: access.Public, SignIn: true, Attempts: 4, Handler: h},
		{Method: http.MethodGet, Pattern: "/api/large", Need: access.Public, Handler: http.HandlerFunc(large)},
		{Method: http.MethodGet, Pattern: "/api/data/large", Need: access.Public, Handler: http.HandlerFunc(large)},
		{Method: http.MethodGet, Pattern: "/api/panic", Need: access.Public, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic("open /srv/secret")
		})},
		{Method: http.MethodGet, Pattern: "/api/half", Need: access.Public, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat("half", 1000))
			panic("in the middle")
		})},
		{Method: http.MethodPost, Pattern: "/api/echo", Need: access.Public, MaxBody: 10, Handler: http.HandlerFunc(echo)},
		{Method: http.MethodPost, Pattern: "/api/upload", Need: access.Public, MaxBody: request.NoLimit, Long: true, Handler: http.HandlerFunc(echo)},
	}
}

func (s *site) pageRoutes() []request.Route {
	return []request.Route{
		{Method: http.MethodGet, Pattern: "/catalog", Need: access.SignedIn, Handler: http.HandlerFunc(answer)},
		{Method: http.MethodPost, Pattern: "/change", Need: access.SignedIn, Handler: http.HandlerFunc(answer)},
		{Method: http.MethodGet, Pattern: "/admin", Need: access.Admin, Handler: http.HandlerFunc(answer)},
		{Method: http.MethodPost, Pattern: "/login", Need: access.Public, SignIn: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("user") == "" {
				return
			}
			if err := request.SignIn(r.Context(), s.sessions, s.mustSession(people.UserID(r.FormValue("user")), people.BrowserSession)); err != nil {
				panic(err)
			}
		})},
		{Method: http.MethodGet, Pattern: "/live", Need: access.Public, Stream: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "data: begun\n\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
			<-r.Context().Done()
		})},
		{Method: http.MethodGet, Pattern: "/slow", Need: access.Public, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		})},
	}
}

func large(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "%q", strings.Repeat("a", 5000))
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	fmt.Fprint(w, len(body))
}

// ask is one request; headers come in pairs.
func (s *site) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	}
	r.RemoteAddr = "192.0.2.7:4242"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return w
}

func newRequest(method, path string) *http.Request {
	return httptest.NewRequest(method, path, http.NoBody)
}

func (s *site) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return w
}

// signIn makes a browser session and returns its cookie header.
func (s *site) signIn(u people.User) string {
	s.t.Helper()
	w := s.ask(http.MethodPost, "/login", "user="+string(u.ID), "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusOK || len(w.Result().Cookies()) != 1 {
		s.t.Fatalf("sign in: %d, cookies %v", w.Code, w.Result().Cookies())
	}
	return w.Result().Cookies()[0].Name + "=" + w.Result().Cookies()[0].Value
}

func detail(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct{ Detail string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("body %q: %v", w.Body.String(), err)
	}
	return body.Detail
}

// lines are the log's access lines.
func (s *site) lines() []map[string]any {
	s.t.Helper()
	var all []map[string]any
	for line := range strings.Lines(s.log.String()) {
		entry := map[string]any{}
		must(s.t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == "request" {
			all = append(all, entry)
		}
	}
	return all
}

// broken answers every question of who somebody is with a failure.
type broken struct{}

func (broken) PrincipalBySession(context.Context, people.SessionID) (access.Principal, people.Session, error) {
	return access.Principal{}, people.Session{}, errors.New("read /srv/data/state/system.db: disk I/O error")
}

func (broken) PrincipalByToken(context.Context, access.TokenID, string) (access.Principal, access.Token, error) {
	return access.Principal{}, access.Token{}, errors.New("read /srv/data/state/system.db: disk I/O error")
}

func (broken) Principal(context.Context, people.UserID) (access.Principal, error) {
	return access.Principal{}, errors.New("read /srv/data/state/system.db: disk I/O error")
}

func (broken) Audit(context.Context, audit.Entry) error { return nil }

func (broken) UseSession(context.Context, people.Session, string, time.Time) error { return nil }

func (broken) UseToken(context.Context, audit.Actor, access.Token) error { return nil }
