package mail

import (
	"strings"
	"time"
	"unicode"

	"agnes/domain"
	"agnes/domain/people"
)

// sendTime bounds sending one mail.
const sendTime = 20 * time.Second

// sender is whom mail comes from.
type sender struct {
	address string
	name    string
}

func newSender(address, name string) (sender, error) {
	address, err := people.NormalEmail(address)
	if err != nil {
		return sender{}, domain.E(domain.Invalid, "mail_from", "Mail needs an address that it comes from: set SMTP_FROM.").Because(err)
	}
	return sender{address: address, name: oneLine(name)}, nil
}

// checked returns a message whose headers cannot be more than themselves.
func checked(m people.Message) (people.Message, error) {
	to, err := people.NormalEmail(m.To)
	if err != nil || strings.ContainsFunc(to, unicode.IsControl) {
		return m, domain.E(domain.Invalid, "mail_to", "This is no address that mail can be sent to.").Because(err)
	}
	m.To, m.Subject = to, oneLine(m.Subject)
	return m, nil
}

// oneLine makes text fit for a header: line ends and other control characters become blanks.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar }), " ")
}

// maxAnswer is how much of a server's answer is shown.
const maxAnswer = 300

// answer is what a server said, fit to be shown: one line, without what is private.
func answer(text string, private ...string) string {
	for _, p := range private {
		if len(p) > 3 {
			text = strings.ReplaceAll(text, p, "…")
		}
	}
	text = oneLine(strings.ToValidUTF8(text, ""))
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "") + "…"
	}
	return text
}

// refused is the error of a server that answered something else than yes.
func refused(said string, cause error) error {
	return domain.E(domain.Unavailable, "mail_refused", "The mail server answered: %s", strings.TrimSuffix(said, ".")+".").Because(cause)
}
