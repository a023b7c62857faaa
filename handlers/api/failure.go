package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/handlers/request"
)

// failure is an error as clients read it (contract 0.1).
type failure struct {
	status int
	Detail any `json:"detail"` // a sentence, or []fault
	// RequestID and Cause are for internal errors only.
	RequestID string `json:"request_id,omitempty"`
	Cause     string `json:"error,omitempty"`
	// Code and Confirm are for what needs a new proof of who one is.
	Code    string `json:"code,omitempty"`
	Confirm string `json:"confirm_url,omitempty"`
	// What changed meanwhile, with 412.
	Version   int64   `json:"version,omitempty"`
	ChangedAt string  `json:"changed_at,omitempty"`
	ChangedBy string  `json:"changed_by,omitempty"`
	Fields    []clash `json:"fields,omitempty"`
	// Cells of the matrix that changed meanwhile, with 412.
	Cells []accessEdit `json:"cells,omitempty"`

	// Request is what can be asked for, of a query that names it.
	Request *offer `json:"request_access,omitempty"`

	retry time.Duration // when another try is worth it; 0: not said
}

// Error returns the sentence.
func (f *failure) Error() string {
	if text, ok := f.Detail.(string); ok {
		return text
	}
	return "validation failed"
}

// GetStatus returns the status.
func (f *failure) GetStatus() int { return f.status }

// GetHeaders returns when to try again.
func (f *failure) GetHeaders() http.Header {
	h := http.Header{}
	if f.Version > 0 {
		h.Set("ETag", versioned(f.Version).ETag)
	}
	if f.retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((f.retry+time.Second-1)/time.Second), 10))
	}
	return h
}

func (f *failure) encode(w io.Writer) error { return json.NewEncoder(w).Encode(f) }

// limitDetail is a limit of a person as contract 3.3 words it, with the sentence.
func limitDetail(err error) any {
	var limit *query.LimitError
	if !errors.As(err, &limit) {
		return nil
	}
	return map[string]any{
		"reason": limit.Reason(), "kind": limit.Kind, "current": limit.Current, "limit": limit.Limit,
		"retry_after_seconds": int64(limit.RetryAfter / time.Second), "message": limit.Error(),
	}
}

// write sends the failure where the library does not.
func (f *failure) write(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), f.GetHeaders())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	if err := f.encode(w); err != nil {
		request.Logger(r.Context()).Debug("write an error's body", "err", err)
	}
}

// fault is one thing that is wrong with what was sent.
type fault struct {
	Type  string `json:"type"`
	Loc   []any  `json:"loc"`
	Msg   string `json:"msg"`
	Input any    `json:"input"` // never text, which may be a secret
}

// failure turns an error of an operation into what is sent, and logs what is
// nobody's to read.
func (a *API) failure(ctx context.Context, o operation, err error) *failure {
	var ready *failure
	if errors.As(err, &ready) {
		return ready
	}
	known := request.Known(err)
	f := &failure{status: request.Status(known.Kind), Detail: known.Message}
	switch {
	case known.Kind == domain.Internal:
		request.Logger(ctx).Error("request failed", "operation", o.id, "err", err)
		f.RequestID = request.ID(ctx)
		if a.Debug {
			f.Cause = err.Error()
		}
	case known.Code == access.CodeRecent:
		f.Code, f.Confirm = known.Code, request.ConfirmPath
	case known.Kind == domain.Stale:
		if stale := domain.StaleOf(err); stale != nil {
			f.stale(stale)
		}
		f.clashes(err)
	case known.Kind == domain.Limited:
		f.retry = max(query.RetryAfter(err), people.TryAgainAfter(err))
		if detail := limitDetail(err); detail != nil {
			f.Detail = detail
		}
	case strings.HasSuffix(known.Code, "_managed_readonly"), known.Code == access.CodeSystemGrant: // contract 5.3, 5.4
		f.Detail = map[string]any{"code": known.Code, "message": known.Message}
	case known.Kind == domain.Invalid && o.invalid != 0:
		f.status = o.invalid
	case known.Kind == domain.Invalid && len(known.Fields) > 0:
		f.Detail = faultsOf(known.Fields)
	}
	return f
}

func faultsOf(fields map[string]string) []fault {
	faults := make([]fault, 0, len(fields))
	for name, message := range fields {
		faults = append(faults, fault{Type: "value_error", Loc: []any{"body", name}, Msg: message})
	}
	return faults
}

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

func failureResponse(about string) *huma.Response {
	return &huma.Response{
		Description: about,
		Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/Failure"}}},
	}
}

func failureSchema() *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString, Description: "What happened, what it means and what to do next."}
	one := &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"type":  {Type: huma.TypeString, Description: "Kind of fault, such as missing."},
			"loc":   {Type: huma.TypeArray, Items: &huma.Schema{}, Description: "Where: body, query or path, then names and positions."},
			"msg":   {Type: huma.TypeString},
			"input": {Description: "The number or truth value that was sent; null for everything else."},
		},
	}
	number := &huma.Schema{Type: huma.TypeInteger}
	limit := &huma.Schema{
		Type: huma.TypeObject, Description: "A limit that was reached.",
		Properties: map[string]*huma.Schema{
			"reason": {Type: huma.TypeString}, "kind": {Type: huma.TypeString}, "current": number, "limit": number, "retry_after_seconds": number, "message": text,
		},
	}
	managed := &huma.Schema{
		Type: huma.TypeObject, Description: "What another service decides.",
		Properties: map[string]*huma.Schema{"code": {Type: huma.TypeString}, "message": text},
	}
	edit := &huma.Schema{Type: huma.TypeObject, Description: "As an edit of POST /api/admin/access-changes; was is what is there now."}
	clashed := &huma.Schema{
		Type:       huma.TypeObject,
		Properties: map[string]*huma.Schema{"field": {Type: huma.TypeString}, "was": {Type: huma.TypeString}, "theirs": {Type: huma.TypeString}, "yours": {Type: huma.TypeString}},
	}
	return &huma.Schema{
		Type:        huma.TypeObject,
		Description: "Why something was not done.",
		Properties: map[string]*huma.Schema{
			"detail":         {OneOf: []*huma.Schema{text, {Type: huma.TypeArray, Items: one}, limit, managed}},
			"code":           {Type: huma.TypeString, Description: "recent_sign_in_required, where a person in a browser has to confirm who they are; changed_meanwhile or cells_changed with 412; else absent."},
			"version":        {Type: huma.TypeInteger, Description: "With 412: the version of now."},
			"changed_at":     {Type: huma.TypeString, Description: "With 412: when it was changed."},
			"changed_by":     {Type: huma.TypeString, Description: "With 412: who changed it."},
			"fields":         {Type: huma.TypeArray, Items: clashed, Description: "With 412: each field that differs, as it was, as it is, and as you want it."},
			"cells":          {Type: huma.TypeArray, Items: edit, Description: "With 412 of a change of access: the cells that changed."},
			"confirm_url":    {Type: huma.TypeString, Description: "The page to do that on."},
			"request_access": offerSchema(),
			"request_id":     {Type: huma.TypeString, Description: "To be named to an administrator; with internal errors only."},
		},
		Required: []string{"detail"},
	}
}
