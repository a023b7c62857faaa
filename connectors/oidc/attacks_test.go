package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"agnes/domain"
)

// with is an honest token with some claims changed; nil takes one away.
func with(changes map[string]any) func(*liar) {
	return func(l *liar) {
		l.token = func(c map[string]any) string {
			for name, v := range changes {
				if c[name] = v; v == nil {
					delete(c, name)
				}
			}
			return l.sign(jose.RS256, l.key, "k1", c)
		}
	}
}

func signed(alg jose.SignatureAlgorithm, kid string, key func(*liar) any) func(*liar) {
	return func(l *liar) {
		l.token = func(c map[string]any) string { return l.sign(alg, key(l), kid, c) }
	}
}

// unsigned is a token whose header is as given, with a signature of its own.
func unsigned(header, signature string) func(*liar) {
	return func(l *liar) {
		l.token = func(c map[string]any) string {
			payload, err := json.Marshal(c)
			if err != nil {
				l.t.Fatal(err)
			}
			encode := base64.RawURLEncoding.EncodeToString
			return encode([]byte(header)) + "." + encode(payload) + "." + signature
		}
	}
}

func TestAttacksOnTheIDToken(t *testing.T) {
	t.Parallel()
	other := func(l *liar) any { return l.other }
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, attack := range map[string]func(*liar){
		"wrong nonce":                        with(map[string]any{"nonce": "of another sign-in"}),
		"no nonce":                           with(map[string]any{"nonce": nil}),
		"an empty nonce":                     with(map[string]any{"nonce": ""}),
		"for another client":                 with(map[string]any{"aud": "another"}),
		"for another client, azp ours":       with(map[string]any{"aud": "another", "azp": "agnes"}),
		"for nobody":                         with(map[string]any{"aud": nil}),
		"several clients, no azp":            with(map[string]any{"aud": []string{"agnes", "another"}}),
		"several clients, azp another":       with(map[string]any{"aud": []string{"agnes", "another"}, "azp": "another"}),
		"issued to another client":           with(map[string]any{"azp": "another"}),
		"another issuer":                     with(map[string]any{"iss": "https://evil.example"}),
		"the issuer with a slash":            func(l *liar) { with(map[string]any{"iss": l.URL + "/"})(l) },
		"no issuer":                          with(map[string]any{"iss": nil}),
		"expired":                            with(map[string]any{"exp": at(-maxSkew - time.Second)}),
		"without an end":                     with(map[string]any{"exp": nil}),
		"from the future":                    with(map[string]any{"iat": at(maxSkew + time.Second)}),
		"not valid yet":                      with(map[string]any{"nbf": at(maxSkew + time.Second)}),
		"without a beginning":                with(map[string]any{"iat": nil}),
		"nobody's":                           with(map[string]any{"sub": nil}),
		"the access token of somebody else":  with(map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
		"an address that is a list":          with(map[string]any{"email": []string{"ada@example.com"}}),
		"alg none":                           unsigned(`{"alg":"none","typ":"JWT"}`, ""),
		"alg NONE":                           unsigned(`{"alg":"NoNe","kid":"k1"}`, ""),
		"alg none with a signature":          unsigned(`{"alg":"none","kid":"k1"}`, "AAAA"),
		"alg of the header, no signature":    unsigned(`{"alg":"RS256","kid":"k1"}`, ""),
		"RS/HS confusion, PEM":               signed(jose.HS256, "k1", func(l *liar) any { return l.publicPEM() }),
		"RS/HS confusion, modulus":           signed(jose.HS256, "k1", func(l *liar) any { return l.key.N.Bytes() }),
		"signed with the client's secret":    signed(jose.HS256, "k1", func(*liar) any { return []byte(strings.Repeat("s3cret", 8)) }),
		"an algorithm that is not announced": signed(jose.PS256, "k1", func(l *liar) any { return l.key }),
		"another key under the same kid":     signed(jose.RS256, "k1", other),
		"unknown kid":                        signed(jose.RS256, "k9", other),
		"another key without a kid":          signed(jose.RS256, "", other),
		"the right key under another kid":    signed(jose.RS256, "k9", func(l *liar) any { return l.key }),
		"a key of its own in the header": func(l *liar) {
			l.token = func(c map[string]any) string {
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: l.other}, &jose.SignerOptions{EmbedJWK: true})
				if err != nil {
					l.t.Fatal(err)
				}
				payload, err := json.Marshal(c)
				if err != nil {
					l.t.Fatal(err)
				}
				s, err := signer.Sign(payload)
				if err != nil {
					l.t.Fatal(err)
				}
				text, err := s.CompactSerialize()
				if err != nil {
					l.t.Fatal(err)
				}
				return text
			}
		},
		"no token":     func(l *liar) { l.token = func(map[string]any) string { return "" } },
		"not a token":  func(l *liar) { l.token = func(map[string]any) string { return "a.b.c" } },
		"a JWE":        func(l *liar) { l.token = func(map[string]any) string { return "a.b.c.d.e" } },
		"no ID token":  func(l *liar) { l.traded = answerWith(`{"access_token":"access","token_type":"Bearer"}`) },
		"a token code": func(l *liar) { l.traded = answerWith(`{"error":"invalid_grant"}`) },
		"rubbish": func(l *liar) {
			l.traded = func(w http.ResponseWriter, _ string) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, "<html>s3cret")
			}
		},
		"a redirect away with the secret": func(l *liar) {
			l.traded = func(w http.ResponseWriter, _ string) {
				w.Header().Set("Location", l.URL+"/token")
				w.WriteHeader(http.StatusTemporaryRedirect)
			}
		},
		"somebody else when asked": func(l *liar) {
			with(map[string]any{"email": nil})(l)
			l.person = map[string]any{"sub": "eve", "email": "ada@example.com", "email_verified": true}
		},
		"nobody when asked": func(l *liar) {
			with(map[string]any{"email": nil})(l)
			l.person = map[string]any{"email": "ada@example.com", "email_verified": true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLiar(t)
			attack(l)
			c, err := l.provider(nil).Claims(t.Context(), trip, "code", "")
			if domain.KindOf(err) != domain.Forbidden || domain.CodeOf(err) != "oauth_failed" || c.Subject != "" {
				t.Errorf("%+v, %v; want oauth_failed", c, err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v holds the secret or the answer", err)
			}
		})
	}
}

func answerWith(body string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

// TestAttacksOnTheWayBack: a code of one provider is not traded at another (RFC 9207).
func TestAttacksOnTheWayBack(t *testing.T) {
	t.Parallel()
	l := newLiar(t)
	p := l.provider(nil)
	if _, err := p.Claims(t.Context(), trip, "code", "https://evil.example"); domain.CodeOf(err) != "oauth_failed" {
		t.Errorf("another issuer: %v", err)
	}
	if _, err := p.Claims(t.Context(), trip, "code", l.URL); err != nil {
		t.Errorf("its own name: %v", err)
	}
	wrong := trip
	wrong.Verifier = strings.Repeat("w", 43)
	if _, err := p.Claims(t.Context(), wrong, "code", ""); domain.CodeOf(err) != "oauth_failed" {
		t.Errorf("another browser's code: %v", err)
	}
	announcing := newLiar(t)
	announcing.metadata = map[string]any{"authorization_response_iss_parameter_supported": true}
	if _, err := announcing.provider(nil).Claims(t.Context(), trip, "code", ""); domain.CodeOf(err) != "oauth_failed" {
		t.Errorf("a name that was announced is missing: %v", err)
	}
}

// TestAttacksOnTheOffer: what a provider says of itself is not believed blindly.
func TestAttacksOnTheOffer(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", maxAnswer)
	for name, attack := range map[string]func(*liar){
		"another issuer":           func(l *liar) { l.metadata = map[string]any{"issuer": "https://evil.example"} },
		"no addresses":             func(l *liar) { l.metadata = map[string]any{"token_endpoint": "", "jwks_uri": ""} },
		"a token endpoint by HTTP": func(l *liar) { l.metadata = map[string]any{"token_endpoint": "http://evil.example/token"} },
		"keys by HTTP":             func(l *liar) { l.metadata = map[string]any{"jwks_uri": "http://evil.example/keys"} },
		"people by HTTP":           func(l *liar) { l.metadata = map[string]any{"userinfo_endpoint": "http://evil.example/me"} },
		"a script to sign in at":   func(l *liar) { l.metadata = map[string]any{"authorization_endpoint": "javascript:alert(1)"} },
		"a huge offer":             func(l *liar) { l.metadata = map[string]any{"x": huge} },
		"down":                     func(l *liar) { l.Close() },
		"out of order": func(l *liar) {
			l.answer = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLiar(t)
			attack(l)
			p := l.provider(nil)
			if u, err := p.SignInURL(t.Context(), trip); domain.CodeOf(err) != "provider_unavailable" {
				t.Errorf("%q, %v; want provider_unavailable", u, err)
			}
			_, err := p.Claims(t.Context(), trip, "code", "")
			if domain.CodeOf(err) != "provider_unavailable" || len(err.Error()) > 1000 {
				t.Errorf("%v; want provider_unavailable, in short", err)
			}
		})
	}
}

func TestHugeAnswers(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", maxAnswer)
	l := newLiar(t)
	l.traded = answerWith(`{"access_token":"access","id_token":"` + huge + `"}`)
	if _, err := l.provider(nil).Claims(t.Context(), trip, "code", ""); err == nil {
		t.Error("a huge token is taken")
	}
	l = newLiar(t)
	with(map[string]any{"email": nil})(l)
	l.person = map[string]any{"sub": "ada", "email": "ada@example.com", "x": huge}
	if _, err := l.provider(nil).Claims(t.Context(), trip, "code", ""); domain.CodeOf(err) != "provider_unavailable" {
		t.Errorf("a huge answer about the person: %v", err)
	}
}

// TestSlowProvider: each kind of call ends by itself. The provider answers
// nothing at all until the test is over.
func TestSlowProvider(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]int64{"offer": 0, "token": 1, "keys": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLiar(t)
			over := make(chan struct{})
			t.Cleanup(func() { close(over) }) // before the server is closed, which waits
			l.answer = func(http.ResponseWriter) bool {
				if l.asked.Load() > first {
					<-over
					return true
				}
				return false
			}
			_, err := l.provider(func(c *Config) { c.Timeout = 200 * time.Millisecond }).Claims(t.Context(), trip, "code", "")
			if err == nil || l.asked.Load() <= first {
				t.Errorf("after %d questions: %v", l.asked.Load(), err)
			}
		})
	}
}

func atHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
