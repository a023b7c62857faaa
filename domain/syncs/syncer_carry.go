package syncs

import (
	"context"
	"errors"
	"fmt"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// carry takes the run through its phases.
func (s *Syncer) carry(ctx context.Context, r *Run) error {
	t, err := s.Tables.GetTable(ctx, r.Table)
	if err != nil {
		return fmt.Errorf("table of run %s: %w", r.ID, err)
	}
	p := &progress{syncer: s, run: r, since: s.Now()}
	if r.Version != "" {
		return s.republish(ctx, p, t)
	}
	got, err := s.extract(ctx, p, t)
	if err != nil {
		return p.fail(ctx, err)
	}
	p.enter(ctx, Publish)
	v := registry.Version{
		ID: p.version, Table: t.ID, RunID: r.ID, Files: got.Files, Columns: got.Columns,
		Rows: got.Rows, Bytes: got.Bytes, MD5: got.MD5, CreatedAt: s.Now(), Cause: string(r.Trigger), MadeBy: r.StartedBy,
	}
	r.Rows, r.Bytes = got.Rows, got.Bytes
	if hold := t.Review(v); hold != nil {
		return s.hold(ctx, p, v, *hold)
	}
	return s.publish(ctx, p, t, v, s.Runs.RevertVersion)
}

// extract runs the child that writes the version.
func (s *Syncer) extract(ctx context.Context, p *progress, t registry.Published) (work.Extracted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, domain.E(domain.Unavailable, "extract_timeout",
		"The extraction was stopped after its limit of %s. The previous version is still served.", s.Timeout))
	defer cancel()
	p.version = registry.VersionID(s.NewID())
	p.enter(ctx, Extract)
	s.noteRead(ctx, t.Table)
	options, err := files.ParseOptions(t.ReadOptions)
	if err != nil {
		return work.Extracted{}, fmt.Errorf("corrections of %s: %w", t.Name, err)
	}
	got, err := s.Extractor.Extract(ctx, work.ExtractJob{
		Connector: connectorOf(t.Table), Source: t.Source(), Item: t.Item(), Table: t.Name, VersionID: p.version, RunID: p.run.ID, Options: options,
	}, func(e work.Event) { p.event(ctx, e) })
	p.run.Report.Warnings = got.Warnings
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return got, stillGone(t, err)
}

// noteRead stores what a table's file is like before it is read: what comes while
// it is, or later, differs from that. Without the note its date decides.
func (s *Syncer) noteRead(ctx context.Context, t registry.Table) {
	if s.Files == nil || !watched(t) {
		return
	}
	state, err := s.Files.Changed(ctx, t.SourceTable)
	if err == nil {
		err = s.Runs.NoteRead(ctx, t.ID, state.Fingerprint)
	}
	if err != nil {
		s.Log.Warn("note what is read of a table's file", "table_id", string(t.ID), "err", err)
	}
}

func connectorOf(t registry.Table) string {
	if t.Foreign() {
		return registry.SourceCustom
	}
	return "files"
}

// confirm publishes the artifacts and reads the new version back as analysts would.
func (s *Syncer) confirm(ctx context.Context, p *progress, t registry.Published, v registry.Version) error {
	report, err := s.Rebuilder.Rebuild(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	for _, problem := range report.Problems {
		if problem.Source == t.Source() && problem.Table == t.Name {
			return domain.E(domain.Unavailable, problem.Code, "%s", problem.Message)
		}
	}
	p.enter(ctx, ReadBack)
	t.Version = &v
	rows, err := s.Reader.CountRows(ctx, access.NewCatalog([]registry.Published{t}), t.Name)
	if err != nil {
		return fmt.Errorf("read %s back: %w", t.Name, err)
	}
	if rows != v.Rows {
		return domain.E(domain.Unavailable, "read_back_differs",
			"The published table has %d rows where %d were written. The previous version is still served.", rows, v.Rows)
	}
	return nil
}
