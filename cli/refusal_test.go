package cli

import (
	"net/http"
	"strings"
	"testing"
)

func TestParseRefusal(t *testing.T) {
	cases := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"string", 404, `{"detail":"Table not found"}`, "HTTP 404: Table not found"},
		{
			"object with kind", 403, `{"detail":{"kind":"cross_project_forbidden","hint":"Ask for access.","data_project":"d","billing_project":"b","zeta":1,"alpha":[1,"x"],"tables":["t1","t2"],"none":null}}`,
			"Error: cross project forbidden (HTTP 403)\n  kind: cross_project_forbidden\n  billing_project: b\n  data_project: d\n  tables: t1, t2\n  alpha: 1, x\n  zeta: 1\nAsk for access.",
		},
		{"object with reason", 429, `{"detail":{"reason":"quota","current":5,"limit":4}}`, "Error: quota (HTTP 429)\n  reason: quota\n  current: 5\n  limit: 4"},
		{
			"object with code and message", 409, `{"detail":{"code":"google_managed_readonly","message":"Google keeps this group."}}`,
			"Error: Google keeps this group. (HTTP 409)\n  code: google_managed_readonly",
		},
		{"nested object", 400, `{"detail":{"kind":"k","more":{"a":"<b>"}}}`, "Error: k (HTTP 400)\n  kind: k\n  more: {\"a\":\"\\u003cb\\u003e\"}"},
		{
			"validation list", 422, `{"detail":[{"type":"missing","loc":["body","name"],"msg":"Field required","input":{"password":"s3cret"}},{"loc":["body","where_filters",0,"column"],"msg":"Value error, column is blank"},{"loc":["query"],"msg":"x?"}]}`,
			"HTTP 422: the server does not accept this.\n  name: Field required.\n  where_filters.0.column: Column is blank.\n  X?",
		},
		{
			"problem with errors", 422, `{"detail":"validation failed","errors":[{"message":"expected string","location":"body.name","value":"s3cret"}]}`,
			"HTTP 422: validation failed\n  name: Expected string.",
		},
		{"odd list", 422, `{"detail":["a name is missing",{}]}`, "HTTP 422: the server does not accept this.\n  A name is missing.\n  Not accepted."},
		{"no detail", 500, `{"error":"validator_rejected","request_id":"r1"}`, "Error: validator_rejected (HTTP 500)\nWhoever runs the server finds the cause in its log under request r1."},
		{
			"rebuild failed", 500, `{"status":"rebuild_failed","errors":[{"table":"t","error":"e"}],"message":"The row stays."}`,
			"Error: The row stays. (HTTP 500)\n  errors: {\"error\":\"e\",\"table\":\"t\"}\n  status: rebuild_failed",
		},
		{"internal", 500, `{"detail":"Internal server error","request_id":"abc"}`, "HTTP 500: Internal server error\nWhoever runs the server finds the cause in its log under request abc."},
		{"empty object", 404, `{}`, "Error: Not Found (HTTP 404)"},
		{"text", 400, " no\tway \n", "HTTP 400: no\\tway"},
		{"nothing", 502, "", "HTTP 502: Bad Gateway, without a reason. Is the address really Agnes's?"},
		{"escapes", 400, `{"detail":"a\u001b[2Jb"}`, "HTTP 400: a\\u001b[2Jb"},
		{"long text", 400, strings.Repeat("x", 600), "HTTP 400: " + strings.Repeat("x", 499) + "…"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := parseRefusal(c.status, http.Header{}, []byte(c.body))
			if got.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s", got.Error(), c.want)
			}
			if got.status != c.status || statusOf(got) != c.status {
				t.Errorf("status %d, want %d", got.status, c.status)
			}
			wantNotIn(t, got.Error(), "s3cret")
		})
	}
}

func TestRefusalOfAWebPage(t *testing.T) {
	got := parseRefusal(502, http.Header{"Content-Type": {"text/html"}}, []byte("<html><h1>nginx</h1></html>")).Error()
	wantIn(t, got, "HTTP 502: Bad Gateway")
	wantNotIn(t, got, "<h1>")
}

func TestRefusalSaysWhenToTryAgain(t *testing.T) {
	got := parseRefusal(429, http.Header{"Retry-After": {"60"}}, []byte(`{"detail":"Too many."}`)).Error()
	wantIn(t, got, "HTTP 429: Too many.", "Try again in 60 seconds.")
}

func TestWrap(t *testing.T) {
	cases := []struct{ in, want string }{
		{"", ""},
		{"one", "one"},
		{"one two three", "one two\nthree"},
		{"longerthantheline x", "longerthantheline\nx"},
		{"  spaced   out ", "spaced\nout"},
	}
	for _, c := range cases {
		if got := wrap(c.in, 8); got != c.want {
			t.Errorf("wrap(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
