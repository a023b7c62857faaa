package pages

import (
	"errors"
	"net/http"

	"agnes/domain"
	"agnes/domain/work"
	"agnes/handlers/request"
	"agnes/views"
)

// codeBadRequest marks what cannot even be parsed: 400 instead of 422.
const codeBadRequest = "bad_request"

func statusOf(err error) int {
	if domain.CodeOf(err) == codeBadRequest {
		return http.StatusBadRequest
	}
	return request.Status(request.Known(err).Kind)
}

// errorView words an error for people. Sentences that the contract fixes for
// programs are replaced; other known errors speak for themselves.
func errorView(err error) views.ErrorView {
	known := request.Known(err)
	v := views.ErrorView{Title: titleOf(known.Kind), Message: known.Message, NextStep: nextStepOf(known.Kind), Code: known.Code}
	switch known.Code {
	case "not_found":
		v.Title, v.Message = "This page does not exist", "The address leads nowhere: it was mistyped, or what it named is gone."
		v.NextStep = "Start from the catalog, which lists every table that you may read."
	case "table_not_found":
		v.Title, v.Message = "There is no such table for you", "No table of this name exists, or it is not granted to a group of yours."
		v.NextStep = "If somebody sent you this address, ask an administrator for a grant on the table."
	case "method_not_allowed":
		v.Title, v.Message = "There is no page here", "The address takes forms that Agnes's pages send, and shows nothing by itself."
	case "admin_required":
		v.Title, v.Message = "This is for administrators", "Your account may read tables; adding, syncing and removing them takes an administrator."
		v.NextStep = "Ask a member of the group Admin to do it, or to add you."
	}
	switch known.Kind {
	case domain.Unauthenticated:
		v.Message = "Your session has ended, or cookies are switched off. What you sent was not carried out."
		v.NextStep = "Sign in, then send it again."
		v.BackURL, v.BackLabel = "/login", "Sign in"
	case domain.Internal:
		v.Message = "Agnes could not do this because of a fault of its own. Nothing that was published is touched."
	case domain.Invalid, domain.Forbidden, domain.NotFound, domain.Conflict, domain.Stale, domain.TooLarge, domain.Limited, domain.Unavailable, domain.Cancelled:
	}
	var child *work.ChildError
	if errors.As(err, &child) && child.Failure.NextStep != "" {
		v.NextStep = child.Failure.NextStep
	}
	explain(err, &v)
	return v
}

func titleOf(k domain.Kind) string {
	switch k {
	case domain.Invalid:
		return "This cannot be done as asked"
	case domain.Unauthenticated:
		return "You are not signed in"
	case domain.Forbidden:
		return "You may not do this"
	case domain.NotFound:
		return "This does not exist"
	case domain.Conflict:
		return "Something else is in the way"
	case domain.Stale:
		return "This was changed meanwhile"
	case domain.TooLarge:
		return "This is too large"
	case domain.Limited:
		return "Too much at once"
	case domain.Unavailable:
		return "Not available right now"
	case domain.Cancelled:
		return "Stopped before it was done"
	case domain.Internal:
		return "Something broke inside Agnes"
	}
	return "Something broke inside Agnes"
}

func nextStepOf(k domain.Kind) string {
	switch k {
	case domain.Limited, domain.Unavailable, domain.Cancelled:
		return "Try again in a minute."
	case domain.Internal:
		return "Try again. If it stays, give an administrator the request number: the server's log has the cause under it."
	case domain.Invalid, domain.Unauthenticated, domain.Forbidden, domain.NotFound, domain.Conflict, domain.Stale, domain.TooLarge:
		return ""
	}
	return ""
}

// fieldErrors returns the sentences about single fields of a form, and whether
// err is about the form at all.
func fieldErrors(err error) (views.FieldErrors, bool) {
	var e *domain.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return nil, false
	}
	return views.FieldErrors(e.Fields), true
}
