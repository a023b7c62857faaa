package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/api"
)

// Every operation by every kind of asker: nobody hears 401, people without the
// right 403, and nobody hears an internal error.
func TestPermissionsOfEveryOperation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 3)
	s.mustProfiler()
	for _, route := range s.api.Routes() {
		path := strings.NewReplacer("{id}", "orders", "{user_id}", "x", "{group_id}", "x", "{table_name}", "orders").Replace(route.Pattern)
		for name, who := range map[string]people.User{"nobody": {}, "a person": s.analyst, "an administrator": s.admin} {
			var body any
			if route.Method == http.MethodPost || route.Method == http.MethodPatch {
				body = "{}"
			}
			got := s.as(who, route.Method, path, body).Code
			refused := got == http.StatusUnauthorized || got == http.StatusForbidden
			var want bool
			switch route.Need {
			case access.SignedIn:
				want = who.ID == "" || strings.HasSuffix(path, "check-access") && who.ID == s.analyst.ID
			case access.NeedTable, access.Admin:
				want = who.ID != s.admin.ID
			case access.Public, access.Undeclared:
			}
			if path == "/auth/token" {
				want = false
			}
			if refused != want || got == http.StatusInternalServerError {
				t.Errorf("%s %s as %s: %d, want refused %t", route.Method, route.Pattern, name, got, want)
			}
		}
	}
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("operations failed: %s", s.log)
	}
}

func TestEveryRouteDeclaresItsNeed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	public := map[string]bool{
		"/auth/token": true, "/auth/bootstrap": true, "/auth/email/send-link": true, "/auth/email/verify": true, "/auth/password/login": true, "/auth/password/setup": true,
		"/api/health": true, "/api/health/ready": true, "/api/version": true, "/api/sync/status": true,
	}
	for _, route := range s.api.Routes() {
		if route.Need == access.Undeclared {
			t.Errorf("%s %s declares no permission", route.Method, route.Pattern)
		}
		if (route.Need == access.Public) != public[route.Pattern] {
			t.Errorf("%s %s: public %t, want %t", route.Method, route.Pattern, route.Need == access.Public, public[route.Pattern])
		}
		if strings.HasPrefix(route.Pattern, "/api/admin/") && route.Need != access.Admin {
			t.Errorf("%s %s is not for administrators only", route.Method, route.Pattern)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(people.User{}, http.MethodGet, "/openapi.json", nil).is(http.StatusUnauthorized)
	document := s.as(s.analyst, http.MethodGet, "/openapi.json", nil).is(http.StatusOK)
	if got := document["openapi"]; got != "3.1.0" {
		t.Errorf("openapi = %v", got)
	}
	paths := document["paths"].(map[string]any)
	ids := map[string]bool{}
	operations := 0
	for _, route := range s.api.Routes() {
		if route.Pattern == "/openapi.json" {
			continue
		}
		operations++
		item, ok := paths[route.Pattern].(map[string]any)
		if !ok {
			t.Errorf("%s is not described", route.Pattern)
			continue
		}
		op, ok := item[strings.ToLower(route.Method)].(map[string]any)
		if !ok {
			t.Errorf("%s %s is not described", route.Method, route.Pattern)
			continue
		}
		for _, field := range []string{"operationId", "summary", "description", "tags", "x-permission", "security"} {
			if op[field] == nil || op[field] == "" {
				t.Errorf("%s %s has no %s", route.Method, route.Pattern, field)
			}
		}
		for parameter := range strings.SplitSeq(route.Pattern, "/") {
			if strings.HasPrefix(parameter, "{") && !strings.Contains(fmt.Sprint(op["parameters"]), "name:"+strings.Trim(parameter, "{}")) {
				t.Errorf("%s %s does not describe %s, and may not read it", route.Method, route.Pattern, parameter)
			}
		}
		id := op["operationId"].(string)
		if ids[id] {
			t.Errorf("operation id %s twice", id)
		}
		ids[id] = true
		if (len(op["security"].([]any)) == 0) != (route.Need == access.Public) {
			t.Errorf("%s: security %v", id, op["security"])
		}
		if body, ok := op["requestBody"].(map[string]any); ok {
			for kind, media := range body["content"].(map[string]any) {
				if id == "upload-append" && kind == offsetBytes {
					continue
				}
				if kind != "application/json" || media.(map[string]any)["example"] == nil && strings.HasPrefix(id, "create-") {
					t.Errorf("%s: body %s without an example", id, kind)
				}
			}
		}
	}
	if operations < 40 {
		t.Errorf("%d operations", operations)
	}
	text := s.as(s.analyst, http.MethodGet, "/openapi.json", nil).Body.String()
	if strings.Contains(text, "ErrorModel") || strings.Contains(text, "problem+json") || !strings.Contains(text, "#/components/schemas/Failure") {
		t.Error("the errors described are not those that are sent")
	}
	if s.api.OpenAPI().Paths["/api/query"].Post.Summary == "" {
		t.Error("OpenAPI() is not the document")
	}
}

// Every reference in the document leads somewhere.
func TestOpenAPIReferences(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	document := s.as(s.analyst, http.MethodGet, "/openapi.json", nil).is(http.StatusOK)
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(document)
}

// Wrong input says what is wrong where, in the contract's form, and never says
// again what was typed.
func TestWrongInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		name, method, path, body string
		status                   int
		kind, loc                string
	}{
		{"a field is missing", http.MethodPost, "/api/query", `{}`, 422, "missing", `["body","sql"]`},
		{"a text is a number", http.MethodPost, "/api/query", `{"sql":7}`, 422, "string_type", `["body","sql"]`},
		{"a number is a text", http.MethodPost, "/api/query", `{"sql":"SELECT 1","limit":"hunter2"}`, 422, "int_type", `["body","limit"]`},
		{"no JSON", http.MethodPost, "/api/query", `{"sql": hunter2}`, 422, "json_invalid", `["body"]`},
		{"no object", http.MethodPost, "/api/query", `"hunter2"`, 422, "dict_type", `["body"]`},
		{"a number that is too large", http.MethodPost, "/api/query", `{"sql":"SELECT 1","limit":1e40}`, 422, "value_error", `["body"]`},
		{"inside a list", http.MethodPost, "/api/admin/register-table", `{"name":"a","where_filters":[{"column":"hunter2"}]}`, 422, "missing", `["body","where_filters",0,"values"]`},
		{"a password of the wrong type", http.MethodPost, "/auth/token", `{"email":"a@example.com","password":["hunter2"]}`, 422, "string_type", `["body","password"]`},
		{"a query parameter", http.MethodGet, "/api/users?limit=hunter2", "", 422, "value_error", `["query","limit"]`},
		{"a query parameter out of bounds", http.MethodGet, "/api/users?limit=0", "", 422, "value_error", `["query","limit"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var body any
			if tt.body != "" {
				body = tt.body
			}
			w := s.as(s.admin, tt.method, tt.path, body)
			w.is(tt.status)
			var got struct {
				Detail []struct {
					Type  string
					Loc   json.RawMessage
					Msg   string
					Input any
				}
			}
			must(t, json.Unmarshal(w.Body.Bytes(), &got))
			if len(got.Detail) == 0 || got.Detail[0].Type != tt.kind || string(got.Detail[0].Loc) != tt.loc || got.Detail[0].Msg == "" {
				t.Errorf("got %s, want type %s at %s", w.Body, tt.kind, tt.loc)
			}
			if strings.Contains(w.Body.String(), "hunter2") && !strings.Contains(tt.path, "hunter2") {
				t.Errorf("what was typed comes back: %s", w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestOtherFailuresOfABody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		name, body, kind string
		status           int
		detail           string
	}{
		{"another kind", "sql=SELECT 1", "text/plain", 415, "must be JSON"},
		{"too large", `{"sql":"` + strings.Repeat("x", 1<<20) + `"}`, "application/json", 413, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := s.as(s.analyst, http.MethodPost, "/api/query", tt.body, "Content-Type", tt.kind).is(tt.status)
			if got, ok := body["detail"].(string); !ok || !strings.Contains(got, tt.detail) {
				t.Errorf("detail %v", body["detail"])
			}
		})
	}
	w := s.as(s.analyst, http.MethodPost, "/api/query", nil)
	w.is(http.StatusUnprocessableEntity)
	if !strings.Contains(w.Body.String(), `"missing"`) {
		t.Errorf("no body: %s", w.Body)
	}
}

func TestAFailureInsideGivesNothingAway(t *testing.T) {
	t.Parallel()
	for _, debug := range []bool{false, true} {
		s := newSiteWith(t, func(d *api.Deps) { d.Debug = debug })
		table := s.mustTable("orders", nil, 1)
		clear(s.files)
		body := s.as(s.admin, http.MethodGet, "/api/data/orders/download", nil, "X-Request-Id", "req1").is(http.StatusInternalServerError)
		if body["detail"] != "Internal server error" || body["request_id"] != "req1" || (body["error"] != nil) != debug {
			t.Errorf("debug %t: %v", debug, body)
		}
		if !strings.Contains(s.log.String(), "lost.parquet") {
			t.Errorf("the cause for %s is not in the log", table.ID)
		}
	}
}

func TestExtraFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(1, 1)
	s.as(s.analyst, http.MethodPost, "/api/query", `{"sql":"SELECT 1","surprise":{"a":[1]}}`).is(http.StatusOK)
	s.as(s.admin, http.MethodPost, "/api/admin/groups", `{"name":"finance","surprise":1}`).is(http.StatusCreated)
}

func TestRoutesAreNotForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var got []string
	for _, r := range s.api.Routes() {
		if r.SignIn || r.Long || r.Stream || r.MaxBody != 0 {
			got = append(got, r.Pattern)
		}
	}
	slices.Sort(got)
	want := []string{"/api/admin/activity/export", "/api/admin/rebuild", "/api/admin/sources/{source}/inspect", "/api/admin/sources/{source}/tables/{table}", "/api/catalog/profile/{table_name}/refresh", "/api/data/{id}/download", "/api/query", "/api/query/runs/{id}/export", "/api/query/runs/{id}/rows", "/api/sync/runs/{id}/rejects", "/api/uploads", "/api/uploads", "/api/uploads/{id}", "/api/uploads/{id}", "/api/uploads/{id}", "/api/v2/sample/{id}", "/auth/bootstrap", "/auth/email/send-link", "/auth/email/verify", "/auth/password/login", "/auth/password/setup", "/auth/token"}
	if !slices.Equal(got, want) {
		t.Errorf("routes with a mark of their own: %v, want %v", got, want)
	}
}
