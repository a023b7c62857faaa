//go:build duckdb_arrow

package attacks

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// idsOf lists the rows that belong to a person.
func (v *identity) idsOf(table, person string) []string {
	var ids []string
	v.readState(`SELECT id FROM `+table+` WHERE user_id = ?`, func(id string) { ids = append(ids, id) }, person)
	if len(ids) == 0 {
		must(fmt.Errorf("%s has no row in %s", person, table))
	}
	return ids
}

// claimsOf reads a token without asking who signed it.
func claimsOf(token string) jwt.MapClaims {
	var c jwt.MapClaims
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	must(err)
	must(json.Unmarshal(payload, &c))
	return c
}

func unsigned(header string, c jwt.MapClaims, signature string) string {
	payload, err := json.Marshal(c)
	must(err)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(payload) + "." + signature
}

// jwtAttacks forges access tokens. Each is like one that works but for one
// thing, and the first shows that the forger's hand is good.
func (v *identity) jwtAttacks() []attempt {
	honest := v.signIn(annaEmail, annaPassword).token
	key, hs := []byte(jwtKey), jwt.SigningMethodHS256
	claims := func(changes map[string]any) jwt.MapClaims {
		c := claimsOf(honest)
		maps.Copy(c, changes)
		maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
		return c
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	must(err)
	parts := strings.Split(honest, ".")
	now := time.Now().Unix()
	all := []attempt{{"a copy of a token that is made with the server's key works: what follows fails by what it changes", func() error {
		return exactly(http.StatusOK, v.bears(sign(hs, key, nil, claims(nil))), "is its answer")
	}}}
	for what, token := range map[string]string{
		"alg none":                              unsigned(`{"alg":"none","typ":"JWT"}`, claims(nil), ""),
		"alg None":                              unsigned(`{"alg":"None"}`, claims(nil), ""),
		"alg nOnE with the right signature":     unsigned(`{"alg":"nOnE"}`, claims(nil), parts[2]),
		"no alg":                                unsigned(`{"typ":"JWT"}`, claims(nil), parts[2]),
		"alg HS256 and no signature":            unsigned(`{"alg":"HS256","typ":"JWT"}`, claims(nil), ""),
		"the signature of another header":       unsigned(`{"alg":"HS256","typ":"JWT","kid":"1"}`, claims(nil), parts[2]),
		"a signature that lacks a letter":       honest[:len(honest)-1],
		"a changed person":                      unsigned(`{"alg":"HS256","typ":"JWT"}`, claims(map[string]any{"sub": v.adminID()}), parts[2]),
		"RS256 with a key of the forger":        sign(jwt.SigningMethodRS256, private, nil, claims(nil)),
		"HS256 with a public key as the secret": sign(hs, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), nil, claims(nil)),
		"HS384 with the right key":              sign(jwt.SigningMethodHS384, key, nil, claims(nil)),
		"HS512 with the right key":              sign(jwt.SigningMethodHS512, key, nil, claims(nil)),
		"another key":                           sign(hs, []byte(strings.Repeat("k", 32)), nil, claims(nil)),
		"an empty key":                          sign(hs, []byte{}, nil, claims(nil)),
		"the key of the predecessor's example":  sign(hs, []byte("change-me"), nil, claims(nil)),
		"kid that names a file":                 sign(hs, []byte{}, map[string]any{"kid": "../../../../dev/null"}, claims(nil)),
		"kid that is SQL":                       sign(hs, []byte("x"), map[string]any{"kid": "x' UNION SELECT 'x"}, claims(nil)),
		"a key of its own in jwk":               sign(hs, []byte("own"), map[string]any{"jwk": map[string]string{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString([]byte("own"))}}, claims(nil)),
		"a key at jku":                          sign(jwt.SigningMethodRS256, private, map[string]any{"jku": "http://127.0.0.1:1/keys"}, claims(nil)),
		"expired":                               sign(hs, key, nil, claims(map[string]any{"exp": now - 1})),
		"without an end":                        sign(hs, key, nil, claims(map[string]any{"exp": nil})),
		"not valid yet":                         sign(hs, key, nil, claims(map[string]any{"nbf": now + 3600})),
		"without a beginning":                   sign(hs, key, nil, claims(map[string]any{"iat": nil})),
		"an unknown sign-in":                    sign(hs, key, nil, claims(map[string]any{"jti": "01a2068e-0000-7000-8000-000000000000"})),
		"no sign-in":                            sign(hs, key, nil, claims(map[string]any{"jti": ""})),
		"somebody else with this sign-in":       sign(hs, key, nil, claims(map[string]any{"sub": v.adminID()})),
		"the sign-in of a browser":              sign(hs, key, nil, claims(map[string]any{"jti": v.browserSignIn()})),
		"the purpose of a personal token":       sign(hs, key, nil, claims(map[string]any{"typ": "pat"})),
		"another purpose":                       sign(hs, key, nil, claims(map[string]any{"typ": "password_reset"})),
		"no purpose":                            sign(hs, key, nil, claims(map[string]any{"typ": nil})),
		"a purpose that is a list":              sign(hs, key, nil, claims(map[string]any{"typ": []string{"session"}})),
		"two tokens with a blank between":       honest + " " + honest,
		"a token with two more parts, as JWE":   honest + ".x.y",
		"the payload alone":                     parts[1],
		"the token once more encoded":           base64.RawURLEncoding.EncodeToString([]byte(honest)),
		"50 KB of nothing":                      strings.Repeat("a", 50_000),
	} {
		all = append(all, attempt{"a forged access token is refused: " + what, func() error {
			got := v.browser().ask(http.MethodGet, "/auth/me", nil, "Authorization", "Bearer "+token)
			b := v.browser()
			b.cookies["access_token"] = token
			asCookie := b.ask(http.MethodGet, "/auth/me", nil)
			return errors.Join(got.is(http.StatusUnauthorized, "as Bearer"), asCookie.is(http.StatusUnauthorized, "as a cookie"))
		}})
	}
	return append(all, attempt{"a token that is signed out is refused, and one beside it works on", func() error {
		one, two := v.signIn(annaEmail, annaPassword), v.signIn(annaEmail, annaPassword)
		must(one.call(http.MethodPost, "/auth/logout", nil, nil))
		return errors.Join(exactly(http.StatusUnauthorized, v.bears(one.token), "is the first one's answer"), exactly(http.StatusOK, v.bears(two.token), "is the second one's answer"))
	}}, attempt{"a changed role in a token makes nobody an administrator", func() error {
		token := sign(hs, key, nil, claims(map[string]any{"role": "admin", "is_admin": true, "email": adminEmail, "scope": "admin"}))
		return v.browser().ask(http.MethodGet, "/api/users", nil, "Authorization", "Bearer "+token).is(http.StatusForbidden, "/api/users")
	}}, attempt{"the sign-in of a token is no browser's session", func() error {
		b := v.browser()
		b.cookies[sessionCookie] = honest
		must(b.isOut())
		b.cookies[sessionCookie], _ = claimsOf(honest)["jti"].(string)
		return b.isOut()
	}})
}

func (v *identity) adminID() string {
	id, _ := claimsOf(v.admin.token)["sub"].(string)
	return id
}

// browserSignIn is the id of a session of Anna's browser.
func (v *identity) browserSignIn() (id string) {
	v.browser().signs(annaEmail, annaPassword)
	v.readState(`SELECT id FROM sign_ins WHERE user_id = ? AND kind = 'browser' AND ended_at IS NULL ORDER BY created_at`, func(found string) { id = found }, v.anna)
	return id
}

// made is a personal token.
type made struct{ ID, Token string }

func (c *client) makes(scope string) made {
	var m made
	must(c.call(http.MethodPost, "/auth/tokens", map[string]any{"name": "attack", "scope": scope}, &m))
	return m
}

func (v *identity) tokenAttacks() []attempt {
	status := func(method, path, token string) int {
		return v.browser().ask(method, path, nil, "Authorization", "Bearer "+token).status
	}
	refused := func(method, path, token string) error {
		if got := status(method, path, token); got != http.StatusForbidden {
			return fmt.Errorf("%s %s: %d, want 403", method, path, got)
		}
		return nil
	}
	return []attempt{
		{"a revoked personal token is refused with the next request", func() error {
			anna := v.signIn(annaEmail, annaPassword)
			m := anna.makes("read")
			must(exactly(http.StatusOK, v.bears(m.Token), "is its answer"))
			must(anna.call(http.MethodDelete, "/auth/tokens/"+m.ID, nil, nil))
			return exactly(http.StatusUnauthorized, v.bears(m.Token), "is its answer after that")
		}},
		{"an expired personal token is refused, by the state and not by its text", func() error {
			m := v.signIn(annaEmail, annaPassword).makes("read")
			v.alter(`UPDATE personal_access_tokens SET expires_at = ? WHERE id = ?`, minute(-time.Second), m.ID)
			return exactly(http.StatusUnauthorized, v.bears(m.Token), "is its answer")
		}},
		{"a personal token opens only what its scope names", func() error {
			anna := v.signIn(annaEmail, annaPassword)
			read, query := anna.makes("read").Token, anna.makes("query").Token
			must(exactly(http.StatusOK, status(http.MethodGet, "/api/catalog/tables", read), "is the catalog's answer"))
			return errors.Join(refused(http.MethodPost, "/api/query", read), refused(http.MethodGet, "/api/catalog/tables", query), refused(http.MethodGet, "/api/users", read))
		}},
		{"an administrator's token for reading administrates nothing", func() error {
			return refused(http.MethodGet, "/api/users", v.admin.makes("read").Token)
		}},
		{"a personal token makes and rotates no other, and opens no page", func() error {
			m := v.signIn(annaEmail, annaPassword).makes("general")
			return errors.Join(refused(http.MethodPost, "/auth/tokens", m.Token), refused(http.MethodPost, "/auth/tokens/"+m.ID+"/rotate", m.Token), refused(http.MethodGet, "/profile", m.Token))
		}},
		{"somebody without rights makes no token that administrates", func() error {
			anna := v.signIn(annaEmail, annaPassword)
			err := anna.call(http.MethodPost, "/auth/tokens", map[string]any{"name": "attack", "scope": "admin"}, nil)
			if err == nil {
				return errors.New("it was made")
			}
			return refused(http.MethodGet, "/api/users", anna.makes("general").Token)
		}},
		{"nobody reads, rotates or revokes the token of somebody else", func() error {
			m := v.admin.makes("read")
			anna := v.signIn(annaEmail, annaPassword)
			for _, way := range [][2]string{{http.MethodGet, ""}, {http.MethodPost, "/rotate"}, {http.MethodDelete, ""}} {
				if got := status(way[0], "/auth/tokens/"+m.ID+way[1], anna.token); got != http.StatusNotFound {
					return fmt.Errorf("%s%s: %d", way[0], way[1], got)
				}
			}
			b := v.browser().signs(annaEmail, annaPassword)
			b.ask(http.MethodPost, "/profile/tokens/"+m.ID+"/revoke", url.Values{})
			return exactly(http.StatusOK, v.bears(m.Token), "is its answer")
		}},
		{"a token's id and its text with another ending prove nothing", func() error {
			m := v.signIn(annaEmail, annaPassword).makes("read")
			resigned := sign(jwt.SigningMethodHS256, []byte(jwtKey), map[string]any{"x": 1}, claimsOf(m.Token)) // the same claims, by the same key
			return errors.Join(exactly(http.StatusUnauthorized, v.bears(m.ID), "is the id's answer"), exactly(http.StatusUnauthorized, v.bears(resigned), "is the other text's answer"), v.notInState(m.Token))
		}},
		{"a deactivated person's session, access token and personal token are refused at once", func() error { return v.deactivated() }},
		{"a deleted person's session, access token and personal token are refused at once", func() error {
			email, password, id := v.person("dora")
			b, c := v.browser().signs(email, password), v.signIn(email, password)
			m := c.makes("general")
			must(v.admin.call(http.MethodDelete, "/api/users/"+id, nil, nil))
			return errors.Join(b.isOut(), exactly(http.StatusUnauthorized, v.bears(c.token), "is the access token's answer"), exactly(http.StatusUnauthorized, v.bears(m.Token), "is the personal token's answer"))
		}},
		{"a password that an administrator sets ends all sign-ins", func() error {
			email, password, id := v.person("edda")
			b, c := v.browser().signs(email, password), v.signIn(email, password)
			must(v.admin.call(http.MethodPost, "/api/users/"+id+"/set-password", map[string]string{"password": "canary-secret-sedm-new"}, nil))
			return errors.Join(b.isOut(), exactly(http.StatusUnauthorized, v.bears(c.token), "is the token's answer"), exactly(http.StatusUnauthorized, v.tries(email, password), "is the old password's answer"))
		}},
	}
}

func (v *identity) deactivated() error {
	email, password, id := v.person("gina")
	b, c := v.browser().signs(email, password), v.signIn(email, password)
	m := c.makes("general")
	link, reset := v.asks(v.browser(), signInForm, email), v.asks(v.browser(), forgotForm, email)
	must(v.admin.call(http.MethodPost, "/api/users/"+id+"/deactivate", nil, nil))
	opened := v.browser()
	opened.ask(http.MethodGet, link.path, nil)
	opened.ask(http.MethodPost, "/login/link/open", url.Values{})
	opened.ask(http.MethodGet, reset.path, nil)
	opened.ask(http.MethodPost, "/login/reset", url.Values{"password": {"canary-secret-taken-18"}})
	return errors.Join(b.isOut(), opened.isOut(), exactly(http.StatusUnauthorized, v.bears(c.token), "is the access token's answer"),
		exactly(http.StatusUnauthorized, v.bears(m.Token), "is the personal token's answer"), exactly(http.StatusUnauthorized, v.tries(email, password), "is the password's answer"))
}
