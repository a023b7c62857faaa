package request_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
)

func TestStatusKnowsEveryKind(t *testing.T) {
	t.Parallel()
	want := map[domain.Kind]int{
		domain.Internal: 500, domain.Invalid: 422, domain.Unauthenticated: 401, domain.Forbidden: 403, domain.NotFound: 404,
		domain.Conflict: 409, domain.Stale: 412, domain.TooLarge: 413, domain.Limited: 429, domain.Unavailable: 503, domain.Cancelled: 503,
	}
	for _, k := range domain.Kinds() {
		status, ok := want[k]
		if !ok {
			t.Errorf("kind %d has no status in this test; give it one here and in Status", k)
			continue
		}
		if got := request.Status(k); got != status {
			t.Errorf("Status(%d) = %d, want %d", k, got, status)
		}
	}
}

func TestKnownGivesNothingAway(t *testing.T) {
	t.Parallel()
	secret := errors.New("open /srv/data/state/system.db: permission denied")
	tests := []struct {
		name    string
		err     error
		kind    domain.Kind
		message string
	}{
		{"a sentence of its own", fmt.Errorf("list: %w", domain.E(domain.Conflict, "taken", "The name is taken.").Because(secret)), domain.Conflict, "The name is taken."},
		{"a bare error", secret, domain.Internal, "Internal server error"},
		{"an internal one", domain.E(domain.Internal, "x", "A path: /srv").Because(secret), domain.Internal, "Internal server error"},
		{"a context's end", fmt.Errorf("read: %w", context.Canceled), domain.Cancelled, "The request was stopped before it was done."},
		{"a body that is too large", fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 10}), domain.TooLarge, "The request is too large: at most 10 bytes are read here."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := request.Known(tt.err)
			if got.Kind != tt.kind || got.Message != tt.message {
				t.Errorf("Known(%v) = %d %q, want %d %q", tt.err, got.Kind, got.Message, tt.kind, tt.message)
			}
			if !errors.Is(tt.err, got) && got.Err == nil {
				t.Errorf("Known(%v) lost the cause", tt.err)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header        string
		status              int
		location, hxLocated string
	}{
		{"a form", "", http.StatusSeeOther, "/catalog", ""},
		{"htmx", "true", http.StatusOK, "", "/catalog"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/login", http.NoBody)
			r.Header.Set("HX-Request", tt.header)
			w := httptest.NewRecorder()
			request.Redirect(w, r, "/catalog")
			if w.Code != tt.status || w.Header().Get("Location") != tt.location || w.Header().Get("HX-Redirect") != tt.hxLocated {
				t.Errorf("got %d, %v", w.Code, w.Header())
			}
		})
	}
}

func TestPartialIsWhatHTMXSaysItIs(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"partial": true, "full": false, "": false} {
		r := httptest.NewRequest(http.MethodGet, "/catalog", http.NoBody)
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Request-Type", value)
		if got := request.Partial(r); got != want {
			t.Errorf("Partial with HX-Request-Type %q = %t, want %t", value, got, want)
		}
	}
	w := httptest.NewRecorder()
	request.Vary(w)
	if got := w.Header().Get("Vary"); got != "HX-Request, HX-Request-Type" {
		t.Errorf("Vary = %q", got)
	}
}

func TestWantsHTML(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]bool{
		"GET /catalog": true, "GET /static/app.css": true, "GET /apis": true,
		"GET /api/health": false, "POST /auth/token": false, "GET /openapi.json": false, "GET /marketplace.zip": false,
		"GET /marketplace.git/info": false, "GET /marketplace/x": false, "GET /cli/latest": false, "POST /webhooks/jira": false,
		"POST /auth/password/login/web": true, "POST /auth/password/reset/confirm": true, "GET /auth/password/setup": true, "GET /auth/email/verify": true,
		"POST /auth/password/setup": false, "POST /auth/password/login": false, "POST /auth/email/verify": false,
	} {
		method, path, _ := strings.Cut(asked, " ")
		r := httptest.NewRequest(method, path, http.NoBody)
		r.Header.Set("Accept", "text/html,*/*")
		if got := request.WantsHTML(r); got != want {
			t.Errorf("WantsHTML(%s) = %t, want %t", asked, got, want)
		}
		r.Header.Set("Accept", "application/json")
		if request.WantsHTML(r) {
			t.Errorf("WantsHTML(%s) without text/html = true", asked)
		}
	}
}

func TestActorComesFromTheConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, agent, authorization, want string }{
		{"a browser", "Mozilla/5.0", "", request.Web},
		{"the client", "agnes/1.0 (linux)", "Bearer x", request.CLI},
		{"a script", "python-requests/2", "Bearer x", request.API},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = "192.0.2.7:4242"
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			r.Header.Set("X-Real-Ip", "203.0.113.9")
			r.Header.Set("User-Agent", tt.agent)
			r.Header.Set("Authorization", tt.authorization)
			r = r.WithContext(request.WithID(r.Context(), "req1"))
			want := audit.Actor{ClientKind: tt.want, ClientIP: "192.0.2.7", RequestID: "req1"}
			if got := request.Actor(r); got != want {
				t.Errorf("Actor = %+v, want %+v", got, want)
			}
			p := &access.Principal{UserID: "u1", Email: "ada@example.com", Client: request.Client(r)}
			want.UserID, want.Email = "u1", "ada@example.com"
			if got := request.Actor(r.WithContext(request.WithPrincipal(r.Context(), p))); got != want {
				t.Errorf("Actor when signed in = %+v, want %+v", got, want)
			}
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.RemoteAddr = "@"
	if got := request.IP(r); got != "@" {
		t.Errorf("IP of a connection without a port = %q", got)
	}
}

func TestContextCarries(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if request.ID(ctx) != "" || request.Principal(ctx) != nil || request.ActorOf(ctx) != (audit.Actor{}) {
		t.Error("an empty context carries something")
	}
	request.Logger(ctx).Info("goes nowhere")
	var log bytes.Buffer
	seen := &request.Seen{}
	ctx = request.WithSeen(request.WithLogger(request.WithID(ctx, "req1"), slog.New(slog.NewTextHandler(&log, nil))), seen)
	ctx = request.WithClient(ctx, audit.Actor{ClientIP: "192.0.2.7"})
	if got := request.ActorOf(ctx).ClientIP; got != "192.0.2.7" {
		t.Errorf("ActorOf without a principal has the address %q", got)
	}
	ctx = request.WithPrincipal(ctx, &access.Principal{UserID: "u1"})
	request.Logger(ctx).Info("here")
	if request.ID(ctx) != "req1" || request.Principal(ctx).UserID != "u1" || seen.UserID != "u1" || request.ActorOf(ctx).UserID != "u1" {
		t.Error("the context lost something")
	}
	if !strings.Contains(log.String(), "here") {
		t.Error("the request's logger was not used")
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	sessions := scs.New()
	ctx, err := sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := request.SessionID(ctx, sessions); ok {
		t.Error("a new session is somebody's")
	}
	before := sessions.Token(ctx)
	if err := request.SignIn(ctx, sessions, people.Session{ID: "s1"}); err != nil {
		t.Fatal(err)
	}
	if id, ok := request.SessionID(ctx, sessions); !ok || id != "s1" {
		t.Errorf("SessionID = %q, %t", id, ok)
	}
	if sessions.Token(ctx) == before || len(sessions.Keys(ctx)) != 1 {
		t.Errorf("signing in kept the token, or holds more than the sign-in: %v", sessions.Keys(ctx))
	}
	if err := request.SignOut(ctx, sessions); err != nil {
		t.Fatal(err)
	}
	if _, ok := request.SessionID(ctx, sessions); ok {
		t.Error("the session outlived signing out")
	}
}
