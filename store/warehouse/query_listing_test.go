//go:build duckdb_arrow

package warehouse

import (
	"slices"
	"strings"
	"testing"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// TestListingsNameTheGrantedTables asks in every way that clients have.
func TestListingsNameTheGrantedTables(t *testing.T) {
	e := queryWorld(t)
	const all = "People elsewhere orders"
	tests := map[string]string{
		"SHOW TABLES": all, "SHOW TABLES FROM main": all, "SELECT name FROM (SHOW ALL TABLES)": all, "SELECT name FROM (DESCRIBE)": all,
		"SELECT table_name FROM information_schema.tables": all, "SELECT t.table_name FROM information_schema.tables t WHERE t.table_type = 'BASE TABLE'": all,
		"SELECT tables.table_name FROM information_schema.tables": all, "SELECT table_name FROM duckdb_tables()": all, "SELECT table_name FROM duckdb_tables": all,
		"SELECT n FROM duckdb_tables() AS d(a, b, c, x, n)": all, "SELECT DISTINCT table_name FROM duckdb_columns() ORDER BY 1": all,
		"SELECT tablename FROM pg_catalog.pg_tables": all, "SELECT tablename FROM pg_tables": all, "SELECT name FROM sqlite_master": all, "SELECT relname FROM pg_class": all,
		"SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'":                                          "id customer amount",
		"SELECT column_name FROM Information_Schema.COLUMNS WHERE table_name ILIKE 'people'":                                      "name",
		"SELECT name FROM pragma_table_info('ORDERS')":                                                                            "id customer amount",
		"SELECT column_type FROM pragma_show('main.orders')":                                                                      "BIGINT VARCHAR DECIMAL(21,1)",
		"SELECT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'orders' ORDER BY a.attnum": "id customer amount",
		"SELECT column_name FROM information_schema.columns WHERE table_name = 'elsewhere'":                                       `we "x"`,
		"SELECT column_types[2] FROM (SHOW ALL TABLES) WHERE name = 'orders'":                                                     "VARCHAR",
		"SELECT comment FROM duckdb_tables() WHERE comment IS NOT NULL":                                                           "What was sold",
		"SELECT estimated_size FROM duckdb_tables() WHERE table_name = 'orders'":                                                  "5000",
		"SELECT schema_name FROM information_schema.schemata":                                                                     "main", "SHOW DATABASES": "memory", "SELECT path FROM duckdb_databases()": "NULL",
		"SELECT view_name FROM duckdb_views()": "", "SELECT table_name FROM information_schema.views": "", "SELECT * FROM duckdb_constraints()": "", "SELECT viewname FROM pg_views": "",
		"SELECT count(*) FROM information_schema.tables a JOIN information_schema.columns b USING (table_name)": "5", "WITH t AS (FROM (SHOW TABLES)) SELECT count(*) FROM t": "3",
		"SELECT (SELECT count(*) FROM duckdb_tables())": "3", "SELECT count(*) FROM (PIVOT duckdb_columns() ON table_name GROUP BY data_type)": "4",
		"SELECT count(*) > 100 FROM duckdb_functions()": "true", "SELECT count(*) > 20 FROM duckdb_types": "true",
		"SELECT count(*) FROM information_schema.tables TABLESAMPLE 100%": "3",
	}
	for sql, want := range tests {
		rows, _, err := e.ask(t, sql, 0)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		var got []string
		for _, row := range rows.values {
			got = append(got, row[0])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", sql, got, want)
		}
	}
	for _, sql := range []string{"FROM pragma_table_info('secret')", "FROM pragma_show('nosuch.orders')", "SHOW TABLES FROM nosuch"} {
		_, _, err := e.ask(t, sql, 0)
		if got := failureOf(t, err).Code; got != work.TableNotFound {
			t.Errorf("%s: %s, want %s", sql, got, work.TableNotFound)
		}
	}
}

// TestListingsHaveTheColumnsOfTheEngine compares with what DuckDB itself
// answers, so that clients find the columns that they read.
func TestListingsHaveTheColumnsOfTheEngine(t *testing.T) {
	e := queryWorld(t)
	for key, l := range listings {
		if l.shape == "" {
			continue
		}
		asked := strings.TrimPrefix(key, "main.")
		if l.function {
			asked += "()"
		}
		got, _, err := e.ask(t, "SELECT * FROM "+asked, 0)
		if err != nil {
			t.Errorf("%s: %v", asked, err)
			continue
		}
		want, err := e.ungated("SELECT * FROM " + l.shape + " LIMIT 0")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.columns, want.columns) {
			t.Errorf("%s has the columns\n%v, the engine's own\n%v", asked, got.columns, want.columns)
		}
	}
}

func TestListingIsAskedForAndGoesAway(t *testing.T) {
	e := queryWorld(t)
	_, err := e.run(nil, work.QueryJob{SQL: "SHOW TABLES"}, &collected{})
	if got := failureOf(t, err).Code; got != work.NeedsListing {
		t.Fatalf("without a listing: %s, want %s", got, work.NeedsListing)
	}
	rows := &collected{}
	if _, err := e.run(nil, work.QueryJob{SQL: "SHOW TABLES", Listing: []work.ListedTable{}}, rows); err != nil || len(rows.values) != 0 {
		t.Errorf("nothing granted: %v, %v", rows.values, err)
	}
	for _, listing := range [][]work.ListedTable{{{Name: "mine"}}, {{Name: "yours", Columns: []registry.Column{{Name: "a", Type: "INTEGER"}}}}} {
		rows := &collected{}
		_, err := e.run(nil, work.QueryJob{SQL: "FROM duckdb_tables() SELECT table_name", Listing: listing}, rows)
		if err != nil || len(rows.values) != 1 || rows.values[0][0] != listing[0].Name {
			t.Errorf("listing %v: %v, %v", listing, rows.values, err)
		}
		_, err = e.run(nil, work.QueryJob{SQL: "FROM duckdb_tables() SELECT error(table_name)", Listing: listing}, &collected{})
		if err == nil {
			t.Error("error() was no error")
		}
		if schemas, err := e.texts("SELECT schema_name FROM duckdb_schemas() WHERE schema_name = 'agnes_listing'"); err != nil || len(schemas) != 0 {
			t.Errorf("after the statement %v is left, %v", schemas, err)
		}
	}
}

// TestSystemViewsAreKnown fails when an engine brings views that nobody looked at.
func TestSystemViewsAreKnown(t *testing.T) {
	e := &queryEngine{}
	if err := e.open(); err != nil {
		t.Fatal(err)
	}
	defer e.close()
	views, err := e.texts("SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE internal")
	if err != nil || len(views) != len(systemViews) {
		t.Errorf("the engine has %d views, %d are known; %v", len(views), len(systemViews), err)
	}
	for _, v := range views {
		if _, known := systemViews[v]; !known {
			t.Errorf("view %s is not known", v)
		}
	}
}

func TestListingOfManyTables(t *testing.T) {
	e := queryWorld(t)
	columns := make([]registry.Column, 20)
	for i := range columns {
		columns[i] = registry.Column{Name: "column_" + string(rune('a'+i)), Type: "VARCHAR"}
	}
	many := make([]work.ListedTable, 10000)
	for i := range many {
		many[i] = work.ListedTable{Name: "t" + strings.Repeat("x", i%7) + string(rune('a'+i%26)), Columns: columns}
	}
	rows := &collected{}
	_, err := e.run(nil, work.QueryJob{SQL: "SELECT count(*) FROM information_schema.columns", Listing: many}, rows)
	if err != nil || rows.values[0][0] != "200000" {
		t.Errorf("columns of 10,000 tables: %v, %v", rows.values, err)
	}
}
