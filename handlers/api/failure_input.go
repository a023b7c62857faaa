package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"agnes/handlers/request"
)

// explain turns what the library says of wrong input into the contract's form.
func explain(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	e, ok := ctx.(*exchange)
	if !ok {
		return &failure{Detail: model.Detail}, nil
	}
	f := &failure{status: model.Status, Detail: sentence(model)}
	switch model.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		f.status = http.StatusUnprocessableEntity
		f.Detail = faults(model)
	case http.StatusInternalServerError:
		request.Logger(e.r.Context()).Error("request failed", "err", model.Detail)
		f.RequestID = request.ID(e.r.Context())
	}
	e.status = f.status
	return f, nil
}

// sentence is what is said of a failure that is no single field's.
func sentence(model *huma.ErrorModel) string {
	switch model.Status {
	case http.StatusUnsupportedMediaType:
		return "The body must be JSON, with the header Content-Type: application/json."
	case http.StatusRequestEntityTooLarge:
		return "The body is too large."
	case http.StatusRequestTimeout:
		return "The body did not arrive in time."
	}
	return "Internal server error"
}

func faults(model *huma.ErrorModel) []fault {
	if len(model.Errors) == 0 {
		return []fault{{Type: "missing", Loc: []any{"body"}, Msg: "Field required"}}
	}
	out := make([]fault, 0, len(model.Errors))
	for _, d := range model.Errors {
		out = append(out, faultOf(d))
	}
	return out
}

// faultOf names the kind of fault as contract 0.1 does.
func faultOf(d *huma.ErrorDetail) fault {
	f := fault{Type: "value_error", Loc: location(d.Location), Msg: d.Message, Input: harmless(d.Value)}
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name, _ = strings.CutSuffix(name, " to be present")
		f.Type, f.Loc, f.Msg, f.Input = "missing", append(f.Loc, name), "Field required", nil
		return f
	}
	switch {
	case strings.HasPrefix(d.Message, "required "):
		f.Type, f.Msg = "missing", "Field required"
	case strings.HasPrefix(d.Message, "expected string"):
		f.Type = "string_type"
	case strings.HasPrefix(d.Message, "expected integer"):
		f.Type = "int_type"
	case strings.HasPrefix(d.Message, "expected boolean"):
		f.Type = "bool_type"
	case strings.HasPrefix(d.Message, "expected array"):
		f.Type = "list_type"
	case strings.HasPrefix(d.Message, "expected object"):
		f.Type = "dict_type"
	case strings.HasPrefix(d.Message, "json: "):
		f.Msg = "A value does not fit its field."
	case d.Location == "body":
		f.Type, f.Msg = "json_invalid", "The body is not valid JSON: "+d.Message
	}
	return f
}

// location turns "body.items[3].tags" into its parts.
func location(path string) []any {
	var parts []any
	for name := range strings.SplitSeq(path, ".") {
		name, index, indexed := strings.Cut(name, "[")
		if name != "" {
			parts = append(parts, name)
		}
		for indexed {
			number, rest, _ := strings.Cut(index, "]")
			if n, err := strconv.Atoi(number); err == nil {
				parts = append(parts, n)
			}
			_, index, indexed = strings.Cut(rest, "[")
		}
	}
	return parts
}

// harmless is a value that may be sent back: what people type into the wrong
// field may be a password.
func harmless(v any) any {
	switch v.(type) {
	case bool, float64:
		return v
	}
	return nil
}
