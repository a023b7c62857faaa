package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// TestEveryChangeTakesIfMatch walks the document: what changes something that is
// there takes the version that was seen of it, and what reads it says which.
func TestEveryChangeTakesIfMatch(t *testing.T) {
	t.Parallel()
	exempt := map[string]string{
		"PATCH /api/uploads/{id}":                             "sends bytes behind an offset, which it names",
		"PUT /api/admin/sources/{source}/tables/{table}":      "the name that it had is its version, and in the body",
		"DELETE /api/uploads/{id}":                            "throws away what nobody else changes",
		"DELETE /api/admin/grants/{id}":                       "a grant is made and taken away, and never edited",
		"DELETE /api/admin/groups/{id}/members/{user_id}":     "a membership is made and taken away, and never edited",
		"DELETE /api/admin/users/{id}/memberships/{group_id}": "a membership is made and taken away, and never edited",
		"DELETE /auth/tokens/{id}":                            "a token is revoked, and never edited",
		"DELETE /auth/admin/tokens/{id}":                      "a token is revoked, and never edited",
		"DELETE /api/users/{id}/identities/{provider}":        "an identity is linked and unlinked, and never edited",
		"DELETE /api/query/runs/{id}":                         "stops or forgets what nobody else changes",
	}
	takes := func(o *huma.Operation) bool {
		return slices.ContainsFunc(o.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" && p.In == "header" })
	}
	used := map[string]bool{}
	for path, item := range newSite(t).api.OpenAPI().Paths {
		tagged := item.Get != nil && item.Get.Responses["200"] != nil && item.Get.Responses["200"].Headers["ETag"] != nil
		for method, o := range map[string]*huma.Operation{http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete} {
			if o == nil {
				continue
			}
			name := method + " " + path
			used[name] = true
			switch reason := exempt[name]; {
			case reason != "" && takes(o):
				t.Errorf("%s is exempt, and takes If-Match", name)
			case reason == "" && !takes(o):
				t.Errorf("%s takes no If-Match: embed Seen, or give a reason here", name)
			case reason == "" && o.Responses["412"] == nil:
				t.Errorf("%s does not say that it answers 412", name)
			case reason == "" && !tagged:
				t.Errorf("%s takes If-Match, and GET %s answers without an ETag", name, path)
			}
		}
	}
	for name := range exempt {
		if !used[name] {
			t.Errorf("there is no %s to be exempt", name)
		}
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil)
	g := s.as(s.admin, http.MethodPost, "/api/admin/groups", object{"name": "finance"}).is(http.StatusCreated)
	for name, c := range map[string]struct {
		path   string
		change string // method
		field  string
		values [3]string // was, theirs, yours
		refuse int       // the status of what cannot be read
	}{
		"person": {"/api/users/" + string(s.analyst.ID), http.MethodPatch, "name", [3]string{"Somebody", "Ben B.", "Benno"}, 422},
		"group":  {"/api/admin/groups/" + g["id"].(string), http.MethodPatch, "description", [3]string{"", "books", "all books"}, 400},
		"table":  {"/api/admin/registry/orders", http.MethodPut, "schema_policy", [3]string{"evolve", "ask", "freeze"}, 422},
	} {
		read := s.as(s.admin, http.MethodGet, c.path, nil)
		read.is(http.StatusOK)
		first := read.Header().Get("ETag")
		changed := s.as(s.admin, c.change, c.path, object{c.field: c.values[1]}, "If-Match", first)
		changed.is(http.StatusOK)
		second := changed.Header().Get("ETag")
		if first == "" || second == first || second != s.as(s.admin, http.MethodGet, c.path, nil).Header().Get("ETag") {
			t.Errorf("%s: ETag %s, then %s", name, first, second)
		}
		for method, body := range map[string]any{c.change: object{c.field: c.values[2]}, http.MethodDelete: nil} {
			w := s.as(s.admin, method, c.path, body, "If-Match", first)
			got := w.is(http.StatusPreconditionFailed)
			if w.Header().Get("ETag") != second || got["code"] != "changed_meanwhile" || got["changed_by"] != s.admin.Email || got["version"] != float64(2) {
				t.Errorf("%s %s: %v", method, name, got)
			}
			fields, _ := got["fields"].([]any)
			yours := c.values[2]
			if body == nil {
				yours = c.values[0]
			}
			want := object{"field": c.field, "was": c.values[0], "theirs": c.values[1], "yours": yours}
			if len(fields) != 1 || !equal(fields[0].(object), want) {
				t.Errorf("%s %s: fields %v, want %v", method, name, fields, want)
			}
		}
		s.as(s.admin, c.change, c.path, object{c.field: c.values[1]}, "If-Match", `"one"`).is(c.refuse)
		if again := s.as(s.admin, c.change, c.path, object{c.field: c.values[1]}, "If-Match", second).Header().Get("ETag"); again != second {
			t.Errorf("%s: a change of nothing has the version %s, want %s", name, again, second)
		}
		s.as(s.admin, http.MethodDelete, c.path, nil, "If-Match", second).is(http.StatusNoContent)
	}
}

func equal(a, b object) bool {
	for key, v := range b {
		if a[key] != v {
			return false
		}
	}
	return len(a) == len(b)
}
