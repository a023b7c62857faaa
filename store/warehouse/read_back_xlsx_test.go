package warehouse

import (
	"database/sql"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain/files"
)

// bookCell is one cell of a random sheet: its XML, and what it says.
type bookCell struct{ xml, says string }

func textCell(r *rand.Rand, text string) bookCell {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(strings.NewReplacer("\r\n", "\n", "\r", "_x000D_", "\x1a", "_x001A_").Replace(text))); err != nil {
		return bookCell{}
	}
	says := strings.ReplaceAll(text, "\r\n", "\n")
	if r.IntN(2) == 0 {
		return bookCell{`<c%s t="inlineStr"><is><t xml:space="preserve">` + b.String() + `</t></is></c>`, says}
	}
	return bookCell{`<c%s t="str"><f>"x"</f><v>` + b.String() + `</v></c>`, says}
}

// randomCells are makers of cells, one kind each.
var randomCells = []func(*rand.Rand) bookCell{
	func(r *rand.Rand) bookCell { return textCell(r, randomWords[r.IntN(len(randomWords))]) },
	func(r *rand.Rand) bookCell { return textCell(r, randomKinds[r.IntN(len(randomKinds))](r)) },
	func(r *rand.Rand) bookCell { return numberCell(strconv.Itoa(r.IntN(2000) - 1000)) },
	func(r *rand.Rand) bookCell { return numberCell(strconv.FormatInt(r.Int64N(1e15), 10)) },
	func(r *rand.Rand) bookCell {
		return numberCell(strconv.FormatFloat(r.NormFloat64()*1000, 'G', -1, 64))
	},
	func(r *rand.Rand) bookCell { return numberCell(fmt.Sprintf("%d.%02d", r.IntN(10000), r.IntN(100))) },
	func(r *rand.Rand) bookCell {
		yes := r.IntN(2)
		return bookCell{`<c%s t="b"><v>` + strconv.Itoa(yes) + `</v></c>`, strconv.FormatBool(yes == 1)}
	},
	func(r *rand.Rand) bookCell { // days from the year 1970 on
		days := 25569 + r.IntN(30000)
		return bookCell{`<c%s s="1"><v>` + strconv.Itoa(days) + `</v></c>`, time.Unix(0, 0).UTC().AddDate(0, 0, days-25569).Format(time.DateOnly)}
	},
	func(r *rand.Rand) bookCell { // with a time, in whole seconds
		at := time.Unix(r.Int64N(3e9), 0).UTC()
		return bookCell{`<c%s s="2"><v>` + strconv.FormatFloat(25569+float64(at.Unix())/86400, 'g', -1, 64) + `</v></c>`, at.Format(time.DateTime)}
	},
	func(*rand.Rand) bookCell { return bookCell{`<c%s t="e"><v>#N/A</v></c>`, ""} },
	func(*rand.Rand) bookCell { return bookCell{`<c%s s="1"/>`, ""} },
	func(*rand.Rand) bookCell { return bookCell{} },
}

func numberCell(text string) bookCell { return bookCell{`<c%s><v>` + text + `</v></c>`, text} }

// TestSheetsAreReadBack holds that what a workbook's cells say is in the table, as
// their type or as text, wherever the cells lie.
func TestSheetsAreReadBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(dialects) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 4))
			named, wide := r.IntN(3) > 0, 1+r.IntN(6)
			var rows strings.Builder
			number := 1 + r.IntN(3)
			put := func(cells []bookCell) {
				fmt.Fprintf(&rows, `<row r="%d">`, number)
				for i, c := range cells {
					if place := ""; c.xml != "" {
						if named {
							place = fmt.Sprintf(` r="%c%d"`, 'A'+i, number)
						}
						rows.WriteString(strings.Replace(c.xml, "%s", place, 1))
					} else if !named {
						rows.WriteString("<c/>")
					}
				}
				rows.WriteString("</row>")
				number++
			}
			names, kinds := make([]bookCell, wide), make([]int, wide)
			for i := range names {
				names[i], kinds[i] = textCell(r, fmt.Sprintf("name %d", i)), r.IntN(len(randomCells))
			}
			put(names)
			var want [][]string
			for range 1 + r.IntN(30) {
				cells, says := make([]bookCell, wide), make([]string, wide)
				cells[0], says[0] = numberCell("7"), "7"
				for i := 1; i < wide; i++ {
					kind := kinds[i]
					if r.IntN(20) == 0 {
						kind = r.IntN(len(randomCells))
					}
					cells[i] = randomCells[kind](r)
					says[i] = cells[i].says
				}
				put(cells)
				want = append(want, says)
				if r.IntN(10) == 0 {
					number += r.IntN(5) // rows that are not in the file
				}
			}
			s := newTestStore(t)
			out, _, err := convertWith(t, s, "a.xlsx", mustBook(t, rows.String()), files.Options{Header: files.Yes})
			if err != nil {
				t.Fatalf("%v\n%.3000s", err, rows.String())
			}
			got := mustCells(t, s, out)
			if len(got) != len(want) {
				t.Fatalf("%d rows, want %d\n%.3000s", len(got), len(want), rows.String())
			}
			for i, row := range got {
				for k, cell := range row {
					if kind := out.Columns[k].Type; !sameCell(cell, want[i][k], kind) {
						t.Errorf("row %d, column %d: %q of type %s, want %q", i+1, k+1, cell.String, kind, want[i][k])
					}
				}
			}
			if t.Failed() {
				t.Logf("%s\n%.3000s", columnList(out.Columns), rows.String())
			}
		})
	}
}

// sameCell compares as sameValue does; numbers of a column of text are written anew.
func sameCell(got sql.NullString, says, kind string) bool {
	if sameValue(got, says, kind) {
		return true
	}
	a, aerr := strconv.ParseFloat(got.String, 64)
	b, berr := strconv.ParseFloat(says, 64)
	return kind == "VARCHAR" && got.Valid && aerr == nil && berr == nil && a == b && says == strings.TrimLeft(says, "0+ ") || kind == "VARCHAR" && sameTime(got.String, says)
}
