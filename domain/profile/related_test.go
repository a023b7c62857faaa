package profile

import (
	"fmt"
	"slices"
	"testing"

	"agnes/domain/registry"
)

func table(name string, key []string, columns ...string) registry.Published {
	t := registry.Published{Table: registry.Table{ID: registry.TableID(name), Name: name, PrimaryKey: key}, Version: &registry.Version{}}
	for _, c := range columns {
		t.Version.Columns = append(t.Version.Columns, registry.Column{Name: c})
	}
	return t
}

func TestRelated(t *testing.T) {
	t.Parallel()
	catalog := []registry.Published{
		table("orders", []string{"order_no"}, "order_no", "customer_id", "day"),
		table("customers", []string{"id"}, "id", "name"),
		table("lines", []string{"order_no", "line"}, "ORDER_NO", "line", "sku"),
		table("products", []string{"sku"}, "sku", "id"),
		table("notes", nil, "id", "text"),
		{Table: registry.Table{ID: "empty", Name: "empty", PrimaryKey: []string{"day"}}},
	}
	for name, want := range map[string][]string{
		"orders":    {"customers", "empty", "lines"},
		"customers": {"orders"},
		"lines":     {"orders", "products"},
		"products":  {"lines"},
		"notes":     {},
	} {
		i := slices.IndexFunc(catalog, func(t registry.Published) bool { return t.Name == name })
		if got := Related(catalog[i], catalog); got == nil || !slices.Equal(got, want) {
			t.Errorf("%s is related to %v, want %v", name, got, want)
		}
	}
}

func TestRelatedIsBounded(t *testing.T) {
	t.Parallel()
	var catalog []registry.Published
	for i := range 50 {
		catalog = append(catalog, table(fmt.Sprintf("t%02d", i), []string{"customer_no"}, "customer_no"))
	}
	if got := Related(catalog[0], catalog); len(got) != MaxRelated || got[0] != "t01" {
		t.Errorf("%d: %v", len(got), got)
	}
}
