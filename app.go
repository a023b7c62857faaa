package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-isatty"
	"github.com/oklog/ulid/v2"

	"agnes/connectors/custom"
	filesource "agnes/connectors/files"
	"agnes/domain/activity"
	"agnes/domain/config"
	"agnes/domain/files"
	"agnes/domain/guard"
	"agnes/domain/mirror"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/syncs"
	"agnes/domain/work"
	"agnes/jobs"
	"agnes/store"
	"agnes/store/results"
	"agnes/store/warehouse"
)

// app is everything behind the pages and the API: what one-shot operations
// need too.
type app struct {
	cfg         config.Config // as at the start
	live        *config.Live  // with what was changed since
	inputs      *inputs       // nil: settings cannot be changed
	poster      poster
	log         *slog.Logger
	guard       *guard.Guard
	store       *store.Store
	writes      *syncs.Latch // shared by all that writes
	children    *jobs.Supervisor
	pool        *jobs.QueryPool
	walls       []work.Wall // what the kernel keeps children from
	feed        *syncs.Feed
	rebuilder   *syncs.Rebuilder
	quarantine  *syncs.Quarantine
	scrub       *syncs.Scrub
	syncer      *syncs.Syncer
	profiler    *syncs.Profiler
	watcher     *syncs.Watcher
	fileWatcher *syncs.FileWatcher
	scheduler   *syncs.Scheduler
	mirror      *mirror.Publisher
	folder      filesource.Folder
	importer    *files.Importer
	runner      *query.Runner
	results     results.Folder
	kept        *query.Results
	throttle    *people.Throttle // nil: tries to sign in are not bounded
	signIn      *people.SignIn

	links     *people.Links
	activity  *activity.Log
	dueLooked atomic.Pointer[time.Time] // by the scheduler; nil: not yet
	listening atomic.Pointer[net.Addr]  // nil until something listens
}

// maxSQL bounds a statement's text; the largest generated statements seen in
// practice stay under it.
const maxSQL = 512 << 10

// rebuildTimeout bounds one rebuild; 10,000 tables take seconds.
const rebuildTimeout = 5 * time.Minute

// spareChildren are query processes that are started ahead: a start is a
// third of what a new child costs.
const spareChildren = 1

// profileTimeout bounds counting what is in one table's columns.
const profileTimeout = time.Minute

// Every version is read whole once a day, slowly: a disk that reads 100 MB a
// second has most of its time for others.
const (
	scrubEvery          = 24 * time.Hour
	scrubBytesPerSecond = 32 << 20
)

// newApp opens the state and prepares the rest; nothing runs yet. Close it.
func newApp(ctx context.Context, cfg config.Config, log *slog.Logger) (*app, error) {
	data, err := filepath.Abs(cfg.Dirs.Data)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	cfg.Dirs.Data = data
	if err := os.MkdirAll(data, 0o750); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := checkPlaces(data); err != nil {
		return nil, err
	}
	writes := &syncs.Latch{Now: clock}
	state, err := store.Open(ctx, store.Options{
		Dir: cfg.Dirs.State, Now: clock, NewID: newID, Log: log, Writes: writes,
		Mapped: people.Mapping{Admin: cfg.Google.AdminGroup, Everyone: cfg.Google.EveryoneGroup},
	})
	if err != nil {
		return nil, err
	}
	a := &app{cfg: cfg, live: config.NewLive(cfg), inputs: &inputs{dirs: cfg.Dirs}, log: log, guard: &guard.Guard{Log: log}, store: state, writes: writes, feed: syncs.NewFeed()}
	if a.results, err = results.Open(data); err != nil {
		return nil, errors.Join(err, state.Close())
	}
	if err := a.startChildren(); err != nil {
		return nil, errors.Join(err, a.results.Close(), state.Close())
	}
	a.wire()
	if a.links, err = a.newLinks(); err != nil {
		return nil, errors.Join(err, a.Close(ctx))
	}
	return a, nil
}

// startChildren prepares the supervisor; a child starts when it is needed.
func (a *app) startChildren() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	a.walls = warehouse.Walls()
	for _, w := range a.walls {
		if !w.Held {
			a.log.Warn("a wall around children is missing", "wall", w.Name, "detail", w.Detail)
		}
	}
	q := a.cfg.Query
	limits := jobs.Limits{Children: q.Children, MemoryBytes: q.MemoryBytes, Threads: q.Threads}
	a.children = jobs.NewSupervisor(jobs.Config{
		Executable: self, DataDir: a.cfg.Dirs.Data, Jobs: jobs.Limits{MemoryBytes: q.MemoryBytes, Threads: q.Threads}, Env: childEnv(), NewID: newFileID, Log: a.log, Guard: a.guard,
		Capacity: jobs.Capacity{MemoryBytes: a.cfg.Children.MemoryBytes, Threads: a.cfg.Children.Threads},
	})
	a.pool = jobs.NewQueryPool(a.children, jobs.PoolConfig{Limits: limits, PerPerson: q.PerPerson, MaxWaiting: q.Queue, Spares: spareChildren})
	return nil
}

// wire puts the use cases together.
func (a *app) wire() {
	probe := query.Probe{Engine: a.pool}
	a.quarantine = &syncs.Quarantine{Tables: a.store, Versions: a.store, Verifier: a.children, Now: clock, Log: a.log}
	a.rebuilder = &syncs.Rebuilder{
		Tables: a.store, Publisher: a.children, Timeout: rebuildTimeout, Writes: a.writes, Log: a.log,
		Rebuilds: a.store, Quarantine: a.quarantine, Feed: a.feed, Now: clock, NewID: newFileID, Guard: a.guard,
	}
	a.scrub = &syncs.Scrub{Quarantine: a.quarantine, Rebuilder: a.rebuilder, Every: scrubEvery, BytesPerSecond: scrubBytesPerSecond}
	a.profiler = &syncs.Profiler{
		Tables: a.store, Profiles: a.store, Maker: a.children, Older: custom.Folder{Root: a.cfg.Dirs.Data}, Settings: a.cfg.Profiler, Timeout: profileTimeout, Now: clock, Log: a.log, Guard: a.guard,
	}
	a.syncer = &syncs.Syncer{
		Profiler: a.profiler,
		Runs:     a.store, Tables: a.store, Extractor: a.children, Rebuilder: a.rebuilder, Reader: probe, Verifier: a.children, Writes: a.writes, Feed: a.feed,
		Timeout: a.cfg.Sync.ExtractorTimeout, Workers: 2, Now: clock, NewID: newFileID, Log: a.log, Guard: a.guard, Reached: serverPoints(),
	}
	a.watcher = &syncs.Watcher{
		Dirs: custom.Folder{Root: a.cfg.Dirs.Data, Owned: []string{"files"}}, Inspector: a.children, Sources: a.store, Tables: a.store,
		Attacher: a.children, Remote: a.remotePolicy(), Syncer: a.syncer, Rebuilder: a.rebuilder, Now: clock, Log: a.log,
	}
	a.mirror = &mirror.Publisher{State: a.store, Writer: a.children, Writes: a.writes, Every: a.cfg.State.MirrorEvery, Now: clock, Log: a.log}
	a.scheduler = &syncs.Scheduler{Tables: a.store, Syncer: a.syncer, Now: clock, Log: a.log}
	a.folder = filesource.Folder{Root: a.cfg.Dirs.Data, MaxBytes: a.cfg.Files.MaxUploadBytes, MaxParts: a.cfg.Files.Unfinished, Writes: a.writes}
	a.syncer.Files = a.folder
	a.fileWatcher = &syncs.FileWatcher{Files: a.folder, Reads: a.store, Tables: a.store, Syncer: a.syncer, Log: a.log}
	a.importer = &files.Importer{
		Folder: a.folder, Previewer: a.children, Tables: a.store, Syncer: a.syncer, Rebuilder: a.rebuilder, Samples: samples(),
		Everyone: func(ctx context.Context) (people.GroupID, error) {
			g, err := a.store.GetGroupByName(ctx, people.EveryoneGroup)
			return g.ID, err
		},
	}
	a.runner = &query.Runner{
		Catalogs: a.store, Engine: a.pool, Log: a.store, Keeper: a.results, Current: a.queryLimits, Now: clock, NewID: newFileID, Logger: a.log, Guard: a.guard,
	}
	a.activity = &activity.Log{Store: a.store, Now: clock, Retention: a.cfg.Audit.Retention}
	a.kept = &query.Results{Runs: a.store, Keeper: a.results, Catalogs: a.store, Engine: a.pool, Runner: a.runner, Timeout: a.cfg.Query.Timeout, Now: clock}
	if a.cfg.Auth.LimitAttempts {
		a.throttle = &people.Throttle{Counter: a.store}
	}
	a.signIn = &people.SignIn{Accounts: a.store, Throttle: a.throttle, Now: clock, Off: a.cfg.Auth.Off("password")}
}

// queryLimits are what one query, and one person with all of theirs, may take.
func (a *app) queryLimits() query.Limits {
	q := a.live.Now().Query
	return query.Limits{
		Timeout: q.Timeout, MaxSQL: maxSQL,
		Person:  query.PersonLimits{Concurrent: q.PersonConcurrent, DailyBytes: q.PersonDailyBytes},
		Results: query.ResultLimits{Bytes: q.ResultBytes, PersonBytes: q.PersonResultBytes, PersonCount: maxResults, Age: q.ResultAge},
	}
}

// maxResults is how many results of one person are kept; each is a file.
const maxResults = 2000

// Close ends queries and children and closes the state.
func (a *app) Close(ctx context.Context) error {
	return errors.Join(a.runner.Stop(ctx), a.children.Close(ctx), a.results.Close(), a.store.Close())
}

// newID makes a UUID that grows with time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newFileID makes an id that grows with time and reads well in file names.
func newFileID() string { return ulid.Make().String() }

// newLogger writes text to a terminal, JSON otherwise.
func newLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
