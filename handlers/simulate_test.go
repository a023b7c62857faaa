package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers"
	"agnes/handlers/request"
	"agnes/store"
)

// lookers is a site with routes to look through somebody's eyes: /look begins,
// /seen and /run are open to other eyes, and the site's own are not.
func lookers(t *testing.T, change func(*handlers.Config)) *site {
	t.Helper()
	var s *site
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := request.Principal(r.Context())
		as := "themselves"
		if p.As != nil {
			as = p.As.Email
		}
		fmt.Fprintf(w, "%s as %s, admin %t, %d groups, notice %q", p.Email, as, p.Admin, len(p.Groups), request.TakeNotice(r.Context(), s.sessions))
	})
	look := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := request.Principal(r.Context())
		eyes := request.Eyes{Person: people.UserID(r.FormValue("person")), SignIn: p.Session, Until: s.clock.now().Add(access.SimulateFor)}
		if r.FormValue("sign_in") != "" {
			eyes.SignIn = people.SessionID(r.FormValue("sign_in"))
		}
		if err := eyes.Open(r.Context(), s.sessions); err != nil {
			panic(err)
		}
	})
	s = newSite(t, func(c *handlers.Config) {
		c.Pages = append(c.Pages,
			request.Route{Method: http.MethodPost, Pattern: "/look", Need: access.SignedIn, Handler: look},
			request.Route{Method: http.MethodGet, Pattern: "/seen", Need: access.SignedIn, Handler: seen, Simulated: true},
			request.Route{Method: http.MethodPost, Pattern: "/run", Need: access.SignedIn, Handler: seen, Simulated: true},
		)
		if change != nil {
			change(c)
		}
	})
	return s
}

// look begins to see as somebody and returns the session's new cookie.
func (s *site) look(cookie string, person people.User, more ...string) string {
	s.t.Helper()
	w := s.ask(http.MethodPost, "/look", "person="+string(person.ID)+strings.Join(more, ""), "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusOK || len(w.Result().Cookies()) != 1 {
		s.t.Fatalf("look: %d %s, cookies %v", w.Code, w.Body, w.Result().Cookies())
	}
	c := w.Result().Cookies()[0]
	if now := c.Name + "=" + c.Value; now != cookie {
		return now
	}
	s.t.Fatal("the session kept its token")
	return ""
}

// page asks for a whole page, as a browser does, and follows a new cookie.
func (s *site) page(method, path, cookie string) (*httptest.ResponseRecorder, string) {
	w := s.ask(method, path, "", "Cookie", cookie, "Accept", "text/html")
	for _, c := range w.Result().Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return w, cookie
}

func TestOtherEyesReachOnlyWhatSaysSo(t *testing.T) {
	t.Parallel()
	s := lookers(t, nil)
	cookie := s.look(s.signIn(s.admin), s.user)
	if w, _ := s.page(http.MethodGet, "/seen", cookie); w.Body.String() != `ada@example.com as ben@example.com, admin false, 1 groups, notice ""` {
		t.Errorf("seen: %d %s", w.Code, w.Body)
	}
	if w, _ := s.page(http.MethodPost, "/run", cookie); w.Code != http.StatusOK {
		t.Errorf("run: %d %s", w.Code, w.Body)
	}
	// Whatever else there is, also what is open to everybody, is closed.
	tried := 0
	for _, route := range append(s.apiRoutes(), s.pageRoutes()...) {
		tried++
		w := s.ask(route.Method, strings.ReplaceAll(route.Pattern, "{id}", "1"), "", "Cookie", cookie)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "You see what ben@example.com sees, read only") {
			t.Errorf("%s %s: %d %s", route.Method, route.Pattern, w.Code, w.Body)
		}
	}
	if tried < 15 {
		t.Errorf("only %d routes were tried", tried)
	}
	// A token is somebody else's way in, whatever cookie comes with it.
	w := s.ask(http.MethodDelete, "/api/all/1", "", "Cookie", cookie, "Authorization", "Bearer "+s.mustToken(s.admin))
	if w.Code != http.StatusOK || w.Body.String() != "ada@example.com by token, api" {
		t.Errorf("by a token: %d %s", w.Code, w.Body)
	}
}

func TestOtherEyesClose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then func(*site)
		self string // who they are after it
		why  string
	}{
		"after half an hour": {func(s *site) { s.clock.advance(access.SimulateFor) }, "admin true, 2 groups", "It lasted its 30 minutes."},
		"when the person is deactivated": {func(s *site) {
			off := false
			_, err := s.store.UpdateUser(s.t.Context(), tester, s.user.ID, people.UserChange{Active: &off})
			must(s.t, err)
		}, "admin true, 2 groups", "The account was deactivated or deleted."},
		"when the person is deleted":               {func(s *site) { must(s.t, s.store.DeleteUser(s.t.Context(), tester, s.user.ID)) }, "admin true, 2 groups", "The account was deactivated or deleted."},
		"when the person becomes an administrator": {func(s *site) { s.promote(s.user) }, "admin true, 2 groups", "They became an administrator and see everything."},
		"when the administrator is none any more": {func(s *site) {
			s.promote(s.mustUser("cy@example.com"))
			must(s.t, s.store.RemoveMember(s.t.Context(), tester, s.admins(), s.admin.ID))
		}, "admin false, 1 groups", "You are no administrator any more."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lookers(t, nil)
			first := s.look(s.signIn(s.admin), s.user)
			second := s.look(s.signIn(s.admin), s.user)
			third := s.look(s.signIn(s.admin), s.user)
			tt.then(s)

			// What was meant for the other eyes is not done with one's own.
			w := s.ask(http.MethodPost, "/run", "", "Cookie", first)
			if w.Code != http.StatusConflict || !strings.Contains(detail(t, w), tt.why) || !strings.Contains(detail(t, w), "Nothing was done") {
				t.Errorf("a form: %d %s", w.Code, w.Body)
			}
			if w := s.ask(http.MethodGet, "/seen", "", "Cookie", second, "Accept", "text/html", "HX-Request", "true"); w.Code != http.StatusConflict {
				t.Errorf("a part of a page: %d %s", w.Code, w.Body)
			}
			w, cookie := s.page(http.MethodGet, "/seen", third)
			if !strings.Contains(w.Body.String(), "ada@example.com as themselves, "+tt.self+", notice \"You see as yourself again. "+tt.why) {
				t.Errorf("a page: %d %s", w.Code, w.Body)
			}
			if w, _ := s.page(http.MethodGet, "/seen", cookie); !strings.Contains(w.Body.String(), "as themselves, "+tt.self+`, notice ""`) {
				t.Errorf("the next page: %d %s", w.Code, w.Body)
			}
			ended := 0
			entries, err := s.store.ListAudit(t.Context(), 0)
			must(t, err)
			for _, e := range entries {
				if e.Action == "access.simulation_ended" && e.Actor.UserID == string(s.admin.ID) && e.Resource == "user:"+string(s.user.ID) && e.Params["why"] == tt.why {
					ended++
				}
			}
			if ended != 3 {
				t.Errorf("%d audit rows of an end, want 3", ended)
			}
		})
	}
}

func (s *site) admins() people.GroupID {
	s.t.Helper()
	g, err := s.store.GetGroupByName(s.t.Context(), people.AdminGroup)
	must(s.t, err)
	return g.ID
}

// promote makes somebody an administrator; who is one stays one.
func (s *site) promote(u people.User) {
	s.t.Helper()
	found, err := s.store.GetUser(s.t.Context(), u.ID)
	must(s.t, err)
	if !found.Admin {
		_, err = s.store.AddMember(s.t.Context(), tester, s.admins(), u.Email, people.ByAdmin)
		must(s.t, err)
	}
}

// blindStore cannot say who others are.
type blindStore struct{ *store.Store }

func (blindStore) Principal(context.Context, people.UserID) (access.Principal, error) {
	return access.Principal{}, errors.New("disk I/O error")
}

func TestOtherEyesAreNeverOnesOwn(t *testing.T) {
	t.Parallel()
	s := lookers(t, func(c *handlers.Config) {
		kept, ok := c.People.(*store.Store)
		if !ok {
			t.Fatal("the site has no store")
		}
		c.People = blindStore{kept}
	})
	cookie := s.look(s.signIn(s.admin), s.user)
	if w, _ := s.page(http.MethodGet, "/seen", cookie); w.Code != http.StatusInternalServerError {
		t.Errorf("when nobody can say what they see: %d %s", w.Code, w.Body)
	}

	// A browser that signs in anew has eyes of its own, whatever its session held.
	s = lookers(t, nil)
	cookie = s.look(s.signIn(s.admin), s.user, "&sign_in=another")
	w, _ := s.page(http.MethodGet, "/seen", cookie)
	if !strings.Contains(w.Body.String(), "as themselves, admin true") {
		t.Errorf("after another sign-in: %d %s", w.Code, w.Body)
	}
	// Somebody who is no administrator cannot begin, however the session came to say so.
	cookie = s.look(s.signIn(s.user), s.admin)
	w, _ = s.page(http.MethodGet, "/seen", cookie)
	if !strings.Contains(w.Body.String(), "ben@example.com as themselves, admin false") {
		t.Errorf("a user through an administrator's eyes: %d %s", w.Code, w.Body)
	}
}
