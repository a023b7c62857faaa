package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Quarantined is what a Quarantine needs of the state.
type Quarantined interface {
	// ListVersions returns a table's versions, the one that was made last first.
	ListVersions(ctx context.Context, table registry.TableID) ([]registry.Version, error)
	// QuarantineVersion records d and carries its outcome out, unless another
	// version is current by now; it reports whether anything is new.
	QuarantineVersion(ctx context.Context, d Damage) (changed bool, err error)
	// RoundEnded returns when a job's last whole round ended; zero: never.
	RoundEnded(ctx context.Context, job string) (time.Time, error)
	// EndRound stores that a round of a job ended now.
	EndRound(ctx context.Context, job string) error
}

// Quarantine takes versions out of service whose files are not what was
// published, and puts the newest whole version in their place. It never does
// so silently: each leaves a run, a sentence and a row of damage.
type Quarantine struct {
	Tables   Tables
	Versions Quarantined
	Verifier Verifier
	Now      func() time.Time
	Log      *slog.Logger
}

// suspicious are the problems of a rebuild that a damaged version may be behind.
func suspicious(p work.Problem) bool {
	return p.Table != "" && (p.Code == work.VersionDamaged || p.Code == work.VersionUnreadable)
}

// resolve looks at the tables that a rebuild left out because their rows could
// not be read. It returns what happened to those that are damaged, as problems
// for the rebuild's report, and whether another rebuild would publish more.
func (q *Quarantine) resolve(ctx context.Context, tables []registry.Published, problems []work.Problem) (told []work.Problem, again bool, err error) {
	if q == nil || !slices.ContainsFunc(problems, suspicious) {
		return nil, false, nil
	}
	named := make(map[[2]string]registry.Published, len(tables))
	for _, t := range tables {
		named[[2]string{t.Source(), t.Name}] = t
	}
	for _, p := range problems {
		t, known := named[[2]string{p.Source, p.Table}]
		if !known || !suspicious(p) {
			continue
		}
		d, changed, err := q.Examine(ctx, t)
		if err != nil {
			return told, again, err
		}
		if d == nil {
			continue
		}
		again = again || changed && d.Outcome != KeptAsIs
		told = append(told, work.Problem{
			Source: p.Source, Table: p.Table, Code: work.VersionDamaged, Message: d.Message, Served: d.Outcome == ServesEarlier,
		})
	}
	return told, again, nil
}

// Examine reads all of a table's current version. When it is damaged, the
// newest earlier version that is whole takes its place; nil when nothing is
// wrong. changed is false when that was known before, or when another version
// became current meanwhile.
func (q *Quarantine) Examine(ctx context.Context, t registry.Published) (_ *Damage, changed bool, err error) {
	if t.Version == nil {
		return nil, false, nil
	}
	found, err := q.Verifier.VerifyVersions(ctx, t.Version.Files, 0)
	if err != nil {
		return nil, false, fmt.Errorf("verify version %s of %s: %w", t.Version.ID, t.ID, err)
	}
	if len(found) == 0 {
		return nil, false, nil
	}
	d := Damage{Version: t.Version.ID, Table: t.ID, Name: t.Name, Source: t.Source(), FoundAt: q.Now(), Code: found[0].Code}
	whole, err := q.newestWhole(ctx, t)
	if err != nil {
		return nil, false, err
	}
	d.decide(whole, found)
	changed, err = q.Versions.QuarantineVersion(ctx, d)
	if err != nil {
		return nil, false, fmt.Errorf("quarantine version %s: %w", d.Version, err)
	}
	if changed {
		q.Log.Error("a published version is damaged", "table_id", string(d.Table), "version_id", string(d.Version), "code", d.Code,
			"outcome", string(d.Outcome), "serves", string(d.Serves))
	}
	return &d, changed, nil
}

// newestWhole is the newest version before the current one that was served
// once and is whole; nil when there is none.
func (q *Quarantine) newestWhole(ctx context.Context, t registry.Published) (*registry.Version, error) {
	versions, err := q.Versions.ListVersions(ctx, t.ID)
	if err != nil {
		return nil, fmt.Errorf("versions of %s: %w", t.ID, err)
	}
	for _, v := range versions {
		if v.Made >= t.Version.Made || v.PublishedAt == nil { // somebody went back from a later one
			continue
		}
		found, err := q.Verifier.VerifyVersions(ctx, v.Files, 0)
		if err != nil {
			return nil, fmt.Errorf("verify version %s of %s: %w", v.ID, t.ID, err)
		}
		if len(found) == 0 {
			return &v, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// decide fills in what becomes of the table. Rows that are known to be other
// rows are never served; a file that cannot be read may come back.
func (d *Damage) decide(whole *registry.Version, found []work.Problem) {
	changed := slices.ContainsFunc(found, func(p work.Problem) bool { return p.Code == work.FileChanged })
	what := fmt.Sprintf("The newest rows of %s are damaged: %s", d.Name, lowerFirst(found[0].Message))
	switch {
	case whole != nil:
		d.Outcome, d.Serves, d.ServesFrom, d.ServesRows = ServesEarlier, whole.ID, whole.CreatedAt, whole.Rows
		d.Message = what + " The rows of " + whole.CreatedAt.UTC().Format("2 Jan 2006 15:04") + " UTC are served instead."
	case changed:
		d.Outcome = Withdrawn
		d.Message = what + " There is no earlier version, so the table has no rows now."
	default:
		d.Outcome = KeptAsIs
		d.Message = what + " There is no earlier version, so queries on it fail."
	}
}

// NextStep says what to do about damage.
func (d Damage) NextStep() string {
	return "Sync the table to get new rows, and have the server's disk checked."
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}
