// Package google gets short-lived access tokens of Google accounts: of a service
// account whose key lies in a file, or of the machine's own. It keeps none and
// reads nothing else of Google.
package google

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"agnes/domain"
)

// Scope is what a token may be used for.
const Scope = "https://www.googleapis.com/auth/bigquery"

// MetadataURL is where a machine in Google's cloud gets tokens of its own account.
const MetadataURL = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"

const (
	tokenTimeout = 10 * time.Second
	maxAnswer    = 64 << 10
)

// Tokens gets tokens.
type Tokens struct {
	Metadata string // MetadataURL
	Client   *http.Client
}

// Token returns an access token: of the service account whose key is in file, or
// of the machine's own account for "". It fails with Unavailable, in words that
// name neither file nor account.
func (t Tokens) Token(ctx context.Context, file string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, tokenTimeout)
	defer stop()
	if file == "" {
		return t.own(ctx)
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return "", domain.E(domain.Unavailable, "google_credentials_unreadable", "The file of Google credentials cannot be read.").Because(err)
	}
	config, err := google.JWTConfigFromJSON(key, Scope)
	if err != nil {
		return "", domain.E(domain.Unavailable, "google_credentials_invalid", "The file of Google credentials holds no key of a service account.").Because(err)
	}
	token, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, t.Client)).Token()
	if err != nil {
		return "", refused(err)
	}
	return token.AccessToken, nil
}

// own asks the cloud that the machine runs in.
func (t Tokens) own(ctx context.Context) (_ string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Metadata+"?scopes="+url.QueryEscape(Scope), nil)
	if err != nil {
		return "", refused(err)
	}
	r.Header.Set("Metadata-Flavor", "Google")
	reply, err := t.Client.Do(r)
	if err != nil {
		return "", refused(err)
	}
	defer reply.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(io.LimitReader(reply.Body, maxAnswer)).Decode(&answer)
	if reply.StatusCode != http.StatusOK || err != nil || answer.AccessToken == "" {
		return "", refused(fmt.Errorf("status %d of the metadata server: %w", reply.StatusCode, err))
	}
	return answer.AccessToken, nil
}

func refused(err error) error {
	return domain.E(domain.Unavailable, "google_token_refused", "Google gave no access token.").Because(withoutAnswer(err))
}
