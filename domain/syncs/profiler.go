package syncs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/guard"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Profiles keeps what is known of tables' columns.
type Profiles interface {
	// GetProfile returns a table's newest profile; NotFound.
	GetProfile(ctx context.Context, table registry.TableID) (profile.Kept, error)
	// SaveProfile replaces a table's profile; NotFound when the table is gone.
	SaveProfile(ctx context.Context, k profile.Kept) error
	// UnprofiledTables lists tables whose current version has no profile and
	// should; those that it was tried for already are not among them.
	UnprofiledTables(ctx context.Context) ([]registry.TableID, error)
	// GetProfileFailure returns why the last try for a table failed; NotFound when it did not.
	GetProfileFailure(ctx context.Context, table registry.TableID) (ProfileFailure, error)
	// SaveProfileFailure keeps that; a profile that is saved later takes it back.
	SaveProfileFailure(ctx context.Context, f ProfileFailure) error
	// MetricsOf lists the metric definitions that use a table.
	MetricsOf(ctx context.Context, name string) ([]profile.Metric, error)
	// Audit records who asked.
	Audit(ctx context.Context, e audit.Entry) error
}

// ProfileFailure is why a version of a table could not be counted.
type ProfileFailure struct {
	Table   registry.TableID
	Version registry.VersionID
	At      time.Time
	work.Failure
}

// OlderProfiles has profiles that another program left, by the name of a table.
type OlderProfiles interface {
	// Profile fails with NotFound when there is none.
	Profile(ctx context.Context, table string) (profile.Profile, time.Time, error)
}

// ProfileMaker runs a profile child.
type ProfileMaker interface {
	Profile(ctx context.Context, job work.ProfileJob) (profile.Profile, error)
}

// Profiler counts what is in tables' columns, one table at a time, beside the
// syncs and after them: it never delays or fails one.
type Profiler struct {
	Tables   Tables
	Profiles Profiles
	Maker    ProfileMaker
	Older    OlderProfiles // asked for tables without a profile; nil: nobody is
	Settings profile.Settings
	Timeout  time.Duration // of one table
	Now      func() time.Time
	Log      *slog.Logger
	Guard    *guard.Guard

	once  sync.Once
	wake  chan struct{}
	mu    sync.Mutex
	queue []*counting
	under *counting
}

// counting is one profile that was asked for; everybody who asks for the same
// before it begins shares it.
type counting struct {
	table registry.TableID
	asked bool // by a person: also of tables that are not profiled by themselves
	of    registry.VersionID
	done  chan struct{}
	kept  profile.Kept
	err   error
}

func (p *Profiler) init() {
	p.once.Do(func() {
		p.wake = make(chan struct{}, 1)
	})
}

// Request asks for a table's profile after a sync, without waiting for it.
func (p *Profiler) Request(table registry.TableID) { p.enqueue(table, false) }

// Ask asks for a table's profile because a person wants it, and leaves an audit row.
func (p *Profiler) Ask(ctx context.Context, by audit.Actor, table registry.TableID) error {
	_, err := p.ask(ctx, by, table)
	return err
}

// Refresh is Ask for who waits for the profile. The end of ctx ends the
// waiting, not the work.
func (p *Profiler) Refresh(ctx context.Context, by audit.Actor, table registry.TableID) (profile.Kept, error) {
	c, err := p.ask(ctx, by, table)
	if err != nil {
		return profile.Kept{}, err
	}
	select {
	case <-c.done:
		return c.kept, c.err
	case <-ctx.Done():
		return profile.Kept{}, ctx.Err()
	}
}

func (p *Profiler) ask(ctx context.Context, by audit.Actor, table registry.TableID) (*counting, error) {
	err := p.Profiles.Audit(ctx, audit.Entry{Actor: by, Action: "catalog.profile_refresh", Resource: "table:" + string(table), Result: "success"})
	if err != nil {
		return nil, fmt.Errorf("audit the profile of %s: %w", table, err)
	}
	return p.enqueue(table, true), nil
}

func (p *Profiler) enqueue(table registry.TableID, asked bool) *counting {
	p.init()
	p.mu.Lock()
	c := p.waiting(table)
	if c == nil {
		c = &counting{table: table, done: make(chan struct{})}
		p.queue = append(p.queue, c)
	}
	if asked && !c.asked { // people do not wait behind what runs by itself
		c.asked = true
		at := slices.Index(p.queue, c)
		first := slices.IndexFunc(p.queue, func(q *counting) bool { return !q.asked || q == c })
		p.queue = slices.Insert(slices.Delete(p.queue, at, at+1), first, c)
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return c
}

// waiting returns the profile of a table that is asked for and not begun; p.mu is held.
func (p *Profiler) waiting(table registry.TableID) *counting {
	i := slices.IndexFunc(p.queue, func(c *counting) bool { return c.table == table })
	if i < 0 {
		return nil
	}
	return p.queue[i]
}

// Work makes the profiles that are asked for until ctx ends, first those that a
// stop of the server left undone.
func (p *Profiler) Work(ctx context.Context) {
	p.init()
	left, err := p.Profiles.UnprofiledTables(ctx)
	if err != nil {
		p.Log.Error("list tables without a profile", "err", err)
	}
	for _, id := range left {
		p.Request(id)
	}
	for {
		c := p.next()
		if c == nil {
			select {
			case <-p.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		c.err = p.Guard.Do("a profile", func() (err error) {
			c.kept, err = p.carry(ctx, c)
			return err
		})
		p.Guard.Func("finish a profile", func() { p.finish(ctx, c) })()
	}
}

func (p *Profiler) next() *counting {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under = nil
	if len(p.queue) > 0 {
		p.under, p.queue = p.queue[0], p.queue[1:]
	}
	return p.under
}

// finish remembers why a table has no profile and tells those who wait.
func (p *Profiler) finish(ctx context.Context, c *counting) {
	if c.err != nil && c.of != "" && ctx.Err() == nil && domain.KindOf(c.err) != domain.NotFound {
		f := ProfileFailure{Table: c.table, Version: c.of, At: p.Now()}
		f.Code, f.Message, f.NextStep = explainProfile(c.err)
		p.Log.Warn("table without a profile", "table_id", string(c.table), "code", f.Code, "err", c.err)
		if err := p.Profiles.SaveProfileFailure(ctx, f); err != nil && domain.KindOf(err) != domain.NotFound {
			p.Log.Error("remember why a table has no profile", "table_id", string(c.table), "err", err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under = nil
	close(c.done)
}

// errUnwanted ends what turned out to have nothing to count.
var errUnwanted = errors.New("no profile is wanted")

func explainProfile(err error) (code, message, next string) {
	var child *work.ChildError
	var known *domain.Error
	if errors.As(err, &child) || errors.As(err, &known) {
		return explain(err)
	}
	return "internal", "The columns could not be counted because of a fault in Agnes.", "Look for this table in the server's log."
}

// carry makes one profile and keeps it.
func (p *Profiler) carry(ctx context.Context, c *counting) (profile.Kept, error) {
	t, err := p.Tables.GetTable(ctx, c.table)
	if err != nil {
		return profile.Kept{}, fmt.Errorf("table to profile: %w", err)
	}
	switch {
	case !c.asked && !t.ProfileAfterSync:
		return profile.Kept{}, errUnwanted
	case t.Version == nil || len(t.Version.Files) == 0:
		return profile.Kept{}, domain.E(domain.NotFound, "no_file", "Table %s has no rows here that could be counted.", t.Name)
	}
	c.of = t.Version.ID
	if before, err := p.Profiles.GetProfile(ctx, t.ID); err == nil && !c.asked && before.Version == t.Version.ID {
		return before, nil
	}
	keys := make([]string, len(t.Version.Files))
	for i, f := range t.Version.Files {
		keys[i] = f.Key
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.Timeout, domain.E(domain.Unavailable, "profile_timeout",
		"Counting the columns was stopped after its limit of %s.", p.Timeout))
	defer cancel()
	made, err := p.Maker.Profile(ctx, work.ProfileJob{
		Table: t.Name, Keys: keys, Bytes: t.Version.Bytes, Settings: p.Settings, Patience: p.Timeout * 2 / 3,
	})
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return profile.Kept{}, err
	}
	kept := profile.Kept{Table: t.ID, Version: t.Version.ID, VersionAt: t.Version.CreatedAt, ProfiledAt: p.Now(), Profile: made.Describe(t)}
	if err := p.Profiles.SaveProfile(ctx, kept); err != nil {
		return profile.Kept{}, fmt.Errorf("keep the profile of %s: %w", t.Name, err)
	}
	return kept, nil
}
