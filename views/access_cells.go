package views

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"agnes/domain/access"
)

// matrixRows draws the rows of the matrix. A page has thousands of cells, so
// this is written out by hand: a template takes several times as long.
func matrixRows(v MatrixView) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, v.rows())
		return err
	})
}

func (v MatrixView) rows() string {
	var b strings.Builder
	columns := v.columns()
	counts := make(map[access.Section]int, len(v.Matrix.Sections))
	for _, s := range v.Matrix.Sections {
		n := s.Tables
		s.Tables = 0
		counts[s] = n
	}
	shown := map[access.Section]int{}
	for _, t := range v.Matrix.Tables {
		shown[t.Section()]++
	}
	var last access.Section
	for r, t := range v.Matrix.Tables {
		if section := t.Section(); r == 0 || section != last {
			if r > 0 {
				b.WriteString("</tbody>")
			}
			b.WriteString("<tbody>")
			v.sectionRow(&b, t, counts[section], shown[section], len(columns))
			last = section
		}
		v.row(&b, r, t, columns)
	}
	if len(v.Matrix.Tables) > 0 {
		b.WriteString("</tbody>")
	}
	return b.String()
}

func (v MatrixView) sectionRow(b *strings.Builder, t access.MatrixTable, tables, shown, columns int) {
	source := SourceOf(t.Table())
	count := Plural(tables, "table")
	if shown < tables {
		count += ", " + Count(int64(shown)) + " on this page"
	}
	b.WriteString(`<tr class="mx-sec"><th scope="rowgroup" class="mx-first"><span class="flex items-center gap-2"><span class="font-semibold">`)
	b.WriteString(templ.EscapeString(source.Name))
	b.WriteString(`</span>`)
	if source.Code && source.Item != "" {
		b.WriteString(`<span class="code clip" title="` + templ.EscapeString(source.Item) + `">` + templ.EscapeString(source.Item) + `</span>`)
	}
	b.WriteString(`<span class="text-xs text-ink-3 whitespace-nowrap">` + count + `</span></span></th><td colspan="` + strconv.Itoa(columns) + `"></td></tr>`)
}

func (v MatrixView) row(b *strings.Builder, r int, t access.MatrixTable, columns []access.MatrixGroup) {
	name := templ.EscapeString(t.Name)
	b.WriteString(`<tr><th scope="row" class="mx-first"><a class="code clip block hover:text-teal" href="`)
	b.WriteString(templ.EscapeString(string(AccessTableURL(t.ID))))
	b.WriteString(`" title="` + name + `">` + name + `</a></th>`)
	all, ok := v.Matrix.At(v.Matrix.Everyone.ID, t.ID)
	inherited := ok && all.Live(v.Now)
	for c, g := range columns {
		v.cell(b, cellKey(c, r), name, t, g, inherited)
	}
	b.WriteString("</tr>")
}

// cell draws one cell: a box to tick, whose look says what the cell holds.
func (v MatrixView) cell(b *strings.Builder, key, name string, t access.MatrixTable, g access.MatrixGroup, inherited bool) {
	grant, held := v.Matrix.At(g.ID, t.ID)
	live := held && grant.Live(v.Now)
	inherited = inherited && !g.Everyone
	class, state, title := "", "no access", ""
	switch {
	case live && grant.ExpiresAt != nil:
		class, state = "ends", "granted until "+day(v.Now, *grant.ExpiresAt)
	case live:
		state = "granted"
	case held:
		class, state = "ended", "ended on "+day(v.Now, *grant.ExpiresAt)
	}
	if !live && inherited {
		class, state = "in", strings.TrimPrefix(state+", inherited from Everyone", "no access, ")
	}
	if held {
		title = grantWords(v.Now, grant)
	}
	b.WriteString("<td")
	if class != "" {
		b.WriteString(` class="` + class + `"`)
	}
	if title != "" {
		b.WriteString(` title="` + templ.EscapeString(title) + `"`)
	}
	b.WriteString(`><input type="checkbox" class="cx" name="on" value="` + key + `" aria-label="` + name + ", " + templ.EscapeString(g.Name) + ": " + templ.EscapeString(state) + `"`)
	if live {
		b.WriteString(" checked")
	}
	b.WriteString("></td>")
}
