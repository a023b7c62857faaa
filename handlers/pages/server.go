// Package pages answers browsers: the portal's pages, their forms, and the parts
// of them that live. A handler parses, calls one use case and renders; what goes
// wrong comes back as an error, which the one adapter here turns into a page.
// JSON for programs is package api; who may use a route is checked by the router
// that mounts Routes.
package pages

import (
	"context"
	"io"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/files"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/syncs"
	"agnes/views"
)

// Uploads keeps files that are no table yet.
type Uploads interface {
	Stage(ctx context.Context, owner people.UserID, name string, r io.Reader) (files.Upload, error)
	Discard(ctx context.Context, id files.UploadID) error
	List(ctx context.Context) ([]files.File, error)
	// Matches lists the files of a folder or pattern in DATA_DIR/files.
	Matches(ctx context.Context, item string) (files.Dataset, error)
	// Parts returns a person's uploads that are not complete.
	Parts(ctx context.Context, owner people.UserID) ([]files.Part, error)
}

// Deps is what the pages are made of.
type Deps struct {
	Sessions *scs.SessionManager
	SignIn   *people.SignIn
	Catalogs access.Catalogs
	Runner   *query.Runner
	Results  *query.Results
	Importer *files.Importer
	Uploads  Uploads
	Syncer   *syncs.Syncer
	Feed     *syncs.Feed
	History  History
	Profiler Profiler
	// Rebuilder publishes when somebody asks for it.
	Rebuilder interface{ Request(ctx context.Context) }
	Sources   Sources
	People    People
	Groups    Groups
	Access    Access
	// Principals are looked through by administrators.
	Principals Principals
	// Requests carries out the steps of requests for access, and RequestList reads them.
	Requests    AccessRequests
	RequestList RequestList
	Inviter     people.Inviter
	Spec        func() *huma.OpenAPI // the document of the JSON API

	Links      *people.Links // nil: nothing by mail
	Mail       Mail
	Federation Federation
	Services   []Service               // configured and switched on
	Providers  func() []views.Provider // Services as the sign-in page shows them
	// CallbackBase is the address that services send browsers back to, without a
	// path; "": that of the request.
	CallbackBase string
	Settings     Settings // nil: they cannot be changed here
	Tests        ConnectionTests
	Identity     Identity
	Personal     *access.Tokens
	SessionAge   time.Duration // of a browser session, in all
	SessionIdle  time.Duration // and without use
	PasswordsOff bool
	Fresh        []views.Provider // services at which somebody can prove again who they are

	Activity *activity.Log

	Now       func() time.Time
	Stopping  <-chan struct{} // closed when the server stops: live pages end
	Version   string
	Instance  string // the company's or instance's name; may be empty
	MaxUpload int64  // bytes
	// Current is what of the above may change while the server runs; nil: the fields.
	Current func() Current
}

// Current is what of Deps may change while the server runs.
type Current struct {
	Instance    string
	Mail        Mail
	SessionIdle time.Duration
}

// current is what is in force now.
func (s *Server) current() Current {
	if s.Current != nil {
		return s.Current()
	}
	return Current{Instance: s.Instance, Mail: s.Mail, SessionIdle: s.SessionIdle}
}

// Server holds the handlers of all pages.
type Server struct {
	Deps
	made   once
	pause  func(time.Duration) <-chan time.Time // between the messages of a live page
	drafts drafts                               // of settings
}

// New returns the pages over d.
func New(d Deps) *Server {
	if d.SessionAge <= 0 {
		d.SessionAge = 7 * 24 * time.Hour
	}
	if d.SessionIdle <= 0 {
		d.SessionIdle = 12 * time.Hour
	}
	return &Server{Deps: d, pause: time.After}
}
