package cli

import (
	"crypto/md5" //nolint:gosec // the manifest's checksum finds damage, it proves no origin
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/registry"
)

const parquetSuffix = ".parquet"

// stalePart is the age at which a part belongs to no pull any more.
const stalePart = 24 * time.Hour

// prepare makes the folder and removes what ended pulls left behind.
func (p *puller) prepare() error {
	if p.flags.dryRun {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		return folderError(err)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return folderError(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") || !strings.HasSuffix(entry.Name(), partSuffix) {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // another pull's, which ended just now
			continue
		}
		if err != nil {
			return folderError(err)
		}
		if p.now().Sub(info.ModTime()) < stalePart {
			continue
		}
		if err := os.Remove(filepath.Join(p.dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return folderError(err)
		}
	}
	return nil
}

func folderError(err error) error {
	return domain.E(domain.Unavailable, "workspace", "The folder server/parquet of this workspace cannot be used: %s.", reason(err))
}

// current reports whether the copy at path is the version wanted. A copy that
// the last pull did not leave like this is read and compared, never believed.
func (p *puller) current(name, path string, want remoteTable) (localTable, bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return localTable{}, false, nil
	}
	if err != nil {
		return localTable{}, false, domain.E(domain.Unavailable, "copy_unreadable", "The copy here cannot be read: %s.", reason(err))
	}
	hash := want.hash()
	local := localTable{Hash: hash, Rows: want.rows(), SizeBytes: info.Size(), Modified: info.ModTime().UnixNano()}
	known := p.known[name]
	switch {
	case hash == "":
		return local, false, nil
	case known.Hash == hash && known.SizeBytes == local.SizeBytes && known.Modified == local.Modified:
		return local, true, nil
	case !isMD5(hash), want.SizeBytes != nil && *want.SizeBytes != info.Size():
		return local, false, nil
	}
	sum, err := md5OfFile(path)
	if err != nil {
		return localTable{}, false, domain.E(domain.Unavailable, "copy_unreadable", "The copy here cannot be read: %s.", reason(err))
	}
	return local, sum == hash, nil
}

func isMD5(hash string) bool {
	data, err := hex.DecodeString(hash)
	return err == nil && len(data) == md5.Size
}

func md5OfFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := md5.New() //nolint:gosec // see the import
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}

// removeRevoked removes the copies of tables that the manifest does not name
// any more, or that are no longer copied. Only files that a pull has written
// are removed.
func (p *puller) removeRevoked(m manifest, report *pullReport) {
	for _, name := range slices.Sorted(maps.Keys(p.known)) {
		if want, ok := m.Tables[name]; (ok && want.copied(false)) || !registry.QuotedIdentifier(name) {
			continue
		}
		info, err := os.Lstat(p.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			report.add(outcome{table: name, did: wasGone})
			continue
		}
		if err == nil && p.renamed(name, info, m) {
			report.add(outcome{table: name, did: wasGone})
			continue
		}
		if err == nil && p.flags.dryRun {
			report.add(outcome{table: name, did: wouldRemove})
			continue
		}
		if err == nil {
			err = os.Remove(p.path(name))
		}
		if err != nil {
			err = domain.E(domain.Unavailable, "not_removed", "You may not read this table any more, and its copy cannot be removed: %s. Remove it by hand.", reason(err))
		}
		report.add(outcome{table: name, did: didRemove, err: err})
	}
}

// renamed reports whether name's file is now another table's: a file system
// that ignores case holds Orders and orders as one.
func (p *puller) renamed(name string, info fs.FileInfo, m manifest) bool {
	for other := range m.Tables {
		if other == name || !strings.EqualFold(other, name) || !registry.QuotedIdentifier(other) {
			continue
		}
		if now, err := os.Lstat(p.path(other)); err == nil && os.SameFile(info, now) {
			return true
		}
	}
	return false
}

// look counts the copies here and finds those that no pull made.
func (p *puller) look(m manifest, report *pullReport) error {
	names, err := parquetNames(p.dir)
	if err != nil {
		return folderError(err)
	}
	report.total = len(names)
	for _, name := range names {
		_, listed := m.Tables[name]
		_, known := p.known[name]
		if !listed && !known {
			report.strange(name)
		}
	}
	return nil
}

// parquetNames lists the tables with a file in dir; a folder that is absent has none.
func parquetNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list copies: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), parquetSuffix); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}
