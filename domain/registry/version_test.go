package registry

import (
	"strings"
	"testing"

	"agnes/domain"
)

func columns(text string) []Column {
	var all []Column
	for word := range strings.FieldsSeq(text) {
		name, kind, _ := strings.Cut(word, ":")
		all = append(all, Column{Name: name, Type: kind})
	}
	return all
}

func TestColumnChangesWords(t *testing.T) {
	for _, c := range []struct{ was, is, want string }{
		{"a:BIGINT b:DATE", "b:DATE a:BIGINT", ""},
		{"a:BIGINT", "a:BIGINT note:VARCHAR", "note is new"},
		{"a:BIGINT city:VARCHAR", "a:BIGINT", "city is gone"},
		{"price:DOUBLE", "price:VARCHAR", "price is VARCHAR instead of DOUBLE"},
		{"a:X b:X", "c:X d:X", "a and b are gone; c and d are new"},
		{"a:X b:X c:X d:X e:X f:Y", "f:Z", "a, b, c and 2 more are gone; f is Z instead of Y"},
		{"", "a:X b:X c:X", "a, b and c are new"},
	} {
		if got := CompareColumns(columns(c.was), columns(c.is)).Words(); got != c.want {
			t.Errorf("%s → %s: %q, want %q", c.was, c.is, got, c.want)
		}
	}
}

func TestReview(t *testing.T) {
	version := func(rows int64, names string) *Version { return &Version{Rows: rows, Columns: columns(names)} }
	for _, c := range []struct {
		name    string
		guard   Guard
		was, is *Version
		code    string
		says    string
	}{
		{"a first version", Guard{0, SchemaFreeze}, nil, version(1, "a:X"), "", ""},
		{"as large", DefaultGuard(), version(1000, "a:X"), version(1000, "a:X"), "", ""},
		{"smaller within the guard", DefaultGuard(), version(1000, "a:X"), version(800, "a:X"), "", ""},
		{"smaller beyond the guard", DefaultGuard(), version(1000, "a:X"), version(799, "a:X"), CodeShrinkGuard, "21 % smaller: 799 rows instead of 1000"},
		{"empty", DefaultGuard(), version(100, "a:X"), version(0, "a:X"), CodeShrinkGuard, "100 % smaller"},
		{"a small table", DefaultGuard(), version(99, "a:X"), version(1, "a:X"), "", ""},
		{"the guard is off", Guard{100, SchemaEvolve}, version(1000, "a:X"), version(0, "a:X"), "", ""},
		{"any row less", Guard{0, SchemaEvolve}, version(1000, "a:X"), version(999, "a:X"), CodeShrinkGuard, "999 rows"},
		{"other columns evolve", DefaultGuard(), version(1, "a:X"), version(1, "b:X"), "", ""},
		{"other columns ask", Guard{20, SchemaAsk}, version(1, "a:X"), version(1, "b:X"), CodeSchemaChanged, "a is gone; b is new"},
		{"other columns are frozen", Guard{20, SchemaFreeze}, version(1, "a:X"), version(1, "a:Y"), CodeSchemaChanged, "frozen: a is Y instead of X"},
		{"both", Guard{20, SchemaAsk}, version(1000, "a:X"), version(1, "b:X"), CodeShrinkGuard, "The columns changed too: a is gone"},
	} {
		table := Published{Table: Table{Guard: c.guard}, Version: c.was}
		hold := table.Review(*c.is)
		if hold == nil {
			hold = &Hold{}
		}
		if hold.Code != c.code || !strings.Contains(hold.Message, c.says) || (c.code != "" && hold.NextStep == "") {
			t.Errorf("%s: %+v, want %q with %q", c.name, hold, c.code, c.says)
		}
	}
}

func TestFrozen(t *testing.T) {
	table := Published{Table: Table{Name: "orders", Guard: Guard{20, SchemaFreeze}}, Version: &Version{Columns: columns("a:X")}}
	if err := table.Frozen(Version{Columns: columns("b:X")}); domain.CodeOf(err) != "schema_frozen" {
		t.Errorf("other columns: %v, want schema_frozen", err)
	}
	if err := table.Frozen(Version{Columns: columns("a:X")}); err != nil {
		t.Errorf("the same columns: %v", err)
	}
	table.Guard.Schema = SchemaAsk
	if err := table.Frozen(Version{Columns: columns("b:X")}); err != nil {
		t.Errorf("when asked: %v", err)
	}
}

func TestGuardCheck(t *testing.T) {
	for guard, ok := range map[Guard]bool{
		DefaultGuard(): true, {0, SchemaAsk}: true, {100, SchemaFreeze}: true,
		{-1, SchemaAsk}: false, {101, SchemaAsk}: false, {20, ""}: false, {20, "maybe"}: false,
	} {
		if err := guard.Check(); (err == nil) != ok {
			t.Errorf("%+v: %v, want fine: %v", guard, err, ok)
		}
	}
}
