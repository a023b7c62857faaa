package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // a plain client of the published files
	_ "modernc.org/sqlite"             // a look at the state from outside
)

// wholeParquet looks at both ends of a Parquet file.
func wholeParquet(data []byte) error {
	mark := []byte("PAR1")
	if len(data) < 12 || !bytes.HasPrefix(data, mark) || !bytes.HasSuffix(data, mark) {
		return fmt.Errorf("%d bytes are half a Parquet file", len(data))
	}
	return nil
}

// checkFiles: no half file under a name that anybody reads, and no log beside a
// published database.
func checkFiles(dir string) error {
	for _, root := range []string{"versions", "extracts/files", "analytics"} {
		err := filepath.WalkDir(filepath.Join(dir, root), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
				return err
			}
			switch {
			case strings.HasSuffix(path, ".parquet"):
				data, err := os.ReadFile(path)
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				if err == nil {
					err = wholeParquet(data)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", d.Name(), err)
				}
			case strings.HasSuffix(path, ".wal"):
				return fmt.Errorf("the log %s lies beside a published database", d.Name())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// openState opens the state of a directory to read it, also while it is in use.
func openState(dir string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+filepath.Join(dir, "state", "system.db")+"?mode=ro&_pragma=busy_timeout(5000)")
}

// checkState reads the state from outside: every version that it names is on
// the disk with its size and hash, and the file is sound.
func checkState(dir string) (err error) {
	db, err := openState(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var sound string
	if err := db.QueryRow("PRAGMA quick_check").Scan(&sound); err != nil || sound != "ok" {
		return fmt.Errorf("the state is damaged: %s %w", sound, err)
	}
	var open int
	if err := db.QueryRow("SELECT count(*) FROM table_registry WHERE replaced_version IS NOT NULL").Scan(&open); err != nil || open > 0 {
		return fmt.Errorf("%d tables show rows that were never read back: %w", open, err)
	}
	rows, err := db.Query("SELECT v.id, v.files, v.rows, r.current_version = v.id FROM table_versions v JOIN table_registry r ON r.id = v.table_id")
	if err != nil {
		return fmt.Errorf("list versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, text string
		var count int64
		var current sql.NullBool
		if err := rows.Scan(&id, &text, &count, &current); err != nil {
			return err
		}
		if err := checkVersion(dir, text); err != nil {
			return fmt.Errorf("version %s (current: %t): %w", id, current.Bool, err)
		}
	}
	return rows.Err()
}

func checkVersion(dir, text string) error {
	var files []struct {
		Key    string
		Bytes  int64
		SHA256 string `json:"sha256"`
	}
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		return fmt.Errorf("its files: %w", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Key)))
		if err != nil {
			return fmt.Errorf("its file cannot be read: %w", err)
		}
		sum := sha256.Sum256(data)
		if int64(len(data)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("its file of %d bytes is not the one of %d bytes that was recorded", len(data), f.Bytes)
		}
	}
	return nil
}

// checkAnalytics opens the published database as any DuckDB client does and
// asks it for every table.
func checkAnalytics(s *server, tables map[string]tableFacts) (err error) {
	file := filepath.Join(s.dir, "analytics", "server.duckdb")
	confirmed := slices.DeleteFunc(slices.Sorted(maps.Keys(tables)), func(name string) bool { return tables[name].confirmed == 0 })
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && len(confirmed) == 0 {
		return nil // nothing was ever published
	}
	db, err := sql.Open("duckdb", file+"?access_mode=read_only")
	if err != nil {
		return fmt.Errorf("open server.duckdb: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(context.WithoutCancel(s.c.ctx)); err != nil {
		return fmt.Errorf("open server.duckdb: %w", err)
	}
	for _, name := range confirmed {
		var rows, low, high int
		var sum int64
		err := db.QueryRow(`SELECT count(*), coalesce(min(gen), 0), coalesce(max(gen), 0), coalesce(sum(val), 0)::BIGINT FROM "`+name+`"`).Scan(&rows, &low, &high, &sum)
		if err != nil {
			return fmt.Errorf("server.duckdb, table %s: %w", name, err)
		}
		if err := tables[name].held(rows, low, high, sum); err != nil {
			return &wrongRows{name, fmt.Errorf("in server.duckdb %w", err)}
		}
	}
	return nil
}
