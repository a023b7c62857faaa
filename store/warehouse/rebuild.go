package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
// left out and named; it never stops the rest. What would come out as it is
// published already is not touched.
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
		if len(source.Tables) == 0 && !s.published(source.Name) {
			continue
		}
		written, problems, err := s.rebuildOwned(ctx, source, views)
		if err != nil {
			return work.Rebuilt{}, err
		}
		if written {
			out.Extracts = append(out.Extracts, source.Name)
		}
		out.Problems = append(out.Problems, problems...)
	}
	all, problems := firstOfName(all)
	out.Problems = append(out.Problems, problems...)
	if err := s.publishAnalytics(ctx, all, &out); err != nil {
		return work.Rebuilt{}, fmt.Errorf("publish analytics: %w", err)
	}
	s.at(pointRebuildPublished)
	out.Problems = onceEach(out.Problems)
	return out, nil
}

// published reports whether a source has a folder, which may hold what is not to
// be read any more.
func (s *Store) published(source string) bool {
	dir, err := s.path(path.Join(extractsDir, source))
	if err != nil {
		return true // the rebuild says what is wrong with it
	}
	_, err = os.Lstat(dir)
	return !errors.Is(err, fs.ErrNotExist)
}

// publishAnalytics publishes analytics/server.duckdb as a new generation,
// unless the one that is there was made of the same.
func (s *Store) publishAnalytics(ctx context.Context, views []view, out *work.Rebuilt) error {
	in := newInputs("analytics")
	for _, v := range views {
		in.add(v.source, v.table.Name, strings.Join(v.paths, "\x00"))
	}
	was := s.readNote(analyticsKey)
	if s.stands(analyticsKey, was, in.sum()) {
		out.Views, out.Generation, out.Unchanged = was.Views, was.Generation, len(out.Extracts) == 0
		return nil
	}
	n, err := s.nextGeneration(was.Generation)
	if err != nil {
		return err
	}
	now := note{Inputs: in.sum(), Generation: n, File: path.Base(generationKey(n))}
	err = s.publishFile(ctx, analyticsKey, generationKey(n), func(db *sql.DB) (int, error) {
		made, problems, err := s.fillViews(ctx, db, views, s.baseOf(analyticsKey))
		now.Views, now.Made, out.Problems = len(made), marks(made), append(out.Problems, problems...)
		if len(problems) > 0 {
			now.Inputs = "" // they may be readable next time
		}
		return len(made), err
	})
	if err != nil {
		return err
	}
	out.Views, out.Generation = now.Views, n
	s.noteDown(analyticsKey, now)
	s.sweepGenerations(n)
	s.at(pointDatabaseSwept)
	return nil
}

// noteDown writes the note of a file that is in place. Without it the next
// rebuild makes the file again, which is no reason to call this one failed.
func (s *Store) noteDown(key string, n note) {
	if err := s.writeNote(key, n); err != nil {
		s.log.Warn("what was published could not be noted", "key", key, "err", err)
	}
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
			leaveOut(t.Name, work.VersionMissing, fmt.Sprintf("%s has no rows yet, so it is left out. Sync it.", t.Name))
		case s.damaged(t) != "":
			leaveOut(t.Name, work.VersionDamaged, fmt.Sprintf("%s %s is left out. Sync it again.", fileSentence(s.damaged(t)), t.Name))
		default:
			views = append(views, view{source: source.Name, table: t, paths: paths})
		}
	}
	views, doubled := firstOfName(views)
	return views, append(problems, doubled...)
}

// damaged says what is wrong with the files of a table, as far as a glance shows.
func (s *Store) damaged(t work.RebuildTable) (code string) {
	if len(t.Sizes) != len(t.Keys) {
		return ""
	}
	for i, key := range t.Keys {
		if code := s.glance(registry.File{Key: key, Bytes: t.Sizes[i]}); code != "" {
			return code
		}
	}
	return ""
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
// data files first, then the extract that describes them. It reports whether
// the extract was written.
func (s *Store) rebuildOwned(ctx context.Context, source work.RebuildSource, views []view) (written bool, problems []work.Problem, err error) {
	dir, err := s.path(path.Join(extractsDir, source.Name, "data"))
	if err != nil {
		return false, nil, err
	}
	if err := makeDir(dir); err != nil {
		return false, nil, err
	}
	keep := make(map[string]bool, len(source.Tables))
	for _, t := range source.Tables {
		keep[t.Name+".parquet"] = true // also of a table whose version cannot be read now
	}
	placed, changed, problems, err := s.placeAll(ctx, dir, views)
	if err != nil {
		return false, nil, err
	}
	dropped, err := dropData(dir, keep)
	if err != nil {
		return false, nil, err
	}
	if changed || dropped {
		if err := syncDir(dir); err != nil {
			return false, nil, writeFault(err)
		}
	}
	written, more, err := s.writeExtract(ctx, source.Name, placed)
	return written, append(problems, more...), err
}

// placeAll puts the versions of views in a data folder, and returns the views
// as they read them there: an extract is whole within its own folder.
func (s *Store) placeAll(ctx context.Context, dir string, views []view) (placed []view, changed bool, problems []work.Problem, err error) {
	for _, v := range views {
		if err := ctx.Err(); err != nil {
			return nil, false, nil, fmt.Errorf("place data files: %w", err)
		}
		if len(v.paths) == 1 { // several files have no contract path; their view names the versions
			file := filepath.Join(dir, v.table.Name+".parquet")
			moved, err := s.placeData(v.paths[0], file)
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
