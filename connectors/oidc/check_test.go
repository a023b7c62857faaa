package oidc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/domain/config"
	"agnes/domain/settings"
)

// offering is a provider whose token endpoint answers every code with an error.
func offering(t *testing.T, keys, code string) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(w http.ResponseWriter, status int, body string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, fmt.Sprintf(`{"issuer":%q,"authorization_endpoint":"%[1]s/auth","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/keys","id_token_signing_alg_values_supported":["RS256"]}`, server.URL))
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, keys) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 400, fmt.Sprintf(`{"error":%q,"error_description":"s3cret"}`, code))
	})
	return server.URL
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const someKeys = `{"keys":[{"kty":"RSA"}]}`
	for name, c := range map[string]struct{ keys, code, want string }{
		"it works":            {someKeys, "invalid_grant", "Sign in as this client: ok"},
		"the wrong secret":    {someKeys, "invalid_client", "Sign in as this client: failed: The provider does not take client id and secret."},
		"another way back":    {someKeys, "redirect_uri_mismatch", "may not send people back"},
		"words of its own":    {someKeys, "nonsense", "Sign in as this client: failed"},
		"no keys":             {`{"keys":[]}`, "invalid_grant", "Read its keys: failed"},
		"keys that are none":  {`<html>`, "invalid_grant", "Read its keys: failed"},
		"not there, a closed": {"", "", "Reach the provider and read what it offers: failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := "http://127.0.0.1:1"
			if c.keys != "" {
				issuer = offering(t, c.keys, c.code)
			}
			cfg, _, err := config.Load(config.Input{YAML: []config.File{{Name: "i.yaml", Data: []byte("auth: {oidc: {issuer: '" + issuer + "', client_id: agnes, client_secret: s3cret}}")}}})
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			k := Check{Now: time.Now, Return: "https://agnes.example.com/auth/oidc/callback"}
			if !k.Ready(cfg) || (Check{Google: true}).Ready(cfg) {
				t.Error("ready for the wrong one")
			}
			k.Run(t.Context(), cfg, func(s settings.Step) {
				lines = append(lines, fmt.Sprintf("%s: %s: %s", s.Name, s.State, s.Detail))
			})
			all := strings.Join(lines, "\n")
			if !strings.Contains(all, c.want) || strings.Contains(all, "s3cret") || strings.Contains(all, "127.0.0.1") {
				t.Errorf("steps:\n%s\nwant %q", all, c.want)
			}
		})
	}
}
