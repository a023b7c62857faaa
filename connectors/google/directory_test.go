package google

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain"
)

// workspace is Google, as far as groups go.
type workspace struct {
	*httptest.Server
	t       *testing.T
	page    func(token string) (status int, body string)
	subject string // whom the last token was asked for
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	w := &workspace{t: t, page: func(token string) (int, string) {
		switch token {
		case "":
			return 200, `{"groups": [{"email": "GRP_A@example.com"}, {"email": "b@example.com"}], "nextPageToken": "2"}`
		case "2":
			return 200, `{"groups": [{"email": "c@example.com"}]}`
		}
		return 400, `{}`
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /meta/token", func(a http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata-Flavor") != "Google" {
			a.WriteHeader(http.StatusForbidden)
		}
		fmt.Fprint(a, `{"access_token": "own"}`)
	})
	mux.HandleFunc("GET /meta/email", func(a http.ResponseWriter, _ *http.Request) { fmt.Fprint(a, "robot@project.example\n") })
	mux.HandleFunc("POST /v1/projects/-/serviceAccounts/{account}", func(a http.ResponseWriter, r *http.Request) {
		var body struct{ Payload string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer own" || r.PathValue("account") != "robot@project.example:signJwt" {
			t.Errorf("asked to sign %q for %q: %v", body.Payload, r.PathValue("account"), err)
		}
		signed, err := json.Marshal(map[string]string{"keyId": "1", "signedJwt": "x." + base64.RawURLEncoding.EncodeToString([]byte(body.Payload)) + ".x"})
		if err != nil {
			t.Error(err)
		}
		if _, err := a.Write(signed); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /exchange", w.exchange)
	mux.HandleFunc("GET /admin/directory/v1/groups", func(a http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer for groups" || r.FormValue("userKey") != "ada+x@example.com" {
			t.Errorf("asked for groups as %q of %q", r.Header.Get("Authorization"), r.FormValue("userKey"))
		}
		status, body := w.page(r.FormValue("pageToken"))
		a.WriteHeader(status)
		fmt.Fprint(a, body)
	})
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

// exchange reads what was signed, whoever signed it.
func (w *workspace) exchange(a http.ResponseWriter, r *http.Request) {
	var claims struct {
		Iss, Sub, Scope string
		Exp             int64
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil || claims.Scope != GroupsScope || claims.Exp == 0 || claims.Iss == "" {
		w.t.Errorf("traded %+v: %v", claims, err)
	}
	w.subject = claims.Sub
	a.Header().Set("Content-Type", "application/json")
	fmt.Fprint(a, `{"access_token": "for groups", "token_type": "Bearer"}`)
}

func (w *workspace) directory() Directory {
	return Directory{
		Subject: "boss@example.com", Directory: w.URL, Signing: w.URL, Exchange: w.URL + "/exchange", Metadata: w.URL + "/meta",
		Client: w.Client(), Now: time.Now,
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Directory, *workspace){
		"by the machine's own account": func(*Directory, *workspace) {},
		"by a named account":           func(d *Directory, _ *workspace) { d.Account = "robot@project.example" },
		"by a key file":                func(d *Directory, w *workspace) { d.KeyFile = mustKey(w.t, w.URL+"/exchange") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			d := w.directory()
			change(&d, w)
			got, err := d.Groups(t.Context(), "ada+x@example.com")
			if want := []string{"grp_a@example.com", "b@example.com", "c@example.com"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
			if w.subject != "boss@example.com" {
				t.Errorf("in the name of %q", w.subject)
			}
		})
	}
}

func TestDirectoryFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Directory, *workspace){
		"no right to see": func(_ *Directory, w *workspace) {
			w.page = func(string) (int, string) { return 403, `{"error": "ada"}` }
		},
		"rubbish": func(_ *Directory, w *workspace) { w.page = func(string) (int, string) { return 200, `<html>` } },
		"pages without end": func(_ *Directory, w *workspace) {
			w.page = func(string) (int, string) { return 200, `{"nextPageToken": "1"}` }
		},
		"a huge page": func(_ *Directory, w *workspace) {
			w.page = func(string) (int, string) { return 200, strings.Repeat(" ", maxDirectory+1) }
		},
		"half an answer": func(_ *Directory, w *workspace) {
			w.page = func(token string) (int, string) {
				return map[bool]int{true: 200, false: 500}[token == ""], `{"nextPageToken": "1"}`
			}
		},
		"no machine's token": func(d *Directory, _ *workspace) { d.Metadata = d.Metadata + "/none" },
		"no signing":         func(d *Directory, _ *workspace) { d.Signing = d.Signing + "/none" },
		"no trade":           func(d *Directory, _ *workspace) { d.Exchange = d.Exchange + "/none" },
		"no key file":        func(d *Directory, _ *workspace) { d.KeyFile = "/nowhere/key.json" },
		"nobody's name":      func(d *Directory, _ *workspace) { d.Subject = "" },
		"down":               func(_ *Directory, w *workspace) { w.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			d := w.directory()
			change(&d, w)
			got, err := d.Groups(t.Context(), "ada+x@example.com")
			if domain.KindOf(err) != domain.Unavailable || got != nil {
				t.Errorf("%v, %v; want Unavailable", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "ada+x") {
				t.Errorf("%v names the person", err)
			}
		})
	}
}

func TestFixedGroups(t *testing.T) {
	t.Parallel()
	got, err := FixedGroups{"A@example.com"}.Groups(t.Context(), "ada@example.com")
	if err != nil || !slices.Equal(got, []string{"a@example.com"}) {
		t.Errorf("%v, %v", got, err)
	}
}

// What Google answers with a refusal is for no log, whoever writes that.
func TestRefusalsAreToldWithoutTheAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"as it should be": `{"error": "invalid_grant", "error_description": "hidden words"}`,
		"as a page":       `<html>hidden words</html>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, answer)
			}))
			t.Cleanup(s.Close)
			key := mustKey(t, s.URL)
			d := Directory{Subject: "boss@example.com", KeyFile: key, Client: s.Client(), Now: time.Now}
			_, ofDirectory := d.Groups(t.Context(), "ada@example.com")
			_, ofTokens := Tokens{Client: s.Client()}.Token(t.Context(), key)
			for who, err := range map[string]error{"directory": ofDirectory, "tokens": ofTokens} {
				if domain.CodeOf(err) != "google_token_refused" {
					t.Errorf("%s: %v", who, err)
				}
				for ; err != nil; err = errors.Unwrap(err) {
					if strings.Contains(err.Error(), "hidden") {
						t.Errorf("%s tells the answer: %v", who, err)
					}
				}
			}
		})
	}
}
