package pages

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/handlers/request"
)

// seenWithRun is how long looking at a result belongs to the query that made it,
// which has a row of its own.
const seenWithRun = 5 * time.Minute

// noteRead records that a page shows data, once a minute for the same person
// and thing.
func (s *Server) noteRead(r *http.Request, action, resource string) error {
	return s.Activity.Once(r.Context(), "page", audit.Entry{
		Actor: request.Actor(r), Action: action, Resource: resource, Params: map[string]any{"origin": "page"}, Result: "success",
	})
}

// refusedRead records that a page of data was asked for and not shown, and
// returns why.
func (s *Server) refusedRead(r *http.Request, action, resource string, why error) error {
	if _, id, _ := strings.Cut(resource, ":"); !registry.QuotedIdentifier(id) {
		resource = "table:?"
	}
	err := s.Activity.Once(context.WithoutCancel(r.Context()), "page", audit.Entry{
		Actor: request.Actor(r), Action: action, Resource: resource, Params: map[string]any{"origin": "page"}, Result: "error." + strconv.Itoa(statusOf(why)),
	})
	if err != nil {
		request.Logger(r.Context()).ErrorContext(r.Context(), "audit", "action", action, "err", err)
	}
	return why
}
