package ducktype

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTypesTakenApart(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]struct {
		inner string
		size  int32
		list  bool
	}{
		"BIGINT":            {},
		"BIGINT[]":          {"BIGINT", -1, true},
		"DECIMAL(18,3)[][]": {"DECIMAL(18,3)[]", -1, true},
		"FLOAT[3]":          {"FLOAT", 3, true},
		"FLOAT[0]":          {"FLOAT", 0, false},
		"FLOAT[x]":          {"FLOAT", 0, false},
		"STRUCT(a DATE[])":  {},
	} {
		inner, size, list := List(kind)
		if inner != want.inner && list || size != want.size || list != want.list {
			t.Errorf("List(%q) = %q, %d, %v, want %+v", kind, inner, size, list, want)
		}
	}
	for kind, want := range map[string][]string{
		"BIGINT":   nil,
		"STRUCT(a": nil,
		"STRUCT(a DECIMAL(18,3), \"b, \"\"(\" VARCHAR)":  {"a DECIMAL(18,3)", `"b, ""(" VARCHAR`},
		`STRUCT(e ENUM('x,y', ')'), l STRUCT(i DATE)[])`: {"e ENUM('x,y', ')')", "l STRUCT(i DATE)[]"},
	} {
		if diff := cmp.Diff(want, Members(kind, "STRUCT")); diff != "" {
			t.Errorf("Members(%q) (-want +got):\n%s", kind, diff)
		}
	}
	for text, want := range map[string][2]string{
		"a BIGINT":                   {"a", "BIGINT"},
		`"a ""b""" DECIMAL(18,3)`:    {`a "b"`, "DECIMAL(18,3)"},
		"TIME WITH TIME ZONE":        {"", "TIME WITH TIME ZONE"},
		"at TIME WITH TIME ZONE":     {"at", "TIME WITH TIME ZONE"},
		"DATE":                       {"", "DATE"},
		"DECIMAL(18, 3)":             {"", "DECIMAL(18, 3)"},
		"ENUM('a b', 'c')":           {"", "ENUM('a b', 'c')"},
		`"no end`:                    {`no end`, ""},
		"DATE TIMESTAMP":             {"DATE", "TIMESTAMP"},
		`"WITH" TIME WITH TIME ZONE`: {"WITH", "TIME WITH TIME ZONE"},
	} {
		name, kind := Member(text)
		if got := [2]string{name, kind}; got != want {
			t.Errorf("Member(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	as := func(kind string) string {
		if kind == "HUGEINT" {
			return "DECIMAL(38,0)"
		}
		return kind
	}
	for kind, want := range map[string]string{
		"HUGEINT":                        "DECIMAL(38,0)",
		"UHUGEINT":                       "UHUGEINT",
		"HUGEINT[3][]":                   "DECIMAL(38,0)[3][]",
		"STRUCT(HUGEINT DATE)":           "STRUCT(HUGEINT DATE)",
		`STRUCT("a HUGEINT, b" HUGEINT)`: `STRUCT("a HUGEINT, b" DECIMAL(38,0))`,
		`STRUCT("q""" HUGEINT)`:          `STRUCT("q""" DECIMAL(38,0))`,
		"STRUCT(HUGEINT, DATE)":          "VARCHAR",
		"STRUCT(DATE, TIME)":             "STRUCT(DATE, TIME)",
		"STRUCT(DATE, TIME)[]":           "STRUCT(DATE, TIME)[]",
		"MAP(HUGEINT, STRUCT(v HUGEINT, t TIME WITH TIME ZONE)[])": "MAP(DECIMAL(38,0), STRUCT(v DECIMAL(38,0), t TIME WITH TIME ZONE)[])",
		"ENUM('HUGEINT')": "ENUM('HUGEINT')",
	} {
		if got := Replace(kind, as); got != want {
			t.Errorf("Replace(%q) = %q, want %q", kind, got, want)
		}
	}
}

func FuzzReplace(f *testing.F) {
	for _, seed := range []string{"BIGINT", "STRUCT(a HUGEINT)[]", `STRUCT("x""y" DATE, b MAP(VARCHAR, FLOAT[2]))`, "STRUCT(", `STRUCT(")`, "[]", "[3]"} {
		f.Add(seed)
	}
	same := func(kind string) string { return kind }
	f.Fuzz(func(t *testing.T, kind string) {
		once := Replace(kind, same)
		if twice := Replace(once, same); twice != once {
			t.Errorf("Replace(%q) = %q, and of that %q", kind, once, twice)
		}
	})
}
