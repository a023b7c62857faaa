package views

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/people"
)

// AccountView is somebody's own account.
type AccountView struct {
	Name, Email string
	Admin       bool
	Since       time.Time
	Groups      []string
	Methods     []SignInMethod
	Sessions    []SessionRow
	Tokens      []access.Token
	Made        *MadeToken // a token that was just made
	Form        TokenForm
	NameForm    NameForm
	// Passwords says that the person may set one; Stale that the proof of who they
	// are is older than what asks for a recent one takes.
	Passwords, HasPassword, Stale bool
	PasswordErrors                FieldErrors
	Now                           time.Time
}

// NameForm is the name that somebody typed.
type NameForm struct {
	Name    string
	Version int64 // that the form was made from
	Errors  FieldErrors
}

// confirmURL is the page on which somebody proves again who they are, with the
// way back.
func confirmURL(next string) templ.SafeURL {
	return templ.SafeURL("/confirm?" + url.Values{"next": {next}}.Encode())
}

// SignInMethod is one way in which somebody can sign in.
type SignInMethod struct {
	Method people.Method
	Detail string // such as the address there; may be empty
	Used   *time.Time
}

// SessionRow is one live sign-in.
type SessionRow struct {
	people.Session
	Device  string // such as "Firefox on Linux"
	Current bool
}

// MadeToken is a token with its text, which is shown this once.
type MadeToken struct {
	Name, Text string
	Rotated    bool // the one before works for another day
}

// TokenForm is what somebody asks of a new token.
type TokenForm struct {
	Name, Days, Scope string
	Errors            FieldErrors
}

// DayChoices are the lifetimes that the form offers; "" is for ever.
func DayChoices() []string { return []string{"7", "30", "90", "365", ""} }

func dayChoices() []choice {
	return []choice{{"7", "7 days"}, {"30", "30 days"}, {"90", "90 days"}, {"365", "A year"}, {"", "Until it is revoked"}}
}

// scopeChoices are what the form offers; an analyst's token cannot sync.
func (v AccountView) scopeChoices() []choice {
	all := []choice{{"read query", "Read tables and run queries"}, {"read", "Read tables"}, {"query", "Run queries"}}
	if v.Admin {
		all = append(all, choice{"sync", "Sync and upload"}, choice{"read query sync", "Read, query and sync"})
	}
	return append(all, choice{string(access.ScopeGeneral), "Everything that you may do"})
}

func scopeWords(s access.Scopes) string {
	switch {
	case len(s) == 0:
		return "Nothing"
	case slices.Contains(s, access.ScopeGeneral):
		return "Everything"
	case slices.Contains(s, access.ScopeBootstrap):
		return "Read, query"
	}
	words := strings.Join(strings.Fields(s.String()), ", ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func methodWord(m people.Method) string {
	switch m {
	case people.ByPassword:
		return "Password"
	case people.ByLink:
		return "Link by mail"
	case people.ByGoogle:
		return "Google"
	case people.ByOIDC:
		return "Single sign-on"
	case people.ByFirstRun:
		return "First start"
	}
	return string(m)
}

func methodIcon(m people.Method) string {
	switch m {
	case people.ByPassword:
		return "key"
	case people.ByLink:
		return "mail"
	case people.ByGoogle, people.ByOIDC, people.ByFirstRun:
	}
	return "user-round"
}

// tokenStatus is a token's state in words.
func tokenStatus(t access.Token, now time.Time) Status {
	switch {
	case t.RevokedAt != nil:
		return Status{Class: "st-idle", Icon: "circle-stop", Word: "Revoked"}
	case !t.Live(now):
		return Status{Class: "st-idle", Icon: "clock", Word: "Ended"}
	case t.ReplacedBy != "":
		return Status{Class: "st-late", Icon: "clock-alert", Word: "Replaced"}
	}
	return Status{Class: "st-ok", Icon: "circle-check", Word: "Works"}
}

// Until words when a token ends, seen from now.
func Until(now, at time.Time) string {
	if !at.After(now) {
		return "ended " + Ago(now, at)
	}
	return "in " + coarse(at.Sub(now))
}

func (v AccountView) others() int {
	n := 0
	for _, s := range v.Sessions {
		if !s.Current {
			n++
		}
	}
	return n
}

func accountAction(kind, id, action string) templ.SafeURL {
	return templ.SafeURL("/profile/" + kind + "/" + url.PathEscape(id) + "/" + action)
}

// ConfirmView asks somebody to prove again who they are.
type ConfirmView struct {
	Email     string
	Next      string
	Password  bool // a password is one way
	Providers []Provider
	Error     string
}

// facts are who somebody is, in one line.
func (v AccountView) facts() string {
	parts := []string{v.Email}
	if v.Admin {
		parts = append(parts, "administrator")
	}
	if len(v.Groups) > 0 {
		parts = append(parts, "in "+strings.Join(v.Groups, " and "))
	}
	return strings.Join(parts, ", ")
}
