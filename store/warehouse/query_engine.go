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

// queryEngine is an in-memory DuckDB that holds one catalog and nothing else.
// It runs one statement at a time.
type queryEngine struct {
	db         duckdb.Database
	conn       duckdb.Connection
	serialize  duckdb.PreparedStatement // SQL text → syntax tree
	rebuild    duckdb.PreparedStatement // syntax tree → SQL text
	granted    map[string]struct{}      // lower-case names of views that exist
	unreadable map[string]string        // lower-case name → name of tables whose files cannot be read
	system     map[string]struct{}      // names of DuckDB's own views
	names      *strings.Replacer        // paths → table names, for error texts
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

// openQueryEngine opens DuckDB, makes a view of every table and locks the
// instance. The working directory is the data directory: views, errors and
// plans then name files by their keys, never by the place on the server.
func openQueryEngine(cfg work.QueryConfig, log *slog.Logger) (*queryEngine, error) {
	e := &queryEngine{granted: map[string]struct{}{}, unreadable: map[string]string{}, system: map[string]struct{}{}}
	if err := e.open(); err != nil {
		return nil, err
	}
	for _, setting := range []string{
		"autoinstall_known_extensions = false",
		"autoload_known_extensions = false",
		"allow_community_extensions = false",
		"allow_persistent_secrets = false",
		"TimeZone = 'UTC'",
		"threads = " + strconv.Itoa(max(cfg.Budget.Threads, 1)),
		"memory_limit = '" + strconv.FormatInt(cfg.Budget.MemoryBytes, 10) + "B'",
		"temp_directory = " + quoteLiteral(cfg.Budget.ScratchKey),
		"max_temp_directory_size = '" + strconv.FormatInt(queryScratchFactor*cfg.Budget.MemoryBytes, 10) + "B'",
	} {
		if err := e.exec("SET " + setting); err != nil {
			return nil, err
		}
	}
	if err := e.createViews(cfg, log); err != nil {
		return nil, err
	}
	return e, e.lock(cfg)
}

func (e *queryEngine) open() error {
	var config duckdb.Config
	if duckdb.CreateConfig(&config) == duckdb.StateError {
		return errors.New("make an engine configuration")
	}
	defer duckdb.DestroyConfig(&config)
	var text string
	if duckdb.OpenExt("", &e.db, config, &text) == duckdb.StateError {
		return fmt.Errorf("open engine: %s", text)
	}
	if duckdb.Connect(e.db, &e.conn) == duckdb.StateError {
		return errors.New("connect to engine")
	}
	return nil
}

// createViews makes one view per table. Binding opens the files, so a table
// whose files are gone or damaged is found here and remembered.
func (e *queryEngine) createViews(cfg work.QueryConfig, log *slog.Logger) error {
	var paths []string // path, name, path, name …
	for _, t := range cfg.Tables {
		files, err := queryPaths(t)
		for _, f := range files {
			paths = append(paths, filepath.Join(cfg.DataDir, f), t.Name, f, t.Name)
		}
		if err == nil {
			err = e.exec("CREATE VIEW " + quoteIdent(t.Name) + " AS SELECT * FROM read_parquet(" + quoteList(quoteFile, files) + ")")
		}
		if err != nil {
			log.Warn("table is not readable", "table", t.Name, "err", err)
			e.unreadable[foldQueryName(t.Name)] = t.Name
			continue
		}
		e.granted[foldQueryName(t.Name)] = struct{}{}
	}
	e.names = strings.NewReplacer(append(paths,
		filepath.Join(cfg.DataDir, cfg.Budget.ScratchKey), "scratch", cfg.Budget.ScratchKey, "scratch", cfg.DataDir, "data")...)
	views, err := e.texts("SELECT view_name FROM duckdb_views() WHERE internal")
	for _, v := range views {
		e.system[foldQueryName(v)] = struct{}{}
	}
	return err
}

// lock closes the instance. allowed_paths opens files for writing too; the
// gate and Landlock stand before that.
func (e *queryEngine) lock(cfg work.QueryConfig) error {
	for _, setting := range []string{
		"allowed_paths = " + quoteList(quoteLiteral, queryFiles(cfg.Tables)),
		"enable_external_access = false",
		"lock_configuration = true",
	} {
		if err := e.exec("SET " + setting); err != nil {
			return err
		}
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

// exec runs a statement of ours.
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
