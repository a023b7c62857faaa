package pages

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"agnes/connectors/oidc"
	"agnes/domain/people"
)

// idp is a real OpenID provider with people of its own. It checks PKCE, the
// client's secret and where browsers are sent back to.
type idp struct {
	*storage.Storage
	*httptest.Server
	users  map[string]*storage.User // by their names
	groups []string                 // of everybody; nil: it says nothing of groups
}

func newIDP(t *testing.T, method people.Method, back string) *idp {
	t.Helper()
	i := &idp{users: map[string]*storage.User{}}
	var handler http.Handler
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(i.Close)
	client := storage.WebClient("agnes", "s3cret", back+"/auth/"+string(method)+"/callback")
	i.Storage = storage.NewStorageWithClients(i, map[string]*storage.Client{"agnes": client})
	handler = exampleop.SetupServer(i.URL, i, nil, false)
	return i
}

// add makes an account there; its password is its name.
func (i *idp) add(name, email string, verified bool) {
	i.users[name] = &storage.User{ID: "id-" + name, Username: name, Password: name, FirstName: "Ada", LastName: "Lovelace", Email: email, EmailVerified: verified}
}

func (i *idp) GetUserByUsername(name string) *storage.User { return i.users[name] }
func (i *idp) ExampleClientID() string                     { return "service" }
func (i *idp) GetUserByID(id string) *storage.User {
	return i.users[strings.TrimPrefix(id, "id-")]
}

// SetUserinfoFromRequest fills ID tokens.
func (i *idp) SetUserinfoFromRequest(ctx context.Context, info *zitadel.UserInfo, r op.IDTokenRequest, scopes []string) error {
	i.addGroups(info)
	return i.Storage.SetUserinfoFromRequest(ctx, info, r, scopes)
}

// SetUserinfoFromToken answers about people.
func (i *idp) SetUserinfoFromToken(ctx context.Context, info *zitadel.UserInfo, tokenID, subject, origin string) error {
	i.addGroups(info)
	return i.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin)
}

func (i *idp) addGroups(info *zitadel.UserInfo) {
	if i.groups != nil {
		info.AppendClaims("groups", i.groups)
	}
}

// federal is a portal at an address, with two real providers.
type federal struct {
	*portal
	site   *httptest.Server
	google *idp
	oidc   *idp
}

func newFederal(t *testing.T, domains ...string) *federal {
	t.Helper()
	f := &federal{portal: newPortal(t)}
	f.site = httptest.NewServer(f.handler)
	t.Cleanup(f.site.Close)
	f.google, f.oidc = newIDP(t, people.ByGoogle, f.site.URL), newIDP(t, people.ByOIDC, f.site.URL)
	services := map[people.Method]people.Service{people.ByOIDC: {Rules: &people.GroupRules{Source: people.ByOIDCSync, CreatedBy: "system:oidc-sync", Admin: "admins"}}}
	f.Federation = &people.Federation{Store: f.store, AllowedDomains: domains, Services: services, Log: slog.New(slog.DiscardHandler)}
	f.Services = []Service{f.serviceAt(people.ByGoogle, f.google), f.serviceAt(people.ByOIDC, f.oidc)}
	return f
}

func (f *federal) serviceAt(method people.Method, i *idp) Service {
	f.t.Helper()
	p, err := oidc.New(oidc.Config{
		Issuer: i.URL, ClientID: "agnes", ClientSecret: "s3cret", Scopes: []string{"email", "profile"}, GroupsClaim: "groups",
		Google: method == people.ByGoogle, Now: time.Now, Timeout: 5 * time.Second,
	})
	must(f.t, err)
	return Service{Method: method, Name: string(method), Client: p}
}

// visitor is a browser with cookies that follows nothing by itself.
type visitor struct {
	*http.Client
	f *federal
}

func (f *federal) visitor() *visitor {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	must(f.t, err)
	return &visitor{f: f, Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// open gets an address, or a path here, and returns the status and where it leads.
func (v *visitor) open(address string) (int, string) {
	v.f.t.Helper()
	return v.send(http.MethodGet, address, nil)
}

func (v *visitor) send(method, address string, form url.Values) (int, string) {
	t := v.f.t
	t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.f.site.URL + address
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	must(t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := v.Do(r)
	must(t, err)
	defer func() { must(t, answer.Body.Close()) }()
	_, err = io.Copy(io.Discard, answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header.Get("Location")
}

// leave goes to a service by a path here, and signs in there; it returns the
// address that leads back.
func (v *visitor) leave(path, user string) string {
	v.f.t.Helper()
	_, there := v.open(path)
	return v.signInAt(there, user)
}

func (v *visitor) signInAt(there, user string) string {
	t := v.f.t
	t.Helper()
	status, form := v.open(there)
	at, err := url.Parse(there)
	must(t, err)
	page, err := at.Parse(form)
	must(t, err)
	if status != http.StatusFound || page.Query().Get("authRequestID") == "" {
		t.Fatalf("the provider answers %d %q to %s", status, form, there)
	}
	_, done := v.send(http.MethodPost, page.String(), url.Values{"id": {page.Query().Get("authRequestID")}, "username": {user}, "password": {user}})
	next, err := page.Parse(done)
	must(t, err)
	_, back := v.open(next.String())
	if !strings.HasPrefix(back, v.f.site.URL+"/auth/") {
		t.Fatalf("the provider sends %s back to %q", user, back)
	}
	return back
}

// signsIn goes all the way and returns where it ends.
func (v *visitor) signsIn(path, user string) string {
	v.f.t.Helper()
	_, end := v.open(v.leave(path, user))
	return end
}

// signedIn reports whether the catalog opens.
func (v *visitor) signedIn() bool {
	v.f.t.Helper()
	status, _ := v.open("/catalog")
	return status == http.StatusOK
}

func (v *visitor) cookie() string {
	here, err := url.Parse(v.f.site.URL)
	must(v.f.t, err)
	all := v.Jar.Cookies(here)
	i := slices.IndexFunc(all, func(c *http.Cookie) bool { return c.Name == v.f.Sessions.Cookie.Name })
	if i < 0 {
		return ""
	}
	return all[i].Value
}
