//go:build duckdb_arrow

package warehouse

import (
	"encoding/json"
	"fmt"
	"maps"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"agnes/domain/work"
)

// listing answers one of the engine's own views, or a SHOW, from the granted
// tables that came with the statement. The engine's own catalog, which holds
// what the child happens to have opened, is never asked.
type listing struct {
	shape    string // the engine's own, for its columns alone; "" when rows has them all
	rows     string // "" for a view that is always empty
	function bool   // may be called as a table function too
}

// sql is the text of the listing.
func (l listing) sql() string {
	switch {
	case l.shape == "":
		return l.rows
	case l.rows == "":
		return "SELECT * FROM " + l.shape + " WHERE false"
	}
	return "SELECT * FROM " + l.shape + " WHERE false UNION ALL BY NAME (" + l.rows + ")"
}

func needsListing() error {
	return &queryFailure{Failure: work.Failure{
		Code: work.NeedsListing, Message: "The list of your tables is not at hand. Run the statement again.",
	}}
}

// list puts a listing in the place of a node.
func (c *treeCheck) list(n treeNode, key, name string) error {
	return c.put(n, key, listings[key].sql(), name)
}

// put replaces a node by a subquery of ours, under the name that it had.
func (c *treeCheck) put(n treeNode, key, sql, name string) error {
	if c.job.Listing == nil {
		return needsListing()
	}
	ours, known := c.engine.listings[key].(treeNode)
	if !known {
		var err error
		if ours, err = c.engine.subquery(sql); err != nil {
			return err
		}
		if len(c.engine.listings) < maxListingTrees {
			c.engine.listings[key] = ours
		}
	}
	ours = maps.Clone(ours)
	if alias := rawText(n, "alias"); alias != "" {
		name = alias
	}
	ours["alias"] = name
	for _, key := range []string{"column_name_alias", "sample"} {
		if v, given := n[key]; given {
			ours[key] = v
		}
	}
	clear(n)
	maps.Copy(n, ours)
	c.changed, c.statement.listed = true, true
	return nil
}

// maxListingTrees bounds what is kept of listings, which name tables.
const maxListingTrees = 200

// subquery returns the syntax tree of a text of ours that stands after FROM.
func (e *queryEngine) subquery(sql string) (treeNode, error) {
	text, err := e.textOf(e.serialize, "SELECT * FROM ("+sql+") AS ours")
	if err != nil {
		return nil, err
	}
	var tree struct {
		Statements []struct {
			Node struct {
				From treeNode `json:"from_table"`
			} `json:"node"`
		} `json:"statements"`
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil || len(tree.Statements) != 1 {
		return nil, fmt.Errorf("read the tree of a listing (%.60s): %w", text, err)
	}
	from := tree.Statements[0].Node.From
	// Numbers of places lost their form, and none is needed.
	w := treeWalk{visit: func(n treeNode, _ *treeScope) (bool, error) {
		if _, placed := n["query_location"]; placed {
			n["query_location"] = 0
		}
		return true, nil
	}}
	return from, w.walk(from, nil)
}

// fillListing puts the granted tables where listings read them. They are there
// for one statement only: a child serves people with other grants as well.
func (e *queryEngine) fillListing(tables []work.ListedTable) error {
	e.listed = true
	if err := e.exec(`CREATE SCHEMA IF NOT EXISTS agnes_listing;
		CREATE TABLE agnes_listing.t (oid INTEGER, name VARCHAR, comment VARCHAR, rows BIGINT, columns STRUCT(name VARCHAR, type VARCHAR)[]);
		CREATE TABLE agnes_listing.c (oid INTEGER, table_name VARCHAR, pos INTEGER, name VARCHAR, type VARCHAR)`); err != nil {
		return err
	}
	text, err := json.Marshal(tables)
	if err != nil {
		return fmt.Errorf("write a listing: %w", err)
	}
	for _, sql := range []string{
		`INSERT INTO agnes_listing.t SELECT (10000 + row_number() OVER (ORDER BY l.name))::INTEGER, l.name, l.comment, l.rows, coalesce(l.columns, [])
		FROM (SELECT unnest(from_json($1::JSON, '[{"name":"VARCHAR","comment":"VARCHAR","rows":"BIGINT","columns":[{"name":"VARCHAR","type":"VARCHAR"}]}]')) AS l)
		ORDER BY l.name`,
		`INSERT INTO agnes_listing.c SELECT oid, table_name, pos, unnest.name, unnest.type
		FROM (SELECT oid, name AS table_name, generate_subscripts(columns, 1)::INTEGER AS pos, unnest(columns) AS unnest, $1::VARCHAR FROM agnes_listing.t)`,
	} {
		if err := e.execWith(sql, string(text)); err != nil {
			return err
		}
		text = nil // the second needs none
	}
	return nil
}

// dropListing takes away what fillListing put there.
func (e *queryEngine) dropListing() error {
	if err := e.exec("DROP SCHEMA IF EXISTS agnes_listing CASCADE"); err != nil {
		return err
	}
	e.listed = false
	return nil
}

// execWith runs one statement of ours with one text.
func (e *queryEngine) execWith(sql, text string) error {
	var prepared duckdb.PreparedStatement
	defer duckdb.DestroyPrepare(&prepared)
	if duckdb.Prepare(e.conn, sql, &prepared) == duckdb.StateError {
		return fmt.Errorf("prepare %.60s: %s", sql, duckdb.PrepareError(prepared))
	}
	if duckdb.BindVarchar(prepared, 1, text) == duckdb.StateError {
		return fmt.Errorf("bind a text to %.60s", sql)
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	if duckdb.ExecutePrepared(prepared, &result) == duckdb.StateError {
		return fmt.Errorf("run %.60s: %s", sql, duckdb.ResultError(&result))
	}
	return nil
}
