package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checkPlaces fails when something else lies where Agnes keeps its folders and
// published files: no work could go on, and nobody would know why.
func checkPlaces(data string) error {
	if err := checkPath(data); err != nil {
		return err
	}
	for _, name := range []string{"files", "uploads", "versions", "extracts", "analytics", "scratch", "state"} {
		if info, err := os.Stat(filepath.Join(data, name)); err == nil && !info.IsDir() {
			return fmt.Errorf("%s in the data directory is a file where Agnes keeps a folder; move it away and start again", name)
		}
	}
	for _, name := range []string{"analytics/server.duckdb", "extracts/files/extract.duckdb", "state/system.db"} {
		if info, err := os.Stat(filepath.Join(data, filepath.FromSlash(name))); err == nil && info.IsDir() {
			return fmt.Errorf("%s in the data directory is a folder where Agnes keeps a file; move it away and start again", name)
		}
	}
	return nil
}

// checkPath fails when the data directory's path has characters of patterns.
// DuckDB takes each path for a pattern, and would have to list the folders above
// the data directory to find it, which the walls around its children forbid.
func checkPath(data string) error {
	paths := []string{data}
	if resolved, err := filepath.EvalSymlinks(data); err == nil { // else it is not there, which others say
		paths = append(paths, resolved)
	}
	for _, p := range paths {
		if strings.ContainsAny(p, "[*?") {
			return fmt.Errorf("the path of the data directory, %s, has one of the characters [ * ?, which DuckDB takes for a pattern, so no table could be read; rename that folder or set DATA_DIR to another path and start again", p)
		}
	}
	return nil
}
