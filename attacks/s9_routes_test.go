//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"agnes/domain/access"
	"agnes/handlers/pages"
	"agnes/handlers/request"
)

// way is one route of the running server.
type way struct {
	method, path string
	need         access.Need
}

// String is the route as it is declared.
func (r way) String() string { return r.method + " " + r.path }

func (r way) changes() bool {
	return r.method != http.MethodGet && r.method != http.MethodHead && r.method != http.MethodOptions
}

// ways lists what the running server says of its API, and the pages as their
// router has them.
func (w *world) ways() []way {
	var document struct {
		Paths map[string]map[string]struct {
			Permission string `json:"x-permission"`
		}
	}
	must(w.admin.call(http.MethodGet, "/openapi.json", nil, &document))
	needs := map[string]access.Need{
		"public": access.Public, "signed in": access.SignedIn, "a grant on the table": access.NeedTable, "administrators": access.Admin,
	}
	var all []way
	for path, methods := range document.Paths {
		for method, o := range methods {
			need, known := needs[o.Permission]
			if !known {
				must(fmt.Errorf("%s %s declares the permission %q", method, path, o.Permission))
			}
			all = append(all, way{strings.ToUpper(method), path, need})
		}
	}
	for _, r := range (&pages.Server{}).Routes() {
		all = append(all, way{r.Method, r.Pattern, r.Need})
	}
	slices.SortFunc(all, func(a, b way) int { return strings.Compare(a.String(), b.String()) })
	return all
}

var inBraces = regexp.MustCompile(`\{[^}]*\}`)

// knock asks for a route about the forbidden table.
func (r way) knock(b *browser, headers ...string) (*answer, error) {
	path := inBraces.ReplaceAllString(r.path, "salaries")
	var body io.Reader
	if r.changes() {
		body = strings.NewReader("{}")
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	return b.raw(r.method, path, body, "", headers...)
}

// strangers is S9: every route of the running server without credentials, as
// somebody who may not, and as the page of another site makes an
// administrator's browser ask.
func strangers(t *trials) {
	w := t.theWorld()
	all := w.ways()
	const nora, password = "nora@example.com", "a password with nine words"
	w.admin.account(nora, password)
	before := w.hash()
	analyst := w.browser().signs(nora, password)
	admin := w.browser().signs(adminEmail, adminPassword)
	for _, r := range all {
		t.one(r.String()+" by nobody", func() error { return r.byNobody(w.browser()) })
		t.one(r.String()+" by an analyst", func() error {
			if analyst.isIn(nora) != nil { // a route before this one signed her out, as it should
				analyst.cookies = w.session(nora, password)
			}
			return r.byAnalyst(analyst)
		})
		t.one(r.String()+" from another site", func() error { return r.fromElsewhere(admin) })
	}
	t.also("the administrator's session", func() error { return admin.isIn(adminEmail) })
	t.also("the world", func() error { return changed(before, w.hash()) })
	if len(all) < 100 {
		t.also("the routes", func() error { return fmt.Errorf("only %d were found", len(all)) })
	}
	t.note("%d routes × 3", len(all))
}

// session signs in where tries are bounded: from an address of its own.
func (s *server) session(email, password string) map[string]string {
	return s.fresh().signs(email, password).cookies
}

// nothingOf fails when an answer shows what its reader may not see, or a fault.
func nothingOf(got *answer, r way) error {
	for _, word := range []string{valueCanary, columnCanary, quietCanary, placeCanary} {
		if bytes.Contains(got.body, []byte(word)) {
			return fmt.Errorf("LEAK of %s: %.200s", word, got.body)
		}
	}
	if got.status >= 500 && got.status != http.StatusServiceUnavailable {
		return fmt.Errorf("answer %d: %s", got.status, sentenceOf(got.body))
	}
	return nil
}

func (r way) byNobody(b *browser) error {
	got, err := r.knock(b)
	if err != nil {
		return err
	}
	page := !request.ForMachines(r.path) && !r.changes()
	switch {
	case r.need == access.Public && got.status == http.StatusUnauthorized && r.path != "/auth/email/verify" && !r.changes():
		return fmt.Errorf("public, and refused: %s", sentenceOf(got.body))
	case r.need == access.Public, got.status == http.StatusUnauthorized:
	case page && got.status == http.StatusFound && strings.HasPrefix(got.location(), "/login?next="):
	default:
		return fmt.Errorf("NOT REFUSED: %d %.200s", got.status, got.body)
	}
	return nothingOf(got, r)
}

func (r way) byAnalyst(b *browser) error {
	got, err := r.knock(b)
	if err != nil {
		return err
	}
	switch {
	case r.need == access.Admin && got.status != http.StatusForbidden:
		return fmt.Errorf("NOT REFUSED: %d %.200s", got.status, got.body)
	case r.need == access.NeedTable && got.status < 400:
		return fmt.Errorf("ANSWERED about the forbidden table: %d %.200s", got.status, got.body)
	case r.need == access.SignedIn && got.status == http.StatusForbidden && !r.changes() && !bytes.Contains(got.body, []byte("No access to table")):
		return fmt.Errorf("refused: %s", sentenceOf(got.body))
	}
	return nothingOf(got, r)
}

// fromElsewhere sends what pages of other sites can have a signed-in browser
// send. Reading changes nothing, which the world's hash shows at the end;
// changes are refused.
func (r way) fromElsewhere(admin *browser) error {
	if !r.changes() {
		if r.method == http.MethodGet && strings.HasSuffix(r.path, "/live") {
			return nil // a stream without an end, which reads
		}
		got, err := r.knock(admin.like(), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		switch {
		case err != nil:
			return err
		case got.header.Get("Access-Control-Allow-Origin") != "":
			return fmt.Errorf("another site may read it: Access-Control-Allow-Origin %q", got.header.Get("Access-Control-Allow-Origin"))
		case got.status >= 500 && got.status != http.StatusServiceUnavailable:
			return fmt.Errorf("answer %d: %s", got.status, sentenceOf(got.body))
		}
		return nil
	}
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site", "Origin", admin.url, "HX-Request", "true"},
	} {
		got, err := r.knock(admin, headers...)
		if err != nil {
			return err
		}
		if got.status != http.StatusForbidden || !bytes.Contains(got.body, []byte("another site")) {
			return errors.Join(fmt.Errorf("NOT REFUSED with %v: %d %.200s", headers, got.status, got.body), nothingOf(got, r))
		}
	}
	return nil
}
