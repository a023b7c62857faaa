package request

import (
	"context"
	"log/slog"

	"agnes/domain/access"
	"agnes/domain/guard"
)

// key is the type of everything that travels in a request's context.
type key uint8

const (
	idKey key = iota
	principalKey
	loggerKey
	clientKey
	seenKey
	guardKey
	agentKey
)

// WithID returns a context that carries the request's id.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey, id)
}

// ID returns the request's id, "" outside a request.
func ID(ctx context.Context) string {
	id, ok := ctx.Value(idKey).(string)
	if !ok {
		return ""
	}
	return id
}

// Seen collects what the access log wants to know and only inner handlers learn.
type Seen struct{ UserID string }

// WithSeen returns a context in which WithPrincipal also fills s.
func WithSeen(ctx context.Context, s *Seen) context.Context {
	return context.WithValue(ctx, seenKey, s)
}

// WithPrincipal returns a context that carries who is asking.
func WithPrincipal(ctx context.Context, p *access.Principal) context.Context {
	if s, ok := ctx.Value(seenKey).(*Seen); ok && p != nil {
		s.UserID = string(p.UserID)
	}
	return context.WithValue(ctx, principalKey, p)
}

// Principal returns who is asking, nil for somebody who is not signed in.
func Principal(ctx context.Context) *access.Principal {
	p, ok := ctx.Value(principalKey).(*access.Principal)
	if !ok {
		return nil
	}
	return p
}

// WithLogger returns a context that carries the request's logger.
func WithLogger(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey, log)
}

// Logger returns the request's logger, one that says nothing outside a request.
func Logger(ctx context.Context) *slog.Logger {
	log, ok := ctx.Value(loggerKey).(*slog.Logger)
	if !ok {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// WithGuard returns a context that carries what keeps the server alive when
// work beside the request panics.
func WithGuard(ctx context.Context, g *guard.Guard) context.Context {
	return context.WithValue(ctx, guardKey, g)
}

// Guard returns the server's guard, one that recovers and says nothing outside
// a request.
func Guard(ctx context.Context) *guard.Guard {
	g, ok := ctx.Value(guardKey).(*guard.Guard)
	if !ok {
		return nil
	}
	return g
}

// WithUserAgent returns a context that carries what the client calls itself.
func WithUserAgent(ctx context.Context, agent string) context.Context {
	return context.WithValue(ctx, agentKey, agent)
}

// UserAgent returns what the client calls itself, "" outside a request.
func UserAgent(ctx context.Context) string {
	agent, ok := ctx.Value(agentKey).(string)
	if !ok {
		return ""
	}
	return agent
}
