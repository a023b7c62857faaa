// Package request holds what every handler asks of an HTTP request: who asks,
// under which id it is logged, whether a page or a fragment is wanted, and
// where it may be sent next. It knows no route and no store.
package request

import (
	"net/http"

	"agnes/domain/access"
)

// Route is one way in. It is served only through the router's one mount, which
// checks Need before Handler runs; a route without a Need answers nobody.
type Route struct {
	Method  string
	Pattern string // as chi reads it, such as "/tables/{id}"
	Need    access.Need
	Terms   access.Terms // what the way in must meet, beside Need
	Handler http.Handler
	// Stream marks an answer without an end of its own, such as server-sent
	// events: it gets no deadline, and its context ends when the server stops.
	Stream bool
	// Long marks an answer or a body that may take as long as it takes, such as
	// a download or an upload: it gets no deadline, and may end when the server stops.
	Long bool
	// MaxBody is how many bytes of body are read; 0 means the usual limit, and
	// NoLimit that the handler bounds what it reads by itself.
	MaxBody int64
	// Simulated marks a route that is also open to an administrator who looks
	// through another person's eyes: it reads with that person's reach, and changes
	// nothing but queries. Every other one is closed to them.
	Simulated bool
	// SignIn marks a route that proves who somebody is; tries are counted by the
	// client's network, and Attempts a minute are allowed (0: ten).
	SignIn   bool
	Attempts int
	// Limited answers in place of Handler when the tries are used up; nil: the
	// usual error does.
	Limited http.Handler
}

// Asked are the terms of the route, with the scope that its need brings where
// it names none.
func (r Route) Asked() access.Terms {
	t := r.Terms
	switch {
	case t.Scope != "":
	case r.Need == access.Admin:
		t.Scope = access.ScopeAdmin
	default:
		t.Scope = access.ScopeRead
	}
	return t
}

// NoLimit is the MaxBody of a handler that bounds its own body.
const NoLimit = -1
