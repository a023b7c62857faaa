package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/prometheus/client_golang/prometheus"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/guard"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// People reads anew, for every request, who somebody is.
type People interface {
	// PrincipalBySession returns who a sign-in stands for now; Unauthenticated
	// for one that is unknown or over, and for a person who is deactivated.
	PrincipalBySession(ctx context.Context, id people.SessionID) (access.Principal, people.Session, error)
	// PrincipalByToken is PrincipalBySession for a personal access token.
	PrincipalByToken(ctx context.Context, id access.TokenID, hash string) (access.Principal, access.Token, error)
	UseSession(ctx context.Context, v people.Session, ip string, since time.Time) error
	// Principal is PrincipalBySession for a person without any sign-in.
	Principal(ctx context.Context, id people.UserID) (access.Principal, error)
	Audit(ctx context.Context, e audit.Entry) error
	UseToken(ctx context.Context, by audit.Actor, t access.Token) error
}

// Config is what the router is made of.
type Config struct {
	People   People
	Tokens   *request.Tokens
	Sessions *scs.SessionManager // from NewSessions
	// SessionIdle is after how long without use a browser session ends; 0: 12 hours.
	SessionIdle time.Duration
	// SchedulerToken signs an outside scheduler in as an administrator; "" for none.
	SchedulerToken string

	API   []request.Route
	Pages []request.Route
	// PageError writes an error as a page. It must not fail.
	PageError func(w http.ResponseWriter, r *http.Request, status int, err *domain.Error)

	CORSOrigins []string
	// TrustedOrigins may also ask for changes with a person's cookies: those that an
	// operator named, never the defaults.
	TrustedOrigins []string
	// Current is what of the above is in force now, where it may change; nil: the fields.
	Current func() Network
	// Secure says that people reach Agnes by HTTPS only.
	Secure  bool
	Debug   bool // tell API clients the cause of internal errors
	Version string
	Timeout time.Duration // of one request that is neither a stream nor long; 0: a minute
	// Throttle bounds tries to sign in by client network; nil: nothing does.
	Throttle *people.Throttle
	// Proxies may say for whom they ask (X-Forwarded-For).
	Proxies []netip.Prefix
	// Stopping is closed when the server begins to stop, and ends the streams.
	Stopping <-chan struct{}

	Registry *prometheus.Registry
	Gauges   []Gauge
	Now      func() time.Time
	Log      *slog.Logger
	Guard    *guard.Guard // counts panics; nil: nobody does
}

// Gauge is a figure that others know and /metrics shows.
type Gauge struct {
	Name string
	Help string
	Read func() float64
}

// Server answers requests.
type Server struct {
	Config
	handler   http.Handler
	metrics   *metrics
	scheduler []byte // hash of the scheduler's token, nil for none
}

// The usual limits.
const (
	defaultTimeout = time.Minute
	maxBody        = 1 << 20
)

// minSchedulerToken is the shortest scheduler token that is accepted (contract 9.4).
const minSchedulerToken = 32

// New makes the server, or says what is missing or contradictory.
func New(c Config) (*Server, error) {
	switch {
	case c.People == nil, c.Tokens == nil, c.Sessions == nil, c.PageError == nil, c.Now == nil, c.Log == nil, c.Registry == nil:
		return nil, errors.New("handlers: People, Tokens, Sessions, PageError, Registry, Now and Log are all needed")
	case c.SchedulerToken != "" && len(c.SchedulerToken) < minSchedulerToken:
		return nil, fmt.Errorf("handlers: the scheduler's token has fewer than %d characters", minSchedulerToken)
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.SessionIdle <= 0 {
		c.SessionIdle = defaultSessionIdle
	}
	if c.Version == "" {
		c.Version = "0.0.0" // clients compare it with their own
	}
	s := &Server{Config: c}
	if c.SchedulerToken != "" {
		s.scheduler = digest(c.SchedulerToken)
	}
	var err error
	if s.metrics, err = newMetrics(c.Registry, c.Gauges); err != nil {
		return nil, err
	}
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// NewHTTPServer wraps a handler with the limits of a connection. Deadlines of
// bodies and answers belong to the routes, because streams have none.
func NewHTTPServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
