package pages

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"agnes/views"
)

// deepest is how far an example follows schemas into each other; past it, one
// that refers to itself ends.
const deepest = 6

// content picks the JSON schema of a body, or its first other one, with an example.
func (d describer) content(content map[string]*huma.MediaType) (*huma.Schema, string) {
	media, ok := content["application/json"]
	if !ok {
		for _, name := range slices.Sorted(maps.Keys(content)) {
			if media = content[name]; strings.Contains(name, "json") {
				break
			}
		}
	}
	if media == nil || media.Schema == nil {
		return nil, ""
	}
	value := media.Example
	if value == nil {
		value = d.example(media.Schema, 0)
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil || value == nil { // an example is worth no failed page
		return d.resolve(media.Schema), ""
	}
	return d.resolve(media.Schema), string(text)
}

func (d describer) resolve(s *huma.Schema) *huma.Schema {
	if s == nil || s.Ref == "" || d.schemas == nil {
		return s
	}
	return d.schemas.SchemaFromRef(s.Ref)
}

// fields lists the properties of a body, the required ones first.
func (d describer) fields(s *huma.Schema) []views.Param {
	s = d.resolve(s)
	if s == nil {
		return nil
	}
	var out []views.Param
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		if name == "$schema" || p.ReadOnly {
			continue
		}
		out = append(out, views.Param{
			Name: name, In: "body", Type: d.typeOf(p), Required: slices.Contains(s.Required, name), Description: describe(p),
		})
	}
	slices.SortStableFunc(out, func(a, b views.Param) int { return boolRank(b.Required) - boolRank(a.Required) })
	return out
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func describe(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	return s.Description
}

// typeOf words a schema's type: "string", "list of integer", "string (date-time)".
func (d describer) typeOf(s *huma.Schema) string {
	s = d.resolve(s)
	switch {
	case s == nil:
		return ""
	case s.Type == huma.TypeArray:
		return strings.TrimSpace("list of " + d.typeOf(s.Items))
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

// example makes a value that fits a schema.
func (d describer) example(s *huma.Schema, depth int) any {
	s = d.resolve(s)
	switch {
	case s == nil || depth > deepest:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		return d.object(s, depth)
	case huma.TypeArray:
		if v := d.example(s.Items, depth+1); v != nil {
			return []any{v}
		}
		return []any{}
	case huma.TypeBoolean:
		return true
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	case huma.TypeString:
		return stringExample(s.Format)
	}
	return nil
}

func (d describer) object(s *huma.Schema, depth int) any {
	out := map[string]any{}
	for name, p := range s.Properties {
		if name != "$schema" {
			out[name] = d.example(p, depth+1)
		}
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok && len(out) == 0 {
		out["name"] = d.example(values, depth+1)
	}
	return out
}

func stringExample(format string) string {
	switch format {
	case "date-time":
		return "2026-11-19T14:31:00Z"
	case "date":
		return "2026-11-19"
	case "email":
		return "name@example.com"
	case "uuid":
		return "0d9f2f5e-7c1a-4c3e-9a53-2f0a4d6b8c11"
	}
	return "text"
}
