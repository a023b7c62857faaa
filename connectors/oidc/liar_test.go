package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"agnes/domain/people"
)

// liar is a provider that says what a test tells it to.
type liar struct {
	*httptest.Server
	t     *testing.T
	key   *rsa.PrivateKey
	other *rsa.PrivateKey // which it has not published
	asked atomic.Int64    // questions, of any kind

	metadata map[string]any                           // changes to what it offers
	answer   func(w http.ResponseWriter) bool         // in place of any answer
	token    func(claims map[string]any) string       // the ID token
	person   map[string]any                           // the answer about the person; nil: status 404
	traded   func(w http.ResponseWriter, code string) // in place of the token's answer
}

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	trip = people.Trip{
		Provider: people.ByOIDC, State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 43), Return: "https://agnes.example.com/auth/oidc/callback", StartedAt: noon,
	}
)

func newLiar(t *testing.T) *liar {
	t.Helper()
	keys := keys()
	l := &liar{t: t, key: keys[0], other: keys[1]}
	l.token = func(c map[string]any) string { return l.sign(jose.RS256, l.key, "k1", c) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]any{
			"issuer": l.URL, "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token", "jwks_uri": l.URL + "/keys",
			"userinfo_endpoint": l.URL + "/me", "id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256"},
		}
		maps.Copy(all, l.metadata)
		l.write(w, all)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		l.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &l.key.PublicKey, KeyID: "k1", Use: "sig", Algorithm: "RS256"}}})
	})
	mux.HandleFunc("POST /token", l.trade)
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if l.person == nil || r.Header.Get("Authorization") != "Bearer access" {
			http.NotFound(w, r)
			return
		}
		l.write(w, l.person)
	})
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.asked.Add(1)
		if l.answer == nil || !l.answer(w) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// keys are two that all liars share: making one takes long.
var keys = sync.OnceValue(func() (two [2]*rsa.PrivateKey) {
	for i := range two {
		var err error
		if two[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return two
})

func mustKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (l *liar) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		l.t.Error(err)
	}
}

// trade answers for a code, once the client proved who it is and began the trip.
func (l *liar) trade(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != "agnes" || secret != "s3cret" || r.FormValue("code_verifier") != trip.Verifier || r.FormValue("redirect_uri") != trip.Return {
		w.WriteHeader(http.StatusUnauthorized)
		l.write(w, map[string]string{"error": "invalid_client"})
		return
	}
	if l.traded != nil {
		l.traded(w, r.FormValue("code"))
		return
	}
	l.write(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": l.token(l.claims())})
}

// claims are those of an honest token.
func (l *liar) claims() map[string]any {
	return map[string]any{
		"iss": l.URL, "sub": "ada", "aud": "agnes", "nonce": "nonce", "iat": noon.Unix(), "exp": noon.Add(5 * time.Minute).Unix(),
		"email": "Ada@example.com", "email_verified": true, "name": "Ada",
	}
}

func (l *liar) sign(alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	l.t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		l.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		l.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		l.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		l.t.Fatal(err)
	}
	return text
}

// publicPEM is the published key as text, which RS/HS confusion takes for a secret.
func (l *liar) publicPEM() []byte {
	l.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&l.key.PublicKey)
	if err != nil {
		l.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// provider is ours, set up for the liar.
func (l *liar) provider(change func(*Config)) *Provider {
	l.t.Helper()
	c := Config{
		Issuer: l.URL, ClientID: "agnes", ClientSecret: "s3cret", Scopes: []string{"email"}, GroupsClaim: "groups",
		Transport: l.Client().Transport, Now: func() time.Time { return noon },
	}
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}
