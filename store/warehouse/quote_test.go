package warehouse

import (
	"os"
	"path/filepath"
	"testing"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, ident, literal string }{
		{"a", `"a"`, `'a'`},
		{"", `""`, `''`},
		{`a"b`, `"a""b"`, `'a"b'`},
		{`it's`, `"it's"`, `'it''s'`},
		{"a\x00b", `"ab"`, `'ab'`},
		{`'; DROP TABLE x; --`, `"'; DROP TABLE x; --"`, `'''; DROP TABLE x; --'`},
		{`back\slash`, `"back\slash"`, `'back\slash'`},
	} {
		if got := quoteIdent(c.in); got != c.ident {
			t.Errorf("quoteIdent(%q) = %s, want %s", c.in, got, c.ident)
		}
		if got := quoteLiteral(c.in); got != c.literal {
			t.Errorf("quoteLiteral(%q) = %s, want %s", c.in, got, c.literal)
		}
	}
}

func TestQuoteFileMeansOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a1.csv", "a[12].csv", "a*.csv", "a?.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("n\n"+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a1.csv", "a[12].csv", "a*.csv", "a?.csv"} {
		got := mustQuery(t, "", "FROM read_csv("+quoteFile(filepath.Join(dir, name))+", delim = ',', header = true)")
		if len(got) != 1 || got[0] != name {
			t.Errorf("reading %q gave %q", name, got)
		}
	}
}

// FuzzQuote lets DuckDB itself say what the quoted text is.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a", `"`, `'`, `''`, `""`, "\\'", "é", "\n", "$$", "/*"} {
		f.Add(seed)
	}
	s := newFuzzStore(f)
	f.Fuzz(func(t *testing.T, text string) {
		if !validSQLText(text) {
			return
		}
		var got string
		if err := s.QueryRow("SELECT " + quoteLiteral(text)).Scan(&got); err != nil || got != text {
			t.Errorf("literal of %q read as %q, %v", text, got, err)
		}
		if text == "" {
			return
		}
		columns, err := describe(t.Context(), s, "(SELECT 1 AS "+quoteIdent(text)+")")
		if err != nil || columns[0].Name != text {
			t.Errorf("identifier of %q read as %v, %v", text, columns, err)
		}
	})
}
