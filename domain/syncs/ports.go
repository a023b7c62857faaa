package syncs

import (
	"context"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Runs keeps runs, their steps and the versions that they publish.
type Runs interface {
	// QueueRuns queues one run a table and returns them; a table that already
	// has a live run gets that one returned. Where that has begun, or publishes a
	// version that is kept, and the trigger tells of new rows, another run follows
	// it, also after a stop of the server. Unknown tables fail with NotFound.
	QueueRuns(ctx context.Context, by audit.Actor, trigger Trigger, tables []registry.TableID) ([]Run, error)
	// ClaimRun turns the oldest queued run into a running one; NotFound when none is queued.
	ClaimRun(ctx context.Context) (Run, error)
	// SaveRun stores a live run's progress.
	SaveRun(ctx context.Context, r Run) error
	// AddStep stores a finished phase.
	AddStep(ctx context.Context, s Step) error
	// PublishVersion records v and makes it current, but unconfirmed; it returns the
	// version that was current before, nil when there was none.
	PublishVersion(ctx context.Context, v registry.Version) (*registry.Version, error)
	// RevertVersion makes `to` current again (nil: none) and forgets the bad one.
	RevertVersion(ctx context.Context, bad registry.Version, to *registry.Version) error
	// FinishRun stores how a run ended, its last step and the table's sync state, and
	// queues the run that follows it, if one does. A success confirms the version
	// that the run made current.
	FinishRun(ctx context.Context, r Run) error
	// Unconfirmed lists the tables whose current version was never read back.
	Unconfirmed(ctx context.Context) ([]Unconfirmed, error)
	// ConfirmVersion takes note that a current version was read back.
	ConfirmVersion(ctx context.Context, v registry.Version) error
	// RecoverRuns ends runs that a stop of the server interrupted, saying so, and
	// queues them again. A run that has the code Interrupted keeps its words.
	RecoverRuns(ctx context.Context) ([]Run, error)
	// CancelRun ends a queued run, or returns a running one for the caller to stop.
	CancelRun(ctx context.Context, by audit.Actor, id string) (Run, error)
	// LiveRun returns the queued or running run of a table; NotFound.
	LiveRun(ctx context.Context, table registry.TableID) (Run, error)
	// NoteRead stores what a table's file is like as a sync begins to read it.
	NoteRead(ctx context.Context, table registry.TableID, fingerprint string) error
	// LiveRuns lists queued and running runs, oldest first.
	LiveRuns(ctx context.Context) ([]Run, error)
	Versions
}

// Versions keeps versions beside the current one, and the runs that publish them.
type Versions interface {
	// GetRun returns one run; NotFound.
	GetRun(ctx context.Context, id string) (Run, error)
	// GetVersion returns a kept version of a table; NotFound.
	GetVersion(ctx context.Context, table registry.TableID, id registry.VersionID) (registry.Version, error)
	// KeepVersion records v without making it current.
	KeepVersion(ctx context.Context, v registry.Version) error
	// UnpublishVersion makes `to` current again (nil: none) and keeps v as it was before.
	UnpublishVersion(ctx context.Context, v registry.Version, to *registry.Version) error
	// QueueRestore queues a run that publishes a kept version. Conflict when it
	// is current already or a run of the table is under way; NotFound.
	QueueRestore(ctx context.Context, by audit.Actor, table registry.TableID, id registry.VersionID) (Run, error)
	// ReleaseRun queues a held run again, to publish its version. Conflict when
	// it is not held any more or another run of the table is under way; NotFound.
	ReleaseRun(ctx context.Context, by audit.Actor, id string) (Run, error)
	// DiscardRun ends a held run; its version is kept like any other. Conflict
	// when it is not held any more; NotFound.
	DiscardRun(ctx context.Context, by audit.Actor, id string) (Run, error)
}

// Verifier compares files of versions, in a child, with what was published,
// and returns what differs.
type Verifier interface {
	VerifyVersions(ctx context.Context, files []registry.File, bytesPerSecond int64) ([]work.Problem, error)
}

// Tables reads the registry.
type Tables interface {
	// GetTable returns one table with its current version; NotFound.
	GetTable(ctx context.Context, id registry.TableID) (registry.Published, error)
	// ListTables returns every table with its current version, by name.
	ListTables(ctx context.Context) ([]registry.Published, error)
}

// Extractor runs an extract child for one table.
type Extractor interface {
	Extract(ctx context.Context, job work.ExtractJob, progress func(work.Event)) (work.Extracted, error)
}

// Publisher runs a rebuild child.
type Publisher interface {
	Rebuild(ctx context.Context, job work.RebuildJob) (work.Rebuilt, error)
}

// Reader counts a version's rows the way analysts read them.
type Reader interface {
	CountRows(ctx context.Context, c access.Catalog, table string) (int64, error)
}
