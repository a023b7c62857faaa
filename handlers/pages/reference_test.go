package pages

import (
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"agnes/views"
)

func TestReferencePage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.nobody().get("/docs").wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).get("/docs").wantStatus(http.StatusOK).
		wantText("Agnes API", "First paragraph.", "Query", "/api/query", "Run one statement", "/api/data/{id}", "signed in").
		wantNoText("/api/hidden")
}

func TestReferenceView(t *testing.T) {
	t.Parallel()
	v := referenceView(spec())
	if len(v.Groups) != 2 || v.Groups[0].Name != "Query" || v.Groups[1].Name != "Files" {
		t.Fatalf("groups = %+v", v.Groups)
	}
	if len(v.Intro) != 2 || v.Version != "1.2.3" || v.SpecURL != "/openapi.json" {
		t.Errorf("intro %q, version %q, document %q", v.Intro, v.Version, v.SpecURL)
	}
	op := v.Groups[0].Operations[0]
	if op.ID != "query" || op.Method != http.MethodPost || op.Need != "signed in" || op.Description != "Reads." {
		t.Errorf("operation = %+v", op)
	}
	var fields []string
	for _, f := range op.Params {
		name := f.Name + ":" + f.Type
		if f.Required {
			name += "!"
		}
		fields = append(fields, name)
	}
	if got, want := strings.Join(fields, " "), "sql:string! filters:list of object limit:integer (int64)"; got != want {
		t.Errorf("fields = %q, want %q", got, want)
	}
	for _, want := range []string{`"sql": "text"`, `"limit": 1000`, `"column": "text"`} {
		if !strings.Contains(op.Request, want) {
			t.Errorf("example lacks %s:\n%s", want, op.Request)
		}
	}
	if len(op.Responses) != 1 || op.Responses[0].Status != 200 { // "default" is told once, in the introduction
		t.Errorf("responses = %+v", op.Responses)
	}
	download := v.Groups[1].Operations[0]
	if download.ID != "get-api-data-id" || download.Need != "anybody" {
		t.Errorf("download = %+v", download)
	}
	if want := (views.Param{Name: "id", In: "path", Type: "string", Required: true, Description: "Of a table"}); download.Params[0] != want {
		t.Errorf("param = %+v, want %+v", download.Params[0], want)
	}
}

func TestReferenceOfAnEmptyDocument(t *testing.T) {
	t.Parallel()
	if v := referenceView(&huma.OpenAPI{}); len(v.Groups) != 0 {
		t.Errorf("groups = %+v", v.Groups)
	}
	if need := needOf(&huma.Operation{}); need != "signed in" {
		t.Errorf("need = %q", need)
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	d := describer{}
	for name, c := range map[string]struct {
		schema *huma.Schema
		want   string
	}{
		"given":    {&huma.Schema{Type: "string", Examples: []any{"orders"}}, `"orders"`},
		"enum":     {&huma.Schema{Type: "string", Enum: []any{"a", "b"}}, `"a"`},
		"time":     {&huma.Schema{Type: "string", Format: "date-time"}, `"2026-11-19T14:31:00Z"`},
		"date":     {&huma.Schema{Type: "string", Format: "date"}, `"2026-11-19"`},
		"email":    {&huma.Schema{Type: "string", Format: "email"}, `"name@example.com"`},
		"uuid":     {&huma.Schema{Type: "string", Format: "uuid"}, `"0d9f2f5e-7c1a-4c3e-9a53-2f0a4d6b8c11"`},
		"number":   {&huma.Schema{Type: "number"}, "1"},
		"bool":     {&huma.Schema{Type: "boolean"}, "true"},
		"map":      {&huma.Schema{Type: "object", AdditionalProperties: &huma.Schema{Type: "integer"}}, "{\n  \"name\": 1\n}"},
		"untyped":  {&huma.Schema{Type: "array", Items: &huma.Schema{}}, "[]"},
		"anything": {&huma.Schema{}, ""},
	} {
		_, got := d.content(map[string]*huma.MediaType{"application/problem+json": {Schema: c.schema}})
		if got != c.want {
			t.Errorf("%s: example = %s, want %s", name, got, c.want)
		}
	}
	if schema, got := d.content(map[string]*huma.MediaType{"text/csv": {}}); schema != nil || got != "" {
		t.Errorf("a body without a schema: %v, %q", schema, got)
	}
}
