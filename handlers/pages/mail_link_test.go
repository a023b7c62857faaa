package pages

import (
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"agnes/connectors/mail"
	"agnes/connectors/mail/mailtest"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/views/letters"
)

// base is how links in mails begin.
const base = "https://agnes.example"

// withMail sets mail up, through a real server. Questions are answered when a test says so.
func (p *portal) withMail(o mailtest.Options) *mailtest.Server {
	p.t.Helper()
	server := mailtest.New(p.t, o)
	sender, err := mail.NewSMTP(mail.SMTPConfig{Host: server.Host, Port: server.Port, From: "agnes@example.com", Name: "Agnes", Now: p.clock.now, Roots: server.Roots})
	must(p.t, err)
	p.Links = &people.Links{
		Store: p.store, Mailer: sender, Compose: letters.Compose, BaseURL: func() string { return base }, Brand: "Example Ltd",
		Now: p.clock.now, Log: slog.New(slog.NewTextHandler(p.log, nil)),
	}
	p.Mail = Mail{Kind: "SMTP", From: "agnes@example.com"}
	return server
}

// arrives answers what was asked for and returns the one mail that follows.
func (p *portal) arrives(server *mailtest.Server) mailtest.Mail {
	p.t.Helper()
	p.Links.Flush(p.t.Context())
	if n := len(server.Mails); n != 1 {
		p.t.Fatalf("%d mails arrived, want 1; log: %s", n, p.log)
	}
	return <-server.Mails
}

// nothing answers what was asked for and wants no mail.
func (p *portal) nothing(server *mailtest.Server) {
	p.t.Helper()
	p.Links.Flush(p.t.Context())
	if n := len(server.Mails); n != 0 {
		p.t.Fatalf("%d mails arrived, want none: %+v", n, <-server.Mails)
	}
}

var (
	linkPattern = regexp.MustCompile(regexp.QuoteMeta(base) + `(/\S+)`)
	codePattern = regexp.MustCompile(`[2-9A-Z]{4}-[2-9A-Z]{4}`)
)

// linkOf is the path of the link in a mail.
func linkOf(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	found := linkPattern.FindStringSubmatch(m.Text)
	if found == nil || !strings.Contains(m.HTML, found[1]) {
		t.Fatalf("no link in the mail: %s", m.Raw)
	}
	return found[1]
}

func codeOf(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	code := codePattern.FindString(m.Text)
	if code == "" || !strings.Contains(m.HTML, code) {
		t.Fatalf("no code in the mail: %s", m.Raw)
	}
	return code
}

// asks has a browser ask for a link and returns the mail.
func (b *browser) asks(server *mailtest.Server, email, next string) mailtest.Mail {
	b.p.t.Helper()
	b.post("/login/link", url.Values{"email": {email}, "next": {next}}).wantRedirect("/login/sent")
	return b.p.arrives(server)
}

// opens has a browser open a link as far as its button.
func (b *browser) opens(link string) page {
	b.p.t.Helper()
	path, _, _ := strings.Cut(link, "?")
	b.get(link).wantRedirect(path)
	return b.get(path).wantStatus(http.StatusOK)
}

func TestSignInByMail(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	asking := p.nobody()
	form := asking.get("/login?next=/docs").wantStatus(http.StatusOK)
	if form.value("form[action='/login/link'] [name=next]") != "/docs" {
		t.Error("the form forgets where somebody wanted to go")
	}
	link := linkOf(t, asking.asks(server, " BEN@example.com ", "/docs"))
	asking.get("/login/sent").wantStatus(http.StatusOK).wantText("Check your mail")

	for range 10 { // programs that read mail ahead, each without cookies
		scanner := p.nobody()
		scanner.opens(link)
		scanner.do(with(newRequest(http.MethodHead, link), nil))
	}
	b := p.nobody()
	first := b.get(link)
	if got := first.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy = %q", got)
	}
	shown := b.opens(link).wantText("ben@example.com")
	token, err := url.Parse(link)
	must(t, err)
	if strings.Contains(shown.body, token.Query().Get("token")) || shown.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the page holds the token, or tells others where it is")
	}
	before := b.cookies["session"].Value
	b.post("/login/link/open", nil).wantRedirect("/docs")
	if b.cookies["session"].Value == before {
		t.Error("the session kept its token")
	}
	b.get("/catalog").wantStatus(http.StatusOK).wantText("Ben Analyst")

	again := p.nobody()
	again.get(link).wantStatus(http.StatusNotFound).wantText("does not work any more")
	again.post("/login/link/open", nil).wantStatus(http.StatusNotFound)
	again.get("/catalog").wantStatus(http.StatusUnauthorized)
	if log := p.log.String(); strings.Contains(log, token.Query().Get("token")) {
		t.Error("the log holds a token")
	}
}

func TestLinkGoesNowhereElse(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	for _, next := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/%2Fevil.example", "/%5cevil.example", "/%252F%252Fevil.example/../..//evil.example",
		"/a\r\nLocation: https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/..//evil.example", "",
	} {
		link := linkOf(t, p.nobody().asks(server, analystEmail, next))
		b := p.nobody()
		b.opens(link)
		b.post("/login/link/open", nil).wantRedirect("/catalog")
	}
}

func TestLinksThatDoNotWork(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	p.withPassword("cy@example.com")
	dead := func(what, link string) {
		t.Helper()
		if got := p.nobody().get(link); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", what, got.StatusCode)
		}
	}
	older := linkOf(t, p.nobody().asks(server, "cy@example.com", ""))
	opened := p.nobody()
	opened.opens(older)
	newer := linkOf(t, p.nobody().asks(server, "cy@example.com", ""))
	dead("an older link", older)
	opened.post("/login/link/open", nil).wantStatus(http.StatusNotFound)

	p.nobody().post("/login/forgot", url.Values{"email": {"cy@example.com"}}).wantRedirect("/login/forgot/sent")
	reset := linkOf(t, p.arrives(server))
	_, resetToken, _ := strings.Cut(reset, "=")
	_, newerToken, _ := strings.Cut(newer, "=")
	dead("a link for a password, to sign in", "/login/link/open?token="+resetToken)
	dead("a link to sign in, for a password", "/login/reset?token="+newerToken)
	dead("a link to sign in, for a first password", "/login/setup?token="+newerToken)
	dead("a link for a password, for a first one", "/login/setup?token="+resetToken)
	dead("no token", "/login/link/open")
	dead("half a token", newer[:len(newer)-5])
	crossed := p.nobody()
	crossed.opens(reset)
	crossed.post("/login/link/open", nil).wantStatus(http.StatusNotFound)

	opened.opens(newer)
	p.clock.advance(time.Hour)
	dead("a link of an hour ago", newer)
	opened.post("/login/link/open", nil).wantStatus(http.StatusNotFound)
	opened.get("/catalog").wantStatus(http.StatusUnauthorized)
	p.nobody().opens(reset)
	p.clock.advance(23 * time.Hour)
	dead("a link for a password of yesterday", reset)
}

func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	link := linkOf(t, p.nobody().asks(server, analystEmail, "/docs"))
	const many = 20
	answers := make([]int, many)
	browsers := make([]*browser, many)
	for i := range browsers {
		browsers[i] = p.nobody()
		browsers[i].opens(link)
	}
	start := make(chan struct{})
	var done sync.WaitGroup
	for i, b := range browsers {
		done.Go(func() {
			<-start
			answers[i] = b.post("/login/link/open", nil).StatusCode
		})
	}
	close(start)
	done.Wait()
	count := map[int]int{}
	for _, status := range answers {
		count[status]++
	}
	if count[http.StatusSeeOther] != 1 || count[http.StatusNotFound] != many-1 {
		t.Errorf("answers = %v, want one to get in", count)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	b := p.nobody()
	mail := b.asks(server, analystEmail, "/docs")
	code := codeOf(t, mail)

	p.nobody().post("/login/code", url.Values{"code": {code}}).wantRedirect("/login")
	other := p.nobody()
	other.asks(server, adminEmail, "")
	other.post("/login/code", url.Values{"code": {code}}).wantStatus(http.StatusUnauthorized).wantText("This code does not work")

	typed := " " + strings.ToLower(strings.ReplaceAll(code, "-", " "))
	b.post("/login/code", url.Values{"code": {typed}}).wantRedirect("/docs")
	b.get("/catalog").wantStatus(http.StatusOK).wantText("Ben Analyst")
	p.nobody().get(linkOf(t, mail)).wantStatus(http.StatusNotFound)
}

func TestFiveWrongCodesVoidTheLink(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	for wrong, works := range map[int]bool{4: true, 5: false} {
		b := p.nobody()
		mail := b.asks(server, analystEmail, "/docs")
		for range wrong {
			b.post("/login/code", url.Values{"code": {"ABCD-EFGH"}}).wantStatus(http.StatusUnauthorized)
		}
		want := map[bool][2]int{true: {http.StatusSeeOther, http.StatusSeeOther}, false: {http.StatusNotFound, http.StatusUnauthorized}}[works]
		if got := p.nobody().get(linkOf(t, mail)).StatusCode; got != want[0] {
			t.Errorf("after %d wrong codes the link answers %d, want %d", wrong, got, want[0])
		}
		if got := b.post("/login/code", url.Values{"code": {codeOf(t, mail)}}).StatusCode; got != want[1] {
			t.Errorf("after %d wrong codes the right one answers %d, want %d", wrong, got, want[1])
		}
	}
}

// TestAddressesDoNotShow compares every answer on the way for people who get
// mail with those for addresses that get none.
func TestAddressesDoNotShow(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	gone := p.mustUser(people.NewUser{Email: "gus@example.com"})
	off := false
	_, err := p.store.UpdateUser(t.Context(), audit.System("test"), gone.ID, people.UserChange{Active: &off})
	must(t, err)

	walk := func(email string, mails int) string {
		var all strings.Builder
		b := p.nobody()
		say := func(got page) {
			got.Header.Del("Set-Cookie")
			must(t, got.Header.Write(&all))
			all.WriteString(strings.ReplaceAll(got.Status+got.body, email, "ADDRESS"))
		}
		say(b.post("/login/link", url.Values{"email": {email}, "next": {"/docs"}}))
		say(b.get("/login/sent"))
		p.Links.Flush(t.Context())
		for range 6 {
			say(b.post("/login/code", url.Values{"code": {"ABCD-EFGH"}}))
		}
		say(b.post("/login/forgot", url.Values{"email": {email}}))
		say(b.get("/login/forgot/sent"))
		say(b.post("/auth/password/reset", url.Values{"email": {email}}))
		p.Links.Flush(t.Context())
		if n := len(server.Mails); n != mails {
			t.Errorf("%s got %d mails, want %d", email, n, mails)
		}
		for range len(server.Mails) {
			<-server.Mails
		}
		return all.String()
	}
	known := walk(analystEmail, 3)
	for _, email := range []string{"dee@example.com", "gus@example.com", "dee@elsewhere.example"} {
		if got := walk(email, 0); got != known {
			t.Errorf("the answers for %s differ from those for a known address:\n%s\n%s", email, got, known)
		}
	}
	p.nobody().post("/login/link", url.Values{"email": {"no address"}}).wantStatus(http.StatusUnprocessableEntity).wantText("looks like name@example.com")
}

func TestWhoGetsALink(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	ask := func(email string) *browser {
		b := p.nobody()
		b.post("/login/link", url.Values{"email": {email}, "next": {"/docs"}}).wantRedirect("/login/sent")
		return b
	}
	ask("dee@example.com")
	p.nothing(server)

	p.Links.AllowedDomains = []string{"Example.com"}
	p.mustUser(people.NewUser{Email: "fay@elsewhere.example"})
	for _, email := range []string{"fay@elsewhere.example", "dee@evil-example.com", "dee@example.com.evil.example"} {
		ask(email)
		p.nothing(server)
	}
	b := ask("dee@example.com")
	mail := p.arrives(server)
	if _, err := p.store.GetUserByEmail(t.Context(), "dee@example.com"); err == nil {
		t.Error("asking made an account")
	}
	p.nobody().opens(linkOf(t, mail)).wantText("An account is made")
	b.post("/login/code", url.Values{"code": {codeOf(t, mail)}}).wantRedirect("/docs")
	if u, err := p.store.GetUserByEmail(t.Context(), "dee@example.com"); err != nil || u.Admin {
		t.Errorf("the account = %+v, %v", u, err)
	}

	p.Links.AllowedDomains = nil
	link := linkOf(t, ask(analystEmail).p.arrives(server))
	off := false
	b = p.nobody()
	b.opens(link)
	_, err := p.store.UpdateUser(t.Context(), audit.System("test"), p.analyst.ID, people.UserChange{Active: &off})
	must(t, err)
	b.post("/login/link/open", nil).wantStatus(http.StatusNotFound)
	b.get("/catalog").wantStatus(http.StatusUnauthorized)
}

func TestMailThatIsOff(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withMail(mailtest.Options{})
	p.Links.NoLink = true
	b := p.nobody()
	if b.get("/login").wantNoText("no mail server").Find("form[action='/login/link']").Length() != 0 {
		t.Error("the page offers what is switched off")
	}
	b.post("/login/link", url.Values{"email": {analystEmail}}).wantStatus(http.StatusForbidden)
	b.get("/login/link/open?token=x").wantStatus(http.StatusForbidden)

	p.Links.NoLink, p.Links.Mailer = false, nil
	b.get("/login").wantText("Signing in by mail is off, because no mail server is set up.")
	b.post("/login/link", url.Values{"email": {analystEmail}}).wantStatus(http.StatusForbidden)
	b.get("/login/forgot").wantRedirect("/login")

	p.SignIn.Off, p.Links.NoPassword = true, true
	if b.get("/login").wantText("Every way to sign in is switched off").Find("[type=password]").Length() != 0 {
		t.Error("the page offers passwords that are switched off")
	}
	b.post("/login", url.Values{"email": {analystEmail}, "password": {"x"}}).wantStatus(http.StatusForbidden)
	b.post("/auth/password/login/web", url.Values{"email": {analystEmail}, "password": {"x"}}).wantStatus(http.StatusForbidden)
	b.post("/login/forgot", url.Values{"email": {analystEmail}}).wantStatus(http.StatusForbidden)
}

func TestProvidersKnowWhereSomebodyWantedToGo(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.Providers = googleOnly
	if href := p.nobody().get("/login?next=/docs").Find("a.btn").AttrOr("href", ""); href != "/auth/google/login?next=%2Fdocs" {
		t.Errorf("href = %q", href)
	}
	if href := p.nobody().get("/login").Find("a.btn").AttrOr("href", ""); href != "/auth/google/login" {
		t.Errorf("href = %q", href)
	}
}

// TestMailsToOneAddress: the sixth mail in a quarter of an hour is not sent, and
// that says nothing of whose address it is.
func TestMailsToOneAddress(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	server := p.withMail(mailtest.Options{})
	p.Links.Throttle = &people.Throttle{Counter: p.store}
	walk := func(email string, mails int) string {
		var all strings.Builder
		asks := func(path string, status int) {
			t.Helper()
			got := p.nobody().post(path, url.Values{"email": {email}}).wantStatus(status)
			got.Header.Del("Set-Cookie")
			must(t, got.Header.Write(&all))
			all.WriteString(strings.ReplaceAll(got.body, email, "ADDRESS"))
			if wait := got.Header.Get("Retry-After"); (status == http.StatusTooManyRequests) != (wait == "900") {
				t.Errorf("%s for %s: %d, Retry-After %q", path, email, status, wait)
			}
		}
		for _, path := range []string{"/login/link", "/login/forgot", "/auth/password/reset", "/auth/password/setup/request", "/login/link"} {
			asks(path, http.StatusSeeOther)
		}
		for _, path := range []string{"/login/link", "/login/forgot", "/auth/password/reset", "/auth/password/setup/request"} {
			asks(path, http.StatusTooManyRequests)
		}
		p.Links.Flush(t.Context())
		if n := len(server.Mails); n != mails {
			t.Errorf("%d mails to %s, want %d", n, email, mails)
		}
		for range len(server.Mails) {
			<-server.Mails
		}
		return all.String()
	}
	known := walk(analystEmail, 5)
	for _, email := range []string{"dee@example.com", "dee@elsewhere.example"} {
		if got := walk(email, 0); got != known {
			t.Errorf("the answers for %s differ from those for a known address:\n%s\n%s", email, got, known)
		}
	}
	form := p.nobody().post("/login/link", url.Values{"email": {" BEN@example.com"}, "next": {"/docs"}}).wantStatus(http.StatusTooManyRequests).wantText("the newest that came works once")
	if form.value("form[action='/login/link'] [name=next]") != "/docs" || form.value("#email") == "" {
		t.Error("the form forgets what was typed")
	}
	p.clock.advance(15 * time.Minute)
	p.nobody().asks(server, analystEmail, "")
}
