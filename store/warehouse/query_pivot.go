//go:build duckdb_arrow

package warehouse

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain/work"
)

// A PIVOT whose values are not written out is several statements to DuckDB's
// parser: it would make a type of the values first. Here markPivots writes a
// marker where the values belong, so that the parser sees one statement, and
// fixPivots asks for the values with a query of its own, which passes the same
// gate, and puts them in the marker's place.
const (
	pivotMarker    = "\u0002pivot values\u0002"
	maxPivotValues = 2000
)

// fixPivots replaces markers in the tree by values.
func (e *queryEngine) fixPivots(cancel <-chan struct{}, s *queryStatement, job work.QueryJob) (changed bool, err error) {
	marks := strings.Count(s.text, pivotMarker)
	if marks == 0 {
		return false, nil
	}
	fixed := 0
	w := treeWalk{}
	w.visit = func(n treeNode, scope *treeScope) (bool, error) {
		if n["type"] != "PIVOT" {
			return true, nil
		}
		if err := w.walk(n["source"], scope); err != nil { // an inner PIVOT first
			return false, err
		}
		pivots, _ := n["pivots"].([]any)
		empty := false
		for _, p := range pivots {
			pivot, _ := p.(treeNode)
			if !isMarked(pivot) {
				continue
			}
			sql, err := e.pivotQuery(n, pivot, scope)
			if err != nil {
				return false, err
			}
			values, err := e.distinct(cancel, work.QueryJob{SQL: sql, Listing: job.Listing})
			if err != nil {
				return false, err
			}
			pivot["entries"] = values
			fixed++
			empty = empty || len(values) == 0
		}
		if empty {
			return false, e.emptyPivot(n, pivots)
		}
		return false, nil
	}
	if err := w.walk(s.tree, nil); err != nil {
		return false, err
	}
	if fixed != marks { // the marker was put where it does not belong
		return false, refuseQuery("pivot_not_understood",
			"The values of this PIVOT could not be found. Write them out, as in PIVOT … ON column IN ('a', 'b').")
	}
	return true, nil
}

// isMarked reports whether the values of one ON are a marker.
func isMarked(pivot treeNode) bool {
	entries, _ := pivot["entries"].([]any)
	if len(entries) != 1 {
		return false
	}
	entry, _ := entries[0].(treeNode)
	values, _ := entry["values"].([]any)
	if len(values) != 1 {
		return false
	}
	value, _ := values[0].(treeNode)
	return value["value"] == pivotMarker
}

// pivotQuery is the query for the values that one ON has, among the rows and
// with the common table expressions of its PIVOT.
func (e *queryEngine) pivotQuery(n, pivot treeNode, scope *treeScope) (string, error) {
	expressions, _ := pivot["pivot_expressions"].([]any)
	if len(expressions) != 1 {
		return "", refuseQuery("pivot_not_understood", "A PIVOT over several columns at once needs its values: ON (a, b) IN (…).")
	}
	text, err := e.textOf(e.serialize, "SELECT DISTINCT CAST(x AS VARCHAR) AS v FROM y WHERE x IS NOT NULL ORDER BY v LIMIT "+strconv.Itoa(maxPivotValues+1))
	if err != nil {
		return "", err
	}
	tree, err := parseTree(text)
	if err != nil {
		return "", err
	}
	w := treeWalk{visit: func(m treeNode, _ *treeScope) (bool, error) {
		if m["type"] == "SELECT_NODE" {
			m["from_table"] = n["source"]
			m["cte_map"] = treeNode{"map": scope.entries()}
			cast, _ := m["select_list"].([]any)[0].(treeNode)
			cast["child"] = expressions[0]
			given, _ := m["where_clause"].(treeNode)
			given["children"] = expressions
			return false, nil
		}
		return true, nil
	}}
	if err := w.walk(tree, nil); err != nil {
		return "", err
	}
	return e.treeText(tree)
}

// distinct runs a query for values, through the gate as any other.
func (e *queryEngine) distinct(cancel <-chan struct{}, job work.QueryJob) ([]any, error) {
	var sink textSink
	if _, err := e.execute(cancel, job, &sink); err != nil {
		f := asFailure(err)
		f.Line, f.Column = 0, 0
		return nil, f
	}
	if len(sink.texts) > maxPivotValues {
		return nil, refuseQuery("pivot_too_wide",
			"The column after ON has more than %d values, each of which would be a column. Name those that you need, as in ON column IN ('a', 'b').", maxPivotValues)
	}
	entries := make([]any, len(sink.texts))
	for i, t := range sink.texts {
		entries[i] = treeNode{"alias": "", "star_expr": nil, "values": []any{treeNode{
			"type": treeNode{"id": "VARCHAR", "type_info": nil}, "is_null": false, "value": t,
		}}}
	}
	return entries, nil
}

// emptyPivot replaces a PIVOT that has no values, and so no columns of its own,
// by what is left of it: its groups.
func (e *queryEngine) emptyPivot(n treeNode, pivots []any) error {
	groups, _ := n["groups"].([]any)
	columns := make([]string, 0, len(groups))
	for _, g := range groups {
		name, _ := g.(string)
		columns = append(columns, quoteIdent(name))
	}
	list := strings.Join(columns, ", ")
	if len(columns) == 0 {
		used := usedColumns(pivots, n["aggregates"])
		list = "* EXCLUDE (" + strings.Join(used, ", ") + ")"
	}
	ours, err := e.subquery("SELECT DISTINCT " + list + " FROM y")
	if err != nil {
		return err
	}
	query, _ := ours["subquery"].(treeNode)
	node, _ := query["node"].(treeNode)
	node["from_table"] = n["source"]
	ours["alias"], ours["column_name_alias"] = rawText(n, "alias"), n["column_name_alias"]
	clear(n)
	maps.Copy(n, ours)
	return nil
}

// usedColumns names, once each, the columns that expressions refer to.
func usedColumns(expressions ...any) []string {
	seen := map[string]struct{}{}
	w := treeWalk{visit: func(n treeNode, _ *treeScope) (bool, error) {
		if names, isColumn := n["column_names"].([]any); isColumn && len(names) > 0 {
			last, _ := names[len(names)-1].(string)
			seen[quoteIdent(foldQueryName(last))] = struct{}{}
		}
		return true, nil
	}}
	_ = w.walk(expressions, nil) // visit does not fail
	return slices.Sorted(maps.Keys(seen))
}

// textSink collects one column of texts.
type textSink struct{ texts []string }

func (s *textSink) schema(work.QuerySchema) error { return nil }

func (s *textSink) batch(b arrow.RecordBatch) error {
	column, isText := b.Column(0).(*array.String)
	for i := 0; isText && i < column.Len(); i++ {
		s.texts = append(s.texts, strings.Clone(column.Value(i)))
	}
	return nil
}
