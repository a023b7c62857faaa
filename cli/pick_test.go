package cli

import (
	"strings"
	"testing"

	"agnes/domain"
)

func TestPick(t *testing.T) {
	tables := []named{{id: "orders", name: "Orders"}, {id: "orders_2024", name: "orders_2024"}, {id: "customers", name: "customers"}, {id: "x", name: "orders2"}}
	people := []named{
		{id: "11111111-aaaa", name: "ana@example.com", opaque: true},
		{id: "11112222-bbbb", name: "bob@example.com", opaque: true},
		{id: "22223333-cccc", name: "cyd@example.com", opaque: true},
	}
	doubles := []named{{id: "1", name: "Same"}, {id: "2", name: "same"}}
	cases := []struct {
		ref    string
		among  []named
		want   string
		say    string
		silent string
	}{
		{ref: "orders", among: tables, want: "orders"},
		{ref: "ORDERS", among: tables, want: "orders"},
		{ref: "orders2", among: tables, want: "x"},
		{ref: "orders_20", among: tables, say: `There is no table "orders_20". Did you mean`},
		{ref: "custmers", among: tables, say: "Did you mean customers?"},
		{ref: "zzz", among: tables, say: `There is no table "zzz".`, silent: "Did you mean"},
		{ref: "", among: tables, say: `There is no table ""`, silent: "Did you mean"},
		{ref: "2222", among: people, want: "22223333-cccc"},
		{ref: "222", among: people, say: "There is no"},
		{ref: "1111", among: people, say: "11111111-aaaa (ana@example.com), 11112222-bbbb (bob@example.com)"},
		{ref: "11112", among: people, want: "11112222-bbbb"},
		{ref: "Bob@Example.com", among: people, want: "11112222-bbbb"},
		{ref: "anna@example.com", among: people, say: "Did you mean ana@example.com"},
		{ref: "SAME", among: doubles, say: "1 (Same), 2 (same)"},
	}
	for _, c := range cases {
		got, err := pick("table", c.ref, c.among)
		if got.id != c.want {
			t.Errorf("pick(%q) = %q, want %q", c.ref, got.id, c.want)
		}
		if (err != nil) != (c.want == "") {
			t.Errorf("pick(%q): error %v", c.ref, err)
		}
		if err == nil {
			continue
		}
		if !strings.Contains(err.Error(), c.say) || (c.silent != "" && strings.Contains(err.Error(), c.silent)) {
			t.Errorf("pick(%q) says %q, want %q without %q", c.ref, err, c.say, c.silent)
		}
	}
}

func TestPickCleansNames(t *testing.T) {
	_, err := pick("table", "orders", []named{{id: "1", name: "orders\x1b[2J"}})
	if domain.KindOf(err) != domain.NotFound || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("pick = %q", err)
	}
}
