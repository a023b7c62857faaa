//go:build duckdb_arrow

package warehouse

import (
	"encoding/json"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// queryStatement is a statement that passed the gate.
type queryStatement struct {
	text      string // what runs: as written, or written anew from the tree
	head      string // EXPLAIN and its options, in front of text
	tree      treeNode
	rewritten bool // places in text are not those of the author's
	tables    map[string]struct{}
	mentions  map[string]struct{}
	listed    bool                     // it reads the list of tables
	prepared  duckdb.PreparedStatement // once prepared; must be destroyed
}

// admit is the gate: one statement, one that reads, from tables that the child
// holds, with no function that changes or reveals the engine. It decides on
// DuckDB's own parse, never on the text. It is a layer of its own: the instance
// holds nothing but the granted tables either.
func (e *queryEngine) admit(cancel <-chan struct{}, job work.QueryJob) (*queryStatement, error) {
	s, err := e.parse(job.SQL)
	if err != nil {
		return nil, err
	}
	if s.rewritten, err = e.fixPivots(cancel, s, job); err != nil {
		return nil, err
	}
	changed, err := e.check(s, job)
	if err != nil {
		return nil, err
	}
	if !changed && !s.rewritten {
		return s, nil
	}
	s.rewritten = true
	s.text, err = e.treeText(s.tree)
	return s, err
}

// parse takes a text apart: EXPLAIN in front, one statement behind it.
func (e *queryEngine) parse(sql string) (*queryStatement, error) {
	if strings.IndexByte(sql, 0) >= 0 {
		return nil, refuseQuery("nul_in_statement", "The statement holds a NUL character, where the engine would stop reading. Remove it and run again.")
	}
	count, err := e.count(sql)
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, refuseQuery("empty_statement", "There is no statement to run.")
	}
	sql = e.settled(sql)
	s := &queryStatement{text: sql}
	if head, rest, found := splitExplain(sql, e.isReading); found {
		// What runs is put together anew from the two parts that were understood.
		s.head, s.text = head, rest
	}
	if count > 1 { // several, or one that the engine's parser splits
		s.text = markPivots(s.text)
		if one, err := e.count(s.text); err != nil || one > 1 {
			return nil, e.several(sql, count)
		}
	}
	tree, isSelect, err := e.syntaxTree(s.text)
	switch {
	case err != nil:
		return nil, err
	case !isSelect:
		return nil, errNotReading()
	}
	s.tree, err = parseTree(tree)
	return s, err
}

// count is how many statements a text holds.
func (e *queryEngine) count(sql string) (int, error) {
	var extracted duckdb.ExtractedStatements
	count := duckdb.ExtractStatements(e.conn, sql, &extracted)
	defer duckdb.DestroyExtracted(&extracted)
	if text := duckdb.ExtractStatementsError(extracted); text != "" {
		return 0, e.engineError(sql, text)
	}
	return int(count), nil //nolint:gosec // bounded by the text's length
}

func errNotReading() error {
	return refuseQuery("not_a_reading_statement",
		"Only statements that read are run here: SELECT, FROM, WITH, VALUES, PIVOT, UNPIVOT, DESCRIBE, SHOW, SUMMARIZE, and EXPLAIN of these.")
}

// isReading reports whether a text is one statement built on SELECT.
func (e *queryEngine) isReading(sql string) bool {
	_, isSelect, err := e.syntaxTree(sql)
	if err == nil && !isSelect {
		_, isSelect, err = e.syntaxTree(markPivots(sql))
	}
	return err == nil && isSelect
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

// check goes through the syntax tree. It refuses functions and tables, puts
// listings in the place of the engine's own, and notes what the statement
// mentions; changed says that the tree is another now.
func (e *queryEngine) check(s *queryStatement, job work.QueryJob) (changed bool, err error) {
	s.tables, s.mentions = map[string]struct{}{}, map[string]struct{}{}
	c := treeCheck{engine: e, statement: s, job: job}
	w := treeWalk{visit: c.visit, text: func(text string) {
		if folded := foldQueryName(text); e.held[folded] != nil {
			s.mentions[folded] = struct{}{}
		}
	}}
	err = w.walk(s.tree, nil)
	return c.changed, err
}

// prepare binds the statement. Its type is checked once more: what the syntax
// tree says and what the engine would run must agree.
func (e *queryEngine) prepare(s *queryStatement, text string) error {
	var extracted duckdb.ExtractedStatements
	count := duckdb.ExtractStatements(e.conn, s.head+text, &extracted)
	defer duckdb.DestroyExtracted(&extracted)
	if count != 1 {
		return errNotReading()
	}
	if duckdb.PrepareExtractedStatement(e.conn, extracted, 0, &s.prepared) == duckdb.StateError {
		text := duckdb.PrepareError(s.prepared)
		duckdb.DestroyPrepare(&s.prepared)
		return e.statementError(s, text)
	}
	want := duckdb.StatementTypeSelect
	if s.head != "" {
		want = duckdb.StatementTypeExplain
	}
	if duckdb.PreparedStatementType(s.prepared) != want {
		duckdb.DestroyPrepare(&s.prepared)
		return errNotReading()
	}
	return nil
}
