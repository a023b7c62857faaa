package letters

import (
	"bytes"
	"context"
	"fmt"

	"agnes/domain/access"
	"agnes/domain/people"
)

// ComposeNews writes the mail about a request for access.
func ComposeNews(ctx context.Context, n access.News) (people.Message, error) {
	content := news(n)
	var html bytes.Buffer
	if err := page(content).Render(ctx, &html); err != nil { //nolint:contextcheck // the component takes it here
		return people.Message{}, fmt.Errorf("draw a mail: %w", err)
	}
	return people.Message{To: n.To.Email, Subject: content.subject, Text: content.text(), HTML: html.String()}, nil
}

func news(n access.News) letter {
	q, where := n.Request, product(n.Brand)
	out := letter{greeting: greeting(n.To.Name), url: n.URL}
	switch {
	case n.Asked():
		out.subject, out.button = asker(q)+" asks for "+q.ResourceName, "Look at the request"
		out.lead = asker(q) + " asks to see " + q.ResourceName + " in " + where + "."
		out.after = []string{"Why: " + q.Reason, "Nothing is opened until somebody decides."}
	case q.State == access.RequestApproved:
		out.subject, out.button = "You may see "+q.ResourceName, "Look at your requests"
		out.lead = q.DecidedBy + " approved your request: you may see " + q.ResourceName + " in " + where + " from now on."
		if q.ExpiresAt != nil {
			out.lead = q.DecidedBy + " approved your request: you may see " + q.ResourceName + " in " + where + " until " + q.ExpiresAt.UTC().Format("2 January 2006") + "."
		}
		out.after = answered(q)
	case q.State == access.RequestRefused:
		out.subject, out.button = "Your request for "+q.ResourceName+" was refused", "Look at your requests"
		out.lead = q.DecidedBy + " refused your request to see " + q.ResourceName + " in " + where + "."
		out.after = answered(q)
	default: // taken back
		out.subject, out.button = "Your request for "+q.ResourceName+" waits again", "Look at your requests"
		out.lead = "The approval of your request to see " + q.ResourceName + " in " + where + " was taken back. The request waits for another decision."
	}
	return out
}

func answered(q access.Request) []string {
	if q.Answer == "" {
		return nil
	}
	return []string{"They say: " + q.Answer}
}

// asker names who asks on one line.
func asker(q access.Request) string {
	if q.By.Name == "" {
		return q.By.Email
	}
	return oneLine(q.By.Name) + " (" + q.By.Email + ")"
}
