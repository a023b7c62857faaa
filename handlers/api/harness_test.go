package api_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	filesource "agnes/connectors/files"
	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers"
	"agnes/handlers/api"
	"agnes/handlers/request"
	"agnes/store"
	"agnes/store/results"
)

var tester = audit.Actor{UserID: "tester", Email: "tester@example.com", ClientKind: "web"}

const password = "correct horse battery"

// clock is a time that only tests move.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// site is the API behind the real router, over a real state. What lies outside
// the state is faked: engine, files and the making of versions.
type site struct {
	t        *testing.T
	handler  http.Handler
	api      *api.API
	store    *store.Store
	syncer   *syncs.Syncer
	engine   *engine
	files    files
	folder   filesource.Folder // of uploads, at most 1 MiB each
	clock    *clock
	log      *bytes.Buffer
	tokens   *request.Tokens
	rebuilds rebuilds
	inviter  inviter
	ready    error // of a query in a child
	profiler *syncs.Profiler
	runner   *query.Runner
	limits   query.Limits
	admin    people.User
	analyst  people.User
	signedIn map[people.UserID]people.Session
	sessions *scs.SessionManager
}

// unfinished is how many uploads of one person may be half way.
const unfinished = 8

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, nil)
}

// newSiteWith makes a site whose dependencies change may alter.
func newSiteWith(t *testing.T, change func(*api.Deps), state ...func(*store.Options)) *site {
	t.Helper()
	s := emptySite(t, change, state...)
	admins, err := s.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	s.admin = s.mustUser("ada@example.com", admins.ID)
	s.analyst = s.mustUser("ben@example.com")
	return s
}

// emptySite is a new instance, without people.
func emptySite(t *testing.T, change func(*api.Deps), state ...func(*store.Options)) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{}, engine: &engine{}, files: files{}, log: &bytes.Buffer{}, signedIn: map[people.UserID]people.Session{}}
	s.clock.micros.Store(time.Date(2026, 11, 22, 14, 31, 0, 0, time.UTC).UnixMicro())
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id%06d", ids.Add(1)) }
	log := slog.New(slog.NewTextHandler(s.log, nil))
	var err error
	options := store.Options{Dir: t.TempDir(), Now: s.clock.now, NewID: newID}
	for _, change := range state {
		change(&options)
	}
	s.store, err = store.Open(t.Context(), options)
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	s.tokens, err = request.NewTokens([]byte("0123456789abcdef0123456789abcdef"), s.clock.now)
	s.sessions = handlers.NewSessions(s.store.Sessions(), false, 0)
	must(t, err)
	s.folder = filesource.Folder{Root: t.TempDir(), MaxBytes: 1 << 20, MaxParts: unfinished}
	s.syncer = &syncs.Syncer{Runs: s.store, Tables: s.store, Feed: syncs.NewFeed(), Now: s.clock.now, NewID: newID, Log: log}
	s.profiler = &syncs.Profiler{Tables: s.store, Profiles: s.store, Maker: profiles{}, Timeout: time.Minute, Now: s.clock.now, Log: log}
	folder, err := results.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, folder.Close()) })
	s.limits = query.Limits{Timeout: time.Minute, MaxSQL: 1 << 12, Person: query.PersonLimits{Concurrent: 50, DailyBytes: 1 << 30}, Results: query.ResultLimits{Bytes: 1 << 20, PersonBytes: 2 << 20, PersonCount: 20}}
	s.runner = &query.Runner{
		Catalogs: s.store, Engine: s.engine, Log: s.store, Keeper: folder, Limits: s.limits, Now: s.clock.now, NewID: newID, Logger: log,
	}
	t.Cleanup(func() { must(t, s.runner.Stop(context.WithoutCancel(t.Context()))) })
	deps := api.Deps{
		Profiler: s.profiler, Inviter: &s.inviter,
		Activity: &activity.Log{Store: s.store, Now: s.clock.now},
		Personal: &access.Tokens{Store: s.store, Signer: s.tokens, Now: s.clock.now, NewID: uuid.NewString}, Sessions: s.sessions,
		Store: s.store, SignIn: &people.SignIn{Accounts: s.store, Now: s.clock.now}, Tokens: s.tokens,
		Remover: remover{s.store}, Rebuilder: &s.rebuilds, Syncer: s.syncer, Data: s.files, Whole: &joined{}, Sources: &looks{}, Uploads: s.folder,
		Queries: s.runner, History: s.store, PersonLimits: s.limits.Person, TempDir: t.TempDir(),
		Results: &query.Results{Runs: s.store, Keeper: folder, Catalogs: s.store, Engine: s.engine, Runner: s.runner, Timeout: time.Minute, Now: s.clock.now},
		Ready:   func(context.Context) error { return s.ready },
		Build:   config.Build{Version: "1.2.3", Channel: "stable", Commit: "abc"}, DeployedAt: s.clock.now(),
		Now: s.clock.now, Log: log,
	}
	if change != nil {
		change(&deps)
	}
	s.api, err = api.New(deps)
	must(t, err)
	s.handler, err = handlers.New(handlers.Config{
		People: s.store, Tokens: s.tokens, Sessions: s.sessions, API: s.api.Routes(),
		PageError: func(http.ResponseWriter, *http.Request, int, *domain.Error) {
			t.Error("an operation answered with a page")
		},
		Version: "1.2.3", Registry: prometheus.NewRegistry(), Now: s.clock.now, Log: log,
	})
	must(t, err)
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
	u, err := s.store.CreateUser(s.t.Context(), tester, people.NewUser{Email: email, Name: "Somebody", Groups: groups, Source: people.ByAdmin})
	must(s.t, err)
	return u
}

// mustTable registers a table, with a version when rows are given.
func (s *site) mustTable(name string, change func(*registry.Table), rows ...int64) registry.Table {
	s.t.Helper()
	table := registry.Table{
		ID: registry.IDFor(name), Name: name, SourceType: registry.SourceLocal, SourceTable: name + ".csv",
		SyncStrategy: "full_refresh", QueryMode: registry.ModeLocal, ProfileAfterSync: true,
	}
	if change != nil {
		change(&table)
	}
	made, err := s.store.RegisterTables(s.t.Context(), tester, []registry.Registration{{Table: table}})
	must(s.t, err)
	if len(rows) > 0 {
		s.mustPublish(made[0], rows[0])
	}
	return made[0]
}

// mustPublish gives a table a version through a run that ends well.
func (s *site) mustPublish(t registry.Table, rows int64) registry.Version {
	s.t.Helper()
	ctx := s.t.Context()
	_, err := s.store.QueueRuns(ctx, tester, syncs.ByPerson, []registry.TableID{t.ID})
	must(s.t, err)
	r, err := s.store.ClaimRun(ctx)
	must(s.t, err)
	content := strings.Repeat("PAR1", int(rows))
	v := registry.Version{
		ID: registry.VersionID("v-" + r.ID), Table: t.ID, RunID: r.ID, Rows: rows, Bytes: int64(len(content)), MD5: "0123456789abcdef0123456789abcdef",
		Columns:   []registry.Column{{Name: "id", Type: "BIGINT"}, {Name: "name", Type: "VARCHAR"}},
		Files:     []registry.File{{Key: "versions/files/" + t.Name + "/v-" + r.ID + ".parquet", Bytes: int64(len(content)), SHA256: strings.Repeat("0", 64)}},
		CreatedAt: s.clock.now(),
	}
	s.files[v.Files[0].Key] = content
	_, err = s.store.PublishVersion(ctx, v)
	must(s.t, err)
	must(s.t, s.store.AddStep(ctx, syncs.Step{ID: "step-" + r.ID, RunID: r.ID, Table: t.ID, Phase: syncs.Extract, At: s.clock.now(), Rows: rows, State: syncs.OK}))
	at := s.clock.now()
	r.State, r.FinishedAt, r.Rows = syncs.OK, &at, rows
	must(s.t, s.store.FinishRun(ctx, r))
	return v
}

func (s *site) mustGrant(table string) {
	s.t.Helper()
	everyone, err := s.store.GetGroupByName(s.t.Context(), people.EveryoneGroup)
	must(s.t, err)
	_, err = s.store.CreateGrant(s.t.Context(), tester, access.NewGrant{Group: everyone.ID, ResourceType: access.TableResource, ResourceID: table})
	must(s.t, err)
}

// mustToken is an access token of a user. The same one serves as long as it works.
func (s *site) mustToken(u people.User) string {
	s.t.Helper()
	if v, ok := s.signedIn[u.ID]; ok {
		if _, _, err := s.store.PrincipalBySession(s.t.Context(), v.ID); err == nil {
			return s.mustIssue(u, v)
		}
	}
	v, err := s.store.StartSession(s.t.Context(), people.NewSession{
		UserID: u.ID, Kind: people.TokenSession, Method: people.ByPassword, ExpiresAt: s.clock.now().Add(request.TokenLifetime),
	})
	must(s.t, err)
	s.signedIn[u.ID] = v
	return s.mustIssue(u, v)
}

func (s *site) mustIssue(u people.User, v people.Session) string {
	s.t.Helper()
	token, err := s.tokens.Issue(u, v)
	must(s.t, err)
	return token
}

// reply is one answer.
type reply struct {
	*httptest.ResponseRecorder
	t *testing.T
}

// as asks as somebody; a zero user is nobody. A body that is no text is sent as JSON.
func (s *site) as(u people.User, method, path string, body any, headers ...string) reply {
	s.t.Helper()
	reader := io.Reader(http.NoBody)
	if text, ok := body.(string); ok {
		reader = strings.NewReader(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		must(s.t, err)
		reader = bytes.NewReader(raw)
	}
	r := httptest.NewRequest(method, path, reader)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if u.ID != "" {
		r.Header.Set("Authorization", "Bearer "+s.mustToken(u))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return reply{w, s.t}
}

// is fails the test unless the answer has the status; it returns the body.
func (r reply) is(status int) map[string]any {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("status %d, want %d; body %s", r.Code, status, r.Body)
	}
	out := map[string]any{}
	if r.Body.Len() > 0 && r.Body.Bytes()[0] == '{' {
		must(r.t, json.Unmarshal(r.Body.Bytes(), &out))
	}
	return out
}

// list is is for an answer that is a list.
func (r reply) list() []map[string]any {
	r.t.Helper()
	r.is(http.StatusOK)
	var out []map[string]any
	must(r.t, json.Unmarshal(r.Body.Bytes(), &out))
	return out
}

// audited returns the audit rows of an action.
func (s *site) audited(action string) []audit.Entry {
	s.t.Helper()
	entries, err := s.store.ListAudit(s.t.Context(), 1000)
	must(s.t, err)
	var out []audit.Entry
	for _, e := range entries {
		if e.Action == action {
			out = append(out, e)
		}
	}
	return out
}
