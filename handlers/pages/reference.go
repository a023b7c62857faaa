package pages

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"agnes/views"
)

// specURL is where the document behind the reference is served.
const specURL = "/openapi.json"

func (s *Server) reference(w http.ResponseWriter, r *http.Request) error {
	v := referenceView(s.Spec())
	return s.render(w, r, http.StatusOK, views.ReferencePage(s.chrome(r, "API reference", views.NavNone), v))
}

// referenceView turns the document into what the page shows, in its order of
// tags and, within one, by path.
func referenceView(doc *huma.OpenAPI) views.ReferenceView {
	v := views.ReferenceView{SpecURL: specURL}
	if doc.Info != nil {
		v.Title, v.Version, v.Intro = doc.Info.Title, doc.Info.Version, paragraphs(doc.Info.Description)
	}
	for _, t := range doc.Tags {
		v.Groups = append(v.Groups, views.ReferenceGroup{Name: t.Name, Description: t.Description})
	}
	d := describer{schemas: schemasOf(doc)}
	for path, item := range doc.Paths {
		for method, op := range operations(item) {
			if op == nil || op.Hidden {
				continue
			}
			g := group(&v, op.Tags)
			g.Operations = append(g.Operations, d.operation(method, path, op))
		}
	}
	v.Groups = slices.DeleteFunc(v.Groups, func(g views.ReferenceGroup) bool { return len(g.Operations) == 0 })
	for _, g := range v.Groups {
		slices.SortFunc(g.Operations, func(a, b views.Operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(rankOf(a.Method), rankOf(b.Method)))
		})
	}
	return v
}

func schemasOf(doc *huma.OpenAPI) huma.Registry {
	if doc.Components == nil {
		return nil
	}
	return doc.Components.Schemas
}

func operations(p *huma.PathItem) map[string]*huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodHead: p.Head, http.MethodPost: p.Post,
		http.MethodPut: p.Put, http.MethodPatch: p.Patch, http.MethodDelete: p.Delete,
	}
}

func rankOf(method string) int {
	return slices.Index([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method)
}

// group finds the group of an operation's first tag; one that the document does
// not describe comes after those that it does.
func group(v *views.ReferenceView, tags []string) *views.ReferenceGroup {
	name := "Other"
	if len(tags) > 0 {
		name = tags[0]
	}
	for i := range v.Groups {
		if v.Groups[i].Name == name {
			return &v.Groups[i]
		}
	}
	v.Groups = append(v.Groups, views.ReferenceGroup{Name: name})
	return &v.Groups[len(v.Groups)-1]
}

func paragraphs(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// describer describes operations with the schemas that they refer to.
type describer struct{ schemas huma.Registry }

func (d describer) operation(method, path string, op *huma.Operation) views.Operation {
	about, _, _ := strings.Cut(op.Description, "\n\nWho: ") // said apart, as the need
	o := views.Operation{
		ID: cmp.Or(op.OperationID, anchor(method, path)), Method: method, Path: path,
		Summary: op.Summary, Description: about, Need: needOf(op),
	}
	for _, p := range op.Parameters {
		o.Params = append(o.Params, views.Param{
			Name: p.Name, In: p.In, Type: d.typeOf(p.Schema), Required: p.Required, Description: cmp.Or(p.Description, describe(p.Schema)),
		})
	}
	if op.RequestBody != nil {
		schema, example := d.content(op.RequestBody.Content)
		o.Params = append(o.Params, d.fields(schema)...)
		o.Request = example
	}
	for status, resp := range op.Responses {
		code, err := strconv.Atoi(status)
		if err != nil { // "default", every other status: its shape stands in the introduction
			continue
		}
		_, example := d.content(resp.Content)
		o.Responses = append(o.Responses, views.Response{Status: code, Description: resp.Description, Example: example})
	}
	slices.SortFunc(o.Responses, func(a, b views.Response) int { return cmp.Compare(a.Status, b.Status) })
	return o
}

func anchor(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

// needOf says who may call an operation.
func needOf(op *huma.Operation) string {
	switch need, ok := op.Extensions["x-permission"].(string); {
	case !ok:
		return "signed in"
	case need == "public":
		return "anybody"
	default:
		return need
	}
}
