package warehouse

import "context"

// The named points of publishing, in the order in which they are passed. A
// fault campaign stops a child at one of them; docs/operations.md lists them.
const (
	pointDatabaseBuilt      = "database:built"       // the temporary database is written, checkpointed and closed
	pointDatabaseChecked    = "database:checked"     // and was read back
	pointDatabaseSynced     = "database:synced"      // and is durable
	pointDatabaseLinked     = "database:linked"      // it has its generation's name, where it has one
	pointDatabaseWALRemoved = "database:wal-removed" // the log beside the published name is gone, durably
	pointDatabaseRenamed    = "database:renamed"     // the published name is the new file
	pointDatabaseDirSynced  = "database:dir-synced"  // durably
	pointDatabaseNoted      = "database:noted"       // the note of what was published is written
	pointDatabaseSwept      = "database:swept"       // old generations are gone
	pointVersionWritten     = "version:written"      // the temporary Parquet file is written
	pointVersionHashed      = "version:hashed"       // and its sums are taken
	pointVersionChecked     = "version:checked"      // and it was read back
	pointVersionSynced      = "version:synced"       // and is durable
	pointVersionLinked      = "version:linked"       // it has its final name
	pointVersionDirSynced   = "version:dir-synced"   // durably
	pointVersionSwept       = "version:swept"        // the temporary name is gone
	pointDataLinked         = "data:linked"          // a contract path's new file has its temporary name
	pointDataRenamed        = "data:renamed"         // and its own
	pointRebuildPublished   = "rebuild:published"    // everything is in place, the server has not heard of it
)

// Points lists the named points.
func Points() []string {
	return []string{
		pointVersionWritten, pointVersionHashed, pointVersionChecked, pointVersionSynced, pointVersionLinked, pointVersionDirSynced, pointVersionSwept,
		pointDataLinked, pointDataRenamed,
		pointDatabaseBuilt, pointDatabaseChecked, pointDatabaseSynced, pointDatabaseLinked, pointDatabaseWALRemoved,
		pointDatabaseRenamed, pointDatabaseDirSynced, pointDatabaseNoted, pointDatabaseSwept, pointRebuildPublished,
	}
}

type pointsKey struct{}

// WithPoints makes the child that runs under the returned context call reached
// at each named point. Only tests and builds for faults do.
func WithPoints(ctx context.Context, reached func(point string)) context.Context {
	return context.WithValue(ctx, pointsKey{}, reached)
}

func pointsOf(ctx context.Context) func(string) {
	reached, _ := ctx.Value(pointsKey{}).(func(string))
	return reached
}

// at tells that a named point is reached; in a release nobody listens.
func (s *Store) at(point string) {
	if s.reached != nil {
		s.reached(point)
	}
}
