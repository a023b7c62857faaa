package views

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"
	"strconv"

	"agnes/domain/audit"
)

// changedField is one line of what a change did: a field that differs.
type changedField struct {
	Name    string
	Before  string
	After   string
	Removed bool // there was a value before
	Added   bool // there is one now
}

// changesOf compares what was there before with what was asked: only the fields
// that differ. What was asked beside them is a note; a row without before has none.
func changesOf(e audit.Entry) []changedField {
	if len(e.Before) == 0 {
		return nil
	}
	var changes []changedField
	for _, name := range keysOf(e.Before) {
		before, after := e.Before[name], e.Params[name]
		if reflect.DeepEqual(before, after) || blank(before) && blank(after) {
			continue
		}
		changes = append(changes, changedField{Name: name, Before: plain(before), After: plain(after), Removed: !blank(before), Added: !blank(after)})
	}
	return changes
}

// noted is one parameter of a row that is no change.
type noted struct{ Name, Value string }

// notesOf are the parameters that changesOf does not show.
func notesOf(e audit.Entry) []noted {
	shown := map[string]bool{}
	for _, c := range changesOf(e) {
		shown[c.Name] = true
	}
	var notes []noted
	for _, name := range keysOf(e.Params, nil) {
		if _, both := e.Before[name]; both || shown[name] || blank(e.Params[name]) {
			continue
		}
		notes = append(notes, noted{name, plain(e.Params[name])})
	}
	return notes
}

func keysOf(maps ...map[string]any) []string {
	var names []string
	for _, m := range maps {
		for name := range m {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return slices.Compact(names)
}

func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// plain is a value as a cell shows it.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(v)
	if err != nil { // it came out of JSON
		return ""
	}
	return string(text)
}
