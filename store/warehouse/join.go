package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// joinedDir keeps single files of versions that are several, for those who
// want one. What nobody asked for lately is swept with the scratch folders.
const joinedDir = scratchDir + "/joined"

// Join makes one Parquet file of the files of a version, in their order, and
// returns it. A file that was made before is returned as it is.
func (s *Store) Join(ctx context.Context, id registry.VersionID, keys []string) (work.Extracted, error) {
	if !registry.QuotedIdentifier(string(id)) || len(keys) == 0 {
		return work.Extracted{}, badJob(fmt.Errorf("version %q of %d files cannot be joined", id, len(keys)))
	}
	paths, err := s.paths(keys)
	if err != nil {
		return work.Extracted{}, badJob(err)
	}
	key := path.Join(joinedDir, string(id)+".parquet")
	file, err := s.path(key)
	if err != nil {
		return work.Extracted{}, err
	}
	if info, err := os.Stat(file); err == nil {
		return work.Extracted{Files: []registry.File{{Key: key, Bytes: info.Size()}}, Bytes: info.Size()}, nil
	}
	out, err := s.publishParquet(ctx, key, func(temp string) (rows int64, err error) {
		db, err := s.locked(ctx, append(paths, temp)...)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		from := "read_parquet(" + quoteList(quoteFile, paths) + ", hive_partitioning = false)"
		columns, err := describe(ctx, db, from)
		if err != nil {
			return 0, lostFile(err)
		}
		rows, err = copyOut(ctx, db, parquetRelation(from, columns), temp)
		return rows, lostFile(err)
	})
	if errors.Is(err, fs.ErrExist) { // another child was faster
		return s.Join(ctx, id, keys)
	}
	return out, err
}

// lostFile says that a version cannot be read any more.
func lostFile(err error) error {
	if err == nil {
		return nil
	}
	if general := generalFault(err); general != nil {
		return general
	}
	return refuse("version_unreadable", "Sync the table again.", "The files of this version cannot be read.").because(err)
}
