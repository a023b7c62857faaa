package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"agnes/domain/registry"
)

func TestNear(t *testing.T) {
	c := NewCatalog([]registry.Published{
		table("1", "orders", "1"), table("2", "order_items", "1"), table("3", "Customers", "1"), table("4", "web_sessions", "1"), table("5", "a", "1"), table("6", "orders_2025", "1"),
	})
	cases := map[string][]string{
		"ordres": {"orders"}, "ORDERZ": {"orders"}, "main.oders": {"orders"}, "customer": {"Customers"}, "sessions": {"web_sessions"}, "order": {"orders", "order_items", "orders_2025"},
		"salaries": {}, "b": {"a"}, "": nil, "orders_2024": {"orders_2025", "orders"}, "my_orders_2025_copy": {"orders_2025", "orders"}, "x": {"a"},
		"'../files/orders.parquet'": {}, strings.Repeat("orders", 100): nil, strings.Repeat("ü", 40): {}, "web_sessoins": {"web_sessions"},
	}
	for name, want := range cases {
		if got := c.Near(name); !slices.Equal(got, want) {
			t.Errorf("Near(%q) = %v, want %v", name, got, want)
		}
	}
	if got := NewCatalog(nil).Near("orders"); len(got) != 0 {
		t.Errorf("nothing granted: %v", got)
	}
}

func TestDistance(t *testing.T) {
	cases := []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 2, 0},
		{"a", "a", 2, 0},
		{"ab", "ba", 2, 1},
		{"abc", "ac", 2, 1},
		{"abc", "axc", 2, 1},
		{"abcd", "acbd", 2, 1},
		{"kitten", "sitting", 3, 3},
		{"kitten", "sitting", 2, 3},
		{"abcdef", "x", 2, 3},
		{strings.Repeat("a", 65), "a", 90, 91},
	}
	for _, test := range cases {
		if got := distance(test.a, test.b, test.limit); got != test.want {
			t.Errorf("distance(%q, %q, %d) = %d, want %d", test.a, test.b, test.limit, got, test.want)
		}
	}
}

func BenchmarkNear(b *testing.B) {
	var tables []registry.Published
	for i := range 10000 {
		tables = append(tables, table(fmt.Sprint(i), fmt.Sprintf("table_%d", i), "1"))
	}
	c := NewCatalog(tables)
	for b.Loop() {
		c.Near("tabel_77")
	}
}
