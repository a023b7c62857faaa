package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/people"
)

// addSignIn adds the pages around signing in to the gallery.
func addSignIn(add func(string, Chrome, string, Nav, func(Chrome) templ.Component), nobody, admin Chrome) {
	everything := SignInView{Next: "/catalog", Link: true, Password: true, Forgot: true, Providers: []Provider{{Name: "Google", URL: "/auth/google/login", Google: true}, {Name: "Okta", URL: "/auth/oidc/login"}}}
	add("signin-all", nobody, "Sign in", NavNone, func(c Chrome) templ.Component { return SignInPage(c, everything) })
	add("signin-off", nobody, "Sign in", NavNone, func(c Chrome) templ.Component {
		return SignInPage(c, SignInView{Password: true, LinkOff: "Signing in by mail is off, because no mail server is set up."})
	})
	add("mail-sent", nobody, "Check your mail", NavNone, func(c Chrome) templ.Component {
		return MailSentPage(c, MailSentView{Email: "petra@hollisbrandt.eu", Error: "This code does not work."})
	})
	add("link-open", nobody, "Sign in", NavNone, func(c Chrome) templ.Component {
		return OpenLinkPage(c, OpenLinkView{Email: "petra@hollisbrandt.eu", New: true})
	})
	add("link-dead", nobody, "Link", NavNone, func(c Chrome) templ.Component {
		return DeadLinkPage(c, DeadLinkView{})
	})
	add("link-dead-unsaved", nobody, "Link", NavNone, func(c Chrome) templ.Component {
		return DeadLinkPage(c, DeadLinkView{Password: true, ByMail: true, Unsaved: true, Email: "petra@hollisbrandt.eu"})
	})
	add("forgot", nobody, "Set a password", NavNone, func(c Chrome) templ.Component { return ForgotPage(c, ForgotView{}) })
	add("forgot-sent", nobody, "Check your mail", NavNone, func(c Chrome) templ.Component { return ForgotPage(c, ForgotView{Sent: true}) })
	add("password-new", nobody, "Set up", NavNone, func(c Chrome) templ.Component {
		return NewPasswordPage(c, NewPasswordView{Action: "/login/setup", First: true, Email: "petra@hollisbrandt.eu", Errors: FieldErrors{"password": "A password has at least 8 characters; this one has 3."}})
	})
	add("mail", admin, "Mail", NavMail, func(c Chrome) templ.Component {
		return MailPage(c, MailView{Kind: "SMTP", From: "agnes@hollisbrandt.eu", Base: "https://agnes.hollisbrandt.eu", To: "petra@hollisbrandt.eu", Answer: "250 2.0.0 OK", Now: noon()})
	})
	add("mail-outbox", admin, "Mail", NavMail, func(c Chrome) templ.Component {
		return MailPage(c, MailView{Outbox: true, Now: noon(), Posted: []people.Posted{{At: noon().Add(-time.Minute), To: "petra@hollisbrandt.eu", Subject: "Sign in to Agnes", URL: "http://localhost:8000/login/link/open?token=x", Code: "ABCD-2345"}}})
	})
	add("mail-off", admin, "Mail", NavMail, func(c Chrome) templ.Component { return MailPage(c, MailView{Now: noon()}) })
}

func TestSignInPageShowsTheWaysThereAre(t *testing.T) {
	t.Parallel()
	google := []Provider{{Name: "Google", URL: "/auth/google/login?next=%2Fdocs", Google: true}}
	for name, c := range map[string]struct {
		view                      SignInView
		link, password, disclosed bool
		providers                 int
		text                      string
	}{
		"only the password":    {view: SignInView{Password: true}, password: true},
		"only the link":        {view: SignInView{Link: true}, link: true},
		"only a provider":      {view: SignInView{Providers: google}, providers: 1, text: "Continue with Google"},
		"everything":           {view: SignInView{Link: true, Password: true, Providers: google}, link: true, password: true, disclosed: true, providers: 1},
		"why there is no mail": {view: SignInView{Password: true, LinkOff: "No mail server."}, password: true, text: "No mail server."},
		"nothing":              {text: "Every way to sign in is switched off."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, draw(t, SignInPage(Chrome{Title: "Sign in"}, c.view)))
			if got := doc.Find("form[action='/login/link']").Length() == 1; got != c.link {
				t.Errorf("a form for a link: %t", got)
			}
			if got := doc.Find("form[action='/login'] #password").Length() == 1; got != c.password {
				t.Errorf("a form for a password: %t", got)
			}
			if got := doc.Find("details form[action='/login']").Length() == 1; got != c.disclosed {
				t.Errorf("the password's form is folded: %t", got)
			}
			if got := doc.Find("a[href^='/auth/']").Length(); got != c.providers {
				t.Errorf("%d services", got)
			}
			if !strings.Contains(doc.Text(), c.text) {
				t.Errorf("the page lacks %q", c.text)
			}
		})
	}
}
