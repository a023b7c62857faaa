package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"

	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/profile"
	"agnes/domain/query"
	"agnes/domain/work"
	"agnes/handlers/request"
)

// Store is what the operations need of the state.
type Store interface {
	access.Standing
	Accounts
	Groups
	Grants
	RequestList
	Overviews
	Changes
	Users
	Registry
	Runs
	Versions
	Pulls
	Health
	Rebuilds
	SourceList
	Auditor
	Identities
	SignIns
	PersonalTokens
	ActivityStore
}

// Deps is everything the operations work with.
type Deps struct {
	Store   Store
	SignIn  Passwords
	Tokens  *request.Tokens
	Inviter people.Inviter
	// Personal makes personal access tokens.
	Personal *access.Tokens
	// Sessions are the browsers', which signing out ends too.
	Sessions *scs.SessionManager
	Remover  Remover
	// Rebuilder is asked for a rebuild after a table got another name; with nil
	// the new name is published by whatever rebuild comes next.
	Rebuilder Rebuilder
	Syncer    Syncer
	Queries   Queries
	// Requests are those for access.
	Requests AccessRequests
	History  QueryHistory
	Results  Results
	// PersonLimits are shown to whoever asks what they may still take.
	PersonLimits query.PersonLimits
	Limits       func() query.PersonLimits // of now, where they may change; nil: PersonLimits
	TempDir      string                    // where files grow that are sent whole; "" for the system's
	Data         Data
	Whole        Whole
	Sources      Sources
	Profiler     Profiler
	Uploads      Uploads
	Imports      Imports // nil: uploads become tables on the pages only
	// Stopping is closed when the server begins to stop; uploads end then.
	Stopping <-chan struct{}
	// Ready runs a real query through a real child.
	Ready func(ctx context.Context) error
	// Walls are what the kernel keeps child processes from.
	Walls      []work.Wall
	Build      config.Build
	DeployedAt time.Time // when this process started
	Debug      bool
	Now        func() time.Time
	Log        *slog.Logger

	Links *people.Links // nil: nothing by mail

	Activity *activity.Log
	Ticked   func() time.Time // when the scheduler last looked what is due; nil: nobody knows
	Settings Settings         // nil: they cannot be changed here
	Tests    ConnectionTests
}

// API is the set of operations.
type API struct {
	Deps
	huma   huma.API
	routes []request.Route
	ready  readiness
}

// New declares every operation.
func New(d Deps) (*API, error) {
	if d.Inviter == nil {
		return nil, errors.New("api: Inviter is needed")
	}
	a := &API{Deps: d}
	a.huma = huma.NewAPI(a.config(), adapter{a})
	schemas := a.OpenAPI().Components.Schemas
	schemas.RegisterTypeAlias(reflect.TypeFor[json.Number](), reflect.TypeFor[float64]())
	schemas.RegisterTypeAlias(reflect.TypeFor[profile.Number](), reflect.TypeFor[*float64]())
	a.authRoutes()
	a.linkRoutes()
	a.sessionRoutes()
	a.personalTokenRoutes()
	a.healthRoutes()
	a.tableRoutes()
	a.profileRoutes()
	a.syncRoutes()
	a.runRoutes()
	a.rebuildRoutes()
	a.dataRoutes()
	a.queryRoutes()
	a.queryRunRoutes()
	a.registryRoutes()
	a.versionRoutes()
	a.sourceRoutes()
	a.groupRoutes()
	a.grantRoutes()
	a.accessRequestRoutes()
	a.overviewRoutes()
	a.accessChangeRoutes()
	a.binRoutes()
	a.userRoutes()
	a.membershipRoutes()
	a.identityRoutes()
	a.activityRoutes()
	if d.Imports != nil {
		a.uploadTableRoutes()
	}
	if d.Settings != nil {
		a.serverConfigRoutes()
	}
	if err := a.uploadRoutes(); err != nil {
		return nil, err
	}
	return a, a.describe()
}

// Routes returns the operations, and the document that describes them, for the router.
func (a *API) Routes() []request.Route { return a.routes }

// OpenAPI returns the description of all operations. It must not be changed.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

func (a *API) config() huma.Config {
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Agnes API",
				Version:     a.Build.Version,
				Description: "Company data for analysts and their agents: what there is, SQL over it, files to take along, and the administration of both. Every operation names who may use it. Errors are JSON with the key detail: a sentence, or for wrong input a list of what is wrong where.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: securitySchemes(),
			},
			Tags: tags(),
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{explain},
	}
	// Clients of other releases send fields that are unknown here; contract 4.3 ignores them.
	c.AllowAdditionalPropertiesByDefault = true
	return c
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"token": {
			Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "Header `Authorization: Bearer <token>` with an access token from `POST /auth/token` or a personal access token from `POST /auth/tokens`. The cookie `access_token` does as well; the header wins.",
		},
		"session": {
			Type: "apiKey", In: "cookie", Name: "agnes_session",
			Description: "What a browser has after signing in. Where Agnes is reached by HTTPS the cookie is called `__Host-agnes_session`.",
		},
	}
}

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "Sign-in", Description: "Access tokens, personal access tokens, and who you are."},
		{Name: "Catalog", Description: "Which tables there are for you, and what is in them."},
		{Name: "Query", Description: "SQL over the tables that you may read."},
		{Name: "Data", Description: "Tables as Parquet files."},
		{Name: "Uploads", Description: "Files in pieces that survive a broken connection. For administrators."},
		{Name: "Sync", Description: "Bringing newest rows here."},
		{Name: "Tables", Description: "The registry of tables. For administrators."},
		{Name: "Access", Description: "Groups, their members and their grants. For administrators."},
		{Name: "People", Description: "Accounts. For administrators."},
		{Name: "Activity", Description: "Who did what: the audit log. For administrators."},
		{Name: "Server", Description: "How this server is set up. For administrators."},
		{Name: "Health", Description: "How the server is."},
	}
}

// describe makes the document of what was declared and adds its route.
func (a *API) describe() error {
	schemas := a.OpenAPI().Components.Schemas.Map()
	// The library's own shape of errors, which is never sent.
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	schemas["Failure"] = failureSchema()
	document, err := json.Marshal(a.OpenAPI())
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	a.routes = append(a.routes, request.Route{
		Method: http.MethodGet, Pattern: "/openapi.json", Need: access.SignedIn, Terms: access.Terms{Scope: access.ScopeRead},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if _, err := w.Write(document); err != nil {
				request.Logger(r.Context()).Debug("write the API's description", "err", err)
			}
		}),
	})
	return nil
}
