package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"agnes/domain/access"
	"agnes/handlers/request"
)

// operation is one way into the API, as it is declared.
type operation struct {
	id, method, path string
	tag, summary     string
	about            string
	need             access.Need
	terms            access.Terms // of the way in, beside need
	status           int          // of success; 0: 200, or 204 without a body
	// invalid is the status of wrong input where contract.md has another than 422.
	invalid int
	errors  []int // statuses beside those that the permission brings
	example any   // of the body that is sent
	answer  any   // example of the answer
	signIn  bool
	tries   int // of one network in a minute, of signIn; 0: ten
	long    bool
	reads   string // audit action of data that it hands out, for one that is refused
	ownBody bool   // the handler reads and checks the body by itself
	anyBody bool   // the handler bounds the body by itself
}

// register declares an operation whose body and answer are JSON.
func register[I, O any](a *API, o operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, o.huma(), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			f := a.failure(ctx, o, err)
			a.refusedRead(ctx, o, resourceOf(in), f.status)
			return nil, f
		}
		return out, nil
	})
	a.illustrate(o)
}

// none is the input or the answer of an operation that has none.
type none struct{}

// huma is the operation as the library takes it.
func (o operation) huma() huma.Operation {
	responses := map[string]*huma.Response{"default": failureResponse("Failed")}
	for _, status := range o.failures() {
		responses[strconv.Itoa(status)] = failureResponse(http.StatusText(status))
	}
	return huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, DefaultStatus: o.status,
		Tags: []string{o.tag}, Summary: o.summary, Description: o.description(),
		Security: o.security(), Responses: responses, SkipValidateBody: o.ownBody,
		Metadata:   map[string]any{metaOperation: o},
		Extensions: map[string]any{"x-permission": o.permission()},
	}
}

// metaOperation is where the adapter finds the operation again.
const metaOperation = "operation"

// failures are the statuses that the permission and the declaration bring.
func (o operation) failures() []int {
	statuses := o.errors
	switch o.need {
	case access.Admin, access.NeedTable:
		statuses = append([]int{http.StatusUnauthorized, http.StatusForbidden}, statuses...)
	case access.SignedIn:
		statuses = append([]int{http.StatusUnauthorized}, statuses...)
	case access.Undeclared, access.Public:
	}
	return statuses
}

func (o operation) permission() string {
	switch o.need {
	case access.Public:
		return "public"
	case access.SignedIn:
		return "signed in"
	case access.NeedTable:
		return "a grant on the table"
	case access.Admin:
		return "administrators"
	case access.Undeclared:
	}
	return "nobody"
}

func (o operation) description() string {
	return o.about + "\n\nWho: " + o.permission() + "." + o.termsText()
}

// termsText says what the way in has to meet.
func (o operation) termsText() string {
	text := ""
	switch scope := o.terms.Scope; {
	case o.need == access.Public:
		return ""
	case o.terms.Interactive:
		text = " Only a person who signed in: personal access tokens are refused."
	case scope != "" && scope != access.ScopeAny:
		text = " A personal access token needs the scope " + string(scope) + "."
	}
	if o.terms.Recent {
		text += " A browser needs a sign-in of the last 15 minutes."
	}
	return text
}

// asks are the terms of an operation that personal access tokens may use.
func asks(s access.Scope) access.Terms { return access.Terms{Scope: s} }

func (o operation) security() []map[string][]string {
	if o.need == access.Public {
		return []map[string][]string{}
	}
	return []map[string][]string{{"token": {}}, {"session": {}}}
}

// illustrate puts the examples into the document.
func (a *API) illustrate(o operation) {
	item := a.OpenAPI().Paths[o.path]
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Put, item.Delete} {
		if op == nil || op.OperationID != o.id {
			continue
		}
		if o.example != nil && op.RequestBody != nil {
			for _, m := range op.RequestBody.Content {
				m.Example = o.example
			}
		}
		if ok := op.Responses[strconv.Itoa(max(o.status, http.StatusOK))]; ok != nil && o.answer != nil {
			for _, m := range ok.Content {
				m.Example = o.answer
			}
		}
	}
}

// route adds an operation whose handler the library does not run.
func (a *API) route(o operation, h http.Handler) {
	limit := int64(0)
	if o.anyBody {
		limit = request.NoLimit
	}
	a.routes = append(a.routes, request.Route{
		Method: o.method, Pattern: o.path, Need: o.need, Terms: o.terms, SignIn: o.signIn, Attempts: o.tries, Long: o.long, MaxBody: limit, Handler: h,
	})
}

// raw declares an operation that writes its answer itself.
func (a *API) raw(o operation, documented huma.Operation, handle func(w http.ResponseWriter, r *http.Request) error) {
	a.OpenAPI().AddOperation(&documented)
	a.route(o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			f := a.failure(r.Context(), o, err)
			a.refusedRaw(r, o, f.status)
			f.write(w, r)
		}
	}))
}

// adapter hands the library's handlers to the router, one route each.
type adapter struct{ api *API }

// Handle adds a route.
func (d adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	o, ok := op.Metadata[metaOperation].(operation)
	if !ok {
		o = operation{method: op.Method, path: op.Path} // declares no permission, so the router refuses it
	}
	d.api.route(o, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(&exchange{humaContext: humachi.NewContext(op, r, w), r: r})
	}))
}

// ServeHTTP is the library's; requests come through the router.
func (adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// humaContext is embedded under a name that leaves its method Context visible.
type humaContext = huma.Context

// exchange is one request and its answer, with the few things that are ours.
type exchange struct {
	humaContext
	r      *http.Request
	status int // in place of the library's, when not 0
}

// SetStatus sets the status of the answer.
func (e *exchange) SetStatus(status int) {
	if e.status != 0 {
		status = e.status
	}
	e.humaContext.SetStatus(status)
}

// SetReadDeadline does nothing: the router bounds the time of bodies, and the
// library's deadline would outlive the body and end a long query.
func (e *exchange) SetReadDeadline(time.Time) error { return nil }

// principal is who asks; routes that need one are reached by no one else.
func principal(ctx context.Context) access.Principal {
	p := request.Principal(ctx)
	if p == nil {
		return access.Principal{}
	}
	return *p
}
