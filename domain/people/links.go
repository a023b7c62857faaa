package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/guard"
)

// Purpose is what a link is for. One made for a purpose does nothing else.
type Purpose string

// The purposes.
const (
	ToSignIn Purpose = "sign_in"
	ToReset  Purpose = "password_reset"
	ToSetUp  Purpose = "password_setup" // of somebody who was invited
)

// Lifetime is how long a link of the purpose works.
func (p Purpose) Lifetime() time.Duration {
	switch p {
	case ToSignIn:
		return time.Hour
	case ToReset:
		return 24 * time.Hour
	case ToSetUp:
		return 7 * 24 * time.Hour
	}
	return 0
}

// path is the page that opens a link of the purpose.
func (p Purpose) path() string {
	switch p {
	case ToSignIn:
		return "/login/link/open"
	case ToReset:
		return "/login/reset"
	case ToSetUp:
		return "/login/setup"
	}
	return "/login"
}

// NewLink is a link as it is stored: no secret among it.
type NewLink struct {
	Hash        []byte // of purpose and token
	Purpose     Purpose
	UserID      UserID // "" for an address that is nobody's
	Email       string
	Next        string // path to go to afterwards
	CodeHash    []byte // nil for a link without a code
	RequestHash []byte // of what the asking browser holds; nil without a code
	ExpiresAt   time.Time
}

// Link is a link that can still be used.
type Link struct {
	Purpose Purpose
	UserID  UserID
	Email   string
	Name    string // of the person, "" when nobody is known by the address
	Next    string
}

// LinkStore is what links need of the store. A link that is unknown, used,
// expired, replaced or of another purpose is Unauthenticated with the code
// link_invalid.
type LinkStore interface {
	GetUserByEmail(ctx context.Context, email string) (User, error)
	// UsesService reports whether somebody has signed in by another service.
	UsesService(ctx context.Context, id UserID) (bool, error)
	// ReplaceLink stores a link; older ones of its purpose and address stop working.
	ReplaceLink(ctx context.Context, l NewLink) error
	FindLink(ctx context.Context, purpose Purpose, hash []byte) (Link, error)
	// SpendSignIn uses a link to sign in up. Nobody known by its address is created where create says so.
	SpendSignIn(ctx context.Context, by audit.Actor, hash []byte, create func(email string) bool) (User, string, error)
	// SpendCode is SpendSignIn by the code and the request that it was made for. Each wrong code counts;
	// the fifth voids code and link.
	SpendCode(ctx context.Context, by audit.Actor, request, code []byte, create func(email string) bool) (User, string, error)
	// SpendPassword uses a link up and sets the password that it is for.
	SpendPassword(ctx context.Context, by audit.Actor, purpose Purpose, hash []byte, p SetPassword) (User, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// SetPassword is what a person sets by a link.
type SetPassword struct {
	Name string // "" leaves the name as it is
	Hash string
}

// Post is what sends mail, and in whose name.
type Post struct {
	Mailer Mailer // nil when no mail is set up
	Brand  string
}

// Links makes, sends and takes links that work once.
type Links struct {
	Store   LinkStore
	Mailer  Mailer      // nil when no mail is set up
	Current func() Post // Mailer and Brand of now, where they may change; nil: those
	Outbox  *Outbox     // takes links in place of mail; nil where they may not be shown
	Compose Composer
	// AllowedDomains are those of the addresses that may sign in by link; none
	// means that whoever is known may.
	AllowedDomains []string
	Throttle       *Throttle // bounds mails to one address; nil: nothing does
	NoLink         bool      // signing in by link is switched off
	NoPassword     bool      // passwords are switched off
	BaseURL        func() string
	Brand          string
	Now            func() time.Time
	Log            *slog.Logger
	Guard          *guard.Guard

	once  sync.Once
	queue chan question
}

// The ways that are switched off.
func errNoLink(why string) error {
	return domain.E(domain.Forbidden, "sign_in_by_link_off", "%s", why)
}

// ErrNoPassword is the refusal of passwords where they are switched off.
func ErrNoPassword() error {
	return domain.E(domain.Forbidden, "sign_in_by_password_off", "Passwords are switched off here. Sign in another way.")
}

// ErrLink is the refusal of a link that does nothing any more.
func ErrLink() *domain.Error {
	return domain.E(domain.Unauthenticated, "link_invalid",
		"This link does not work any more: it was used, it is too old, or a newer one replaced it. Ask for a new one.")
}

// Delivers reports whether links reach people at all: by mail, or on this
// machine by the outbox.
func (l *Links) Delivers() bool { return l != nil && (l.post().Mailer != nil || l.Outbox != nil) }

// post is what sends mail now.
func (l *Links) post() Post {
	if l.Current != nil {
		return l.Current()
	}
	return Post{Mailer: l.Mailer, Brand: l.Brand}
}

// SignInOff says why nobody can ask for a link to sign in, "" when they can.
func (l *Links) SignInOff() string {
	switch {
	case l == nil || l.NoLink:
		return "Signing in by mail is switched off here."
	case !l.Delivers():
		return "Signing in by mail is off, because no mail server is set up."
	}
	return ""
}

// PasswordsByMail reports whether somebody can set a password by mail.
func (l *Links) PasswordsByMail() bool { return l != nil && !l.NoPassword && l.Delivers() }

// allowed reports whether an address may sign in by link.
func (l *Links) allowed(email string) bool {
	return len(l.AllowedDomains) == 0 || l.inDomains(email)
}

// creates reports whether an address that nobody has gets an account.
func (l *Links) creates(email string) bool {
	return len(l.AllowedDomains) > 0 && l.inDomains(email)
}

func (l *Links) inDomains(email string) bool {
	at := strings.LastIndexByte(email, '@')
	return slices.ContainsFunc(l.AllowedDomains, func(d string) bool { return strings.EqualFold(d, email[at+1:]) })
}

// address is the page that opens a link with that token.
func (l *Links) address(p Purpose, token string) string {
	return strings.TrimSuffix(l.BaseURL(), "/") + p.path() + "?token=" + url.QueryEscape(token)
}

// NewSecret makes 32 random bytes as text that fits into an address.
func NewSecret() (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// codeHash ties a code to the request that it was made for: of the code alone
// all hashes could be tried.
func codeHash(request, code string) []byte { return LinkHash("code", request+":"+code) }

// codeAlphabet has no characters that are taken for one another.
const (
	codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	codeLength   = 8
)

func newCode() (string, error) {
	const fair = 256 / len(codeAlphabet) * len(codeAlphabet) // larger bytes would favour the first characters
	code := make([]byte, 0, codeLength)
	for len(code) < codeLength {
		raw := make([]byte, codeLength)
		if _, err := rand.Read(raw); err != nil {
			return "", fmt.Errorf("random bytes: %w", err)
		}
		for _, b := range raw {
			if int(b) < fair && len(code) < codeLength {
				code = append(code, codeAlphabet[int(b)%len(codeAlphabet)])
			}
		}
	}
	return string(code), nil
}

// plainCode is a code as it was made: people type it with blanks, hyphens and
// in lower case.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(codeAlphabet, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// spacedCode is a code as people read it.
func spacedCode(code string) string {
	if len(code) != codeLength {
		return code
	}
	return code[:codeLength/2] + "-" + code[codeLength/2:]
}

// reference names a link that a browser has shown the token of. It is no
// secret that opens anything by itself: only sessions hold it.
func reference(p Purpose, token string) string { return hex.EncodeToString(LinkHash(string(p), token)) }
