package people

import (
	"time"

	"agnes/domain/audit"
)

// SessionID names a sign-in. It is no secret: what proves it is the browser's
// cookie or the signature of the token that carries it.
type SessionID string

// SessionKind is what a sign-in is held by.
type SessionKind string

// The kinds of sign-ins.
const (
	BrowserSession SessionKind = "browser"
	TokenSession   SessionKind = "token" // an access token (contract 9.2), not a personal one
)

// Method is how somebody proved who they are.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByLink     Method = "link" // of a mail, or the code beside it
	ByGoogle   Method = "google"
	ByOIDC     Method = "oidc"
	ByFirstRun Method = "first_run"
)

// Session is one sign-in of one person.
type Session struct {
	ID        SessionID
	UserID    UserID
	Kind      SessionKind
	Method    Method
	CreatedAt time.Time
	ProvedAt  time.Time // when the person last proved who they are
	UsedAt    time.Time // to within minutes
	ExpiresAt time.Time
	EndedAt   *time.Time
	FirstIP   string
	UsedIP    string
	UserAgent string
}

// NewSession is what a sign-in starts with.
type NewSession struct {
	UserID    UserID
	Kind      SessionKind
	Method    Method
	UserAgent string
	Client    audit.Actor // where it comes from; its user is filled in
	ExpiresAt time.Time
}
