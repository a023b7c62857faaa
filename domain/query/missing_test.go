package query

import "testing"

func TestMissingTable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		NotThere("orders"): "orders",
		NotThere(`main."odd"`) + " Did you mean orders?":                                 `main."odd"`,
		"Catalog Error: Table with name airprots does not exist!\nDid you mean \"air\"?": "airprots",
		"Catalog Error: Table with name \"a.b\" does not exist!":                         "a.b",
		"Table \"orders\" has no rows yet: it was not synced so far.":                    "",
		"Table orders is not there, or you may not read it.":                             "",
		"Binder Error: Referenced column \"x\" not found":                                "",
		"": "",
	} {
		if got, ok := MissingTable(text); got != want || ok != (want != "") {
			t.Errorf("MissingTable(%q) = %q, %t; want %q", text, got, ok, want)
		}
	}
}
