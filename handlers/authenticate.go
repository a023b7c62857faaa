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

// The names of the browser session's cookie. The first one binds it to this
// host and to HTTPS, and only a browser on HTTPS keeps it.
const (
	secureCookie = "__Host-agnes_session"
	plainCookie  = "agnes_session"
)

// How long a browser session lasts where the configuration does not say: in
// all, and without being used.
const (
	defaultSessionAge  = 7 * 24 * time.Hour
	defaultSessionIdle = 12 * time.Hour
)

// NewSessions makes the manager of browser sessions, which last for age.
func NewSessions(store scs.CtxStore, secure bool, age time.Duration) *scs.SessionManager {
	if age <= 0 {
		age = defaultSessionAge
	}
	m := scs.New()
	m.Store = store
	m.Lifetime = age
	m.HashTokenInStore = true
	m.Cookie.Name = plainCookie
	if secure {
		m.Cookie.Name = secureCookie
	}
	m.Cookie.Path, m.Cookie.Domain = "/", ""
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
		if err == nil {
			p, err = s.through(r, p)
		}
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
	v, err := s.Tokens.Verify(token)
	switch {
	case err != nil:
		return nil, err
	case v.Token != "":
		return s.byPersonalToken(r, token, v)
	}
	p, session, err := s.People.PrincipalBySession(r.Context(), v.Session)
	switch {
	case err != nil:
		return nil, err
	case session.Kind != people.TokenSession, session.UserID != v.UserID:
		return nil, request.ErrInvalidToken()
	}
	s.useSession(r, session)
	p.Via, p.Client = access.ViaToken, request.Client(r)
	return &p, nil
}

// byPersonalToken asks the store whose a token is. The account that its text names
// is not held against it: a token of the predecessor names its account there, which
// may have another id here, and the hash says that the text is the one that was made.
func (s *Server) byPersonalToken(r *http.Request, text string, v request.Verified) (*access.Principal, error) {
	p, token, err := s.People.PrincipalByToken(r.Context(), v.Token, access.HashToken(text))
	switch {
	case err != nil:
		return nil, err
	case v.Expired:
		return nil, access.ErrTokenExpired()
	}
	p.Via, p.Client = access.ViaPAT, request.Client(r)
	p.Client.ClientKind = request.CLI
	if err := s.People.UseToken(r.Context(), p.Actor(), token); err != nil {
		request.Logger(r.Context()).Warn("the use of a token was not noted", "err", err)
	}
	return &p, nil
}

// useStep is how exactly the last use of a sign-in is known. Writing it at each
// request would make every page a write.
const useStep = 5 * time.Minute

// useSession notes that a sign-in was used. What cannot be noted is no reason
// to turn its person away.
func (s *Server) useSession(r *http.Request, v people.Session) {
	since := s.Now().Add(-useStep)
	if v.UsedAt.After(since) {
		return
	}
	if err := s.People.UseSession(r.Context(), v, request.IP(r), since); err != nil {
		request.Logger(r.Context()).Warn("the use of a sign-in was not noted", "err", err)
	}
}

func (s *Server) bySession(r *http.Request) (*access.Principal, error) {
	ctx := r.Context()
	id, ok := request.SessionID(ctx, s.Sessions)
	if !ok {
		return nil, access.Check(nil, access.SignedIn)
	}
	p, session, err := s.People.PrincipalBySession(ctx, id)
	switch {
	case domain.KindOf(err) == domain.Unauthenticated:
		return nil, s.endSession(ctx, err)
	case err != nil:
		return nil, err
	case session.Kind != people.BrowserSession, s.Now().Sub(session.UsedAt) >= s.network().SessionIdle:
		return nil, s.endSession(ctx, request.ErrInvalidToken())
	}
	s.useSession(r, session)
	p.Via, p.Client = access.ViaSession, request.Client(r)
	return &p, nil
}

// endSession destroys a browser session that proves nothing any more, and
// returns why.
func (s *Server) endSession(ctx context.Context, why error) error {
	if err := request.SignOut(ctx, s.Sessions); err != nil {
		return err
	}
	return why
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
