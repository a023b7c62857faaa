package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/audit"
	"agnes/domain/files"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/store"
	"agnes/store/results"
)

// clock is a time that only tests move.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// portal is the pages over a real state database. Only what lies outside it is faked.
type portal struct {
	*Server
	t        *testing.T
	store    *store.Store
	handler  http.Handler
	clock    *clock
	engine   *engine
	folder   *folder
	preview  *previewer
	profiler *syncs.Profiler // it works nothing off
	inviter  *inviter
	stopping chan struct{}
	log      *bytes.Buffer
	admin    people.User
	analyst  people.User
}

const (
	adminEmail   = "ada@example.com"
	analystEmail = "ben@example.com"
	maxUpload    = 1 << 10
)

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := emptyPortal(t)
	admins, err := p.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	p.admin = p.mustUser(people.NewUser{Email: adminEmail, Name: "Ada Admin", Groups: []people.GroupID{admins.ID}})
	p.analyst = p.mustUser(people.NewUser{Email: analystEmail, Name: "Ben Analyst"})
	return p
}

// emptyPortal is a new instance, without people.
func emptyPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{
		t: t, clock: &clock{}, engine: &engine{}, folder: newFolder(), preview: &previewer{}, inviter: &inviter{},
		stopping: make(chan struct{}), log: &bytes.Buffer{},
	}
	p.clock.micros.Store(time.Date(2026, 11, 22, 14, 31, 0, 0, time.UTC).UnixMicro())
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("%08d", ids.Add(1)) }
	log := slog.New(slog.NewTextHandler(p.log, nil))
	var err error
	p.store, err = store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: p.clock.now, NewID: newID, Log: log})
	must(t, err)
	t.Cleanup(func() { must(t, p.store.Close()) })

	feed := syncs.NewFeed()
	syncer := &syncs.Syncer{Runs: p.store, Tables: p.store, Feed: feed, Now: p.clock.now, NewID: newID, Log: log}
	p.profiler = &syncs.Profiler{Tables: p.store, Profiles: p.store, Timeout: time.Minute, Now: p.clock.now, Log: log}
	kept, err := results.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, kept.Close()) })
	runner := &query.Runner{
		Catalogs: p.store, Engine: p.engine, Log: p.store, Keeper: kept, Now: p.clock.now, NewID: newID,
		Limits: query.Limits{Timeout: time.Minute, MaxSQL: 1 << 10},
	}
	t.Cleanup(func() { must(t, runner.Stop(context.Background())) })
	tokens, err := request.NewTokens([]byte("0123456789abcdef0123456789abcdef"), p.clock.now)
	must(t, err)
	p.Server = New(Deps{
		Profiler: p.profiler, People: p.store, Groups: p.store, Access: p.store, Inviter: p.inviter,
		Activity: &activity.Log{Store: p.store, Now: p.clock.now},
		Identity: p.store, Personal: &access.Tokens{Store: p.store, Signer: tokens, Now: p.clock.now, NewID: uuid.NewString},
		Sessions: scs.New(), SignIn: &people.SignIn{Accounts: p.store, Now: p.clock.now}, Catalogs: p.store,
		Runner:  runner,
		Results: &query.Results{Runs: p.store, Keeper: kept, Catalogs: p.store, Engine: p.engine, Runner: runner, Timeout: time.Minute, Now: p.clock.now},
		Importer: &files.Importer{
			Folder: p.folder, Previewer: p.preview, Tables: p.store, Syncer: syncer, Rebuilder: requests{}, Samples: samples(),
			Everyone: func(ctx context.Context) (people.GroupID, error) {
				g, err := p.store.GetGroupByName(ctx, people.EveryoneGroup)
				return g.ID, err
			},
		},
		Uploads: p.folder, Syncer: syncer, Feed: feed, History: p.store, Rebuilder: requests{}, Spec: func() *huma.OpenAPI { return spec() },
		Now: p.clock.now, Stopping: p.stopping, Version: "1.2.3", Instance: "Example Ltd", MaxUpload: maxUpload,
	})
	p.watch(&extracts{})
	p.handler = p.router(log)
	return p
}

// router mounts the routes as the root package does: session, principal, need.
func (p *portal) router(log *slog.Logger) http.Handler {
	mux := chi.NewRouter()
	mux.Use(p.Sessions.LoadAndSave, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := request.WithLogger(request.WithID(r.Context(), "req-1"), log)
			if id, ok := request.SessionID(ctx, p.Sessions); ok {
				who, _, err := p.store.PrincipalBySession(ctx, id)
				switch domain.KindOf(err) {
				case domain.Unauthenticated:
				default:
					must(p.t, err)
					who.Client, who.Via = request.Client(r), access.ViaSession
					ctx = request.WithPrincipal(ctx, &who)
				}
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
	for _, route := range p.Routes() {
		mux.Method(route.Method, route.Pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := access.Check(request.Principal(r.Context()), route.Need); err != nil {
				known := request.Known(err)
				p.PageError(w, r, request.Status(known.Kind), known)
				return
			}
			route.Handler.ServeHTTP(w, r)
		}))
	}
	mux.Post("/test/sign-in/{id}", func(_ http.ResponseWriter, r *http.Request) {
		v, err := p.store.StartSession(r.Context(), people.NewSession{
			UserID: people.UserID(chi.URLParam(r, "id")), Kind: people.BrowserSession, Method: people.ByPassword, ExpiresAt: p.clock.now().Add(7 * 24 * time.Hour),
		})
		must(p.t, err)
		must(p.t, request.SignIn(r.Context(), p.Sessions, v))
	})
	mux.NotFound(func(w http.ResponseWriter, r *http.Request) {
		p.PageError(w, r, http.StatusNotFound, domain.E(domain.NotFound, "not_found", "There is nothing at this address."))
	})
	return mux
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *portal) mustUser(n people.NewUser) people.User {
	p.t.Helper()
	n.Source = people.ByAdmin
	u, err := p.store.CreateUser(p.t.Context(), audit.System("test"), n)
	must(p.t, err)
	return u
}

// mustTable registers a table, and publishes a version of it unless rows is negative.
func (p *portal) mustTable(name string, rows int64, grantTo ...people.GroupID) registry.Table {
	p.t.Helper()
	return p.mustRegister(registry.Table{Name: name, Description: "about " + name}, rows, grantTo...)
}

func (p *portal) mustRegister(table registry.Table, rows int64, grantTo ...people.GroupID) registry.Table {
	p.t.Helper()
	table.ID = registry.IDFor(table.Name)
	if table.SourceType == "" {
		table.SourceType, table.Bucket, table.SourceTable = registry.SourceLocal, "files", table.Name+".csv"
	}
	table.SyncStrategy, table.QueryMode = "full_refresh", registry.ModeLocal
	made, err := p.store.RegisterTables(p.t.Context(), audit.System("test"), []registry.Registration{{Table: table, GrantTo: grantTo}})
	must(p.t, err)
	if rows >= 0 {
		p.mustRun(table, func(r *syncs.Run) { r.State, r.Rows = syncs.OK, rows })
	}
	return made[0]
}

// mustRun takes a run of a table from the queue to its end, as end sets it.
func (p *portal) mustRun(table registry.Table, end func(*syncs.Run)) syncs.Run {
	p.t.Helper()
	ctx := p.t.Context()
	_, err := p.store.QueueRuns(ctx, audit.System("test"), syncs.ByPerson, []registry.TableID{table.ID})
	must(p.t, err)
	r, err := p.store.ClaimRun(ctx)
	must(p.t, err)
	end(&r)
	if r.State == syncs.OK {
		_, err = p.store.PublishVersion(ctx, registry.Version{
			ID: registry.VersionID("v" + r.ID), Table: table.ID, RunID: r.ID, Rows: r.Rows, Bytes: 10 * r.Rows, CreatedAt: p.clock.now(),
			Columns: []registry.Column{{Name: "iata", Type: "VARCHAR"}, {Name: "latitude", Type: "DOUBLE"}},
		})
		must(p.t, err)
	}
	at := p.clock.now()
	r.FinishedAt = &at
	must(p.t, p.store.FinishRun(ctx, r))
	return r
}

func (p *portal) everyone() people.GroupID {
	p.t.Helper()
	g, err := p.store.GetGroupByName(p.t.Context(), people.EveryoneGroup)
	must(p.t, err)
	return g.ID
}

// requests counts nothing: a rebuild that is asked for happens elsewhere.
type requests struct{}

func (requests) Request(context.Context) {}

var errBroken = errors.New("disk I/O error: /var/lib/agnes/system.db")

func (p *portal) actor() audit.Actor { return audit.System("test") }

func (p *portal) principal(u people.User) access.Principal {
	p.t.Helper()
	who, err := p.store.Principal(p.t.Context(), u.ID)
	must(p.t, err)
	who.Via, who.Session, who.ProvedAt = access.ViaSession, "s1", p.clock.now()
	return who
}
