package people

import (
	"context"
	"fmt"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
)

// Question asks for a link by mail.
type Question struct {
	Purpose Purpose
	Email   string
	Next    string // path to go to afterwards
	// Request is what the asking browser holds, from NewSecret: the mail then has
	// a code that works there. "" asks for no code.
	Request string
	By      audit.Actor
}

// question is a Question with a plain address.
type question struct{ Question }

// How links are sent.
const (
	maxQuestions = 256 // that wait to be answered
	linkWorkers  = 4   // a mail server that hangs holds one of them
	sendTime     = 45 * time.Second
)

// anonymous is who asks before signing in, as audit rows name them.
const anonymous = "anonymous"

// Ask takes a question and answers at once, whoever has the address: that
// shows neither in the answer nor in its time, because all else happens later.
// It fails with a FieldError for what is no address, and Forbidden where the way is off.
//
// Mails to one address are counted here, before anybody looks whose it is, so that
// the limit says nothing of accounts either. It is said (Limited) and not kept
// silent: who waits for a mail that is never sent asks again and again. Nobody is
// locked out by others who ask: the last mail that they caused signs its owner in.
// Codes need no count of their own: five wrong ones void a link, and there are no
// more than five links to try them on. Tokens of links cannot be guessed at all.
func (l *Links) Ask(ctx context.Context, q Question) error {
	if q.Purpose == ToSignIn {
		if why := l.SignInOff(); why != "" {
			return errNoLink(why)
		}
	} else if !l.PasswordsByMail() {
		return ErrNoPassword()
	}
	email, err := NormalEmail(q.Email)
	if err != nil {
		return err
	}
	q.Email = email
	if err := l.Throttle.AllowMail(ctx, email); err != nil {
		return err
	}
	if q.By.UserID == "" {
		q.By.UserID = anonymous
	}
	select {
	case l.questions() <- question{q}:
		return nil
	default:
		return domain.E(domain.Limited, "mail_busy", "More people ask for mail than can be answered right now. Wait a minute, then try again.")
	}
}

func (l *Links) questions() chan question {
	l.once.Do(func() { l.queue = make(chan question, maxQuestions) })
	return l.queue
}

// flushTime is how long questions that wait may take when Agnes stops.
const flushTime = 5 * time.Second

// Work answers questions until ctx ends, and then those that wait.
func (l *Links) Work(ctx context.Context) {
	var workers sync.WaitGroup
	for range linkWorkers {
		workers.Add(1)
		l.Guard.Go("links by mail", func() {
			defer workers.Done()
			l.answerAll(ctx)
		})
	}
	workers.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	l.Flush(last)
}

// Flush answers the questions that wait now.
func (l *Links) Flush(ctx context.Context) {
	for {
		select {
		case q := <-l.questions():
			l.tryAnswer(ctx, q)
		default:
			return
		}
	}
}

func (l *Links) answerAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-l.questions():
			l.tryAnswer(ctx, q)
		}
	}
}

func (l *Links) tryAnswer(ctx context.Context, q question) {
	err := l.Guard.Do("a link by mail", func() error { return l.answer(ctx, q) })
	if err != nil {
		l.Log.Error("answer a question for a link", "purpose", string(q.Purpose), "err", err)
	}
}

// answer makes a link for whatever address was asked for, and sends it where
// that may be. One that is never sent makes wrong codes count alike for
// addresses that nobody has.
func (l *Links) answer(ctx context.Context, q question) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	u, err := l.Store.GetUserByEmail(ctx, q.Email)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return fmt.Errorf("whose address: %w", err)
	}
	known := err == nil
	elsewhere, err := l.Store.UsesService(ctx, u.ID)
	if err != nil {
		return fmt.Errorf("how somebody signs in: %w", err)
	}
	why := l.refusal(q, u, known, elsewhere)

	letter, err := l.make(ctx, q.Purpose, u.ID, q.Email, q)
	if err != nil {
		return err
	}
	letter.Name = u.Name
	outcome := why
	if why == "" {
		outcome = "sent"
		if err := l.deliver(ctx, letter); err != nil {
			outcome = "failed"
			l.Log.Error("send a link by mail", "purpose", string(q.Purpose), "user_id", string(u.ID), "err", err)
		}
	}
	err = l.Store.Audit(context.WithoutCancel(ctx), audit.Entry{
		Actor: q.By, Action: "link_asked", Resource: "session", Result: "success",
		Params: map[string]any{"email": q.Email, "purpose": string(q.Purpose), "outcome": outcome},
	})
	if err != nil {
		return fmt.Errorf("record a question for a link: %w", err)
	}
	return nil
}

// refusal says, for the audit log, why an address gets no mail.
// Whoever signs in by a service gets no password by asking: it would outlive the
// account there. An administrator can still give them one.
func (l *Links) refusal(q question, u User, known, elsewhere bool) string {
	switch {
	case q.Purpose == ToSignIn && !l.allowed(q.Email):
		return "domain_not_allowed"
	case !known && q.Purpose == ToSignIn && l.creates(q.Email):
		return ""
	case !known:
		return "unknown"
	case !u.Active:
		return "deactivated"
	case q.Purpose != ToSignIn && !u.HasPassword && elsewhere:
		return "signs_in_elsewhere"
	case q.Purpose == ToSetUp && u.HasPassword:
		return "has_password"
	}
	return ""
}

// make stores a new link, which voids older ones of its purpose and address,
// and returns what its mail says.
func (l *Links) make(ctx context.Context, p Purpose, id UserID, email string, q question) (Letter, error) {
	token, err := NewSecret()
	if err != nil {
		return Letter{}, err
	}
	link := NewLink{Hash: LinkHash(string(p), token), Purpose: p, UserID: id, Email: email, Next: q.Next, ExpiresAt: l.Now().Add(p.Lifetime())}
	letter := Letter{Purpose: p, To: email, Brand: l.post().Brand, URL: l.address(p, token), Works: p.Lifetime()}
	if q.Request != "" && p == ToSignIn {
		code, err := newCode()
		if err != nil {
			return Letter{}, err
		}
		link.RequestHash, link.CodeHash = LinkHash("request", q.Request), codeHash(q.Request, code)
		letter.Code = spacedCode(code)
	}
	if err := l.Store.ReplaceLink(ctx, link); err != nil {
		return Letter{}, fmt.Errorf("store a link: %w", err)
	}
	return letter, nil
}

// deliver sends a letter, or shows it on this machine when no mail is set up.
func (l *Links) deliver(ctx context.Context, letter Letter) error {
	message, err := l.Compose(ctx, letter)
	if err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	mailer := l.post().Mailer
	switch {
	case mailer != nil:
		_, err = mailer.Send(ctx, message)
		return err
	case l.Outbox != nil:
		l.Outbox.add(Posted{At: l.Now(), To: letter.To, Subject: message.Subject, URL: letter.URL, Code: letter.Code})
		// Only on a machine that serves itself alone; else there is no outbox.
		l.Log.Info("LINK IN PLACE OF MAIL, because no mail server is set up", "to", letter.To, "purpose", string(letter.Purpose), "url", letter.URL, "code", letter.Code)
		return nil
	}
	return errNoMail()
}

func errNoMail() error {
	return domain.E(domain.Unavailable, "mail_not_set_up", "No mail server is set up, so nothing was sent.")
}
