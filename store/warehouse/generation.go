package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// generationsKept is how many files of analytics/server-<n>.duckdb stay. Whoever
// opens one by its name can go on with it over two more rebuilds.
const generationsKept = 3

const (
	generationPrefix = "server-"
	generationSuffix = ".duckdb"
)

// generationKey names one published file for good. analytics/server.duckdb is
// always the newest, but a process that opens one path again while it still
// holds it gets what it holds: only a name of its own shows the new file.
func generationKey(n int64) string {
	return analyticsDir + "/" + generationPrefix + strconv.FormatInt(n, 10) + generationSuffix
}

// generationOf is the number in a file's name; false when it has none.
func generationOf(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, generationPrefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, generationSuffix); !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0 && strconv.FormatInt(n, 10) == digits
}

// generations are the numbers that have a name, ascending.
func generations(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list generations: %w", err)
	}
	var all []int64
	for _, e := range entries {
		if n, ok := generationOf(e.Name()); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// nextGeneration is one that no file has and no note names.
func (s *Store) nextGeneration(noted int64) (int64, error) {
	dir, err := s.path(analyticsDir)
	if err != nil {
		return 0, err
	}
	all, err := generations(dir)
	if err != nil {
		return 0, err
	}
	if len(all) > 0 {
		noted = max(noted, all[len(all)-1])
	}
	return noted + 1, nil
}

// nameGeneration gives a finished file its name for good; a copy where the
// file system has no second names.
func (s *Store) nameGeneration(temp, key string) error {
	file, err := s.path(key)
	if err != nil {
		return err
	}
	linked := os.Link(temp, file)
	if linked == nil {
		return nil
	}
	if errors.Is(linked, fs.ErrExist) {
		return fmt.Errorf("name generation: %w", linked)
	}
	if err := copyData(temp, file, time.Time{}); err != nil {
		return errors.Join(fmt.Errorf("name generation: %w", linked), err)
	}
	return nil
}

// sweepGenerations removes what is older than the last few. A generation that
// cannot be removed is no reason to call the rebuild failed.
func (s *Store) sweepGenerations(newest int64) {
	dir, err := s.path(analyticsDir)
	if err != nil {
		return
	}
	all, err := generations(dir)
	if err != nil {
		s.log.Warn("old generations stay", "err", err)
		return
	}
	for _, n := range all {
		if n > newest-generationsKept && n <= newest {
			continue
		}
		file := filepath.Join(dir, filepath.Base(generationKey(n)))
		if err := errors.Join(discard(file), discardLogs(file)); err != nil {
			s.log.Warn("old generation stays", "generation", n, "err", err)
		}
	}
}
