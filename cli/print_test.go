package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	cases := []struct{ in, want string }{
		{"plain, žluťoučký 🐎", "plain, žluťoučký 🐎"},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x1b]0;owned\x07", `\u001b]0;owned\u0007`},
		{"a\u202eb", `a\u202eb`},
		{"a\u009bb", `a\u009bb`},
		{"bad \xff byte", "bad \ufffd byte"},
	}
	for _, c := range cases {
		if got := clean(c.in); got != c.want {
			t.Errorf("clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestWriteTable(t *testing.T) {
	var b strings.Builder
	err := writeTable(&b, []string{"ID", "NAME"}, [][]string{{"1", "žluť"}, {"1000", "a\nb"}, {"2", ""}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "ID    NAME\n1     žluť\n1000  a\\nb\n2     \n"; got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestWriteJSON(t *testing.T) {
	cases := []struct {
		in   any
		want string
	}{
		{json.RawMessage(` {"b":1,"a":"<x>"} `), "{\n  \"b\": 1,\n  \"a\": \"<x>\"\n}\n"},
		{[]string{"<&>"}, "[\n  \"<&>\"\n]\n"},
		{[]string{}, "[]\n"},
	}
	for _, c := range cases {
		var b strings.Builder
		if err := writeJSON(&b, c.in); err != nil || b.String() != c.want {
			t.Errorf("writeJSON(%v) = %q, %v; want %q", c.in, b.String(), err, c.want)
		}
	}
	if err := writeJSON(&strings.Builder{}, func() {}); err == nil {
		t.Error("a function became JSON")
	}
}

func TestSmallWords(t *testing.T) {
	if got := cut("žluť", 3); got != "žl…" {
		t.Errorf("cut = %q", got)
	}
	if got := cut("abc", 3); got != "abc" {
		t.Errorf("cut = %q", got)
	}
	if got := count(1, "row") + ", " + count(0, "row") + ", " + count(2, "row"); got != "1 row, 0 rows, 2 rows" {
		t.Errorf("count = %q", got)
	}
}
