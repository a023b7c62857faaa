//go:build duckdb_arrow

package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"agnes/domain/work"
)

// RunQuery is the whole life of a query child: it takes its configuration off
// conn, shuts its own doors, opens DuckDB with the granted tables and then runs
// one statement at a time until the server hangs up. It changes the process for
// good, so the process must be made for it. The error says why the child cannot
// go on; statements that fail are answered, not returned.
func RunQuery(ctx context.Context, conn io.ReadWriter, log *slog.Logger) error {
	t, payload, err := work.ReadFrame(conn)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	var cfg work.QueryConfig
	if err := json.Unmarshal(payload, &cfg); err != nil || t != work.FrameConfigure {
		return fmt.Errorf("expected a configuration, got frame %q: %w", t, err)
	}
	engine, err := setUpQueryChild(cfg, log)
	if err != nil {
		failure := work.Failure{
			Code: "query_child_setup", Message: "The query engine could not be started. Tell an administrator; the server's log says why.", Cause: err.Error(),
		}
		return errors.Join(err, work.WriteJSONFrame(conn, work.FrameError, failure))
	}
	if err := work.WriteFrame(conn, work.FrameReady, nil); err != nil {
		return err
	}
	return (&queryServer{engine: engine, conn: conn, log: log}).serve(ctx)
}

func setUpQueryChild(cfg work.QueryConfig, log *slog.Logger) (*queryEngine, error) {
	if err := os.Chdir(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("enter the data directory: %w", err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("name the data directory: %w", err)
	}
	cfg.DataDir = dir
	cfg.Budget.ScratchKey = filepath.FromSlash(cfg.Budget.ScratchKey)
	if !filepath.IsLocal(cfg.Budget.ScratchKey) {
		return nil, fmt.Errorf("scratch folder %q leaves the data directory", cfg.Budget.ScratchKey)
	}
	if err := os.MkdirAll(cfg.Budget.ScratchKey, 0o700); err != nil {
		return nil, fmt.Errorf("make the scratch folder: %w", err)
	}
	held, err := holdTables(cfg, cfg.Budget.ScratchKey)
	if err != nil {
		return nil, err
	}
	if err := enterQuerySandbox(cfg.Budget, queryFiles(cfg.Tables)); err != nil {
		return nil, err
	}
	// From here on the child stands in its scratch folder: nothing that the
	// engine says about places shows where the server keeps its data.
	if err := os.Chdir(cfg.Budget.ScratchKey); err != nil {
		return nil, fmt.Errorf("enter the scratch folder: %w", err)
	}
	return openQueryEngine(cfg, held, log)
}

// queryServer answers frames with one engine.
type queryServer struct {
	engine *queryEngine
	conn   io.ReadWriter
	log    *slog.Logger
	rows   *batchStream // of the statement that runs
}

// queryTurn is one statement and what stops it.
type queryTurn struct {
	job    work.QueryJob
	cancel <-chan struct{}
}

// serve reads frames until the server hangs up. Statements run beside it, so
// that an interrupt is heard; a hang-up while one runs ends the child with it.
func (s *queryServer) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	turns, ended := make(chan queryTurn), make(chan error, 2)
	go func() { ended <- s.answerAll(ctx, turns) }()
	go func() { ended <- s.read(ctx, turns) }()
	return <-ended
}

// read hands statements and interrupts on; it returns when the server hangs up.
func (s *queryServer) read(ctx context.Context, turns chan<- queryTurn) error {
	interrupt := func() {} // stops the newest statement, which may have ended
	for {
		t, payload, err := work.ReadFrame(s.conn)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case t == work.FrameInterrupt:
			interrupt()
		case t == work.FrameQuery:
			var job work.QueryJob
			if err := json.Unmarshal(payload, &job); err != nil {
				return fmt.Errorf("read a statement: %w", err)
			}
			stop := make(chan struct{})
			interrupt = sync.OnceFunc(func() { close(stop) })
			select {
			case turns <- queryTurn{job: job, cancel: stop}:
			case <-ctx.Done():
				return nil
			}
		default:
			return fmt.Errorf("unexpected frame %q", t)
		}
	}
}

func (s *queryServer) answerAll(ctx context.Context, turns <-chan queryTurn) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case turn := <-turns:
			if err := s.answer(turn); err != nil {
				return err
			}
		}
	}
}

// answer runs one statement. It fails when the child cannot go on.
func (s *queryServer) answer(turn queryTurn) error {
	s.rows = newBatchStream(s.conn)
	end, err := s.engine.run(turn.cancel, turn.job, s)
	if cerr := s.rows.close(); err == nil {
		err = cerr
	}
	if err == nil {
		return work.WriteJSONFrame(s.conn, work.FrameEnd, end)
	}
	f := asFailure(err)
	if werr := work.WriteJSONFrame(s.conn, work.FrameError, f.Failure); werr != nil {
		return werr
	}
	if f.fatal {
		return fmt.Errorf("the engine cannot go on: %s: %s", f.Code, f.Cause)
	}
	return nil
}

func (s *queryServer) schema(schema work.QuerySchema) error {
	return work.WriteJSONFrame(s.conn, work.FrameSchema, schema)
}

func (s *queryServer) batch(batch arrow.RecordBatch) error { return s.rows.send(batch) }
