//go:build duckdb_arrow

package warehouse

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestEngineErrors(t *testing.T) {
	e := &queryEngine{
		names: strings.NewReplacer("/data/versions/files/orders/1.parquet", "orders", "versions/files/orders/1.parquet", "orders"),
	}
	tests := []struct {
		text, code, message string
		fatal               bool
	}{
		{"Parser Error: syntax error", "query_error", "Parser Error: syntax error", false},
		{`IO Error: Cannot open "/data/versions/files/orders/1.parquet"`, "query_error", `IO Error: Cannot open "orders"`, false},
		{`IO Error: Cannot open "versions/files/orders/1.parquet"`, "query_error", `IO Error: Cannot open "orders"`, false},
		{"Catalog Error: no x!\nDid you mean \"pg_class\"?", "query_error", "Catalog Error: no x!", false},
		{"Catalog Error: no x!\nDid you mean \"pg_catalog.pg_class\"?\n\nLINE 1: x", "query_error", "Catalog Error: no x!\n\nLINE 1: x", false},
		{"Catalog Error: no x!\nDid you mean \"orders\"?", "query_error", "Catalog Error: no x!", false},
		{"Binder Error: no x!\nDid you mean \"orders\"?", "query_error", "Binder Error: no x!\nDid you mean \"orders\"?", false},
		{"Catalog Error: Table with name secret does not exist!\nDid you mean \"secrets\"?", "table_not_found", "There is no table secret among those that you can read.", false},
		{"INTERRUPT Error: Interrupted!", "cancelled", "The query was stopped.", false},
		{"Out of Memory Error: could not allocate", "query_memory", "The query needed more memory", false},
		{"INTERNAL Error: assertion", "query_internal", "The engine stopped on this query", true},
		{"FATAL Error: database has been invalidated", "query_internal", "The engine stopped on this query", true},
	}
	for _, test := range tests {
		f := failureOf(t, e.engineError("SELECT 1", test.text))
		if f.Code != test.code || !strings.HasPrefix(f.Message, test.message) || f.fatal != test.fatal {
			t.Errorf("%q: %+v, want %s %q, fatal %v", test.text, f, test.code, test.message, test.fatal)
		}
		if f.Code == "query_error" && f.Message != test.message {
			t.Errorf("%q: message %q, want %q", test.text, f.Message, test.message)
		}
	}
}

func TestAsFailure(t *testing.T) {
	if got := asFailure(refuseQuery("empty_statement", "Nothing.")); got.Code != "empty_statement" || got.fatal {
		t.Errorf("a refusal became %+v", got)
	}
	if got := asFailure(io.ErrClosedPipe); got.Code != codeQueryInternal || !got.fatal || strings.Contains(got.Message, "pipe") {
		t.Errorf("an error of ours became %+v, want a fatal one without its words", got)
	}
	if got := asFailure(errors.Join(io.EOF, refuseQuery("x", "y"))); got.Code != "x" {
		t.Errorf("a wrapped refusal became %+v", got)
	}
}

func TestErrorPlaceInText(t *testing.T) {
	tests := []struct {
		sql, text    string
		line, column int
	}{
		{"SELECT x", "Binder Error: no x\n\nLINE 1: SELECT x\n               ^", 1, 8},
		{"a\nSELECT x", "E: no x\n\nLINE 2: SELECT x\n               ^", 2, 8},
		{"SELECT aaaa, bbbb", "E: e\n\nLINE 1: ...aaaa, bbbb\n                 ^", 1, 14},
		{"SELECT aaaa, bbbb", "E: e\n\nLINE 1: ...aaaa, bb...\n                 ^", 1, 14},
		{"SELECT x", "E: no place", 0, 0},
		{"SELECT x", "E: e\n\nLINE x: SELECT\n   ^", 0, 0},
		{"SELECT x", "E: e\n\nLINE 9: SELECT\n        ^", 9, 0},
		{"SELECT x", "E: e\n\nLINE 1: other text\n            ^", 1, 0},
		{"SELECT x", "E: e\n\nLINE 1: SELECT x", 1, 0},
		{"SELECT x", "E: e\n\nLINE 1: SELECT x\n no caret", 1, 0},
	}
	for _, test := range tests {
		if line, column := errorPlace(test.sql, test.text); line != test.line || column != test.column {
			t.Errorf("errorPlace(%q, %q) = %d, %d; want %d, %d", test.sql, test.text, line, column, test.line, test.column)
		}
	}
}

func TestErrorsOfOurOwnStatements(t *testing.T) {
	e := &queryEngine{names: strings.NewReplacer()}
	for text, want := range map[string]string{
		"run CREATE VIEW: INTERRUPT Error: Interrupted!": codeQueryCancelled, "keep rows: Out of Memory Error: could not allocate": codeQueryMemory, "open rows: no such file": "",
	} {
		got := ""
		if err := e.ownError(errors.New(text)); err != nil {
			got = failureOf(t, err).Code
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
