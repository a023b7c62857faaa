package request

import (
	"context"
	"net"
	"net/http"
	"strings"

	"agnes/domain/audit"
)

// The kinds of client that audit rows name.
const (
	Web       = "web"
	CLI       = "cli"
	API       = "api"
	Scheduler = "scheduler"
)

// Client says where a request comes from, without saying who asks. The address
// is the connection's, where the router put that of a trusted proxy's client:
// what a header claims could be anybody's.
func Client(r *http.Request) audit.Actor {
	return audit.Actor{ClientKind: clientKind(r), ClientIP: IP(r), RequestID: ID(r.Context())}
}

func clientKind(r *http.Request) string {
	switch {
	case strings.HasPrefix(r.UserAgent(), "agnes/"):
		return CLI
	case r.Header.Get("Authorization") != "":
		return API
	}
	return Web
}

// IP is the address of the connection's other end, without its port.
func IP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// WithClient returns a context that carries where the request comes from, for
// code that sees the context only.
func WithClient(ctx context.Context, a audit.Actor) context.Context {
	return context.WithValue(ctx, clientKey, a)
}

// ActorOf names who asks, and from where, as audit rows do; without a user id
// when nobody is signed in.
func ActorOf(ctx context.Context) audit.Actor {
	if p := Principal(ctx); p != nil {
		return p.Actor()
	}
	a, ok := ctx.Value(clientKey).(audit.Actor)
	if !ok {
		return audit.Actor{}
	}
	return a
}

// Actor is ActorOf for a request.
func Actor(r *http.Request) audit.Actor {
	if p := Principal(r.Context()); p != nil {
		return p.Actor()
	}
	return Client(r)
}
