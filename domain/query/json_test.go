package query

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// fillList is [1, NULL], an empty list and NULL.
func fillList(b array.Builder) {
	l := b.(*array.ListBuilder)
	l.Append(true)
	l.ValueBuilder().(*array.Int64Builder).AppendValues([]int64{1, 0}, []bool{true, false})
	l.Append(true)
	l.AppendNull()
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	text, number := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32
	pair := func(b array.Builder) {
		m := b.(*array.MapBuilder)
		m.Append(true)
		switch keys := m.KeyBuilder().(type) {
		case *array.StringBuilder:
			keys.AppendValues([]string{`a"b`, ""}, nil)
		case *array.Int32Builder:
			keys.AppendValues([]int32{1, 2}, nil)
		}
		m.ItemBuilder().(*array.Int32Builder).AppendValues([]int32{7, 0}, []bool{true, false})
		m.Append(true)
	}
	fields := func(b array.Builder) {
		s := b.(*array.StructBuilder)
		s.Append(true)
		s.FieldBuilder(0).(*array.StringBuilder).Append("x")
		s.FieldBuilder(1).AppendNull()
	}
	cases := []struct {
		name string
		kind arrow.DataType
		fill func(array.Builder)
		want []string
	}{
		{"list", arrow.ListOf(arrow.PrimitiveTypes.Int64), fillList, []string{"[1,null]", "[]", "null"}},
		{"map of texts", arrow.MapOf(text, number), pair, []string{`{"a\"b":7,"":null}`, "{}"}},
		{"map of numbers", arrow.MapOf(number, number), pair, []string{`[{"key":1,"value":7},{"key":2,"value":null}]`, "[]"}},
		{"struct", arrow.StructOf(arrow.Field{Name: "a", Type: text}, arrow.Field{Name: "b", Type: number, Nullable: true}), fields, []string{`{"a":"x","b":null}`}},
		{"row", arrow.StructOf(arrow.Field{Type: text}, arrow.Field{Type: number, Nullable: true}), fields, []string{`["x",null]`}},
		{"floats", arrow.PrimitiveTypes.Float64, func(b array.Builder) {
			b.(*array.Float64Builder).AppendValues([]float64{0, 1e-7, 1e21, 0.1, -0.5, math.Inf(1), 123456789012}, nil)
		}, []string{"0", "1e-07", "1e+21", "0.1", "-0.5", `"Infinity"`, "123456789012"}},
		{"bools", arrow.FixedWidthTypes.Boolean, func(b array.Builder) { b.(*array.BooleanBuilder).AppendValues([]bool{true, false}, []bool{true, true}) }, []string{"true", "false"}},
		{"large numbers", arrow.PrimitiveTypes.Uint64, func(b array.Builder) { b.(*array.Uint64Builder).Append(math.MaxUint64) }, []string{"18446744073709551615"}},
		{"texts", text, func(b array.Builder) {
			b.(*array.StringBuilder).AppendValues([]string{"<&>", "\x00\n", "é\u2028", "\xff", `{"a":1}`}, nil)
		}, []string{`"<&>"`, `"\u0000\n"`, `"é\u2028"`, `"\ufffd"`, `"{\"a\":1}"`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := build(t, c.kind, c.fill)
			for i, want := range c.want {
				got := AppendJSON([]byte("x"), a, i, false)
				if string(got) != "x"+want || !json.Valid(got[1:]) {
					t.Errorf("cell %d is %s, want %s", i, got[1:], want)
				}
			}
		})
	}
}

func TestJSONThatIsJSONAlready(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`{"a": [1]}`: `{"a": [1]}`, "1": "1", "": `""`, "{": `"{"`, "1 2": `"1 2"`} {
		if got := string(AppendJSONValue(nil, text, true)); got != want {
			t.Errorf("%q became %s", text, got)
		}
	}
	if got := string(AppendJSONValue(nil, struct{}{}, true)); got != "null" {
		t.Errorf("what Value never returns became %s", got)
	}
}

func FuzzJSONText(f *testing.F) {
	for _, s := range []string{"", "a", "\x7f", "\"\\", "\xc3\x28", "\u2029", strings.Repeat("\x00", 9)} {
		f.Add(s, 1.5)
	}
	f.Fuzz(func(t *testing.T, s string, n float64) {
		var back string
		if err := json.Unmarshal(AppendJSONText(nil, s), &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && !bytes.ContainsRune([]byte(back), '\ufffd') {
			t.Errorf("%q became %q, %v", s, back, err)
		}
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		text := AppendJSONValue(nil, n, false)
		if again, err := strconv.ParseFloat(string(text), 64); err != nil || again != n || !json.Valid(text) {
			t.Errorf("%v became %s", n, text)
		}
	})
}

// An ENUM's members take the place of their numbers, wherever they are.
func TestPlain(t *testing.T) {
	t.Parallel()
	coded := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint8, ValueType: arrow.BinaryTypes.String}
	add := func(b array.Builder, s string) {
		if err := b.(*array.BinaryDictionaryBuilder).AppendString(s); err != nil {
			t.Fatal(err)
		}
	}
	columns := []arrow.Array{
		build(t, arrow.PrimitiveTypes.Int64, func(b array.Builder) { b.(*array.Int64Builder).AppendValues([]int64{1, 2}, nil) }),
		build(t, coded, func(b array.Builder) { add(b, "even"); b.AppendNull() }),
		build(t, arrow.ListOf(coded), func(b array.Builder) {
			l := b.(*array.ListBuilder)
			l.Append(true)
			add(l.ValueBuilder(), "x, y")
			l.AppendNull()
		}),
		build(t, arrow.StructOf(arrow.Field{Name: "e", Type: coded}), func(b array.Builder) {
			s := b.(*array.StructBuilder)
			s.Append(true)
			add(s.FieldBuilder(0), "odd")
			s.AppendNull()
		}),
	}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: "c" + strconv.Itoa(i), Type: c.DataType(), Nullable: true}
	}
	meta := arrow.NewMetadata([]string{"k"}, []string{"v"})
	batch := array.NewRecordBatch(arrow.NewSchema(fields, &meta), columns, 2)
	defer batch.Release()
	plain, err := Plain(batch)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Release()
	for i, want := range []string{"1", "even", "['x, y']", "{'e': odd}"} {
		if got, _ := Text(plain.Column(i), 0); got != want || plain.ColumnName(i) != fields[i].Name {
			t.Errorf("column %d is %q, want %q", i, got, want)
		}
		if i > 0 && (plain.Column(i).DataType().ID() != arrow.STRING || !plain.Column(i).IsNull(1)) {
			t.Errorf("column %d is %s", i, plain.Column(i))
		}
	}
	if v, ok := plain.Schema().Metadata().GetValue("k"); !ok || v != "v" {
		t.Error("the schema's notes are gone")
	}
	same, err := Plain(plain)
	if err != nil || same != plain {
		t.Errorf("a plain batch was copied: %v", err)
	}
	same.Release()
}

// Every kind of array that an engine may send is printed as DuckDB prints it.
func TestTextOfOtherTypes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		kind arrow.DataType
		json string // as the library reads it
		want string
	}{
		{arrow.BinaryTypes.LargeString, `"x"`, "x"},
		{arrow.BinaryTypes.StringView, `"a longer text than twelve"`, "a longer text than twelve"},
		{arrow.BinaryTypes.LargeBinary, `"AGE="`, `\x00a`},
		{arrow.BinaryTypes.BinaryView, `"AGE="`, `\x00a`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `"AGE="`, "0061"},
		{arrow.FixedWidthTypes.Float16, "0.5", "0.5"},
		{arrow.PrimitiveTypes.Date64, "86400000", "1970-01-02"},
		{arrow.FixedWidthTypes.Time32s, "3661", "01:01:01"},
		{arrow.FixedWidthTypes.Time32ms, "86400000", "24:00:00"},
		{arrow.FixedWidthTypes.Time64ns, "1", "00:00:00.000000001"},
		{arrow.FixedWidthTypes.Duration_ms, "-1500", "-00:00:01.5"},
		{&arrow.Decimal256Type{Precision: 40, Scale: 3}, `"-1.005"`, "-1.005"},
		{arrow.PrimitiveTypes.Date32, "2147483647", "infinity"},
		{arrow.PrimitiveTypes.Date32, "-2147483647", "-infinity"},
		{arrow.PrimitiveTypes.Date32, "-735000", "0044-08-22 (BC)"},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16), "[1, 2]", "[1, 2]"},
		{arrow.LargeListOf(arrow.BinaryTypes.String), `["", " a", "null", "b=c", "d'e\\"]`, `['', ' a', 'null', 'b=c', 'd\'e\\']`},
		{arrow.StructOf(arrow.Field{Type: arrow.PrimitiveTypes.Int8, Name: ""}), `{"": 3}`, "(3)"},
		{arrow.Null, "null", ""},
	}
	for _, c := range cases {
		a, _, err := array.FromJSON(memory.DefaultAllocator, c.kind, strings.NewReader("["+c.json+"]"))
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
			continue
		}
		if got, ok := Text(a, 0); got != c.want || ok != (c.kind != arrow.Null) {
			t.Errorf("%s is %q, want %q", c.kind, got, c.want)
		}
		if v := Value(a, 0); c.kind != arrow.Null && v != c.want {
			t.Errorf("%s has the value %v", c.kind, v)
		}
		a.Release()
	}
}
