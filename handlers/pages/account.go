package pages

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/mileusna/useragent"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// Identity keeps who is signed in, and with what.
type Identity interface {
	GetUser(ctx context.Context, id people.UserID) (people.User, error)
	StartSession(ctx context.Context, n people.NewSession) (people.Session, error)
	ListSessions(ctx context.Context, user people.UserID, idle time.Time) ([]people.Session, error)
	EndSession(ctx context.Context, by audit.Actor, user people.UserID, id people.SessionID) error
	EndSessions(ctx context.Context, by audit.Actor, user people.UserID, except people.SessionID) (int, error)
	Prove(ctx context.Context, by audit.Actor, id people.SessionID, method people.Method) error
	ListIdentities(ctx context.Context, user people.UserID) ([]people.Identity, error)
	ListTokens(ctx context.Context, owner people.UserID) ([]access.Token, error)
	RevokeToken(ctx context.Context, by audit.Actor, owner people.UserID, id access.TokenID) error
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) error {
	v := blankAccount()
	if r.Method != http.MethodHead { // nobody reads it there
		v.Made = s.takeMade(r.Context())
	}
	return s.showAccount(w, r, http.StatusOK, v)
}

// blankAccount is the page before anything was typed.
func blankAccount() views.AccountView {
	return views.AccountView{Form: views.TokenForm{Days: "90", Scope: "read query"}}
}

// showAccount draws the page around what a form led to.
func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, status int, v views.AccountView) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	u, err := s.Identity.GetUser(ctx, p.UserID)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	sessions, err := s.Identity.ListSessions(ctx, p.UserID, s.Now().Add(-s.current().SessionIdle))
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if v.Tokens, err = s.Identity.ListTokens(ctx, p.UserID); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if v.Methods, err = s.methods(ctx, u); err != nil {
		return err
	}
	if v.NameForm.Errors == nil {
		v.NameForm.Name, v.NameForm.Version = u.Name, u.Version
	}
	v.Passwords, v.HasPassword, v.Stale = !s.PasswordsOff && !s.SignIn.Off && u.MayHavePassword() == nil, u.HasPassword, p.Recent(s.Now()) != nil
	v.Name, v.Email, v.Admin, v.Since, v.Now = u.Name, u.Email, u.Admin, u.CreatedAt, s.Now()
	for _, g := range u.Groups {
		v.Groups = append(v.Groups, g.Name)
	}
	for _, one := range sessions {
		v.Sessions = append(v.Sessions, views.SessionRow{Session: one, Device: device(one.UserAgent), Current: one.ID == p.Session})
	}
	return s.render(w, r, status, views.AccountPage(s.chrome(r, "Your account", views.NavNone), v))
}

// methods lists how a person can sign in.
func (s *Server) methods(ctx context.Context, u people.User) ([]views.SignInMethod, error) {
	var all []views.SignInMethod
	if u.HasPassword && !s.PasswordsOff {
		all = append(all, views.SignInMethod{Method: people.ByPassword})
	}
	others, err := s.Identity.ListIdentities(ctx, u.ID)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	for _, i := range others {
		all = append(all, views.SignInMethod{Method: i.Provider, Detail: i.Email, Used: &i.UsedAt})
	}
	return all, nil
}

// device words what a client called itself when it signed in. It is a hint for
// the person, not a proof: anybody may send anything.
func device(agent string) string {
	a := useragent.Parse(agent)
	switch {
	case agent == "":
		return "Unknown device"
	case a.Name == "agnes":
		return "Agnes on the command line"
	case a.Name != "" && a.OS != "":
		return a.Name + " on " + a.OS
	case a.Name != "":
		return a.Name
	}
	return "Unknown device"
}

func (s *Server) sessionEnd(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	id := people.SessionID(param(r, "id"))
	if err := s.Identity.EndSession(r.Context(), p.Actor(), p.UserID, id); err != nil {
		return err
	}
	if id == p.Session {
		return s.leave(w, r, "/login")
	}
	s.tell(r.Context(), views.Toast{Text: "That device is signed out."})
	request.Redirect(w, r, "/profile")
	return nil
}

func (s *Server) sessionsEndOthers(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	n, err := s.Identity.EndSessions(r.Context(), p.Actor(), p.UserID, p.Session)
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: views.Plural(n, "sign-in") + " ended. You are signed in here only."})
	request.Redirect(w, r, "/profile")
	return nil
}

func (s *Server) sessionsEndAll(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if _, err := s.Identity.EndSessions(r.Context(), p.Actor(), p.UserID, ""); err != nil {
		return err
	}
	return s.leave(w, r, "/login")
}

// leave ends the browser session, whose sign-in has ended, and goes on to a page.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, to string) error {
	if err := request.SignOut(r.Context(), s.Sessions); err != nil {
		return err
	}
	if _, err := r.Cookie(tokenCookie); err == nil {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // takes the cookie away
			Name: tokenCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	// Drafts of queries lie in the browser; the next person at it shall not find them.
	w.Header().Set("Clear-Site-Data", `"storage"`)
	request.Redirect(w, r, to)
	return nil
}

// tokenCookie is the cookie that may carry an access token (contract 9.2).
const tokenCookie = "access_token"

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.endSignIns(r); err != nil {
		return err
	}
	return s.leave(w, r, "/login")
}

// endSignIns ends the sign-ins behind a request: that which it was let in by,
// and that of its browser session.
func (s *Server) endSignIns(r *http.Request) error {
	p := request.Principal(r.Context())
	if p == nil || !p.Interactive() { // nothing that is live, or no sign-in at all
		return nil
	}
	ids := []people.SessionID{p.Session}
	if id, ok := request.SessionID(r.Context(), s.Sessions); ok && id != p.Session {
		ids = append(ids, id)
	}
	for _, id := range ids {
		if err := s.Identity.EndSession(r.Context(), p.Actor(), p.UserID, id); err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		}
	}
	return nil
}
