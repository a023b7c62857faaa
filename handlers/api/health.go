package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/syncs"
	"agnes/handlers/request"
)

// Health is how the state answers for itself.
type Health interface {
	// Check writes to the state and reads it back.
	Check(ctx context.Context) error
	SchemaVersion(ctx context.Context) (int64, error)
	CountUsers(ctx context.Context) (int, error)
}

// stale is how old a table's newest rows may be before health says so.
const stale = 24 * time.Hour

type healthOutput struct {
	Body struct {
		Status   string `json:"status" enum:"ok,unhealthy"`
		DBSchema string `json:"db_schema" enum:"ok,unreachable"`
		Current  int64  `json:"current,omitempty" doc:"Version of the state's schema."`
		Expected int64  `json:"expected,omitempty"`
		Detail   string `json:"detail,omitempty"`
	}
}

type readyOutput struct {
	Status int
	Body   struct {
		Status string            `json:"status" enum:"ready,unavailable"`
		Checks map[string]string `json:"checks" doc:"Each part and how it is: ok, or a sentence."`
	}
}

type versionOutput struct {
	Body struct {
		Version    string  `json:"version"`
		Channel    string  `json:"channel"`
		ImageTag   *string `json:"image_tag"`
		DeployedAt string  `json:"deployed_at" format:"date-time"`
	}
}

type service struct {
	Status      string   `json:"status"`
	Detail      string   `json:"detail,omitempty"`
	Tables      *int     `json:"tables,omitempty"`
	TotalRows   *int64   `json:"total_rows,omitempty"`
	StaleTables []string `json:"stale_tables,omitempty"`
	Count       *int     `json:"count,omitempty"`
	Current     *int64   `json:"current,omitempty"`
}

type detailedInput struct {
	Include string `query:"include" doc:"schema adds the state's schema."`
}

type detailedOutput struct {
	Body struct {
		Status        string             `json:"status" enum:"healthy,degraded,unhealthy"`
		Version       string             `json:"version"`
		Channel       string             `json:"channel"`
		ImageTag      *string            `json:"image_tag"`
		CommitSHA     *string            `json:"commit_sha"`
		SchemaVersion int64              `json:"schema_version"`
		DeployedAt    string             `json:"deployed_at" format:"date-time"`
		Timestamp     string             `json:"timestamp" format:"date-time"`
		Services      map[string]service `json:"services"`
	}
}

func (a *API) healthRoutes() {
	register(a, operation{
		id: "health", method: http.MethodGet, path: "/api/health", tag: "Health", need: access.Public,
		summary: "Whether the server answers",
		about:   "Always 200; the body says whether the state can be read. For whether it can also be written and queries run, see /api/health/ready.",
	}, a.health)
	register(a, operation{
		id: "health-ready", method: http.MethodGet, path: "/api/health/ready", tag: "Health", need: access.Public,
		summary: "Whether the server can do its work",
		about:   "Writes to the state, runs a real query in a child process, and asks whether new versions are written. 503 when one fails. An answer is kept for a second.",
		errors:  []int{http.StatusServiceUnavailable},
	}, a.healthReady)
	register(a, operation{
		id: "health-detailed", method: http.MethodGet, path: "/api/health/detailed", tag: "Health", need: access.SignedIn, terms: asks(access.ScopeRead),
		summary: "How each part of the server is",
		about:   "The version, and each part with its state. Tables whose newest rows are older than a day are named, to those who may read them.",
	}, a.healthDetailed)
	register(a, operation{
		id: "version", method: http.MethodGet, path: "/api/version", tag: "Health", need: access.Public,
		summary: "Which version runs",
		about:   "The version, its release channel, and when this server started.",
	}, a.version)
}

func (a *API) health(ctx context.Context, _ *none) (*healthOutput, error) {
	out := &healthOutput{}
	out.Body.Status, out.Body.DBSchema = "ok", "ok"
	v, err := a.Store.SchemaVersion(ctx)
	if err != nil {
		request.Logger(ctx).Error("health", "err", err)
		out.Body.Status, out.Body.DBSchema = "unhealthy", "unreachable"
		out.Body.Detail = "The state cannot be read."
		return out, nil
	}
	// A schema of another version does not start at all, so what runs is what is expected.
	out.Body.Current, out.Body.Expected = v, v
	return out, nil
}

// readiness keeps the last answer for a while: the route is open to all, and
// each answer costs a write and a child's time.
type readiness struct {
	mu     sync.Mutex
	at     time.Time
	checks map[string]string
	ready  bool
}

const (
	readyKept    = time.Second
	readyTimeout = 20 * time.Second
)

func (a *API) healthReady(ctx context.Context, _ *none) (*readyOutput, error) {
	a.ready.mu.Lock()
	defer a.ready.mu.Unlock()
	if a.ready.checks == nil || a.Now().Sub(a.ready.at).Abs() >= readyKept {
		a.checkReady(ctx)
	}
	out := &readyOutput{Status: http.StatusOK}
	out.Body.Status, out.Body.Checks = "ready", a.ready.checks
	if !a.ready.ready {
		out.Status, out.Body.Status = http.StatusServiceUnavailable, "unavailable"
	}
	return out, nil
}

// checkReady asks both parts. A caller that leaves does not spoil the answer
// for the next one.
func (a *API) checkReady(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	a.ready.ready, a.ready.checks = true, map[string]string{"state": "ok", "query": "ok", "writing": "ok"}
	if err := a.Syncer.Writing(); err != nil {
		a.ready.ready, a.ready.checks["writing"] = false, request.Known(err).Message
	}
	for name, check := range map[string]func(context.Context) error{"state": a.Store.Check, "query": a.Ready} {
		if err := check(ctx); err != nil {
			request.Logger(ctx).Error("not ready", "part", name, "err", err)
			a.ready.ready = false
			a.ready.checks[name] = map[string]string{"state": "The state cannot be written.", "query": "A query cannot be run."}[name]
		}
	}
	a.ready.at = a.Now()
}

func (a *API) healthDetailed(ctx context.Context, in *detailedInput) (*detailedOutput, error) {
	out := &detailedOutput{}
	b := &out.Body
	b.Status, b.Version, b.Channel = "healthy", a.Build.Version, a.Build.Channel
	b.ImageTag, b.CommitSHA = orNull(a.Build.ImageTag), orNull(a.Build.Commit)
	b.DeployedAt, b.Timestamp = stamp(a.DeployedAt), stamp(a.Now())
	b.Services = map[string]service{}
	version, err := a.Store.SchemaVersion(ctx)
	if err != nil {
		request.Logger(ctx).Error("health", "err", err)
		b.Status = "unhealthy"
		b.Services["duckdb_state"] = service{Status: "error", Detail: "The state cannot be read."}
		return out, nil
	}
	b.SchemaVersion = version
	b.Services["duckdb_state"] = service{Status: "ok"}
	if in.Include == "schema" {
		b.Services["db_schema"] = service{Status: "ok", Current: &version}
	}
	users, err := a.Store.CountUsers(ctx)
	if err != nil {
		return nil, err
	}
	b.Services["users"] = service{Status: "ok", Count: &users}
	data, err := a.dataHealth(ctx)
	if err != nil {
		return nil, err
	}
	b.Services["data"] = data
	if b.Services["rebuild"], err = a.rebuildHealth(ctx); err != nil {
		return nil, err
	}
	if b.Services["sources"], b.Services["remote_attach"], err = a.sourceHealth(ctx); err != nil {
		return nil, err
	}
	b.Services["isolation"], b.Services["writing"] = a.isolationHealth(), a.writingHealth()
	for _, name := range []string{"data", "isolation", "writing", "rebuild", "sources", "remote_attach"} {
		if b.Services[name].Status != "ok" {
			b.Status = "degraded"
		}
	}
	return out, nil
}

// isolationHealth says which walls around child processes this machine lacks.
func (a *API) isolationHealth() service {
	out := service{Status: "ok"}
	var missing []string
	for _, w := range a.Walls {
		if !w.Held {
			missing = append(missing, w.Detail)
		}
	}
	if len(missing) > 0 {
		out.Status, out.Detail = "warning", strings.Join(missing, " ")
	}
	return out
}

// writingHealth says whether new data is written, and how it went.
func (a *API) writingHealth() service {
	if err := a.Syncer.Writing(); err != nil {
		return service{Status: "error", Detail: request.Known(err).Message}
	}
	if err := a.Syncer.Unwritten(); err != nil {
		return service{Status: "error", Detail: request.Known(err).Message}
	}
	return service{Status: "ok"}
}

// rebuildHealth says how the last rebuild went, in numbers only: names are for
// administrators, at /api/admin/rebuild.
func (a *API) rebuildHealth(ctx context.Context) (service, error) {
	last, err := a.Store.LastRebuild(ctx)
	if err != nil {
		return service{}, err
	}
	damaged, err := a.Store.ListDamage(ctx)
	if err != nil {
		return service{}, err
	}
	out := service{Status: "ok"}
	switch {
	case last == nil:
		return out, nil
	case last.State != syncs.OK:
		out.Status, out.Detail = "error", "The last rebuild failed. What was published before is served."
		return out, nil // how many tables that is, it does not know
	case last.LeftOut() > 0:
		out.Status, out.Detail = "warning", fmt.Sprintf("The last rebuild left out %d.", last.LeftOut())
	case len(damaged) > 0:
		out.Status, out.Detail = "warning", fmt.Sprintf("Damaged: %d. An earlier version is served.", len(damaged))
	}
	out.Tables = &last.Views
	return out, nil
}

// dataHealth looks at the tables of who asks only: others' names are not theirs to know.
func (a *API) dataHealth(ctx context.Context) (service, error) {
	catalog, err := a.Store.Catalog(ctx, principal(ctx))
	if err != nil {
		return service{}, err
	}
	tables, rows := len(catalog.Tables()), int64(0)
	out := service{Status: "ok", Tables: &tables, TotalRows: &rows}
	for _, t := range catalog.Tables() {
		if t.Version == nil {
			continue
		}
		rows += t.Version.Rows
		if last := t.Status.LastSync; last != nil && a.Now().Sub(*last) > stale {
			out.Status = "warning"
			out.StaleTables = append(out.StaleTables, t.Name)
		}
	}
	return out, nil
}

func (a *API) version(context.Context, *none) (*versionOutput, error) {
	out := &versionOutput{}
	out.Body.Version, out.Body.Channel = a.Build.Version, a.Build.Channel
	out.Body.ImageTag, out.Body.DeployedAt = orNull(a.Build.ImageTag), stamp(a.DeployedAt)
	return out, nil
}

// notFound is the answer for a table that is not there, or not yours.
func notFound() error { return domain.E(domain.NotFound, "table_not_found", "Table not found") }
