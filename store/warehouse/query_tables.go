//go:build duckdb_arrow

package warehouse

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/work"
)

// heldTable is one granted table of a child.
type heldTable struct {
	name  string
	links []string // its files, as they are named in the scratch folder
	arrow bool     // of one Arrow IPC file, not of Parquet
	ready bool     // its view exists
	bad   error    // why it cannot be read at all
}

// heldTables are the tables of a child and what their files are called.
type heldTables struct {
	byName map[string]*heldTable // by folded name
	files  []string              // the files' real places, which alone may be opened
	places []string              // place, what to show instead, place …
	folder map[string]string     // folder → its real place
}

// holdTables links the files of the tables into the scratch folder, each under
// its table's name. It runs before the sandbox, which allows no links.
func holdTables(cfg work.QueryConfig, scratch string) (*heldTables, error) {
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("name the data directory: %w", err)
	}
	if scratch, err = filepath.Abs(scratch); err != nil {
		return nil, fmt.Errorf("name the scratch folder: %w", err)
	}
	held := &heldTables{byName: map[string]*heldTable{}, files: []string{}, folder: map[string]string{}}
	for _, t := range cfg.Tables {
		if err := held.add(t, dir, scratch); err != nil {
			return nil, err
		}
	}
	inside := string(filepath.Separator)
	held.places = append(held.places, scratch+inside, "", realPath(scratch)+inside, "", scratch, "scratch", dir, "data", realPath(dir), "data")
	return held, nil
}

func (held *heldTables) add(t work.QueryTable, dir, scratch string) error {
	h := &heldTable{name: t.Name}
	held.byName[foldQueryName(t.Name)] = h
	var paths []string
	paths, h.bad = queryPaths(t)
	h.arrow = len(paths) > 0 && strings.HasSuffix(paths[0], ".arrow")
	for i, p := range paths {
		link := t.Name
		if i > 0 {
			link += "." + strconv.Itoa(i)
		}
		place := filepath.Join(dir, p)
		if err := linkTo(place, scratch, link); err != nil {
			return err
		}
		h.links = append(h.links, link)
		file := held.realPlace(place)
		held.files = append(held.files, file)
		held.places = append(held.places, place, t.Name, file, t.Name, p, t.Name)
	}
	return nil
}

// realPlace is realPath for many files in few folders.
func (held *heldTables) realPlace(place string) string {
	if info, err := os.Lstat(place); err != nil || info.Mode()&os.ModeSymlink != 0 {
		return realPath(place)
	}
	folder := filepath.Dir(place)
	if _, known := held.folder[folder]; !known {
		held.folder[folder] = realPath(folder)
	}
	return filepath.Join(held.folder[folder], filepath.Base(place))
}

// realPath follows links, as DuckDB does before it looks a file up among the
// allowed ones. A file that is gone is named as it was.
func realPath(path string) string {
	if followed, err := filepath.EvalSymlinks(path); err == nil {
		return followed
	}
	return path
}

func linkTo(file, folder, link string) error {
	if filepath.Base(link) != link || link == "." || link == ".." {
		return fmt.Errorf("%q is no name of a table", link)
	}
	if err := os.Symlink(file, filepath.Join(folder, link)); err != nil {
		return fmt.Errorf("link a table's file: %w", err)
	}
	return nil
}

// ready makes the views of tables that have none yet. Binding a view opens its
// files, so a table whose files are gone or damaged is found here; names says
// which tables a statement cannot do without.
func (e *queryEngine) ready(mentioned, names map[string]struct{}) error {
	for _, folded := range slices.Sorted(maps.Keys(mentioned)) {
		h := e.held[folded]
		if h.ready {
			continue
		}
		err := e.makeReady(h)
		if err == nil {
			h.ready = true
			continue
		}
		if own := e.ownError(err); own != nil { // says nothing about the table
			return own
		}
		e.log.Warn("table is not readable", "table", h.name, "err", err)
		if _, needed := names[folded]; needed {
			return refuseQuery("table_unreadable",
				"The table %s cannot be read right now: its file is missing or damaged. Sync the table again, or ask an administrator to.", h.name)
		}
	}
	return nil
}

func (e *queryEngine) makeReady(h *heldTable) error {
	if h.bad != nil {
		return h.bad
	}
	if h.arrow {
		return e.loadArrow(h)
	}
	return e.exec("CREATE VIEW main." + quoteIdent(h.name) + " AS SELECT * FROM read_parquet(" + quoteList(quoteFile, h.links) + ")")
}
