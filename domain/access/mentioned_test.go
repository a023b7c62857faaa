package access

import (
	"slices"
	"testing"

	"agnes/domain/registry"
)

func TestMentioned(t *testing.T) {
	c := NewCatalog([]registry.Published{
		{Table: registry.Table{ID: "o1", Name: "orders"}}, {Table: registry.Table{ID: "items", Name: "order_items"}}, {Table: registry.Table{ID: "t", Name: "Towns"}},
	})
	cases := map[string][]string{
		"SELECT 1":                                     {},
		"FROM orders":                                  {"orders"},
		`SELECT * FROM main."ORDERS" JOIN towns`:       {"Towns", "orders"},
		"FROM order_items":                             {"order_items"},
		"FROM orders_2025, xorders":                    {},
		"FROM o1":                                      {}, // an id is not a name
		"SELECT 'orders'":                              {"orders"},
		"FROM(orders)a,/**/towns;":                     {"Towns", "orders"},
		"FROM orders\u00a0WHERE\u200btowns.é > 1":      {"Towns", "orders"},
		"PIVOT order_items ON orders USING sum(towns)": {"Towns", "order_items", "orders"},
	}
	for text, want := range cases {
		got := []string{}
		for _, p := range c.Mentioned(text) {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Mentioned(%q) = %v, want %v", text, got, want)
		}
	}
}
