//go:build duckdb_arrow

package warehouse

import (
	"encoding/json"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// queryStatement is a prepared statement that passed the gate. prepared must be
// destroyed.
type queryStatement struct {
	prepared duckdb.PreparedStatement
	tree     string // syntax tree as JSON; of what is explained, for EXPLAIN
	explain  bool
}

// admit is the gate: exactly one statement, one that reads, with no function
// that changes or reveals the engine. It decides on DuckDB's own parse, never
// on the text. What the statement may see is not decided here: the instance
// holds nothing else.
func (e *queryEngine) admit(sql string) (queryStatement, error) {
	if strings.IndexByte(sql, 0) >= 0 {
		return queryStatement{}, refuseQuery("nul_in_statement", "The statement holds a NUL character, where the engine would stop reading. Remove it and run again.")
	}
	if err := e.single(sql); err != nil {
		return queryStatement{}, err
	}
	s := queryStatement{}
	tree, isSelect, err := e.syntaxTree(sql)
	if err != nil {
		return s, err
	}
	if !isSelect {
		head, rest, found := splitExplain(sql, e.isSelect)
		if !found {
			return s, errNotReading()
		}
		// What runs is put together anew from the two parts that were understood.
		sql, s.explain = head+rest, true
		if tree, isSelect, err = e.syntaxTree(rest); err != nil || !isSelect {
			return s, errNotReading()
		}
	}
	s.tree = tree
	if err := e.checkTree(tree); err != nil {
		return s, err
	}
	return s, e.prepare(sql, &s)
}

// single fails unless sql is one statement.
func (e *queryEngine) single(sql string) error {
	var extracted duckdb.ExtractedStatements
	count := duckdb.ExtractStatements(e.conn, sql, &extracted)
	defer duckdb.DestroyExtracted(&extracted)
	text := duckdb.ExtractStatementsError(extracted)
	switch {
	case text != "":
		return e.engineError(sql, text)
	case count == 0:
		return refuseQuery("empty_statement", "There is no statement to run.")
	case count > 1:
		return refuseQuery("several_statements",
			"This text holds %d statements; run one at a time. A PIVOT without a list of values counts as several: name them with ON column IN (…).", count)
	}
	return nil
}

// prepare binds the statement. Its type is checked once more: what the syntax
// tree says and what the engine would run must agree.
func (e *queryEngine) prepare(sql string, s *queryStatement) error {
	var extracted duckdb.ExtractedStatements
	count := duckdb.ExtractStatements(e.conn, sql, &extracted)
	defer duckdb.DestroyExtracted(&extracted)
	if count != 1 {
		return errNotReading()
	}
	if duckdb.PrepareExtractedStatement(e.conn, extracted, 0, &s.prepared) == duckdb.StateError {
		text := duckdb.PrepareError(s.prepared)
		duckdb.DestroyPrepare(&s.prepared)
		if name, found := e.namesUnreadable(s.tree); found && strings.HasPrefix(text, "Catalog Error") {
			return refuseQuery("table_unreadable", "The table %s cannot be read right now: its file is missing or damaged. Sync the table again, or ask an administrator to.", name)
		}
		return e.engineError(sql, text)
	}
	want := duckdb.StatementTypeSelect
	if s.explain {
		want = duckdb.StatementTypeExplain
	}
	if duckdb.PreparedStatementType(s.prepared) != want {
		duckdb.DestroyPrepare(&s.prepared)
		return errNotReading()
	}
	return nil
}

func errNotReading() error {
	return refuseQuery("not_a_reading_statement",
		"Only statements that read are run here: SELECT, FROM, WITH, VALUES, PIVOT … IN (…), UNPIVOT, DESCRIBE, SHOW, SUMMARIZE, and EXPLAIN of these.")
}

// syntaxTree returns DuckDB's parse of one statement as JSON; isSelect is false
// for a statement that is not built on SELECT.
func (e *queryEngine) syntaxTree(sql string) (tree string, isSelect bool, err error) {
	tree, err = e.textOf(e.serialize, sql)
	if err != nil {
		return "", false, err
	}
	var head struct {
		Error      bool              `json:"error"`
		Kind       string            `json:"error_type"`
		Message    string            `json:"error_message"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal([]byte(tree), &head); err != nil {
		return "", false, refuseQuery("statement_too_deep", "The statement is nested too deeply to be checked. Simplify it, for instance with WITH.")
	}
	switch {
	case head.Error && head.Kind == "not implemented":
		return "", false, nil
	case head.Error:
		return "", false, e.engineError(sql, "Parser Error: "+head.Message)
	case len(head.Statements) != 1:
		return "", false, nil
	}
	return tree, true, nil
}

func (e *queryEngine) isSelect(sql string) bool {
	_, isSelect, err := e.syntaxTree(sql)
	return err == nil && isSelect
}

// checkTree refuses functions and system tables by name, wherever they stand.
func (e *queryEngine) checkTree(tree string) error {
	return walkTree(tree, func(node map[string]any) error {
		if name := nodeText(node, "function_name"); name != "" {
			if _, refused := refusedFunctions[name]; refused {
				return refuseFunction(name)
			}
		}
		switch node["type"] {
		case "TABLE_FUNCTION":
			function, _ := node["function"].(map[string]any) // nil has no name, which is refused
			name := nodeText(function, "function_name")
			if _, allowed := allowedTableFunctions[name]; !allowed {
				return refuseFunction(name)
			}
		case "BASE_TABLE":
			return e.checkTable(nodeText(node, "catalog_name"), nodeText(node, "schema_name"), nodeText(node, "table_name"))
		}
		return nil
	})
}

func refuseFunction(name string) error {
	return refuseQuery("function_refused",
		"The function %s is not open to queries here, because it reaches past your tables or changes the engine. Query the tables by their names instead.", name)
}

// checkTable keeps DuckDB's own views out, which show how the server stores
// things. Whether another table exists is for the engine to say.
func (e *queryEngine) checkTable(catalog, schema, name string) error {
	if schema == "information_schema" {
		if _, open := openInformation[name]; open {
			return nil
		}
	}
	_, system := e.system[name]
	_, granted := e.granted[name]
	_, internal := internalSchemas[schema]
	_, internalCatalog := internalSchemas[catalog]
	if internal || internalCatalog || (system && !granted) {
		return refuseQuery("function_refused",
			"%s shows how the server works inside and is not open to queries here. SHOW TABLES, DESCRIBE and information_schema.columns tell about your tables.", name)
	}
	return nil
}

// namesUnreadable reports a table that the tree names and that could not be
// opened when the child began.
func (e *queryEngine) namesUnreadable(tree string) (name string, found bool) {
	if len(e.unreadable) == 0 {
		return "", false
	}
	// The callback returns no error and the tree was read before.
	_ = walkTree(tree, func(node map[string]any) error {
		if node["type"] == "BASE_TABLE" && !found {
			name, found = e.unreadable[nodeText(node, "table_name")]
		}
		return nil
	})
	return name, found
}

// walkTree calls visit for every object of a JSON text.
func walkTree(tree string, visit func(map[string]any) error) error {
	var root any
	if err := json.Unmarshal([]byte(tree), &root); err != nil {
		return fmt.Errorf("read syntax tree: %w", err)
	}
	var walk func(any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case []any:
			for _, child := range v {
				if err := walk(child); err != nil {
					return err
				}
			}
		case map[string]any:
			if err := visit(v); err != nil {
				return err
			}
			for _, child := range v {
				if err := walk(child); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk(root)
}

func nodeText(node map[string]any, key string) string {
	text, isText := node[key].(string)
	if !isText {
		return ""
	}
	return foldQueryName(text)
}
