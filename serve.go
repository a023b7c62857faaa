package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"agnes/domain/access"
	"agnes/domain/config"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/handlers"
	"agnes/handlers/api"
	"agnes/handlers/pages"
	"agnes/handlers/request"
	"agnes/jobs"
	"agnes/static"
	"agnes/views"
)

func newServeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the portal and the JSON API (also without a command)", GroupID: "server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd) },
	}
}

// serve runs the server until the command's context ends, then drains it.
func serve(cmd *cobra.Command) error {
	if err := static.Check(); err != nil {
		return err
	}
	return withApp(cmd, func(ctx context.Context, a *app) error {
		return a.serve(ctx, cmd.OutOrStdout())
	})
}

func (a *app) serve(ctx context.Context, stdout io.Writer) error {
	if err := a.seed(ctx); err != nil {
		return err
	}
	stopping := make(chan struct{})
	handler, err := a.handler(stopping)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Server.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; another address is set by --addr, AGNES_ADDR or PORT", a.cfg.Server.Addr, err)
	}
	at := listener.Addr()
	a.listening.Store(&at)
	if err := a.greet(ctx, stdout, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	a.tellRemotePolicy()
	a.tellSignIn()
	failed := make(chan error, 4)
	server := handlers.NewHTTPServer(a.cfg.Server.Addr, handler, a.log)
	go func() { failed <- a.guard.Do("serve", func() error { return server.Serve(listener) }) }()
	metrics, err := a.serveMetrics(ctx, handler, failed)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	stopWork, err := a.startWork(ctx, failed)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case <-ctx.Done():
		a.log.Info("stopping: answers under way are finished first", "grace", a.live.Now().Server.ShutdownGrace.String())
	case err = <-failed:
	}
	close(stopping) // streams end, so that draining does not wait for them
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.live.Now().Server.ShutdownGrace)
	defer cancel()
	err = errors.Join(err, server.Shutdown(drain))
	if metrics != nil {
		err = errors.Join(err, metrics.Close())
	}
	return errors.Join(err, stopWork())
}

// seed makes the administrator that the configuration names.
func (a *app) seed(ctx context.Context) error {
	if a.cfg.Auth.SeedEmail == "" {
		return nil
	}
	hash := ""
	if a.cfg.Auth.SeedPassword.Set() {
		var err error
		if hash, err = people.HashPassword(a.cfg.Auth.SeedPassword.Reveal()); err != nil {
			return err
		}
	}
	if err := a.store.EnsureSeedAdmin(ctx, a.cfg.Auth.SeedEmail, hash); err != nil {
		return fmt.Errorf("make the administrator of SEED_ADMIN_EMAIL: %w", err)
	}
	return nil
}

// handler builds everything that answers requests.
func (a *app) handler(stopping <-chan struct{}) (*handlers.Server, error) {
	key, err := signingKey(a.cfg)
	if err != nil {
		return nil, err
	}
	tokens, err := request.NewTokens(key, clock)
	if err != nil {
		return nil, err
	}
	secure := a.cfg.Server.SecureCookies()
	sessions := handlers.NewSessions(a.store.Sessions(), secure, a.cfg.Auth.SessionAge)
	personal := &access.Tokens{Store: a.store, Signer: tokens, Now: clock, NewID: uuid.NewString}
	build := buildOf(a.cfg.Build)
	data, err := newVersionFiles(a.cfg.Dirs.Data)
	if err != nil {
		return nil, err
	}
	requests := a.requests()
	editor, tester := a.editor(), a.tester()
	operations, err := api.New(api.Deps{
		Store: a.store, SignIn: a.signIn, Tokens: tokens, Remover: a.importer, Rebuilder: a.rebuilder, Syncer: a.syncer, Queries: a.runner, History: a.store, Results: a.kept, Limits: func() query.PersonLimits { return a.queryLimits().Person }, TempDir: filepath.Join(a.cfg.Dirs.Data, "results"), Data: data, Whole: a.children, Sources: a.watcher, Profiler: a.profiler, Uploads: a.folder, Imports: a.importer, Stopping: stopping,
		Personal: personal, Sessions: sessions,
		Ready: query.Probe{Engine: a.pool}.Ready, Walls: a.walls, Build: build, DeployedAt: time.Now(), Debug: a.cfg.Server.Debug, Now: clock, Log: a.log,

		Links: a.links, Inviter: a.links, Requests: requests, Settings: editor, Tests: tester,

		Activity: a.activity, Ticked: a.ticked,
	})
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	services, _ := signInServices(a.cfg) // what is set up by half is logged at start
	portal := pages.New(pages.Deps{
		Sessions: sessions, SignIn: a.signIn, Catalogs: a.store, Runner: a.runner, Results: a.kept, Importer: a.importer, Uploads: a.folder,
		Syncer: a.syncer, Feed: a.feed, History: a.store, Rebuilder: a.rebuilder, Sources: a.watcher, Profiler: a.profiler, Spec: operations.OpenAPI, Now: clock, Stopping: stopping,
		Identity: a.store, Personal: personal, SessionAge: a.cfg.Auth.SessionAge, Current: a.pagesNow, Fresh: pages.ServiceButtons(services), PasswordsOff: slices.Contains(a.cfg.Auth.Disabled, string(people.ByPassword)),
		Version: build.Version, MaxUpload: a.cfg.Files.MaxUploadBytes,

		Principals: a.store, Requests: requests, RequestList: a.store,
		People: a.store, Groups: a.store, Access: a.store, Links: a.links, Inviter: a.links, Settings: editor, Tests: tester,
		Activity:   a.activity,
		Federation: a.federation(), Services: services, CallbackBase: a.callbackBase(),
		Providers: func() []views.Provider { return pages.ServiceButtons(services) },
	})
	return handlers.New(handlers.Config{
		People: a.store, Tokens: tokens, Sessions: sessions, Current: a.network, SchedulerToken: a.cfg.Auth.SchedulerToken.Reveal(),
		API: operations.Routes(), Pages: portal.Routes(), PageError: portal.PageError,
		Throttle: a.throttle,
		Secure:   secure, Debug: a.cfg.Server.Debug, Version: build.Version, Stopping: stopping,
		Registry: newMetricsRegistry(), Gauges: a.gauges(), Now: clock, Log: a.log, Guard: a.guard,
	})
}

// companyName is what pages call the company; the default is nobody's name.
func (a *app) companyName() string {
	cfg := a.live.Now()
	if cfg.OriginOf("instance.name") == config.Default {
		return ""
	}
	return cfg.Instance.Name
}

// trustedOrigins are the other sites whose pages may change something here.
func (a *app) trustedOrigins() []string {
	cfg := a.live.Now()
	if cfg.OriginOf("server.cors_origins") == config.Default {
		return nil
	}
	return cfg.Server.CORSOrigins
}

func newMetricsRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// gauges are the figures of the children.
func (a *app) gauges() []handlers.Gauge {
	return []handlers.Gauge{
		{Name: "agnes_children", Help: "Child processes now, of all kinds.", Read: func() float64 { return float64(a.children.Stats().Live) }},
		{Name: "agnes_query_children", Help: "Query children now.", Read: func() float64 { return float64(a.pool.Stats().Children) }},
		{Name: "agnes_query_waiting", Help: "Queries that wait for a child.", Read: func() float64 { return float64(a.pool.Stats().Waiting) }},
		{Name: "agnes_children_memory_bytes", Help: "Memory that is handed out to children, of DuckDB.", Read: func() float64 { return float64(a.children.Stats().Shares.MemoryUsed) }},
		{Name: "agnes_children_threads", Help: "Threads that are handed out to children.", Read: func() float64 { return float64(a.children.Stats().Shares.ThreadsUsed) }},
		{Name: "agnes_children_waiting", Help: "Children that wait for memory or threads.", Read: func() float64 { return float64(a.children.Stats().Shares.Waiting) }},
		{Name: "agnes_children_died", Help: "Children that ended by a fault since the start.", Read: func() float64 { return float64(a.children.Stats().Died) }},
		{Name: "agnes_panics", Help: "Panics that were recovered from since the start.", Read: func() float64 { return float64(a.guard.Panics()) }},
	}
}

// greet says where the portal is; while there are no users it prints the
// one-time link for the first administrator.
func (a *app) greet(ctx context.Context, stdout io.Writer, at net.Addr) error {
	base := publicURL(a.cfg.Server.URL, at)
	users, err := a.store.CountUsers(ctx)
	if err != nil {
		return fmt.Errorf("count users: %w", err)
	}
	if users > 0 {
		fmt.Fprintf(stdout, "Agnes serves %s\n", base)
		return nil
	}
	token, err := a.signIn.FirstRunToken(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Agnes serves %s and has no users yet.\nOpen this link to name the first administrator. It works once, within an hour; the next start prints a new one.\n\n  %s/first-run?token=%s\n\n",
		base, base, url.QueryEscape(token))
	return nil
}

func publicURL(configured *url.URL, at net.Addr) string {
	if configured != nil {
		return configured.String()
	}
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return "http://" + at.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// serveMetrics answers /metrics on its own address, loopback by default.
func (a *app) serveMetrics(ctx context.Context, h *handlers.Server, failed chan<- error) (*http.Server, error) {
	addr := a.cfg.Server.MetricsAddr
	if addr == "" {
		return nil, nil //nolint:nilnil // metrics are off
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil && a.cfg.OriginOf("server.metrics_addr") == config.Default {
		a.log.Warn("no metrics: their default address is taken; set AGNES_METRICS_ADDR to another one, or to off", "addr", addr)
		return nil, nil //nolint:nilnil // nobody asked for that address, so the portal starts without
	}
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on %s: %w; set AGNES_METRICS_ADDR to another address, or to off", addr, err)
	}
	server := handlers.NewHTTPServer(addr, h.MetricsHandler(), a.log)
	go func() { failed <- a.guard.Do("serve metrics", func() error { return server.Serve(listener) }) }()
	return server, nil
}

// startWork starts what runs by itself and returns how to stop it.
func (a *app) startWork(ctx context.Context, failed chan<- error) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	schedule, err := jobs.NewSchedule(ctx, a.guarded(a.schedule()), a.log)
	if err != nil {
		cancel()
		return nil, err
	}
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		if err := a.guard.Do("syncs", func() error { return a.syncer.Work(ctx) }); err != nil {
			failed <- err
		}
	}()
	profiled := make(chan struct{})
	a.guard.Go("profiles", func() {
		defer close(profiled)
		a.profiler.Work(ctx)
	})
	mailed := make(chan struct{})
	a.guard.Go("mail", func() {
		defer close(mailed)
		a.links.Work(ctx)
	})
	schedule.Start()
	return func() error {
		cancel()
		err := schedule.Stop()
		<-worked
		<-profiled
		<-mailed
		return err
	}, nil
}
