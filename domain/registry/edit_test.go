package registry

import (
	"reflect"
	"slices"
	"testing"
)

// TestFieldsAreThoseOfAChange makes sure that no field can change unnoticed.
func TestFieldsAreThoseOfAChange(t *testing.T) {
	t.Parallel()
	var c TableChange
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	var table Table
	named, fields := c.Apply(&table), table.Fields()
	for _, name := range named {
		if _, ok := fields[name]; !ok {
			t.Errorf("a change of %s goes unnoticed: add it to Table.Fields", name)
		}
	}
	for name := range fields {
		if !slices.Contains(named, name) {
			t.Errorf("no change sets %s", name)
		}
	}
	if got := (Table{WhereFilters: []WhereFilter{{Column: "c", Operator: "eq", Values: []string{"x"}}}}).Fields()["where_filters"]; got != `[{"column":"c","operator":"eq","values":["x"]}]` {
		t.Errorf("filters as text: %s", got)
	}
}
