//go:build duckdb_arrow

package warehouse

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// treeNode is one object of a syntax tree as DuckDB serialises it.
type treeNode = map[string]any

// treeScope is the names that common table expressions have at a place.
type treeScope struct {
	outer *treeScope
	name  string
	entry any // the expression's own entry, so that a query of ours can carry it along
}

func (s *treeScope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return true
		}
	}
	return false
}

// entries lists the expressions that are visible, outermost first; of two with
// one name the inner.
func (s *treeScope) entries() []any {
	all := []any{}
	seen := map[string]struct{}{}
	for ; s != nil; s = s.outer {
		if _, hidden := seen[s.name]; !hidden && s.entry != nil {
			seen[s.name] = struct{}{}
			all = append(all, s.entry)
		}
	}
	slices.Reverse(all)
	return all
}

// treeWalk visits every object of a tree, knowing which names are common table
// expressions at its place. visit may change the object in place; into says
// whether to go on inside it.
type treeWalk struct {
	visit func(treeNode, *treeScope) (into bool, err error)
	text  func(string) // every text in the tree
}

// walk goes through v, members in order of their names.
func (w *treeWalk) walk(v any, scope *treeScope) error {
	switch v := v.(type) {
	case string:
		if w.text != nil {
			w.text(v)
		}
	case []any:
		for _, child := range v {
			if err := w.walk(child, scope); err != nil {
				return err
			}
		}
	case treeNode:
		return w.object(v, scope)
	}
	return nil
}

func (w *treeWalk) object(n treeNode, scope *treeScope) error {
	scope, err := w.expressions(n, scope)
	if err != nil {
		return err
	}
	if into, err := w.visit(n, scope); err != nil || !into {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(n)) {
		if key == "cte_map" {
			continue
		}
		inner := scope
		if key == "right" && nodeText(n, "type") == "recursive_cte_node" {
			inner = &treeScope{outer: scope, name: nodeText(n, "cte_name")} // only the repeated part sees the name
		}
		if err := w.walk(n[key], inner); err != nil {
			return err
		}
	}
	return nil
}

// expressions walks the common table expressions of a query and returns the
// scope with their names. Each sees those before it, never itself: a table of
// the same name inside it is the real one.
func (w *treeWalk) expressions(n treeNode, scope *treeScope) (*treeScope, error) {
	list, _ := n["cte_map"].(treeNode)
	entries, _ := list["map"].([]any)
	for _, entry := range entries {
		e, _ := entry.(treeNode)
		if err := w.walk(e["value"], scope); err != nil {
			return nil, err
		}
		scope = &treeScope{outer: scope, name: nodeText(e, "key"), entry: entry}
	}
	return scope, nil
}

// parseTree reads a syntax tree with its numbers as they are written.
func parseTree(text string) (treeNode, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var tree treeNode
	if err := d.Decode(&tree); err != nil {
		return nil, refuseQuery("statement_too_deep", "The statement is nested too deeply to be checked. Simplify it, for instance with WITH.")
	}
	return tree, nil
}

// treeText writes a syntax tree as SQL.
func (e *queryEngine) treeText(tree treeNode) (string, error) {
	// The engine writes a join without parentheses, where a PIVOT behind it
	// would take the last table only.
	w := treeWalk{visit: func(n treeNode, _ *treeScope) (bool, error) {
		source, _ := n["source"].(treeNode)
		if rawText(n, "type") != "PIVOT" || rawText(source, "type") != "JOIN" {
			return true, nil
		}
		wrapped, err := e.subquery("SELECT * FROM y")
		if err != nil {
			return false, err
		}
		query, _ := wrapped["subquery"].(treeNode)
		node, _ := query["node"].(treeNode)
		node["from_table"], wrapped["alias"], n["source"] = source, "", wrapped
		return true, nil
	}}
	if err := w.walk(tree, nil); err != nil {
		return "", err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return "", err //nolint:wrapcheck // a tree that was read can be written
	}
	return e.textOf(e.rebuild, string(text))
}

// rawText is a member that is a text, as it was written.
func rawText(n treeNode, key string) string {
	text, isText := n[key].(string)
	if !isText {
		return ""
	}
	return text
}

// nodeText is a member that is a text, folded as DuckDB compares names.
func nodeText(n treeNode, key string) string { return foldQueryName(rawText(n, key)) }

// place is where a node stands in the statement, in bytes; -1 when unknown.
func place(n treeNode) int {
	number, isNumber := n["query_location"].(json.Number)
	if !isNumber {
		return -1
	}
	at, err := strconv.ParseInt(number.String(), 10, 32)
	if err != nil { // none is the largest number
		return -1
	}
	return int(at)
}

// constantText is the text that an expression is, such as 'orders'.
func constantText(v any) (string, bool) {
	n, _ := v.(treeNode)
	if n["class"] != "CONSTANT" {
		return "", false
	}
	value, _ := n["value"].(treeNode)
	kind, _ := value["type"].(treeNode)
	text, isText := value["value"].(string)
	return text, isText && kind["id"] == "VARCHAR"
}
