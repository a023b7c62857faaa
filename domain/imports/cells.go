package imports

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cells is one row as it was read.
type cells struct {
	table Table
	row   []*string
}

func (c cells) raw(column string) *string {
	if i := c.table.Index(column); i >= 0 && i < len(c.row) {
		return c.row[i]
	}
	return nil
}

// text is a cell's text, "" for NULL.
func (c cells) text(column string) string {
	if p := c.raw(column); p != nil {
		return *p
	}
	return ""
}

// flag is a cell's truth, or what holds when there is none.
func (c cells) flag(column string, otherwise bool) bool {
	if p := c.raw(column); p != nil {
		return *p == "true" || *p == "1" || *p == "t"
	}
	return otherwise
}

// number is a cell's number; nil for NULL and for what is none.
func (c cells) number(column string) any {
	n, err := strconv.ParseInt(c.text(column), 10, 64)
	if err != nil {
		return nil
	}
	return n
}

// time is a cell's time in microseconds, or otherwise.
func (c cells) time(column string, otherwise any) any {
	if n, ok := microsOf(c.text(column)); ok {
		return n
	}
	return otherwise
}

// id names the row by its key.
func (c cells) id() string {
	var parts []string
	for _, k := range c.table.Key() {
		parts = append(parts, c.text(k))
	}
	return strings.Join(parts, "/")
}

// key is what tells the row apart in its own table, as one text.
func (c cells) key() string {
	var parts []string
	for _, k := range c.table.Key() {
		parts = append(parts, c.text(k))
	}
	return KeyOf(parts)
}

// as is the row with these values here.
func (c cells) as(values ...any) Row { return Row{ID: c.id(), Old: c.key(), Values: values} }

// KeyOf is the key of a row as one text, a JSON list.
func KeyOf[T any](parts []T) string {
	text, err := json.Marshal(parts)
	if err != nil { // texts and numbers do not fail
		return fmt.Sprint(parts)
	}
	return string(text)
}

// microsOf reads a time: microseconds, or a text that a column of another type
// held.
func microsOf(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999Z07:00", "2006-01-02T15:04:05.999999", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}

// value turns a cell into what the state keeps; ok is false when it does not
// fit the column's type.
func value(t Type, text string) (_ any, ok bool) {
	switch t {
	case Integer, Big:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case Time:
		n, ok := microsOf(text)
		return n, ok
	case Boolean:
		b, err := strconv.ParseBool(text)
		return b, err == nil
	case Double:
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && f == f && f-f == 0 // neither NaN nor infinite
	case JSON, List:
		return text, json.Valid([]byte(text))
	case Day:
		_, err := time.Parse(time.DateOnly, text)
		return text, err == nil
	case Text:
	}
	return text, true
}

// object returns JSON text of an object, for columns that hold nothing else:
// what is no object is wrapped, NULL is "".
func object(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" || text == "{}" {
		return ""
	}
	if strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
		return text
	}
	var inner any = json.RawMessage(text)
	if !json.Valid([]byte(text)) {
		inner = text
	}
	wrapped, err := json.Marshal(map[string]any{"value": inner})
	if err != nil { // neither form can fail
		return ""
	}
	return string(wrapped)
}
