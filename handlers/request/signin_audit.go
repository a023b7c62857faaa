package request

import (
	"strconv"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// maxEmail is the longest address there is.
const maxEmail = 254

// RefusedSignIn is the audit row of somebody who did not: whom they claimed to
// be and why they were refused, never what they proved it with.
func RefusedSignIn(from audit.Actor, email string, method people.Method, why error) audit.Entry {
	from.UserID, from.Email = "anonymous", ""
	known := Known(why)
	return audit.Entry{
		Actor: from, Action: "login_failed", Resource: "session", Result: "error." + strconv.Itoa(Status(known.Kind)),
		Params: map[string]any{"email": email[:min(len(email), maxEmail)], "method": method, "reason": domain.CodeOf(known)},
	}
}
