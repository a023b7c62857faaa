package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"agnes/domain/work"
)

// view is one table to publish over Parquet files.
type view struct {
	source string
	table  work.RebuildTable
	paths  []string // absolute
}

const (
	viewBatch   = 50
	viewWriters = 4 // binding waits for the disk; more gain nothing
)

// createViews makes views in the catalog draft, several batches at a time: the
// time goes into binding, which opens each file once. A batch that fails is
// repeated one by one, so that one damaged file costs its own view only.
func (s *Store) createViews(ctx context.Context, db *sql.DB, views []view) (made []view, problems []work.Problem, err error) {
	// The writers are what works at the same time: more threads only wake each other.
	if _, err := db.ExecContext(ctx, "SET GLOBAL threads = 1"); err != nil {
		return nil, nil, fmt.Errorf("configure engine: %w", err)
	}
	batches := slices.Collect(slices.Chunk(views, viewBatch))
	bad := make([]map[int]error, len(batches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(viewWriters)
	for i, batch := range batches {
		group.Go(func() (err error) {
			bad[i], err = createBatch(ctx, db, batch)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i, batch := range batches {
		for k, v := range batch {
			if cause := bad[i][k]; cause != nil {
				s.log.Warn("table left out", "source", v.source, "table", v.table.Name, "err", cause)
				problems = append(problems, unreadable(v))
				continue
			}
			made = append(made, v)
		}
	}
	return made, problems, nil
}

func unreadable(v view) work.Problem {
	return work.Problem{
		Source: v.source, Table: v.table.Name, Code: work.VersionUnreadable,
		Message: fmt.Sprintf("The rows of %s cannot be read, so it is left out. Sync it again.", v.table.Name),
	}
}

// createBatch makes the views of a batch and returns those that could not be
// made, by index. Its error is about the engine, not about a table.
func createBatch(ctx context.Context, db *sql.DB, batch []view) (_ map[int]error, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var all strings.Builder
	all.WriteString("BEGIN;")
	for _, v := range batch {
		all.WriteString(v.create() + ";")
	}
	all.WriteString("COMMIT;")
	_, failed := conn.ExecContext(ctx, all.String())
	if failed == nil {
		return nil, nil //nolint:nilnil // no view is bad
	}
	if engineBroken(failed) || ctx.Err() != nil || generalFault(failed) != nil {
		return nil, fmt.Errorf("create views: %w", failed)
	}
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		return nil, fmt.Errorf("create views and roll back: %w", errors.Join(failed, err)) // the engine gave the transaction up: the disk failed it
	}
	bad := map[int]error{}
	for i, v := range batch {
		if _, err := conn.ExecContext(ctx, v.create()); err != nil {
			if engineBroken(err) || ctx.Err() != nil {
				return nil, fmt.Errorf("create view %s: %w", v.table.Name, err)
			}
			bad[i] = err
		}
	}
	return bad, nil
}

func (v view) create() string {
	return "CREATE VIEW draft.main." + quoteIdent(v.table.Name) +
		" AS SELECT * FROM read_parquet(" + quoteList(quoteFile, v.paths) + ", hive_partitioning = false)"
}
