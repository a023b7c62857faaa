package warehouse

import (
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"strings"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// The folders of the data directory.
const (
	filesDir     = "files"
	uploadsDir   = "uploads"
	versionsDir  = "versions"
	extractsDir  = "extracts"
	analyticsDir = "analytics"
	scratchDir   = "scratch"
)

// Store is the data directory as a child sees it, with the budget for the
// engine that works on it.
type Store struct {
	dir     string
	scratch string
	budget  work.Budget
	log     *slog.Logger
	reached func(point string) // nil in a release; see points.go
	split   split
}

// NewStore returns the store of a data directory. Its scratch folder is made
// when something is first spilled there.
func NewStore(dataDir string, budget work.Budget, log *slog.Logger) (*Store, error) {
	if !filepath.IsAbs(dataDir) {
		return nil, fmt.Errorf("data directory %q is not absolute", dataDir)
	}
	s := &Store{
		dir: filepath.Clean(dataDir), budget: budget, log: log,
		split: split{rows: largeRows, bytes: largeBytes, fileBytes: partBytes},
	}
	scratch, err := s.path(budget.ScratchKey)
	if err != nil {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	s.scratch = scratch
	return s, nil
}

// path makes a path of a key, and refuses every key that could lead out of the
// data directory.
func (s *Store) path(key string) (string, error) {
	if key == "." || key != path.Clean(key) || strings.ContainsAny(key, "\\\x00") || !filepath.IsLocal(key) {
		return "", fmt.Errorf("key %q is not a place in the data directory", key)
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

// versionKey is the place of a version.
func versionKey(source, table string, id registry.VersionID) (string, error) {
	if !registry.Identifier(source) || !registry.Identifier(table) || !registry.QuotedIdentifier(string(id)) {
		return "", fmt.Errorf("version %q of table %q of source %q: not a name", id, table, source)
	}
	return path.Join(versionsDir, source, table, string(id)+".parquet"), nil
}
