package request_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
)

var (
	key    = []byte("0123456789abcdef0123456789abcdef")
	issued = time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)
)

func mustTokens(t *testing.T, key []byte, now time.Time) *request.Tokens {
	t.Helper()
	tokens, err := request.NewTokens(key, func() time.Time { return now }, func() string { return "jti1" })
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func mustIssue(t *testing.T, tokens *request.Tokens) string {
	t.Helper()
	token, err := tokens.Issue(people.User{ID: "u1", Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenHasTheClaimsOfTheContract(t *testing.T) {
	t.Parallel()
	token := mustIssue(t, mustTokens(t, key, issued))
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"sub": "u1", "email": "ada@example.com", "typ": "session", "jti": "jti1",
		"iat": float64(issued.Unix()), "exp": float64(issued.Unix() + 86400), "iat_us": float64(issued.UnixMicro()),
	}
	for name, v := range want {
		if claims[name] != v {
			t.Errorf("claim %s = %v, want %v", name, claims[name], v)
		}
	}
	id, at, err := mustTokens(t, key, issued.Add(23*time.Hour)).Verify(token)
	if err != nil || id != "u1" || !at.Equal(issued) {
		t.Errorf("Verify = %q, %v, %v", id, at, err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	sign := func(method jwt.SigningMethod, with any, claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"], token.Header["jwk"] = "evil", map[string]string{"kty": "oct", "k": "AAAA"}
		text, err := token.SignedString(with)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"sub": "u1", "typ": "session", "iat": issued.Unix(), "exp": issued.Unix() + 3600}
	}
	without := func(name string) jwt.MapClaims {
		c := good()
		delete(c, name)
		return c
	}
	with := func(name string, v any) jwt.MapClaims {
		c := good()
		c[name] = v
		return c
	}
	tokens := mustTokens(t, key, issued)
	if _, _, err := tokens.Verify(sign(jwt.SigningMethodHS256, key, good())); err != nil {
		t.Fatalf("a token with the predecessor's claims: %v", err)
	}
	cut := mustIssue(t, tokens)
	for name, token := range map[string]string{
		"no signature":        sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good()),
		"another algorithm":   sign(jwt.SigningMethodHS512, key, good()),
		"another key":         sign(jwt.SigningMethodHS256, []byte("another key"), good()),
		"another purpose":     sign(jwt.SigningMethodHS256, key, with("typ", "pat")),
		"no purpose":          sign(jwt.SigningMethodHS256, key, without("typ")),
		"no subject":          sign(jwt.SigningMethodHS256, key, without("sub")),
		"no time of issue":    sign(jwt.SigningMethodHS256, key, without("iat")),
		"no expiry":           sign(jwt.SigningMethodHS256, key, without("exp")),
		"expired":             sign(jwt.SigningMethodHS256, key, with("exp", issued.Unix()-1)),
		"a changed byte":      cut[:len(cut)-2] + "xx",
		"nothing":             "",
		"no token at all":     "hello",
		"too many full stops": cut + "." + cut,
	} {
		if _, _, err := tokens.Verify(token); domain.KindOf(err) != domain.Unauthenticated {
			t.Errorf("%s: Verify returned %v, want Unauthenticated", name, err)
		}
	}
	if _, err := request.NewTokens(nil, nil, nil); err == nil {
		t.Error("NewTokens took an empty key")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	tokens, err := request.NewTokens(key, func() time.Time { return issued }, func() string { return "" })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := tokens.Verify(token); domain.KindOf(err) != domain.Unauthenticated {
			t.Fatalf("Verify(%q) = %v", token, err)
		}
	})
}
