package views

import (
	"strings"
	"testing"

	"agnes/domain/registry"
)

func column(name, kind string, cells ...string) Grid {
	g := Grid{Columns: []registry.Column{{Name: name, Type: kind}}}
	for _, c := range cells {
		if c == "NULL" {
			g.Rows = append(g.Rows, []*string{nil})
			continue
		}
		g.Rows = append(g.Rows, []*string{&c})
	}
	return g
}

func TestGridNumbers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		grid Grid
		want string
	}{
		"large numbers are grouped":        {column("net", "DECIMAL(18,2)", "4182904.20", "988.10"), "4,182,904.20 988.10"},
		"a column is grouped as a whole":   {column("n", "BIGINT", "48211", "2988"), "48,211 2,988"},
		"small numbers and years are not":  {column("since", "BIGINT", "2012", "NULL", "1998"), "2012 NULL 1998"},
		"years are not, by their name":     {column("birth_year", "BIGINT", "12012"), "12012"},
		"identifiers are not":              {column("order_id", "BIGINT", "1000012"), "1000012"},
		"negative":                         {column("n", "BIGINT", "-12400"), "−12,400"},
		"what is no plain number stays":    {column("n", "DOUBLE", "1e+20", "inf", "123456.5"), "1e+20 inf 123,456.5"},
		"text that looks like one stays":   {column("phone", "VARCHAR", "123456789"), "123456789"},
		"an empty text is not NULL":        {column("t", "VARCHAR", "", "NULL"), " NULL"},
		"markup in data is only text":      {column("t", "VARCHAR", "<b>x</b>"), "<b>x</b>"},
		"a boolean and a date stay as are": {column("d", "DATE", "2026-11-22"), "2026-11-22"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, draw(t, dataGrid(tc.grid, "Rows")))

			var cells []string
			rows := doc.Find("tbody tr")
			for i := range rows.Length() {
				cells = append(cells, rows.Eq(i).Find("td").Eq(1).Text())
			}
			if got := strings.Join(cells, " "); got != tc.want {
				t.Errorf("cells = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestGridCells(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 3000)
	doc := parse(t, draw(t, dataGrid(column("t", "VARCHAR", long, "NULL"), "Rows")))

	cell := doc.Find("tbody td").Eq(1)
	if n := len(cell.Text()); n > longCell+len("…") {
		t.Errorf("a long cell shows %d bytes, want at most %d", n, longCell)
	}
	if title := cell.AttrOr("title", ""); len(title) < longCell || !strings.HasSuffix(title, "…") {
		t.Errorf("its tooltip has %d bytes", len(title))
	}
	if got := doc.Find("td .null").Text(); got != "NULL" {
		t.Errorf("NULL is drawn as %q", got)
	}
	if got := doc.Find("thead th").Eq(1).Text(); !strings.Contains(got, "t") || !strings.Contains(got, "VARCHAR") {
		t.Errorf("head = %q, want name and type", got)
	}
	if n := doc.Find("tbody .at").Length(); n != 2 {
		t.Errorf("%d row numbers, want 2", n)
	}
}

func TestGridAlignsNumbersRight(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, dataGrid(column("n", "BIGINT", "1"), "Rows")))
	if !doc.Find("tbody td").Eq(1).HasClass("num") || !doc.Find("thead th").Eq(1).HasClass("!text-right") {
		t.Error("a number and its head are not right-aligned")
	}
}
