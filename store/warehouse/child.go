package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// Connector finds the rows of a job in one kind of source and hands their place
// to the sink.
type Connector interface {
	Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error)
}

// RunExtract is the body of an extract child: it reads one job from stdin,
// gives up every right that the job does not need, and writes events, the last
// of which is Done or Failure. A Failure is not an error: the child did
// its work by reporting it.
func RunExtract(ctx context.Context, stdin io.Reader, events io.Writer, connectors map[string]Connector, log *slog.Logger) error {
	return runChild(events, log, func(report Report) error {
		var job work.ExtractJob
		if err := decodeJob(stdin, &job); err != nil {
			return err
		}
		s, err := openStore(ctx, job.DataDir, job.Budget, log)
		if err != nil {
			return err
		}
		if !registry.Identifier(job.Source) && job.Inspect != work.InspectFile && job.Inspect != work.InspectVersions {
			return badJob(fmt.Errorf("source %q is not a name", job.Source))
		}
		if err := enterSandbox(job.Budget, s.extractDoors(job), log); err != nil {
			return err
		}
		return s.extract(ctx, job, connectors, report)
	})
}

// RunRebuild is the body of a rebuild child; see RunExtract.
func RunRebuild(ctx context.Context, stdin io.Reader, events io.Writer, log *slog.Logger) error {
	return runChild(events, log, func(report Report) error {
		var job work.RebuildJob
		if err := decodeJob(stdin, &job); err != nil {
			return err
		}
		s, err := openStore(ctx, job.DataDir, job.Budget, log)
		if err != nil {
			return err
		}
		if err := enterSandbox(job.Budget, s.rebuildDoors(), log); err != nil {
			return err
		}
		rebuilt, err := s.Rebuild(ctx, job.Sources, report)
		if err == nil {
			report(work.Event{Rebuilt: &rebuilt})
		}
		return err
	})
}

// runChild ends the events of do with Done or Failure.
func runChild(events io.Writer, log *slog.Logger, do func(Report) error) error {
	t := newTeller(events)
	if err := do(t.tell); err != nil {
		failure := FailureOf(err)
		log.Error("job failed", "code", failure.Code, "err", err)
		t.tell(work.Event{Failure: &failure})
		return t.close()
	}
	t.tell(work.Event{Done: true})
	return t.close()
}

// decodeJob reads exactly one document without unknown fields.
func decodeJob(stdin io.Reader, job any) error {
	d := json.NewDecoder(stdin)
	d.DisallowUnknownFields()
	if err := d.Decode(job); err != nil {
		return badJob(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badJob(errors.New("more than one document"))
	}
	return nil
}

func badJob(err error) error {
	return refuse("job_invalid", "Report this to the administrator.", "The server gave its worker a job that it does not understand.").because(err)
}

func openStore(ctx context.Context, dataDir string, budget work.Budget, log *slog.Logger) (*Store, error) {
	s, err := NewStore(dataDir, budget, log)
	if err != nil {
		return nil, badJob(err)
	}
	s.reached = pointsOf(ctx)
	return s, nil
}

// extract does what the job says: look at a file, look at a source, or make a
// version.
func (s *Store) extract(ctx context.Context, job work.ExtractJob, connectors map[string]Connector, report Report) error {
	switch job.Inspect {
	case work.InspectFile:
		return s.inspectFile(ctx, job, report)
	case work.InspectSource:
		found, err := s.SourceTables(ctx, job.Source)
		if err == nil {
			report(work.Event{Source: &found})
		}
		return err
	case work.InspectRemote:
		tried, err := s.AttachRemote(ctx, job.Attach)
		if err == nil {
			report(work.Event{Attached: tried})
		}
		return err
	case work.InspectJoin:
		out, err := s.Join(ctx, job.VersionID, job.Keys)
		if err == nil {
			report(work.Event{Extracted: &out})
		}
		return err
	case work.InspectVersions:
		damaged, err := s.verifyPaced(ctx, job.Verify, job.BytesPerSecond)
		if err == nil {
			report(work.Event{Damaged: damaged})
		}
		return err
	case "":
	default:
		return badJob(fmt.Errorf("inspect %q is not known", job.Inspect))
	}
	connector, known := connectors[job.Connector]
	if !known {
		return badJob(fmt.Errorf("connector %q is not known", job.Connector))
	}
	out, err := connector.Extract(ctx, job, s.Sink(job, report))
	if err == nil {
		report(work.Event{Extracted: &out})
	}
	return err
}

func (s *Store) inspectFile(ctx context.Context, job work.ExtractJob, report Report) error {
	format, known := files.FormatOf(job.Key)
	if !known && !s.many(job.Key) {
		return unknownFormat()
	}
	preview, err := s.PreviewWith(ctx, job.Key, format, job.Options)
	if err == nil {
		report(work.Event{Preview: &preview})
	}
	return err
}

// sink makes versions for a connector.
type sink struct {
	store   *Store
	to      Target
	options files.Options
	report  Report
}

// Sink is what the connector of a job hands its rows to.
func (s *Store) Sink(job work.ExtractJob, report Report) work.Sink {
	to := Target{Source: job.Source, Table: job.Table, VersionID: job.VersionID}
	return sink{store: s, to: to, options: job.Options, report: report}
}

// Convert implements work.Sink.
func (k sink) Convert(ctx context.Context, key string, format files.Format) (work.Extracted, error) {
	return k.store.ConvertWith(ctx, key, format, k.options, k.to, k.report)
}

// Snapshot implements work.Sink.
func (k sink) Snapshot(ctx context.Context, source, table string) (work.Extracted, error) {
	return k.store.Snapshot(ctx, source, table, k.to, k.report)
}
