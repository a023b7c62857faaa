//go:build duckdb_arrow

package attacks

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// twins are two requests whose answers, in text and time, must not tell apart
// what they are about. Each makes one request ready and returns it; only that
// one is measured.
type twins struct {
	name        string
	known, none func() (send func() *answer)
	mails       bool // the one that is known brings a mail
	saysWhich   bool // in words; who gets there has the key that signs
}

// timing is S12: medians within 5 ms, and in the long form, which has the
// machine for itself, no difference that Welch's test sees.
func timing(t *trials) {
	v := t.theIdentity()
	n := 60
	if t.long {
		n = 500
	}
	worst, when := time.Duration(0), ""
	for _, p := range v.pairs() {
		t.one(p.name, func() error {
			a, b, err := t.measure(v, p, n)
			if err != nil {
				return err
			}
			apart, welch := (median(a) - median(b)).Abs(), welchT(a, b)
			if apart >= worst {
				worst, when = apart, p.name
			}
			t.note("%s %s/%s, t %.1f", p.name, median(a).Round(10*time.Microsecond), median(b).Round(10*time.Microsecond), welch)
			switch limit := t.promised(5 * time.Millisecond); {
			case apart > limit:
				return fmt.Errorf("medians %s and %s differ by %s", median(a), median(b), apart)
			case t.long && math.Abs(welch) >= 4.5:
				return fmt.Errorf("medians %s and %s: Welch's t is %.2f", median(a), median(b), welch)
			}
			return nil
		})
	}
	t.note("n %d, furthest apart %s (%s)", n, worst.Round(time.Microsecond), when)
}

// measure sends both of a pair n times, in a random order.
func (t *trials) measure(v *identity, p twins, n int) (known, none []time.Duration, err error) {
	for i := range n + 3 { // the first ones warm up
		order := []bool{true, false}
		if t.IntN(2) == 0 {
			slices.Reverse(order)
		}
		said := map[bool]string{}
		for _, is := range order {
			send := p.none()
			if is {
				send = p.known()
			}
			before := ""
			if p.mails {
				before = v.answered()
			}
			began := time.Now()
			got := send()
			took := time.Since(began)
			if p.mails {
				v.settle(before)
			}
			said[is] = fmt.Sprint(got.status, " ", got.location(), " ", string(got.body))
			switch {
			case i < 3:
			case is:
				known = append(known, took)
			default:
				none = append(none, took)
			}
		}
		if a, b := alikeText(said[true]), alikeText(said[false]); a != b && !p.saysWhich {
			return nil, nil, fmt.Errorf("the answers differ: %.300q and %.300q", a, b)
		}
	}
	return known, none, nil
}

// The two addresses of a pair are as long as each other, and answers may repeat them.
const unknownEmail = "abba@example.com"

func alikeText(text string) string { return strings.ReplaceAll(text, unknownEmail, annaEmail) }

// settle waits until a question for a mail is worked off, which leaves a row in
// the audit log whoever has the address: what is left to do would slow down
// whatever is asked next.
func (v *identity) settle(before string) {
	must(eventually(v.c.ctx, 10*time.Second, func() error {
		if v.answered() == before {
			return errors.New("a question for a mail is not worked off")
		}
		return nil
	}))
}

// answered names the newest question for a mail that is worked off.
func (v *identity) answered() string {
	var list struct{ Rows []struct{ ID string } }
	must(v.admin.call(http.MethodGet, "/api/admin/activity?action_prefix=link_asked&limit=1", nil, &list))
	if len(list.Rows) == 0 {
		return ""
	}
	return list.Rows[0].ID
}

func (v *identity) pairs() []twins {
	by := func(path string, form func(email string) url.Values) func(email string) func() func() *answer {
		return func(email string) func() func() *answer {
			return func() func() *answer {
				b := v.browser()
				return func() *answer { return b.ask(http.MethodPost, path, form(email)) }
			}
		}
	}
	byAPI := func(path, rest string) func(email string) func() func() *answer {
		return func(email string) func() func() *answer {
			return func() func() *answer {
				b := v.browser()
				return func() *answer {
					body := `{"email":"` + email + `"` + rest + `}`
					got, err := b.raw(http.MethodPost, path, strings.NewReader(body), body, "Content-Type", "application/json")
					must(err)
					return got
				}
			}
		}
	}
	password := by("/auth/password/login/web", func(email string) url.Values {
		return url.Values{"email": {email}, "password": {"no password of theirs"}}
	})
	link := byAPI("/auth/email/send-link", "")
	reset := by("/auth/password/reset", func(email string) url.Values { return url.Values{"email": {email}} })
	return []twins{
		{"password", password(annaEmail), password(unknownEmail), false, false},
		{"link", link(annaEmail), link(unknownEmail), true, false},
		{"reset", reset(annaEmail), reset(unknownEmail), true, false},
		v.tokenPair(),
		{"code", v.wrongCode(annaEmail), v.wrongCode(unknownEmail), false, false},
	}
}

// wrongCode is a code that a browser types which asked for a link just now.
func (v *identity) wrongCode(email string) func() func() *answer {
	return func() func() *answer {
		b := v.browser()
		before := v.answered()
		b.must(http.StatusSeeOther, http.MethodPost, "/login/link", url.Values{"email": {email}})
		v.settle(before)
		return func() *answer { return b.ask(http.MethodPost, "/login/code", url.Values{"code": {"2222-2222"}}) }
	}
}

// tokenPair looks up personal tokens that an attacker with the signing key
// would make: with an id that exists and another text, and with one that does not.
func (v *identity) tokenPair() twins {
	var made struct{ ID string }
	must(v.signIn(annaEmail, annaPassword).call(http.MethodPost, "/auth/tokens", map[string]any{"name": "timing", "scope": "read"}, &made))
	by := func(id string) func() func() *answer {
		text := sign(jwt.SigningMethodHS256, []byte(jwtKey), nil, jwt.MapClaims{
			"sub": v.anna, "email": annaEmail, "jti": id, "typ": "pat", "scope": "read", "iat": time.Now().Unix() - 5, "exp": time.Now().Unix() + 3600,
		})
		return func() func() *answer {
			b := v.browser()
			return func() *answer { return b.ask(http.MethodGet, "/auth/me", nil, "Authorization", "Bearer "+text) }
		}
	}
	none := []byte(made.ID)
	for i, c := range none[:8] {
		if none[i] = '0' + (c+1)%8; c == '-' {
			none[i] = c
		}
	}
	return twins{"token", by(made.ID), by(string(none)), false, true}
}

// sign makes a token with any header.
func sign(method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) string {
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	must(err)
	return text
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// welchT is Welch's t of two samples. The slowest twentieth of each is left
// out: it is the machine's, and hides differences more than it shows them.
func welchT(a, b []time.Duration) float64 {
	mean := func(times []time.Duration) (mean, variance, n float64) {
		sorted := slices.Sorted(slices.Values(times))
		sorted = sorted[:len(sorted)-len(sorted)/20]
		n = float64(len(sorted))
		for _, d := range sorted {
			mean += float64(d) / n
		}
		for _, d := range sorted {
			variance += (float64(d) - mean) * (float64(d) - mean) / (n - 1)
		}
		return mean, variance, n
	}
	ma, va, na := mean(a)
	mb, vb, nb := mean(b)
	return (ma - mb) / math.Sqrt(va/na+vb/nb)
}
