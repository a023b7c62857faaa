package warehouse

import (
	"slices"
	"testing"

	"agnes/domain/files"
)

// TestSeparatorInALineOfItsOwn holds that sep=; is no row and no name.
func TestSeparatorInALineOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name, content string
		options             files.Options
		columns             string
		rows                []string
	}{
		{"alone", "a.csv", "sep=;\nid;a\n1;x,y\n2;y,z\n", files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x,y", "2|y,z"}},
		{"Windows", "a.csv", "\ufeffSEP=,\r\nid,a\r\n1,x\r\n", files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"quoted", "a.csv", "\"sep=|\"\nid|a\n1|x\n", files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"a tab", "a.csv", "sep=\t\nid\ta\n1\tx\n", files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"one column", "a.csv", "sep=;\nid\n1\n2\n", files.Options{}, "id BIGINT", []string{"1", "2"}},
		{"skipped", "a.csv", "sep=;\nid;a\n1;x\n", files.Options{Skip: 1}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"and a heading", "a.csv", "sep=;\nReport\nid;a\n1;x\n", files.Options{Skip: 2}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"corrected", "a.csv", "sep=;\nid,a\n1,x\n", files.Options{Delimiter: ","}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"wrong", "a.csv", "sep=;\nid,a\n1,x\n", files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{"no header", "a.csv", "sep=;\n1;x\n2;y\n", files.Options{Header: files.No}, "column_1 BIGINT, column_2 VARCHAR", []string{"1|x", "2|y"}},
		{"packed", "a.csv.gz", mustGzip(t, "sep=;\r\nid;a\r\n1;x\r\n"), files.Options{}, "id BIGINT, a VARCHAR", []string{"1|x"}},
		{
			"UTF-16", "a.csv", "\xff\xfes\x00e\x00p\x00=\x00;\x00\n\x00i\x00;\x00a\x00\n\x001\x00;\x00x\x00\n\x00",
			files.Options{Encoding: files.UTF16},
			"i BIGINT, a VARCHAR",
			[]string{"1|x"},
		},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			out, _, err := convertWith(t, s, c.name, c.content, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := columnList(out.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := mustRead(t, s, out); !slices.Equal(got, c.rows) {
				t.Errorf("rows %q, want %q", got, c.rows)
			}
		})
	}
}
