package registry

import (
	"slices"
	"testing"
)

func TestTableChangeApply(t *testing.T) {
	t.Parallel()
	days, text, no := 7, "new", false
	before := Table{Name: "orders", Description: "old", MaxHistoryDays: &days, PrimaryKey: []string{"id"}, ProfileAfterSync: true}
	for _, c := range []struct {
		what   string
		change TableChange
		fields []string
		right  func(Table) bool
	}{
		{"nothing", TableChange{}, nil, func(t Table) bool { return t.Description == "old" && t.MaxHistoryDays == &days }},
		{"a text", TableChange{Description: &text}, []string{"description"}, func(t Table) bool { return t.Description == "new" && t.Name == "orders" }},
		{"false is a value", TableChange{ProfileAfterSync: &no}, []string{"profile_after_sync"}, func(t Table) bool { return !t.ProfileAfterSync }},
		{"clearing", TableChange{MaxHistoryDays: new(*int), PrimaryKey: new([]string)}, []string{"primary_key", "max_history_days"}, func(t Table) bool {
			return t.MaxHistoryDays == nil && t.PrimaryKey == nil
		}},
	} {
		table := before
		if got := c.change.Apply(&table); !slices.Equal(got, c.fields) || !c.right(table) {
			t.Errorf("%s: fields %v, want %v; table %+v", c.what, got, c.fields, table)
		}
	}
}
