package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"agnes/domain/work"
)

// mirrorKey is where a mirror child leaves its file, under the data directory.
const mirrorKey = "mirror/system.duckdb"

// followed is a job after which more is written to the child's standard input.
type followed interface{ follow(w io.Writer) error }

// ImportSystem reads a predecessor's database in an import child: its schema,
// then its rows in the order of imports.Schema. An error of rows stops the
// child and is returned.
func (s *Supervisor) ImportSystem(ctx context.Context, file string, schema func(work.StateSchema), rows func(work.StateRows) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var refused error
	err := s.run(ctx, s.slots, "import", func(b work.Budget) any {
		return work.ImportJob{DataDir: s.cfg.DataDir, File: file, Budget: b}
	}, func(e work.Event) {
		if e.Schema != nil {
			schema(*e.Schema)
		}
		if e.State == nil || refused != nil {
			return
		}
		if refused = rows(*e.State); refused != nil {
			stop(refused)
		}
	})
	if refused != nil {
		return refused
	}
	return err
}

// Mirror has a child write rows as a DuckDB file and returns the file's path; the
// caller takes it from there. rows hands over one portion after the other.
func (s *Supervisor) Mirror(ctx context.Context, rows func(emit func(work.StateRows) error) error) (string, work.Mirrored, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var result *work.Mirrored
	fed := make(chan error, 1)
	err := s.run(ctx, s.slots, "mirror", func(b work.Budget) any {
		return mirrorJob{
			MirrorJob: work.MirrorJob{DataDir: s.cfg.DataDir, Key: mirrorKey, Budget: b},
			rows:      rows, fed: fed,
		}
	}, func(e work.Event) {
		if e.Mirrored != nil {
			result = e.Mirrored
		}
	})
	if err != nil {
		select {
		case cause := <-fed: // the child only saw that the rows broke off
			err = errors.Join(cause, err)
		default:
		}
	}
	done, err := resultOf(result, err)
	if err != nil {
		return "", work.Mirrored{}, err
	}
	return s.path(mirrorKey), done, nil
}

// mirrorJob is a job that the state's rows follow.
type mirrorJob struct {
	work.MirrorJob
	rows func(emit func(work.StateRows) error) error
	fed  chan<- error
}

// follow writes the rows and the line that ends them.
func (j mirrorJob) follow(w io.Writer) error {
	out := json.NewEncoder(w)
	err := j.rows(func(r work.StateRows) error { return out.Encode(r) })
	if err == nil {
		err = out.Encode(work.StateRows{End: true})
	}
	if err != nil && !errors.Is(err, os.ErrClosed) {
		err = fmt.Errorf("hand over the state's rows: %w", err)
	}
	j.fed <- err
	return err
}
