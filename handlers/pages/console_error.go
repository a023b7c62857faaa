package pages

import (
	"errors"
	"net/http"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/handlers/request"
	"agnes/views"
)

// consoleFailed is a query that was not answered.
type consoleFailed struct {
	sql     string
	limit   int
	elapsed time.Duration
	err     error
}

// consoleFailure shows why, with the text in the editor as it was sent.
func (s *Server) consoleFailure(w http.ResponseWriter, r *http.Request, p access.Principal, f consoleFailed) error {
	if domain.KindOf(f.err) == domain.Internal {
		request.Logger(r.Context()).ErrorContext(r.Context(), "query failed", "err", f.err)
	}
	c, err := s.Catalogs.Catalog(r.Context(), p)
	if err != nil {
		return errors.Join(f.err, err)
	}
	failure := consoleError(f.err, c)
	failure.Elapsed, failure.RequestID = f.elapsed, request.ID(r.Context())
	status := statusOf(f.err)
	retryAfter(w, f.err)

	if request.Partial(r) {
		return s.render(w, r, status, views.ConsoleError(failure))
	}
	v := s.consoleView(p, c)
	v.SQL, v.Limit, v.Failure = f.sql, f.limit, &failure
	return s.renderConsole(w, r, status, v)
}

// consoleError words why a query was not answered.
func consoleError(err error, c access.Catalog) views.ConsoleErrorView {
	var text *query.SQLError
	if errors.As(err, &text) {
		return sqlError(text, c)
	}
	known := request.Known(err)
	v := views.ConsoleErrorView{
		Title: titleOf(known.Kind), Message: known.Message, NextStep: nextStepOf(known.Kind),
		Code: known.Code, Cancelled: known.Kind == domain.Cancelled,
	}
	switch known.Kind {
	case domain.Cancelled:
		v.Title, v.NextStep = "The query was stopped", ""
	case domain.Limited:
		v.Title = "The query had to wait too long"
	case domain.Unavailable:
		v.Title = "The query was not finished"
	case domain.Internal:
		v.Message = "The query failed because of a fault inside Agnes. No data is touched."
	case domain.Invalid, domain.Unauthenticated, domain.Forbidden, domain.NotFound, domain.Conflict, domain.Stale, domain.TooLarge:
	}
	return v
}
