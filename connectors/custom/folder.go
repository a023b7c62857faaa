package custom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

const (
	extractsDir = "extracts"
	extractFile = "extract.duckdb"
	// maxDataFiles bounds the look at one extract's data folder. Beyond it the
	// fingerprint is that of the first files in order of their names, and of
	// extract.duckdb, which every extractor writes last.
	maxDataFiles = 20000
)

// Folder watches the extracts in a data directory.
type Folder struct {
	Root  string   // the data directory
	Owned []string // sources that Agnes writes itself
}

// List returns the custom extracts in order of their names. It looks at names,
// sizes and times only. One that cannot be used is returned with its problem.
func (f Folder) List(ctx context.Context) ([]syncs.ExtractDir, error) {
	root := filepath.Join(f.Root, extractsDir)
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, domain.E(domain.Unavailable, "extracts_unreadable", "The folder extracts of the data directory cannot be listed, so no source is looked at. "+
			"What was synced before is still served. Give the account that Agnes runs as the right to read it.").Because(err)
	}
	var found []syncs.ExtractDir
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list extracts: %w", err)
		}
		if e.Name()[0] == '.' || slices.Contains(f.Owned, e.Name()) {
			continue
		}
		if extract, there := look(root, e.Name()); there {
			found = append(found, extract)
		}
	}
	return found, nil
}

// look returns the extract in a folder, if there is one.
func look(root, name string) (_ syncs.ExtractDir, there bool) {
	dir := filepath.Join(root, name)
	info, err := os.Stat(filepath.Join(dir, extractFile))
	switch {
	case errors.Is(err, fs.ErrNotExist), isNotDir(dir):
		return syncs.ExtractDir{}, false
	case !registry.Identifier(name):
		return syncs.ExtractDir{
			Name: name, Code: "source_name_invalid",
			Problem: "The folder's name cannot be used: letters, digits and _, no digit first, at most 64 characters. Rename the folder.",
		}, true
	case err != nil:
		return unreadable(name), true
	case !info.Mode().IsRegular():
		return syncs.ExtractDir{
			Name: name, Code: "extract_unreadable",
			Problem: "The extract.duckdb of this source is not a file. Remove what is there and run the extractor again.",
		}, true
	}
	sum := sha256.New()
	note(sum, extractFile, info)
	// An extractor that edits its extract in place has the newest rows here.
	for _, name := range []string{extractFile + ".wal", extractFile + ".wal.checkpoint"} {
		if log, err := os.Stat(filepath.Join(dir, name)); err == nil {
			note(sum, name, log)
		}
	}
	if err := noteData(sum, filepath.Join(dir, "data")); err != nil {
		return unreadable(name), true
	}
	return syncs.ExtractDir{Name: name, Fingerprint: hex.EncodeToString(sum.Sum(nil))}, true
}

func unreadable(name string) syncs.ExtractDir {
	return syncs.ExtractDir{
		Name: name, Code: "extract_unreadable",
		Problem: "The extract is there but cannot be looked at. Check that Agnes may read its folder.",
	}
}

// isNotDir reports whether a path is certainly no folder.
func isNotDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// noteData adds the files of a data folder to a fingerprint.
func noteData(sum hash.Hash, dir string) error {
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // no data folder, or removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		if files++; files > maxDataFiles {
			return fs.SkipAll
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		note(sum, name, info)
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at data files: %w", err)
	}
	return nil
}

// note adds what changes when a file is written or replaced.
func note(sum hash.Hash, name string, info fs.FileInfo) {
	fmt.Fprintf(sum, "%q %d %d %d\n", name, info.Size(), info.ModTime().UnixNano(), inode(info)) // a hash never fails
}
