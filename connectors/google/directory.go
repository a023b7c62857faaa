package google

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"agnes/domain"
)

// GroupsScope is what a token may be used for that reads groups.
const GroupsScope = "https://www.googleapis.com/auth/admin.directory.group.readonly"

// Where Google answers.
const (
	DirectoryURL = "https://admin.googleapis.com"
	SigningURL   = "https://iamcredentials.googleapis.com"
	ExchangeURL  = "https://oauth2.googleapis.com/token"
	AccountURL   = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default"
)

const (
	maxPages     = 20
	perPage      = 200
	maxDirectory = 1 << 20
)

// Directory reads which groups of Google Workspace an address is in, in the
// name of an administrator who let a service account act for them. The service
// account signs by its key file or, without one, by Google on the word of the
// machine that Agnes runs on.
type Directory struct {
	Subject string // the administrator
	Account string // of the service; "": the machine's own
	KeyFile string // "": signed by Google

	Directory, Signing, Exchange, Metadata string // DirectoryURL and so on
	Client                                 *http.Client
	Now                                    func() time.Time
}

// Groups returns the addresses of the groups in lower case. It fails with
// Unavailable, in words that name neither account nor file.
func (d Directory) Groups(ctx context.Context, email string) ([]string, error) {
	ctx, stop := context.WithTimeout(ctx, tokenTimeout)
	defer stop()
	token, err := d.token(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	query := url.Values{"userKey": {email}, "maxResults": {fmt.Sprint(perPage)}}
	for range maxPages {
		var page struct {
			Groups []struct {
				Email string `json:"email"`
			} `json:"groups"`
			Next string `json:"nextPageToken"`
		}
		if err := d.get(ctx, d.Directory+"/admin/directory/v1/groups?"+query.Encode(), "Bearer "+token, &page); err != nil {
			return nil, unreadable(err)
		}
		for _, g := range page.Groups {
			all = append(all, strings.ToLower(g.Email))
		}
		if page.Next == "" {
			return all, nil
		}
		query.Set("pageToken", page.Next)
	}
	return nil, unreadable(errors.New("too many pages of groups"))
}

func (d Directory) token(ctx context.Context) (string, error) {
	if d.Subject == "" {
		return "", unreadable(errors.New("no administrator is named"))
	}
	if d.KeyFile != "" {
		return d.tokenByKey(ctx)
	}
	return d.tokenBySigning(ctx)
}

func (d Directory) tokenByKey(ctx context.Context) (string, error) {
	key, err := os.ReadFile(d.KeyFile)
	if err != nil {
		return "", domain.E(domain.Unavailable, "google_credentials_unreadable", "The file of Google credentials cannot be read.").Because(err)
	}
	config, err := google.JWTConfigFromJSON(key, GroupsScope)
	if err != nil {
		return "", domain.E(domain.Unavailable, "google_credentials_invalid", "The file of Google credentials holds no key of a service account.").Because(err)
	}
	config.Subject = d.Subject
	token, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, d.Client)).Token()
	if err != nil {
		return "", refused(err)
	}
	return token.AccessToken, nil
}

// withoutAnswer keeps the status of a refusal: its body is for no log.
func withoutAnswer(err error) error {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) && retrieve.Response != nil {
		return fmt.Errorf("status %d, error %q", retrieve.Response.StatusCode, retrieve.ErrorCode)
	}
	return err
}

// tokenBySigning has Google sign what a key file would.
func (d Directory) tokenBySigning(ctx context.Context) (string, error) {
	var own struct {
		AccessToken string `json:"access_token"`
	}
	if err := d.get(ctx, d.Metadata+"/token", "", &own); err != nil || own.AccessToken == "" {
		return "", refused(fmt.Errorf("the machine's own token: %w", err))
	}
	account := d.Account
	if account == "" {
		var err error
		if account, err = d.ownAccount(ctx); err != nil {
			return "", refused(err)
		}
	}
	now := d.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": account, "sub": d.Subject, "scope": GroupsScope, "aud": ExchangeURL, "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	})
	if err != nil {
		return "", refused(err)
	}
	body, err := json.Marshal(map[string]string{"payload": string(claims)})
	if err != nil {
		return "", refused(err)
	}
	var signed struct {
		JWT string `json:"signedJwt"`
	}
	address := d.Signing + "/v1/projects/-/serviceAccounts/" + url.PathEscape(account) + ":signJwt"
	if err := d.post(ctx, address, "application/json", "Bearer "+own.AccessToken, body, &signed); err != nil {
		return "", refused(fmt.Errorf("sign: %w", err))
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {signed.JWT}}
	err = d.post(ctx, d.Exchange, "application/x-www-form-urlencoded", "", []byte(form.Encode()), &token)
	if err != nil || token.AccessToken == "" {
		return "", refused(fmt.Errorf("trade the signature: %w", err))
	}
	return token.AccessToken, nil
}

// ownAccount is the address of the machine's service account.
func (d Directory) ownAccount(ctx context.Context) (_ string, err error) {
	answer, err := d.do(ctx, http.MethodGet, d.Metadata+"/email", "", "", nil)
	if err != nil {
		return "", err
	}
	account := strings.TrimSpace(string(answer))
	if !strings.Contains(account, "@") || strings.ContainsAny(account, "/ \n") {
		return "", errors.New("the machine has no service account")
	}
	return account, nil
}

func (d Directory) get(ctx context.Context, address, authorization string, into any) error {
	answer, err := d.do(ctx, http.MethodGet, address, "", authorization, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func (d Directory) post(ctx context.Context, address, kind, authorization string, body []byte, into any) error {
	answer, err := d.do(ctx, http.MethodPost, address, kind, authorization, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// do asks and returns the answer of a success, of bounded size.
func (d Directory) do(ctx context.Context, method, address, kind, authorization string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if strings.HasPrefix(address, d.Metadata) {
		r.Header.Set("Metadata-Flavor", "Google")
	}
	reply, err := d.Client.Do(r)
	if err != nil {
		return nil, withoutAddress(err)
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(reply.Body, maxDirectory+1))
	switch {
	case err != nil:
		return nil, err
	case reply.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d", reply.StatusCode)
	case len(answer) > maxDirectory:
		return nil, errors.New("the answer is too large")
	}
	return answer, nil
}

// withoutAddress leaves out an address, which names a person.
func withoutAddress(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

func unreadable(err error) error {
	return domain.E(domain.Unavailable, "google_groups_unreadable",
		"Google did not say which groups the person is in. Check that the service account may act for the Workspace administrator.").Because(err)
}

// FixedGroups is a directory that puts everybody into the same groups, for trials.
type FixedGroups []string

// Groups returns the groups in lower case.
func (f FixedGroups) Groups(context.Context, string) ([]string, error) {
	groups := make([]string, len(f))
	for i, g := range f {
		groups[i] = strings.ToLower(g)
	}
	return groups, nil
}
