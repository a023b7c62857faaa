// Package audit says what an audit row is. The store writes each row in the
// transaction of the change that it records.
package audit

import (
	"strings"
	"time"
)

// Actor is who does something, and from where. Every write needs one.
type Actor struct {
	UserID     string // "" only for System
	Email      string
	ClientKind string // web, cli, api, scheduler or system
	ClientIP   string
	RequestID  string
}

// Anonymous is the id of whoever did something without an account.
const Anonymous = "anonymous"

// System is the actor of what Agnes does by itself; job names it, such as "watch".
func System(job string) Actor {
	return Actor{UserID: "system:" + job, Email: "", ClientKind: "system"}
}

// Valid reports whether the actor names somebody.
func (a Actor) Valid() bool { return a.UserID != "" }

// Entry is one row of the audit log. Params and Before never hold secrets.
type Entry struct {
	ID         string
	Timestamp  time.Time
	Actor      Actor
	Action     string         // such as "user_group.created"
	Resource   string         // such as "table:orders"
	Params     map[string]any // what was asked
	Before     map[string]any // what was there before
	Result     string         // success, or error.<status>
	DurationMS int64
}

// IsFailure reports whether a row's result says that something went wrong.
func IsFailure(result string) bool { return strings.HasPrefix(result, "error") }

// Person reports whether the actor is an account: not Agnes, and not somebody
// who has none.
func (a Actor) Person() bool {
	return a.UserID != "" && a.UserID != Anonymous && !strings.HasPrefix(a.UserID, "system:")
}
