package google

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain"
)

// cloud is Google, as far as tokens go.
func cloud(t *testing.T, status int, body string) (Tokens, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := r.Method == http.MethodGet && r.Header.Get("Metadata-Flavor") == "Google" && r.URL.Query().Get("scopes") == Scope
		if err := r.ParseForm(); !own && (err != nil || r.PostForm.Get("assertion") == "") {
			t.Errorf("asked with %s %s: %v", r.Method, r.URL, err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return Tokens{Metadata: s.URL + "/token", Client: s.Client()}, s
}

// mustKey writes the key of a service account whose tokens come from at.
func mustKey(t *testing.T, at string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "reader@hidden.example", "private_key": string(block), "token_uri": at,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestToken(t *testing.T) {
	t.Parallel()
	const granted = `{"access_token": "ya29.short", "expires_in": 3599, "token_type": "Bearer"}`
	for name, c := range map[string]struct {
		file   func(t *testing.T, at string) string
		status int
		body   string
		code   string
	}{
		"the machine's own":    {nil, 200, granted, ""},
		"of a service account": {mustKey, 200, granted, ""},
		"no account":           {nil, 404, `{}`, "google_token_refused"},
		"an answer of rubbish": {nil, 200, `<html>`, "google_token_refused"},
		"an empty answer":      {nil, 200, `{}`, "google_token_refused"},
		"an account shut out":  {mustKey, 400, `{"error": "invalid_grant"}`, "google_token_refused"},
		"no such file":         {func(*testing.T, string) string { return "/nowhere/key.json" }, 200, granted, "google_credentials_unreadable"},
		"no key": {func(t *testing.T, _ string) string {
			t.Helper()
			file := filepath.Join(t.TempDir(), "key.json")
			if err := os.WriteFile(file, []byte(`{"type": "authorized_user"}`), 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}, 200, granted, "google_credentials_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens, s := cloud(t, c.status, c.body)
			file := ""
			if c.file != nil {
				file = c.file(t, s.URL)
			}
			got, err := tokens.Token(t.Context(), file)
			if domain.CodeOf(err) != c.code || (err == nil) != (got == "ya29.short") {
				t.Errorf("%q, %v, want %q", got, err, c.code)
			}
			if err != nil && strings.Contains(err.Error(), "hidden.example") {
				t.Errorf("%v names the account", err)
			}
		})
	}
}
