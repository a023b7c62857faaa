package pages

import (
	"slices"
	"testing"

	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
)

func TestSQLErrorInWords(t *testing.T) {
	t.Parallel()
	c := access.NewCatalog([]registry.Published{
		{Table: registry.Table{ID: "airports", Name: "airports"}, Version: &registry.Version{Columns: []registry.Column{{Name: "iata"}, {Name: "latitude"}}}},
		{Table: registry.Table{ID: "movies", Name: "movies"}, Version: &registry.Version{Columns: []registry.Column{{Name: "title"}}}},
	})
	for name, c := range map[string]struct {
		in       query.SQLError
		title    string
		message  string
		nearest  []string
		engine   bool
		catalogs access.Catalog
	}{
		"table": {
			in: query.SQLError{Text: "Catalog Error: Table with name airprots does not exist!\nDid you mean \"airports\"?"}, catalogs: c,
			title: "There is no table airprots", message: "No table of this name exists, or it is not granted to a group of yours.", nearest: []string{"airports"}, engine: true,
		},
		"table like none": {
			in: query.SQLError{Text: "Catalog Error: Table with name zzzzzz does not exist!"}, catalogs: c,
			title: "There is no table zzzzzz", message: "No table of this name exists, or it is not granted to a group of yours.", engine: true,
		},
		"column": {
			in: query.SQLError{Text: "Binder Error: Referenced column \"latitud\" not found in FROM clause!\nCandidate bindings: \"latitude\", \"airports.latitudes\"\n\nLINE 1: …"}, catalogs: c,
			title: "There is no column latitud", message: "None of the tables in the statement has a column of this name.", nearest: []string{"latitude", "latitudes"}, engine: true,
		},
		"column of a table": {
			in: query.SQLError{Text: "Binder Error: Table \"airports\" does not have a column named \"iatta\""}, catalogs: c,
			title: "There is no column iatta", message: "None of the tables in the statement has a column of this name.", nearest: []string{"iata"}, engine: true,
		},
		"function": {
			in:    query.SQLError{Text: "Catalog Error: Scalar Function with name medain does not exist!\nDid you mean \"median\"?"},
			title: "There is no function medain", message: "DuckDB has no function of this name, or it is not open here.", nearest: []string{"median"}, engine: true,
		},
		"syntax": {
			in:    query.SQLError{Text: "Parser Error: syntax error at or near \"FORM\"\n\nLINE 1: SELECT 1 FORM x", Line: 1, Column: 10},
			title: "The statement cannot be read", message: `syntax error at or near "FORM"`, engine: true,
		},
		"conversion": {
			in:    query.SQLError{Text: "Conversion Error: Could not convert string 'x' to INT32"},
			title: "A value does not fit its type", message: "Could not convert string 'x' to INT32", engine: true,
		},
		"several": {
			in:    query.SQLError{Code: "several_statements", Text: "Two statements stand here. Run one."},
			title: "Only one statement runs at a time", message: "Two statements stand here. Run one.",
		},
		"writing": {
			in:    query.SQLError{Code: "not_a_reading_statement", Text: "DROP changes data."},
			title: "Only reading is possible here", message: "DROP changes data.",
		},
		"closed function": {
			in:    query.SQLError{Code: "function_refused", Text: "The function read_csv is not open to queries here."},
			title: "This function is not open here", message: "The function read_csv is not open to queries here.",
		},
		"unheard": {in: query.SQLError{Text: "It is so."}, title: "The query was refused", message: "It is so."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := sqlError(&c.in, c.catalogs)
			if got.Title != c.title || got.Message != c.message {
				t.Errorf("title %q, message %q; want %q, %q", got.Title, got.Message, c.title, c.message)
			}
			if !slices.Equal(got.Nearest, c.nearest) {
				t.Errorf("nearest = %v, want %v", got.Nearest, c.nearest)
			}
			if (got.Engine != "") != c.engine || got.Line != c.in.Line || got.Column != c.in.Column {
				t.Errorf("engine %q, line %d, column %d", got.Engine, got.Line, got.Column)
			}
		})
	}
}
