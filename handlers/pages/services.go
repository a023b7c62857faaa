package pages

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// Federation lets people in whom a service vouches for.
type Federation interface {
	SignIn(ctx context.Context, client audit.Actor, c people.Claims) (people.User, error)
	// Refused records a try that failed.
	Refused(ctx context.Context, client audit.Actor, method people.Method, email string, why error) error
}

// Service is a service that people may sign in with.
type Service struct {
	Method people.Method
	Name   string // as the button says it
	Client interface {
		// SignInURL is where the browser goes to sign in; Unavailable.
		SignInURL(ctx context.Context, t people.Trip) (string, error)
		// Claims is what the service says of who came back with a code; Forbidden, Unavailable.
		Claims(ctx context.Context, t people.Trip, code, issuer string) (people.Claims, error)
	}
}

// ServiceButtons are the services as the sign-in page shows them.
func ServiceButtons(services []Service) []views.Provider {
	buttons := make([]views.Provider, len(services))
	for i, s := range services {
		buttons[i] = views.Provider{Name: s.Name, URL: "/auth/" + string(s.Method) + "/login", Google: s.Method == people.ByGoogle}
	}
	return buttons
}

// tripKey is where the session keeps what a way to a service and back is bound to.
const tripKey = "sign_in_trip"

// service finds a service that is configured and switched on.
func (s *Server) service(method people.Method) (Service, bool) {
	i := slices.IndexFunc(s.Services, func(v Service) bool { return v.Method == method })
	if i < 0 {
		return Service{}, false
	}
	return s.Services[i], true
}

// serviceLogin sends a browser to a service.
func (s *Server) serviceLogin(method people.Method) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		plain(w)
		service, ok := s.service(method)
		if !ok {
			toRefusal(w, r, string(method)+"_not_configured", "")
			return nil
		}
		trip := people.Trip{
			Provider: method, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
			Return: s.base(r) + "/auth/" + string(method) + "/callback", Next: request.SafeNext(r.URL.Query().Get("next")),
			Fresh: r.URL.Query().Get("fresh") == "1", StartedAt: s.Now(),
		}

		target, err := service.Client.SignInURL(r.Context(), trip)
		if err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}

		kept, err := json.Marshal(trip)
		if err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}
		s.Sessions.Put(r.Context(), tripKey, string(kept))
		http.Redirect(w, r, target, http.StatusFound)
		return nil
	}
}

// serviceCallback lets in who comes back from a service.
func (s *Server) serviceCallback(method people.Method) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		plain(w)
		service, ok := s.service(method)
		if !ok {
			toRefusal(w, r, string(method)+"_not_configured", "")
			return nil
		}
		query := r.URL.Query()
		trip, err := s.trip(r, method, query)
		if err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}

		c, err := service.Client.Claims(r.Context(), trip, query.Get("code"), query.Get("iss"))
		if err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}
		c.Provider = method // of the address that the service was configured for

		u, err := s.Federation.SignIn(r.Context(), request.Client(r), c)
		if domain.KindOf(err) == domain.Forbidden { // it is recorded
			toRefusal(w, r, domain.CodeOf(err), trip.Next)
			return nil
		} else if err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}
		if err := s.enter(w, r, u, method, trip.Next); err != nil {
			return s.refuseSignIn(w, r, trip, err)
		}
		return nil
	}
}

// trip takes what the session keeps of the way that ends here. It serves once,
// in the browser that began it, for ten minutes, and for one service.
func (s *Server) trip(r *http.Request, method people.Method, query url.Values) (people.Trip, error) {
	blank := people.Trip{Provider: method, Next: request.Home}
	var t people.Trip
	kept := s.Sessions.PopString(r.Context(), tripKey)
	if kept == "" || json.Unmarshal([]byte(kept), &t) != nil {
		return blank, unfinished("sign_in_expired")
	}
	switch {
	case t.Provider != method, t.State == "", len(query["state"]) != 1,
		subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(t.State)) != 1:
		return blank, unfinished("oauth_failed")
	case s.Now().Sub(t.StartedAt) > people.TripLifetime:
		return t, unfinished("sign_in_expired")
	case query.Get("error") == "access_denied":
		return t, unfinished("access_denied")
	case query.Has("error"), len(query["code"]) != 1, query.Get("code") == "", len(query["iss"]) > 1:
		return t, unfinished("oauth_failed")
	}
	return t, nil
}

func unfinished(code string) error {
	return domain.E(domain.Forbidden, code, "%s", views.SignInRefusal(code))
}

// refuseSignIn records why somebody did not come in and sends them back to the
// sign-in page, which says it. What these routes answer is never a page.
func (s *Server) refuseSignIn(w http.ResponseWriter, r *http.Request, t people.Trip, why error) error {
	code := domain.CodeOf(why)
	log := request.Logger(r.Context())
	switch domain.KindOf(why) {
	case domain.Forbidden:
		log.WarnContext(r.Context(), "sign-in through a service refused", "provider", string(t.Provider), "code", code, "err", why)
	case domain.Unavailable, domain.Cancelled:
		code = "provider_unavailable"
		log.WarnContext(r.Context(), "a service to sign in with does not answer", "provider", string(t.Provider), "err", why)
	default:
		code = "oauth_failed"
		log.ErrorContext(r.Context(), "sign-in through a service failed", "provider", string(t.Provider), "err", why)
	}
	if err := s.Federation.Refused(r.Context(), request.Client(r), t.Provider, "", domain.E(domain.Forbidden, code, "").Because(why)); err != nil {
		log.ErrorContext(r.Context(), "a failed sign-in is not recorded", "err", err)
	}
	toRefusal(w, r, code, t.Next)
	return nil
}

// tooManyTrips answers a browser whose network has used its tries up: no person
// can read the JSON that programs get.
func tooManyTrips(w http.ResponseWriter, r *http.Request) {
	plain(w)
	toRefusal(w, r, "too_many_attempts", r.URL.Query().Get("next"))
}

// plain keeps a redirect from having a body of HTML.
func plain(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain; charset=utf-8") }

// toRefusal leads to the sign-in page, which says what the code means.
func toRefusal(w http.ResponseWriter, r *http.Request, code, next string) {
	target := url.Values{"error": {code}}
	if next != "" && next != request.Home {
		target.Set("next", request.SafeNext(next))
	}
	http.Redirect(w, r, "/login?"+target.Encode(), http.StatusFound)
}

// base is the address of this server as the browser knows it.
func (s *Server) base(r *http.Request) string {
	switch {
	case s.CallbackBase != "":
		return s.CallbackBase
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
