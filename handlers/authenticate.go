package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/static"
)

// TokenCookie is the cookie that may carry an access token (contract 9.2).
const TokenCookie = "access_token"

// How long a browser session lasts, whatever happens, and without being used.
const (
	sessionLifetime = 7 * 24 * time.Hour
	sessionIdle     = 12 * time.Hour
)

// NewSessions makes the manager of browser sessions.
func NewSessions(store scs.CtxStore, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Lifetime = sessionLifetime
	m.HashTokenInStore = true
	m.Cookie.Name = "agnes_session"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = secure
	return m
}

// session loads the browser session, except for files that are everybody's.
func (s *Server) session(next http.Handler) http.Handler {
	s.Sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }
	loaded := s.Sessions.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, static.Prefix) {
			next.ServeHTTP(w, r)
			return
		}
		loaded.ServeHTTP(w, r)
	})
}

// authenticate finds out who asks: a bearer token wins over the cookie, that
// over the browser session. Who it is comes from the store each time.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, static.Prefix) {
			next.ServeHTTP(w, r)
			return
		}
		p, err := s.who(r)
		ctx := r.Context()
		switch {
		case err != nil && domain.KindOf(err) != domain.Unauthenticated:
			s.fail(w, r, err)
			return
		case err != nil:
			ctx = withRefusal(ctx, err)
		default:
			ctx = request.WithPrincipal(ctx, p)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// who returns who asks, or why that is nobody.
func (s *Server) who(r *http.Request) (*access.Principal, error) {
	if token, ok := bearer(r); ok {
		return s.byToken(r, token)
	}
	var refused error
	if c, err := r.Cookie(TokenCookie); err == nil && c.Value != "" {
		p, err := s.byToken(r, c.Value)
		if err == nil || domain.KindOf(err) != domain.Unauthenticated {
			return p, err
		}
		refused = err
	}
	p, err := s.bySession(r)
	if refused != nil && domain.CodeOf(err) == codeNobody {
		err = refused
	}
	return p, err
}

// codeNobody is the code of access.Check for somebody without credentials.
const codeNobody = "sign_in_required"

// bearer returns the token of the Authorization header.
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "bearer") && token != ""
}

func digest(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func (s *Server) byToken(r *http.Request, token string) (*access.Principal, error) {
	if s.scheduler != nil && subtle.ConstantTimeCompare(digest(token), s.scheduler) == 1 {
		client := request.Client(r)
		client.ClientKind = request.Scheduler
		return &access.Principal{
			UserID: "system:scheduler", Email: "scheduler@system.local", Name: "Scheduler", Admin: true, Via: access.ViaSystem, Client: client,
		}, nil
	}
	id, issued, err := s.Tokens.Verify(token)
	if err != nil {
		return nil, err
	}
	return s.principal(r, id, issued, access.ViaToken)
}

// idleStep is how exactly a session's last use is known. Writing it at each
// request would make every page a write.
const idleStep = 5 * time.Minute

func (s *Server) bySession(r *http.Request) (*access.Principal, error) {
	ctx := r.Context()
	id, since, ok := request.SessionUser(ctx, s.Sessions)
	if !ok {
		return nil, access.Check(nil, access.SignedIn)
	}
	now := s.Now()
	used := request.SessionUsed(ctx, s.Sessions)
	if now.Sub(used) >= sessionIdle {
		return nil, s.endSession(ctx, request.ErrInvalidToken())
	}
	p, err := s.principal(r, id, since, access.ViaSession)
	if domain.KindOf(err) == domain.Unauthenticated {
		return nil, s.endSession(ctx, err)
	}
	if err == nil && now.Sub(used) >= idleStep {
		request.UseSession(ctx, s.Sessions, now)
	}
	return p, err
}

// endSession destroys a session that proves nothing any more, and returns why.
func (s *Server) endSession(ctx context.Context, why error) error {
	if err := request.SignOut(ctx, s.Sessions); err != nil {
		return err
	}
	return why
}

// principal reads who a credential of that age stands for today.
func (s *Server) principal(r *http.Request, id people.UserID, issued time.Time, via access.Via) (*access.Principal, error) {
	p, err := s.People.Principal(r.Context(), id)
	switch {
	case err != nil:
		return nil, err
	case issued.Before(p.SessionsFrom):
		return nil, request.ErrInvalidToken()
	}
	p.Via, p.Client = via, request.Client(r)
	return &p, nil
}

// refusalKey is the context's key for why credentials were refused.
type refusalKey struct{}

func withRefusal(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, refusalKey{}, err)
}

func refusal(ctx context.Context) error {
	err, ok := ctx.Value(refusalKey{}).(error)
	if !ok {
		return nil
	}
	return err
}
