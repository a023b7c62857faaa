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
