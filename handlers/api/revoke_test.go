package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
)

// interrupted is a reader in whose midst something happens: after the first
// bytes, once.
type interrupted struct {
	*httptest.ResponseRecorder
	then func()
}

func (w *interrupted) Write(p []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(p)
	if w.then != nil && w.Body.Len() > 0 {
		w.then()
		w.then = nil
	}
	return n, err
}

// reads asks for something, has then happen after the first bytes, and returns
// what arrived and whether the answer was cut off.
func (s *site) reads(u people.User, method, path, body, accept string, then func()) (w *interrupted, cut bool) {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.mustToken(u))
	r.Header.Set("Accept", accept)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w = &interrupted{httptest.NewRecorder(), then}
	defer func() {
		if reason := recover(); reason != nil {
			if cut = reason == http.ErrAbortHandler; !cut { //nolint:errorlint // the value that net/http compares with
				panic(reason)
			}
		}
	}()
	s.handler.ServeHTTP(w, r)
	return w, false
}

// TestAccessEndsInTheMiddle takes access away while rows are on their way: the
// answer is cut off at the next look, which comes a second later.
func TestAccessEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	s := newSite(t)
	s.mustTable("orders", nil, rows)
	s.limits.Results.Bytes = 1 << 30
	group, err := s.store.CreateGroup(t.Context(), tester, "finance", "")
	must(t, err)
	give := func() access.Grant {
		g, err := s.store.CreateGrant(t.Context(), tester, access.NewGrant{Group: group.ID, ResourceType: access.TableResource, ResourceID: "orders"})
		must(t, err)
		return g
	}
	grant := give()
	join := func(u people.User) {
		_, err := s.store.AddMember(t.Context(), tester, group.ID, u.Email, people.ByAdmin)
		must(t, err)
	}
	join(s.analyst)
	s.engine.numbers(rows, 1000)
	run := s.run(s.analyst, "SELECT n FROM orders")

	ways := []struct{ name, method, path, body, accept string }{
		{"an export of kept rows", http.MethodGet, "/api/query/runs/" + run + "/export?format=csv", "", "*/*"},
		{"a download", http.MethodGet, "/api/data/orders/download", "", "*/*"},
		{"rows of a query as they come", http.MethodPost, "/api/query", `{"sql":"SELECT n FROM orders"}`, "text/csv"},
	}
	ends := []struct {
		name     string
		end, put func()
	}{
		{"the grant is deleted", func() { must(t, s.store.DeleteGrant(t.Context(), tester, grant.ID)) }, func() { grant = give() }},
		{"the grant ends", func() {
			end := s.clock.now().Add(time.Microsecond)
			pointer := &end
			_, err := s.store.UpdateGrant(t.Context(), tester, grant.ID, access.GrantChange{ExpiresAt: &pointer})
			must(t, err)
		}, func() { grant = give() }},
		{"they leave the group", func() { must(t, s.store.RemoveMember(t.Context(), tester, group.ID, s.analyst.ID)) }, func() { join(s.analyst) }},
	}
	for _, way := range ways {
		whole, cut := s.reads(s.analyst, way.method, way.path, way.body, way.accept, func() { s.clock.advance(access.Recheck) })
		if cut || whole.Code != http.StatusOK || whole.Body.Len() < rows {
			t.Fatalf("%s, undisturbed: %d, %d bytes, cut %v", way.name, whole.Code, whole.Body.Len(), cut)
		}
		for _, e := range ends {
			part, cut := s.reads(s.analyst, way.method, way.path, way.body, way.accept, func() {
				e.end()
				s.clock.advance(access.Recheck)
			})
			if !cut || part.Body.Len() == 0 || part.Body.Len() >= whole.Body.Len() || !bytes.HasPrefix(whole.Body.Bytes(), part.Body.Bytes()) {
				t.Errorf("%s, %s in its midst: cut %v after %d of %d bytes", way.name, e.name, cut, part.Body.Len(), whole.Body.Len())
			}
			again, _ := s.reads(s.analyst, way.method, way.path, way.body, way.accept, nil)
			if way.accept == "*/*" && again.Code != http.StatusNotFound && again.Code != http.StatusForbidden {
				t.Errorf("%s, %s: the next request is answered with %d", way.name, e.name, again.Code)
			}
			e.put()
		}
	}
	if runs := s.as(s.analyst, http.MethodGet, "/api/query/runs", nil).Body.String(); !strings.Contains(runs, "Your access to orders ended") {
		t.Error("the list of runs does not say why they ended")
	}
}
