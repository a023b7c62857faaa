package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// analyticsKey is the place of the database that other programs read.
const analyticsKey = analyticsDir + "/server.duckdb"

// Rebuild publishes the extract.duckdb of every source that is Agnes's own and
// analytics/server.duckdb over the current versions. What cannot be read is
// left out and named; it never stops the rest.
func (s *Store) Rebuild(ctx context.Context, sources []work.RebuildSource, report Report) (work.Rebuilt, error) {
	report.phase(syncs.Publish)
	var out work.Rebuilt
	var all []view
	for _, source := range sources {
		views, problems := s.views(source)
		out.Problems = append(out.Problems, problems...)
		all = append(all, views...)
		if !source.Owned || !registry.Identifier(source.Name) {
			continue
		}
		problems, err := s.rebuildOwned(ctx, source, views)
		if err != nil {
			return work.Rebuilt{}, err
		}
		out.Problems = append(out.Problems, problems...)
	}
	all, problems := firstOfName(all)
	out.Problems = append(out.Problems, problems...)
	err := s.PublishFile(ctx, analyticsKey, func(db *sql.DB) (int, error) {
		made, problems, err := s.createViews(ctx, db, all)
		out.Views, out.Problems = len(made), append(out.Problems, problems...)
		return len(made), err
	})
	if err != nil {
		return work.Rebuilt{}, fmt.Errorf("publish analytics: %w", err)
	}
	out.Problems = onceEach(out.Problems)
	return out, nil
}

// views are the tables of a source whose rows are here.
func (s *Store) views(source work.RebuildSource) (views []view, problems []work.Problem) {
	leaveOut := func(table, code, message string) {
		problems = append(problems, work.Problem{Source: source.Name, Table: table, Code: code, Message: message})
	}
	if !registry.Identifier(source.Name) {
		leaveOut("", "source_name_invalid", "The folder's name is not usable, so its tables are left out. Rename it: letters, digits and _, no digit first.")
		return nil, problems
	}
	for _, t := range source.Tables {
		paths, err := s.paths(t.Keys)
		switch {
		case !registry.Identifier(t.Name):
			leaveOut(shorten(t.Name, 80), "table_name_invalid", "The name cannot be used for a table, so it is left out. Rename the table.")
		case err != nil:
			s.log.Warn("table left out", "source", source.Name, "table", t.Name, "err", err)
			problems = append(problems, unreadable(view{source: source.Name, table: t}))
		case len(paths) == 0 && t.QueryMode == registry.ModeRemote: // its rows stay outside
		case len(paths) == 0:
			leaveOut(t.Name, "version_missing", fmt.Sprintf("%s has no rows yet, so it is left out. Sync it.", t.Name))
		default:
			views = append(views, view{source: source.Name, table: t, paths: paths})
		}
	}
	views, doubled := firstOfName(views)
	return views, append(problems, doubled...)
}

func (s *Store) paths(keys []string) ([]string, error) {
	paths := make([]string, len(keys))
	for i, key := range keys {
		p, err := s.path(key)
		if err != nil {
			return nil, err
		}
		paths[i] = p
	}
	return paths, nil
}

// firstOfName keeps the first of the tables that share a name.
func firstOfName(views []view) (kept []view, problems []work.Problem) {
	owner := make(map[string]string, len(views))
	for _, v := range views {
		name := strings.ToLower(v.table.Name)
		if first, taken := owner[name]; taken {
			problems = append(problems, work.Problem{
				Source: v.source, Table: v.table.Name, Code: "table_name_taken",
				Message: fmt.Sprintf("The source %s already has a table %s, so this one is left out. Rename one of them.", first, v.table.Name),
			})
			continue
		}
		owner[name] = v.source
		kept = append(kept, v)
	}
	return kept, problems
}

// rebuildOwned writes the contract's folder of one of Agnes's own sources: the
// data files first, then the extract that describes them.
func (s *Store) rebuildOwned(ctx context.Context, source work.RebuildSource, views []view) (problems []work.Problem, err error) {
	dir, err := s.path(path.Join(extractsDir, source.Name, "data"))
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	keep := make(map[string]bool, len(source.Tables))
	for _, t := range source.Tables {
		keep[t.Name+".parquet"] = true // also of a table whose version cannot be read now
	}
	placed, changed, problems, err := s.placeAll(ctx, dir, views)
	if err != nil {
		return nil, err
	}
	dropped, err := dropData(dir, keep)
	if err != nil {
		return nil, err
	}
	if changed || dropped {
		if err := syncDir(dir); err != nil {
			return nil, writeFault(err)
		}
	}
	more, err := s.writeExtract(ctx, source.Name, placed)
	return append(problems, more...), err
}

// placeAll puts the versions of views in a data folder, and returns the views
// as they read them there.
func (s *Store) placeAll(ctx context.Context, dir string, views []view) (placed []view, changed bool, problems []work.Problem, err error) {
	for _, v := range views {
		if err := ctx.Err(); err != nil {
			return nil, false, nil, fmt.Errorf("place data files: %w", err)
		}
		if len(v.paths) == 1 { // several files have no contract path; their view names the versions
			file := filepath.Join(dir, v.table.Name+".parquet")
			moved, err := placeData(v.paths[0], file)
			if err != nil && generalFault(err) != nil {
				return nil, false, nil, err
			}
			if err != nil {
				s.log.Warn("table left out", "source", v.source, "table", v.table.Name, "err", err)
				problems = append(problems, unreadable(v))
				continue
			}
			changed = changed || moved
			v.paths = []string{file}
		}
		placed = append(placed, v)
	}
	return placed, changed, problems, nil
}

// onceEach drops repeated problems: one damaged file is met when the extract
// is written and again for the analytics database.
func onceEach(problems []work.Problem) []work.Problem {
	seen := make(map[work.Problem]bool, len(problems))
	kept := problems[:0]
	for _, p := range problems {
		if !seen[p] {
			seen[p] = true
			kept = append(kept, p)
		}
	}
	return kept
}
