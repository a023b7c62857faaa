package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// checkPlaces fails when something else lies where Agnes keeps its folders and
// published files: no work could go on, and nobody would know why.
func checkPlaces(data string) error {
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
