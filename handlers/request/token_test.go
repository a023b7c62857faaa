package request_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
)

var (
	key    = []byte("0123456789abcdef0123456789abcdef")
	issued = time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)
)

func mustTokens(t *testing.T, key []byte, now time.Time) *request.Tokens {
	t.Helper()
	tokens, err := request.NewTokens(key, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func mustIssue(t *testing.T, tokens *request.Tokens) string {
	t.Helper()
	token, err := tokens.Issue(people.User{ID: "u1", Email: "ada@example.com"}, people.Session{ID: "s1", CreatedAt: issued, ExpiresAt: issued.Add(request.TokenLifetime)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTokensHaveTheClaimsOfTheContract(t *testing.T) {
	t.Parallel()
	tokens := mustTokens(t, key, issued)
	day := issued.Add(request.TokenLifetime)
	personal, err := tokens.SignPersonal(access.Token{ID: "p1", UserID: "u1", Email: "ada@example.com", Scopes: access.Scopes{access.ScopeRead, access.ScopeQuery}, CreatedAt: issued, ExpiresAt: &day})
	if err != nil {
		t.Fatal(err)
	}
	endless, err := tokens.SignPersonal(access.Token{ID: "p2", UserID: "u1", Scopes: access.Scopes{access.ScopeGeneral}, CreatedAt: issued})
	if err != nil {
		t.Fatal(err)
	}
	iat, exp := float64(issued.Unix()), float64(issued.Unix()+86400)
	for token, c := range map[string]struct {
		claims map[string]any
		want   request.Verified
	}{
		mustIssue(t, tokens): {
			map[string]any{"sub": "u1", "email": "ada@example.com", "typ": "session", "jti": "s1", "iat": iat, "exp": exp},
			request.Verified{UserID: "u1", Session: "s1"},
		},
		personal: {
			map[string]any{"sub": "u1", "email": "ada@example.com", "typ": "pat", "jti": "p1", "iat": iat, "exp": exp, "scope": "read query"},
			request.Verified{UserID: "u1", Token: "p1"},
		},
		endless: {map[string]any{"sub": "u1", "email": "", "typ": "pat", "jti": "p2", "iat": iat, "scope": "general"}, request.Verified{UserID: "u1", Token: "p2"}},
	} {
		if got := payload(t, token); !maps.Equal(got, c.claims) {
			t.Errorf("claims %v, want %v", got, c.claims)
		}
		if got, err := mustTokens(t, key, issued.Add(23*time.Hour)).Verify(token); err != nil || got != c.want {
			t.Errorf("Verify = %+v, %v; want %+v", got, err, c.want)
		}
	}
	if got, err := mustTokens(t, key, day).Verify(personal); err != nil || !got.Expired {
		t.Errorf("an expired personal token: %+v, %v; the store says what it is", got, err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	sign := func(method jwt.SigningMethod, with any, claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"], token.Header["jwk"], token.Header["jku"] = "evil", map[string]string{"kty": "oct", "k": "AAAA"}, "https://evil.example/keys"
		text, err := token.SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	claims := func(purpose string, change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"sub": "u1", "typ": purpose, "jti": "s1", "iat": issued.Unix(), "exp": issued.Unix() + 3600}
		if change != nil {
			change(c)
		}
		return c
	}
	good := func() jwt.MapClaims { return claims("session", nil) }
	without := func(name string) jwt.MapClaims {
		return claims("session", func(c jwt.MapClaims) { delete(c, name) })
	}
	with := func(name string, v any) jwt.MapClaims {
		return claims("session", func(c jwt.MapClaims) { c[name] = v })
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tokens := mustTokens(t, key, issued)
	if _, err := tokens.Verify(sign(jwt.SigningMethodHS256, key, good())); err != nil {
		t.Fatalf("a token with the predecessor's claims: %v", err)
	}
	cut := mustIssue(t, tokens)
	parts := strings.Split(cut, ".")
	admin := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"admin","typ":"session","jti":"s1","iat":1,"exp":9999999999}`))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	old := func(c jwt.MapClaims) { c["exp"] = issued.Unix() - 1 }
	for name, token := range map[string]string{
		"no signature":                        sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good()),
		"no signature, for a personal token":  sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims("pat", nil)),
		"alg none with a real signature":      none + "." + parts[1] + "." + parts[2],
		"RS256 with a key of the attacker":    sign(jwt.SigningMethodRS256, rsaKey, good()),
		"another algorithm":                   sign(jwt.SigningMethodHS512, key, good()),
		"another key":                         sign(jwt.SigningMethodHS256, []byte("another key"), good()),
		"another key, expired personal token": sign(jwt.SigningMethodHS256, []byte("another key"), claims("pat", old)),
		"an empty key":                        sign(jwt.SigningMethodHS256, []byte{}, good()),
		"another purpose":                     sign(jwt.SigningMethodHS256, key, with("typ", "reset")),
		"no purpose":                          sign(jwt.SigningMethodHS256, key, without("typ")),
		"no subject":                          sign(jwt.SigningMethodHS256, key, without("sub")),
		"no id":                               sign(jwt.SigningMethodHS256, key, without("jti")),
		"no time of issue":                    sign(jwt.SigningMethodHS256, key, without("iat")),
		"no expiry":                           sign(jwt.SigningMethodHS256, key, without("exp")),
		"expired":                             sign(jwt.SigningMethodHS256, key, with("exp", issued.Unix()-1)),
		"not valid yet":                       sign(jwt.SigningMethodHS256, key, with("nbf", issued.Unix()+60)),
		"a personal token not valid yet":      sign(jwt.SigningMethodHS256, key, claims("pat", func(c jwt.MapClaims) { old(c); c["nbf"] = issued.Unix() + 60 })),
		"other claims, same signature":        parts[0] + "." + admin + "." + parts[2],
		"a changed byte":                      cut[:len(cut)-2] + "xx",
		"nothing":                             "",
		"no token at all":                     "hello",
		"too many full stops":                 cut + "." + cut,
	} {
		if got, err := tokens.Verify(token); domain.KindOf(err) != domain.Unauthenticated || got != (request.Verified{}) {
			t.Errorf("%s: Verify returned %+v, %v, want Unauthenticated", name, got, err)
		}
	}
	if _, err := request.NewTokens(nil, nil); err == nil {
		t.Error("NewTokens took an empty key")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	tokens, err := request.NewTokens(key, func() time.Time { return issued })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := tokens.Verify(token); domain.KindOf(err) != domain.Unauthenticated {
			t.Fatalf("Verify(%q) = %v", token, err)
		}
	})
}
