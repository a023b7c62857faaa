// Package letters writes the mails that Agnes sends: the same words as plain
// text and as HTML that reads well by day and night and loads nothing.
package letters

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"agnes/domain/people"
)

// letter is what both forms say.
type letter struct {
	subject  string
	greeting string
	lead     string // why there is this mail
	button   string // what the link does; "" without one
	url      string
	code     string
	after    []string // how long it works, and what to do about it
}

// Compose writes a mail. A letter without a purpose is a test of the mail server.
func Compose(ctx context.Context, l people.Letter) (people.Message, error) {
	content := write(l)
	var html bytes.Buffer
	if err := page(content).Render(ctx, &html); err != nil { //nolint:contextcheck // the component takes it here
		return people.Message{}, fmt.Errorf("draw a mail: %w", err)
	}
	return people.Message{To: l.To, Subject: content.subject, Text: content.text(), HTML: html.String()}, nil
}

// product is what mails call this instance.
func product(brand string) string {
	if brand == "" {
		return "Agnes"
	}
	return "Agnes of " + brand
}

func write(l people.Letter) letter {
	where := product(l.Brand)
	out := letter{greeting: greeting(l.Name), url: l.URL, code: l.Code}
	once := "The link works once, for " + span(l.Works) + ". A newer one replaces it."
	switch l.Purpose {
	case people.ToSignIn:
		out.subject, out.button = "Sign in to "+where, "Sign in"
		out.lead = "Somebody asked for a link to sign in to " + where + " with this address."
		out.after = []string{once, "If it was not you, delete this mail: without it nobody gets in."}
	case people.ToReset:
		out.subject, out.button = "A new password for "+where, "Set a new password"
		out.lead = "Somebody asked for a new password for your account of " + where + "."
		out.after = []string{once, "If it was not you, delete this mail: your password stays as it is."}
	case people.ToSetUp:
		out.subject, out.button = "Your account of "+where, "Set up my account"
		out.lead = "There is an account of " + where + " for this address."
		if l.By != "" {
			out.lead = l.By + " made an account of " + where + " for you."
		}
		out.after = []string{once}
		if l.Works == 0 {
			out.button, out.after = "Go to the sign-in page", nil
		}
	default:
		out.subject, out.lead = "Mail from "+where+" arrives", "This mail was sent to try out the mail server of "+where+". It arrived, so sign-in links will too."
		out.url = ""
	}
	return out
}

// greeting begins a mail to a person whose name may not be known.
func greeting(name string) string {
	if name = oneLine(name); name != "" {
		return "Hello " + name + ","
	}
	return "Hello,"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// span is how long a link works, in words.
func span(d time.Duration) string {
	hours := int(d.Hours())
	switch {
	case hours >= 48:
		return fmt.Sprintf("%d days", hours/24)
	case hours > 1:
		return fmt.Sprintf("%d hours", hours)
	}
	return "one hour"
}

const codeHint = "Or type this code in the browser where you asked:"

// text is the letter without HTML.
func (l letter) text() string {
	parts := []string{l.greeting, l.lead}
	if l.url != "" {
		parts = append(parts, l.button+":\n"+l.url)
	}
	if l.code != "" {
		parts = append(parts, codeHint+"\n"+l.code)
	}
	parts = append(parts, l.after...)
	return strings.Join(parts, "\n\n") + "\n"
}
