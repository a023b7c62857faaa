package syncs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
)

// scrubJob is the name that the last whole round is stored under.
const scrubJob = "verify versions"

// scrubBatch bounds what one child reads, so that a stop loses little.
const scrubBatch = 256 << 20

// Scrub reads every current version whole, slowly, and compares it with what
// was published: a flipped bit on a disk is found before somebody asks. What is
// damaged is quarantined.
type Scrub struct {
	Quarantine     *Quarantine
	Rebuilder      *Rebuilder
	Every          time.Duration
	BytesPerSecond int64
}

// Tick runs a round when one is due.
func (s *Scrub) Tick(ctx context.Context) error {
	q := s.Quarantine
	last, err := q.Versions.RoundEnded(ctx, scrubJob)
	if err != nil {
		return fmt.Errorf("last check of versions: %w", err)
	}
	if !last.IsZero() && q.Now().Sub(last) < s.Every {
		return nil
	}
	if err := s.Round(ctx); err != nil {
		return err
	}
	if err := q.Versions.EndRound(ctx, scrubJob); err != nil {
		return fmt.Errorf("store the end of the check of versions: %w", err)
	}
	return nil
}

// Round reads everything once. A table whose check fails does not stop the rest.
func (s *Scrub) Round(ctx context.Context) error {
	tables, err := s.Quarantine.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var failed []error
	var batch []registry.Published
	var size int64
	flush := func() {
		if len(batch) > 0 {
			failed = append(failed, s.batch(ctx, batch))
		}
		batch, size = nil, 0
	}
	for _, t := range tables {
		if t.Version == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // the caller knows what it stopped
		}
		batch, size = append(batch, t), size+t.Version.Bytes
		if size >= scrubBatch || len(batch) >= 1000 {
			flush()
		}
	}
	flush()
	return errors.Join(failed...)
}

// batch verifies tables in one child and examines those that differ again.
func (s *Scrub) batch(ctx context.Context, tables []registry.Published) error {
	var files []registry.File
	owner := map[string]registry.TableID{}
	for _, t := range tables {
		for _, f := range t.Version.Files {
			files = append(files, f)
			owner[f.Key] = t.ID
		}
	}
	found, err := s.Quarantine.Verifier.VerifyVersions(ctx, files, s.BytesPerSecond)
	if err != nil {
		return fmt.Errorf("verify versions: %w", err)
	}
	again := false
	seen := map[registry.TableID]bool{}
	for _, p := range found {
		id := owner[p.Key]
		if seen[id] {
			continue
		}
		seen[id] = true
		// As it is now: the version may have been replaced and swept meanwhile.
		t, err := s.Quarantine.Tables.GetTable(ctx, id)
		if domain.KindOf(err) == domain.NotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", id, err)
		}
		_, changed, err := s.Quarantine.Examine(ctx, t)
		if err != nil {
			return err
		}
		again = again || changed
	}
	if again {
		s.Rebuilder.Request(ctx)
	}
	return nil
}
