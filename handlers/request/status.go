package request

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"agnes/domain"
)

// Status is the HTTP status of a kind of failure. Cancelled is 503 and not
// 408, which browsers and proxies answer by sending the same request again.
func Status(k domain.Kind) int {
	switch k {
	case domain.Invalid:
		return http.StatusUnprocessableEntity
	case domain.Unauthenticated:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case domain.Conflict:
		return http.StatusConflict
	case domain.Stale:
		return http.StatusPreconditionFailed
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.Limited:
		return http.StatusTooManyRequests
	case domain.Unavailable, domain.Cancelled:
		return http.StatusServiceUnavailable
	case domain.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Seconds is a wait as Retry-After has it: whole seconds, one at least.
func Seconds(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// Known returns what people may read of an error: its own sentence when it has
// one, else one that gives nothing away. The cause stays for the log.
func Known(err error) *domain.Error {
	var known *domain.Error
	if errors.As(err, &known) && known.Kind != domain.Internal && known.Message != "" {
		return known
	}
	if domain.KindOf(err) == domain.Cancelled {
		return domain.E(domain.Cancelled, "cancelled", "The request was stopped before it was done.").Because(err)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return domain.E(domain.TooLarge, "body_too_large", "The request is too large: at most %d bytes are read here.", tooLarge.Limit).Because(err)
	}
	return domain.E(domain.Internal, "internal", "Internal server error").Because(err)
}
