package cli

import "testing"

const catalogBody = `{"tables":[
  {"id":"orders","name":"orders","description":"Orders of the shop","source_type":"local","sync_strategy":"full_refresh","query_mode":"local","rows":12},
  {"id":"web_visits","name":"Web visits","description":null,"source_type":null,"sync_strategy":null,"query_mode":"remote"}],"count":2}`

func TestCatalog(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want []string
	}{
		{"list", nil, []string{"ID ", "orders ", "Orders of the shop", "web_visits", "remote"}},
		{"json", []string{"--json", "--refresh"}, []string{`"count": 2`, `"rows": 12`}},
		{"one by id", []string{"--show", "web_visits"}, []string{"Id:          web_visits", "Source:      -"}},
		{"one by name", []string{"--show", "web VISITS"}, []string{"Name:        Web visits"}},
		{"one as JSON", []string{"--show", "orders", "--json"}, []string{"{\n  \"id\": \"orders\"", `"rows": 12`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.answer("GET /api/catalog/tables", 200, catalogBody)
			wantIn(t, b.mustRun(append([]string{"catalog"}, c.args...)...), c.want...)
		})
	}
}

func TestCatalogEmpty(t *testing.T) {
	b := newBench(t)
	b.answer("GET /api/catalog/tables", 200, `{"tables":[],"count":0}`)
	wantIn(t, b.mustRun("catalog"), "An administrator grants tables")
}

func TestCatalogFaults(t *testing.T) {
	cases := []struct {
		name, body string
		status     int
		code       int
		args       []string
		want       string
	}{
		{"server fault", `{"detail":"Internal server error"}`, 500, exitCatalog, nil, "HTTP 500"},
		{"not signed in", `{"detail":"Invalid or expired token"}`, 401, exitCatalog, nil, "agnes login"},
		{"another shape", `{"tables":{}}`, 200, exitCatalog, nil, "not Agnes's JSON"},
		{"another row shape", `{"tables":[7]}`, 200, exitCatalog, nil, "not Agnes's JSON"},
		{"unknown table", catalogBody, 200, exitFailure, []string{"--show", "order"}, "Did you mean orders?"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.answer("GET /api/catalog/tables", c.status, c.body)
			wantIn(t, b.mustFail(c.code, append([]string{"catalog"}, c.args...)...), c.want)
		})
	}
}
