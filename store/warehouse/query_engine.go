//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// querySpill is the folder inside the child's scratch folder that DuckDB spills
// to. DuckDB may write there, so nothing else is kept in it.
const querySpill = "spill"

// queryEngine is an in-memory DuckDB that holds one catalog and nothing else.
// It runs one statement at a time.
type queryEngine struct {
	db        duckdb.Database
	conn      duckdb.Connection
	serialize duckdb.PreparedStatement // SQL text → syntax tree
	rebuild   duckdb.PreparedStatement // syntax tree → SQL text
	held      map[string]*heldTable    // by folded name
	names     *strings.Replacer        // paths → table names, for error texts
	listings  map[string]any           // syntax trees of listings that were asked for
	listed    bool                     // the tables of a listing are in place
	begun     bool                     // a transaction is open
	log       *slog.Logger
}

// openQueryEngine opens DuckDB, closed but for the files of the tables. The
// working directory is the child's scratch folder: every file stands in it as
// a link of its table's name, so that plans and errors name tables, never keys
// or places on the server.
func openQueryEngine(cfg work.QueryConfig, held *heldTables, log *slog.Logger) (*queryEngine, error) {
	e := &queryEngine{held: held.byName, names: strings.NewReplacer(held.places...), listings: map[string]any{}, log: log}
	settings := [][2]string{
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"allow_persistent_secrets", "false"},
		{"threads", strconv.Itoa(max(cfg.Budget.Threads, 1))},
		{"memory_limit", strconv.FormatInt(cfg.Budget.MemoryBytes, 10) + "B"},
		{"temp_directory", querySpill},
		{"max_temp_directory_size", strconv.FormatInt(queryScratchFactor*cfg.Budget.MemoryBytes, 10) + "B"},
	}
	if err := e.open(settings...); err != nil {
		return nil, err
	}
	return e, e.lock(held.files)
}

// open starts DuckDB with its settings, so that it starts no more threads than
// it is to have.
func (e *queryEngine) open(settings ...[2]string) error {
	var config duckdb.Config
	if duckdb.CreateConfig(&config) == duckdb.StateError {
		return errors.New("make an engine configuration")
	}
	defer duckdb.DestroyConfig(&config)
	for _, s := range settings {
		if duckdb.SetConfig(config, s[0], s[1]) == duckdb.StateError {
			return fmt.Errorf("configure engine: %s", s[0])
		}
	}
	var text string
	if duckdb.OpenExt("", &e.db, config, &text) == duckdb.StateError {
		return fmt.Errorf("open engine: %s", text)
	}
	if duckdb.Connect(e.db, &e.conn) == duckdb.StateError {
		return errors.New("connect to engine")
	}
	return nil
}

// lock closes the instance. allowed_paths opens files for writing too; the
// gate and Landlock stand before that.
func (e *queryEngine) lock(files []string) error {
	err := e.exec("SET TimeZone = 'UTC'; SET allowed_paths = " + quoteList(quoteLiteral, files) +
		"; SET enable_external_access = false; SET lock_configuration = true")
	if err != nil {
		return err
	}
	for sql, statement := range map[string]*duckdb.PreparedStatement{
		"SELECT json_serialize_sql($1::VARCHAR)": &e.serialize,
		"SELECT json_deserialize_sql($1::JSON)":  &e.rebuild,
	} {
		if duckdb.Prepare(e.conn, sql, statement) == duckdb.StateError {
			return fmt.Errorf("prepare %s: %s", sql, duckdb.PrepareError(*statement))
		}
	}
	return nil
}

// close frees the engine; for tests, a child just ends.
func (e *queryEngine) close() {
	duckdb.DestroyPrepare(&e.serialize)
	duckdb.DestroyPrepare(&e.rebuild)
	duckdb.Disconnect(&e.conn)
	duckdb.Close(&e.db)
}

// exec runs statements of ours.
func (e *queryEngine) exec(sql string) error {
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.Query(e.conn, sql, &result) == duckdb.StateError {
		return fmt.Errorf("run %.60s: %s", sql, duckdb.ResultError(&result))
	}
	return nil
}

// foldQueryName folds a name as DuckDB compares names: ASCII letters only.
func foldQueryName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// queryFiles returns the files of all tables, as paths under the data
// directory. A key that would leave it is left out, and its table with it.
func queryFiles(tables []work.QueryTable) []string {
	var files []string
	for _, t := range tables {
		if paths, err := queryPaths(t); err == nil {
			files = append(files, paths...)
		}
	}
	return files
}

func queryPaths(t work.QueryTable) ([]string, error) {
	if len(t.Keys) == 0 {
		return nil, errors.New("the table has no files")
	}
	paths := make([]string, len(t.Keys))
	for i, key := range t.Keys {
		paths[i] = filepath.FromSlash(key)
		if !filepath.IsLocal(paths[i]) {
			return nil, fmt.Errorf("key %q leaves the data directory", key)
		}
	}
	return paths, nil
}
