package warehouse

import (
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// sheetCell is one cell as it is written.
type sheetCell struct {
	value   string
	text    bool // it was entered as text
	fault   bool // it holds an error, which example names
	example string
}

// cells reads a row to its end.
func (w *sheetWriter) cells(d *xml.Decoder) ([]sheetCell, error) {
	var cells []sheetCell
	for {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
		switch e := t.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				return cells, nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			at, c, err := w.cell(d, e, len(cells))
			if err != nil {
				return nil, err
			}
			for len(cells) <= at {
				cells = append(cells, sheetCell{})
			}
			cells[at] = c
		}
	}
}

// cell reads one cell to its end, and where it is.
func (w *sheetWriter) cell(d *xml.Decoder, start xml.StartElement, next int) (at int, c sheetCell, err error) {
	at, style, kind := next, 0, ""
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "r":
			at = columnOf(a.Value)
		case "s":
			style, _ = strconv.Atoi(a.Value) // at worst the plain one
		case "t":
			kind = a.Value
		}
	}
	if at < 0 || at >= maxSheetWidth {
		return 0, c, fmt.Errorf("cell in column %d", at)
	}
	var value, formula strings.Builder
	var into *strings.Builder
	var computed, has bool // whether it has a formula, and a value
	for {
		t, err := d.Token()
		if err != nil {
			return 0, c, fmt.Errorf("read cell: %w", err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "v":
				into, has = &value, true
			case "f":
				into, computed = &formula, true
			case "is":
				has = true
				text, err := textOf(d, "is")
				if err != nil {
					return 0, c, err
				}
				value.WriteString(text)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "f":
				into = nil
			case "c":
				if computed && !has { // its program did not work it out
					return at, sheetCell{fault: true, example: "=" + shorten(formula.String(), 80)}, nil
				}
				c, err := w.shown(kind, style, value.String())
				return at, c, err
			}
		case xml.CharData:
			if into != nil {
				into.Write(e)
			}
		}
	}
}

// shown is a cell's value as text.
func (w *sheetWriter) shown(kind string, style int, raw string) (sheetCell, error) {
	switch kind {
	case "s":
		i, err := strconv.Atoi(raw)
		if err != nil || i < 0 || i >= len(w.book.texts) {
			return sheetCell{}, fmt.Errorf("cell names shared text %q", shorten(raw, 20))
		}
		return sheetCell{value: w.book.texts[i], text: true}, nil
	case "str", "inlineStr":
		return sheetCell{value: unescapeText(raw), text: true}, nil
	case "b":
		if word, known := map[string]string{"1": "true", "0": "false", "true": "true", "false": "false"}[raw]; known {
			return sheetCell{value: word}, nil
		}
		return sheetCell{value: raw, text: true}, nil
	case "e":
		return sheetCell{fault: true, example: raw}, nil
	case "d":
		return sheetCell{value: strings.Replace(raw, "T", " ", 1)}, nil
	}
	number, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return sheetCell{value: raw, text: true}, nil //nolint:nilerr // what is no number is text
	}
	if style < len(w.book.dates) && style >= 0 && w.book.dates[style].any() {
		if date, fits := w.book.dates[style].show(number, w.book.from); fits {
			return sheetCell{value: date, text: w.book.dates[style].elapsed}, nil
		}
	}
	if plainDigits.MatchString(raw) { // also more than a DOUBLE holds
		return sheetCell{value: raw}, nil
	}
	if number == math.Trunc(number) && math.Abs(number) < 1<<53 {
		return sheetCell{value: strconv.FormatInt(int64(number), 10)}, nil
	}
	return sheetCell{value: strconv.FormatFloat(number, 'g', -1, 64)}, nil
}

// plainDigits is a whole number as it is read anyway.
var plainDigits = regexp.MustCompile(`^(-?[1-9][0-9]*|0)$`)

// columnOf is the place of a cell such as AB12, from 0; -1 for no such name.
func columnOf(name string) int {
	at := 0
	for i, c := range name {
		switch {
		case c >= 'A' && c <= 'Z' && i < 4:
			at = at*26 + int(c-'A') + 1
		case c >= '0' && c <= '9':
			return at - 1
		default:
			return -1
		}
	}
	return at - 1
}
