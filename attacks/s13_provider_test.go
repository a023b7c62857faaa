//go:build duckdb_arrow

package attacks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
)

// hostileProvider is an OpenID provider that answers with whatever it was
// told: the client's secret, the code and the verifier come back as its error.
func (c *campaign) hostileProvider() (issuer string) {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	c.ends = append(c.ends, s.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"error": "invalid_client", "error_description": "no such client: " + user + " " + password + " " + r.PostForm.Encode(),
		})
	})
	return s.URL
}
