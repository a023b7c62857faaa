//go:build duckdb_arrow

package warehouse

import (
	"strings"

	"agnes/domain/work"
)

// treeCheck is the gate's walk through one statement.
type treeCheck struct {
	engine    *queryEngine
	statement *queryStatement
	job       work.QueryJob
	changed   bool
}

// visit decides about one object. What it put in the place of another is ours
// and is not gone into.
func (c *treeCheck) visit(n treeNode, scope *treeScope) (into bool, err error) {
	if name := nodeText(n, "function_name"); name != "" {
		if _, refused := refusedFunctions[name]; refused {
			return false, c.placed(refuseFunction(rawText(n, "function_name")), n)
		}
	}
	kind := rawText(n, "type")
	switch kind {
	case "TABLE_FUNCTION":
		err = c.tableFunction(n)
	case "SHOW_REF":
		err = c.show(n)
	case "BASE_TABLE":
		err = c.table(n, scope)
	}
	return rawText(n, "type") == kind, err
}

// tableFunction admits the functions that read nothing but their arguments, and
// answers those that list tables.
func (c *treeCheck) tableFunction(n treeNode) error {
	function, _ := n["function"].(treeNode) // nil has no name, which is refused
	name := nodeText(function, "function_name")
	if _, allowed := allowedTableFunctions[name]; allowed {
		return nil
	}
	if name == "pragma_table_info" || name == "pragma_show" {
		return c.describe(n, name, function)
	}
	if list, known := listings["main."+name]; known && list.function {
		return c.list(n, "main."+name, name)
	}
	return c.placed(refuseFunction(rawText(function, "function_name")), function)
}

// describe answers a function that lists the columns of the table it names.
func (c *treeCheck) describe(n treeNode, name string, function treeNode) error {
	children, _ := function["children"].([]any)
	table, isText := "", false
	if len(children) == 1 {
		table, isText = constantText(children[0])
	}
	if !isText {
		return c.placed(refuseFunction(name), function)
	}
	qualifier, last := cutQualifier(table)
	if c.job.Listing == nil {
		return needsListing()
	}
	for _, t := range c.job.Listing {
		if isMain(qualifier) && foldQueryName(t.Name) == foldQueryName(last) {
			return c.put(n, name+" "+t.Name, describing(name, t.Name), name)
		}
	}
	return c.notFound(function, table)
}

// cutQualifier splits a name such as memory.main.orders before its last part.
func cutQualifier(name string) (qualifier []string, last string) {
	parts := strings.Split(name, ".")
	return parts[:len(parts)-1], parts[len(parts)-1]
}

// isMain reports whether a qualifier leads to the granted tables.
func isMain(qualifier []string) bool {
	switch strings.Join(qualifier, ".") {
	case "", "main", "memory", "memory.main":
		return true
	}
	return false
}

// show answers SHOW TABLES and its like. DESCRIBE and SUMMARIZE hold a query,
// which is walked as any other.
func (c *treeCheck) show(n treeNode) error {
	if n["query"] != nil {
		return nil
	}
	if n["show_type"] == "SHOW_FROM" {
		if qualifier := qualifierOf(n); !isMain(qualifier) {
			return c.notFound(n, strings.Join(qualifier, "."))
		}
		return c.list(n, "show.tables", "tables")
	}
	name := strings.Trim(nodeText(n, "table_name"), `"`)
	if _, known := listings["show."+name]; !known {
		return refuseFunction("SHOW " + strings.ToUpper(name))
	}
	return c.list(n, "show."+name, name)
}

func qualifierOf(n treeNode) []string {
	var parts []string
	for _, key := range []string{"catalog_name", "schema_name"} {
		if part := nodeText(n, key); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// table decides about a name after FROM: a common table expression, a granted
// table, or a view of the engine's that a listing stands for. There is nothing
// else.
func (c *treeCheck) table(n treeNode, scope *treeScope) error {
	qualifier, name := qualifierOf(n), nodeText(n, "table_name")
	if len(qualifier) == 0 && scope.has(name) || len(qualifier) == 1 && qualifier[0] == "recurring" && scope.has(name) {
		return nil
	}
	if c.engine.held[name] != nil && isMain(qualifier) {
		c.statement.tables[name] = struct{}{}
		return nil
	}
	if key, known := systemView(qualifier, name); known {
		if _, open := openViews[key]; open {
			return nil
		}
		if _, listed := listings[key]; listed {
			return c.list(n, key, rawText(n, "table_name"))
		}
		return c.placed(refuseQuery("function_refused",
			"%s shows how the server works inside and is not open to queries here. SHOW TABLES, DESCRIBE and information_schema.columns tell about your tables.", name), n)
	}
	written := rawText(n, "table_name")
	for _, key := range []string{"schema_name", "catalog_name"} {
		if part := rawText(n, key); part != "" {
			written = part + "." + written
		}
	}
	return c.notFound(n, written)
}

// systemView finds one of DuckDB's own views as DuckDB would: by its schema, or
// in main and pg_catalog.
func systemView(qualifier []string, name string) (key string, known bool) {
	schema := ""
	if len(qualifier) > 0 {
		schema = qualifier[len(qualifier)-1]
	}
	switch schema {
	case "information_schema", "pg_catalog":
		_, known = systemViews[schema+"."+name]
		return schema + "." + name, known
	case "", "main", "system", "temp", "memory":
		for _, s := range []string{"main.", "pg_catalog."} {
			if _, known := systemViews[s+name]; known {
				return s + name, true
			}
		}
	}
	return "", false
}

// notFound says that a name leads to no table. It is the same for a table that
// does not exist and for one that is not granted.
func (c *treeCheck) notFound(n treeNode, written string) error {
	f := &queryFailure{Failure: work.Failure{
		Code: work.TableNotFound, Table: written, Message: tableNotFound(written),
	}}
	return c.placed(f, n)
}

// placed adds line and column of a node to a failure.
func (c *treeCheck) placed(err error, n treeNode) error {
	f := asFailure(err)
	if at := place(n); at >= 0 && !c.statement.rewritten {
		f.Line, f.Column = linePlace(c.statement.head+c.statement.text, len(c.statement.head)+at)
	}
	return f
}

func refuseFunction(name string) error {
	return refuseQuery("function_refused",
		"The function %s is not open to queries here, because it reaches past your tables or changes the engine. Query the tables by their names instead.", name)
}
