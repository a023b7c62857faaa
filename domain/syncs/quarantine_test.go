package syncs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// archive is the state and the disk around a Quarantine, in memory.
type archive struct {
	mu       sync.Mutex
	tables   []registry.Published
	versions map[registry.TableID][]registry.Version // made last first
	broken   map[string]string                       // key → code
	asked    [][]string
	damage   []Damage
	rebuilds []Rebuild
	round    time.Time
	now      time.Time
}

func (a *archive) ListTables(context.Context) ([]registry.Published, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]registry.Published{}, a.tables...), nil
}

func (a *archive) GetTable(_ context.Context, id registry.TableID) (registry.Published, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.tables {
		if t.ID == id {
			return t, nil
		}
	}
	return registry.Published{}, domain.E(domain.NotFound, "table_not_found", "There is no such table.")
}

func (a *archive) ListVersions(_ context.Context, id registry.TableID) ([]registry.Version, error) {
	return a.versions[id], nil
}

func (a *archive) VerifyVersions(_ context.Context, files []registry.File, _ int64) ([]work.Problem, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var keys []string
	var found []work.Problem
	for _, f := range files {
		keys = append(keys, f.Key)
		if code := a.broken[f.Key]; code == "stuck" {
			return nil, errors.New("the child died")
		} else if code != "" {
			found = append(found, work.Problem{Key: f.Key, Code: code, Message: "A file of this version is wrong."})
		}
	}
	a.asked = append(a.asked, keys)
	return found, nil
}

func (a *archive) QuarantineVersion(_ context.Context, d Damage) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, known := range a.damage {
		if known.Version == d.Version && known.Outcome == d.Outcome {
			return false, nil
		}
	}
	a.damage = append(a.damage, d)
	for i, t := range a.tables {
		if t.ID != d.Table {
			continue
		}
		switch d.Outcome {
		case ServesEarlier:
			for _, v := range a.versions[t.ID] {
				if v.ID == d.Serves {
					a.tables[i].Version = &v
				}
			}
		case Withdrawn:
			a.tables[i].Version = nil
		case KeptAsIs:
		}
	}
	return true, nil
}

func (a *archive) RoundEnded(context.Context, string) (time.Time, error) { return a.round, nil }

func (a *archive) EndRound(context.Context, string) error {
	a.round = a.now
	return nil
}

func (a *archive) SaveRebuild(_ context.Context, r Rebuild) error {
	a.rebuilds = append(a.rebuilds, r)
	return nil
}

// Rebuild publishes what is current and leaves out what is broken.
func (a *archive) Rebuild(_ context.Context, job work.RebuildJob) (work.Rebuilt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out work.Rebuilt
	for _, s := range job.Sources {
		for _, t := range s.Tables {
			if a.broken[t.Keys[0]] != "" {
				out.Problems = append(out.Problems, work.Problem{Source: s.Name, Table: t.Name, Code: work.VersionDamaged, Message: "left out"})
				continue
			}
			out.Views++
		}
	}
	return out, nil
}

// newArchive has the table orders with versions v1 (oldest) to vn; held ones
// were never served.
func newArchive(n int, held ...registry.VersionID) *archive {
	a := &archive{versions: map[registry.TableID][]registry.Version{}, broken: map[string]string{}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	for i := n; i >= 1; i-- {
		id := registry.VersionID("v" + string(rune('0'+i)))
		at := a.now.Add(time.Duration(i-10) * time.Hour)
		v := registry.Version{ID: id, Table: "orders", Files: []registry.File{{Key: string(id)}}, CreatedAt: at, PublishedAt: &at, Rows: int64(i), Made: int64(i), Turn: int64(i)}
		for _, h := range held {
			if h == id {
				v.PublishedAt = nil
			}
		}
		a.versions["orders"] = append(a.versions["orders"], v)
	}
	newest := a.versions["orders"][0]
	a.tables = []registry.Published{{Table: registry.Table{ID: "orders", Name: "orders"}, Version: &newest}}
	return a
}

func (a *archive) rebuilder() *Rebuilder {
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return a.now }
	return &Rebuilder{
		Tables: a, Publisher: a, Timeout: time.Minute, Log: log, Rebuilds: a, Now: now, NewID: func() string { return "r" },
		Quarantine: &Quarantine{Tables: a, Versions: a, Verifier: a, Now: now, Log: log},
	}
}

func TestRebuildFallsBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		broken  map[string]string
		held    []registry.VersionID
		outcome Outcome
		serves  registry.VersionID
		views   int
		served  bool
	}{
		"to the version before":        {broken: map[string]string{"v4": work.FileChanged}, outcome: ServesEarlier, serves: "v3", views: 1, served: true},
		"past another damaged one":     {broken: map[string]string{"v4": work.FileMissing, "v3": work.FileChanged}, outcome: ServesEarlier, serves: "v2", views: 1, served: true},
		"past one that was never seen": {broken: map[string]string{"v4": work.FileChanged}, held: []registry.VersionID{"v3"}, outcome: ServesEarlier, serves: "v2", views: 1, served: true},
		"to nothing, other rows": {
			broken: map[string]string{"v4": work.FileChanged, "v3": work.FileChanged, "v2": work.FileChanged, "v1": work.FileChanged}, outcome: Withdrawn,
		},
		"to nothing, the disk is gone": {
			broken: map[string]string{"v4": work.FileMissing, "v3": work.FileMissing, "v2": work.FileMissing, "v1": work.FileMissing}, outcome: KeptAsIs,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(4, c.held...)
			a.broken = c.broken
			out, err := a.rebuilder().Rebuild(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(a.damage) != 1 || a.damage[0].Outcome != c.outcome || a.damage[0].Serves != c.serves || a.damage[0].Message == "" {
				t.Fatalf("damage %+v, want %s serving %q", a.damage, c.outcome, c.serves)
			}
			if out.Views != c.views || len(out.Problems) != 1 || out.Problems[0].Served != c.served || out.Problems[0].Table != "orders" {
				t.Errorf("report %+v", out)
			}
			if len(a.rebuilds) != 1 || a.rebuilds[0].State != OK || len(a.rebuilds[0].Problems) != 1 || (a.rebuilds[0].LeftOut() == 0) != c.served {
				t.Errorf("remembered %+v", a.rebuilds)
			}
			if c.outcome == ServesEarlier && !strings.Contains(a.damage[0].Message, "22 Nov 2026") {
				t.Errorf("the sentence %q names no time", a.damage[0].Message)
			}
		})
	}
}

// TestRebuildFallsBackWhateverTheClockSaid: the version that was made before is
// what to serve, though a clock may date it later; what somebody went back from is not.
func TestRebuildFallsBackWhateverTheClockSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made    int64 // place of the current version among v1 to v3, which are 1, 3 and 5
		outcome Outcome
		serves  registry.VersionID
	}{
		"new":                           {6, ServesEarlier, "v3"},
		"gone back to":                  {4, ServesEarlier, "v2"},
		"gone back to the first of all": {0, Withdrawn, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(3)
			for i := range a.versions["orders"] {
				a.versions["orders"][i].Made = int64(5 - 2*i)
			}
			early := a.now.AddDate(-1, 0, 0)
			v := registry.Version{
				ID: "now", Table: "orders", Files: []registry.File{{Key: "now"}}, CreatedAt: early, PublishedAt: &early, Rows: 3, Made: c.made, Turn: 7,
			}
			a.versions["orders"] = append(a.versions["orders"], v)
			slices.SortFunc(a.versions["orders"], func(a, b registry.Version) int { return int(b.Made - a.Made) })
			a.tables[0].Version = &v
			a.broken = map[string]string{"now": work.FileChanged}
			if _, err := a.rebuilder().Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(a.damage) != 1 || a.damage[0].Outcome != c.outcome || a.damage[0].Serves != c.serves {
				t.Errorf("damage %+v, want %s serving %q", a.damage, c.outcome, c.serves)
			}
		})
	}
}

// What cannot be told is not taken for damage.
func TestRebuildKeepsWhatCannotBeChecked(t *testing.T) {
	t.Parallel()
	a := newArchive(2)
	a.broken["v2"] = "stuck"
	out, err := a.rebuilder().Rebuild(t.Context())
	if err != nil || len(out.Problems) != 1 || len(a.damage) != 0 || a.tables[0].Version.ID != "v2" {
		t.Errorf("%+v, %v, damage %+v", out, err, a.damage)
	}
}

func TestRebuildRemembersFailures(t *testing.T) {
	t.Parallel()
	a := newArchive(1)
	r := a.rebuilder()
	r.Publisher = failingPublisher{}
	if _, err := r.Rebuild(t.Context()); err == nil {
		t.Error("no error")
	}
	if len(a.rebuilds) != 1 || a.rebuilds[0].State != Failed || a.rebuilds[0].Message == "" || strings.Contains(a.rebuilds[0].Message, "/srv") {
		t.Errorf("remembered %+v", a.rebuilds)
	}
}

// A rebuild without a run is told too, once it can be read.
func TestRebuildNudgesTheFeed(t *testing.T) {
	t.Parallel()
	a := newArchive(1)
	r := a.rebuilder()
	r.Feed = NewFeed()
	l := r.Feed.Listen()
	if _, err := r.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-l.Wake
	if len(a.rebuilds) != 1 || len(l.Take()) != 0 {
		t.Errorf("remembered %+v", a.rebuilds)
	}
}

type failingPublisher struct{}

func (failingPublisher) Rebuild(context.Context, work.RebuildJob) (work.Rebuilt, error) {
	return work.Rebuilt{}, errors.New("open /srv/data: denied")
}

func TestScrubFindsFlippedBits(t *testing.T) {
	t.Parallel()
	a := newArchive(3)
	r := a.rebuilder()
	s := &Scrub{Quarantine: r.Quarantine, Rebuilder: r, Every: 24 * time.Hour, BytesPerSecond: 1}
	if err := s.Tick(t.Context()); err != nil || len(a.damage) != 0 || len(a.asked) != 1 {
		t.Fatalf("all is well: %v, %+v, asked %v", err, a.damage, a.asked)
	}
	a.broken["v3"] = work.FileChanged
	a.now = a.now.Add(23 * time.Hour)
	if err := s.Tick(t.Context()); err != nil || len(a.damage) != 0 {
		t.Errorf("before it is due: %v, %+v", err, a.damage)
	}
	a.now = a.now.Add(2 * time.Hour)
	if err := s.Tick(t.Context()); err != nil || len(a.damage) != 1 || a.damage[0].Serves != "v2" {
		t.Errorf("when due: %v, %+v", err, a.damage)
	}
	if _, err := r.Rebuild(t.Context()); err != nil { // the one it asked for is done, or this one
		t.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tables[0].Version.ID != "v2" {
		t.Errorf("%s is served", a.tables[0].Version.ID)
	}
}

func TestScrubThatFailsIsDueAgain(t *testing.T) {
	t.Parallel()
	a := newArchive(1)
	a.broken["v1"] = "stuck"
	r := a.rebuilder()
	s := &Scrub{Quarantine: r.Quarantine, Rebuilder: r, Every: 24 * time.Hour}
	if err := s.Tick(t.Context()); err == nil || !a.round.IsZero() {
		t.Errorf("the round counts as done: %v, %v", err, a.round)
	}
}
