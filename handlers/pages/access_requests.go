package pages

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

// AccessRequests carries out the steps of requests for access.
type AccessRequests interface {
	Ask(ctx context.Context, p access.Principal, n access.NewRequest) (access.Request, access.Told, error)
	Approve(ctx context.Context, p access.Principal, id string, a access.Approval) (access.Request, access.Told, error)
	Refuse(ctx context.Context, p access.Principal, id string, f access.Refusal) (access.Request, access.Told, error)
	Withdraw(ctx context.Context, p access.Principal, id string, seen int64) (access.Request, error)
	Reopen(ctx context.Context, p access.Principal, id string) (access.Request, access.Told, error)
}

// RequestList reads requests for access.
type RequestList interface {
	ListAccessRequests(ctx context.Context, f access.RequestFilter) ([]access.Request, int, error)
	RequestContexts(ctx context.Context, ids []string) (map[string]access.RequestContext, error)
	CountAccessRequests(ctx context.Context, p access.Principal) (access.RequestCounts, error)
	SeeAccessRequests(ctx context.Context, user people.UserID) error
}

// requestRoutes are the pages of requests for access. Who may decide is a matter
// of each request.
func (s *Server) requestRoutes() []request.Route {
	route := func(need access.Need, method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: pattern, Need: need, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	const get, post, mine = http.MethodGet, http.MethodPost, access.SignedIn
	return []request.Route{
		route(access.Admin, get, views.AccessRequestsURL, s.requestsInbox),
		route(mine, get, views.RequestsURL, s.requestsOwn),
		route(mine, post, views.RequestsURL, s.requestAsk),
		route(mine, get, views.RequestsURL+"/new", s.requestAskPage),
		route(mine, post, views.RequestsURL+"/{id}/withdraw", s.requestWithdraw),
		route(mine, post, views.RequestsURL+"/{id}/approve", s.requestApprove),
		route(mine, post, views.RequestsURL+"/{id}/refuse", s.requestRefuse),
		route(mine, post, views.RequestsURL+"/{id}/undo", s.requestUndo),
	}
}

// requestsAtOnce is how many requests a page shows.
const requestsAtOnce = 25

func (s *Server) requestsInbox(w http.ResponseWriter, r *http.Request) error {
	return s.showInbox(w, r, http.StatusOK, nil)
}

// showInbox draws the inbox of an administrator, or for somebody else the page
// of their own with what they decide on. change adds what a form led to.
func (s *Server) showInbox(w http.ResponseWriter, r *http.Request, status int, change func(*views.InboxView)) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if !p.Admin {
		return s.showOwn(w, r, status, change)
	}
	v, err := s.inbox(r, p)
	if err != nil {
		return err
	}
	if change != nil {
		change(&v)
	}
	return s.render(w, r, status, views.InboxPage(s.chrome(r, "Requests", views.NavAccess), v))
}

// inbox reads the requests that p decides on, in the state that the address names.
func (s *Server) inbox(r *http.Request, p access.Principal) (views.InboxView, error) {
	v := views.InboxView{State: access.RequestOpen, Page: 1, PerPage: requestsAtOnce, Admin: p.Admin, Now: s.Now()}
	for _, state := range access.RequestStates() {
		if r.Method == http.MethodGet && r.URL.Query().Get("state") == string(state) {
			v.State = state
		}
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 && n < maxPage {
		v.Page = n
	}
	list, total, err := s.RequestList.ListAccessRequests(r.Context(), access.RequestFilter{
		Viewer: p.UserID, Admin: p.Admin, Inbox: true, State: v.State, Limit: requestsAtOnce, Offset: (v.Page - 1) * requestsAtOnce,
	})
	if err != nil {
		return v, err
	}
	v.Total = total
	ids := make([]string, 0, len(list))
	for _, q := range list {
		if q.State == access.RequestOpen {
			ids = append(ids, q.ID)
		}
	}
	contexts, err := s.RequestList.RequestContexts(r.Context(), ids)
	if err != nil {
		return v, err
	}
	for _, q := range list {
		v.Requests = append(v.Requests, views.NewInboxItem(q, contexts[q.ID], p.Admin))
	}
	return v, nil
}

func (s *Server) requestsOwn(w http.ResponseWriter, r *http.Request) error {
	return s.showOwn(w, r, http.StatusOK, nil)
}

// showOwn draws somebody's own requests, and those that they decide on as the
// owner of a table. Seeing an answer takes it off the count beside the entry.
func (s *Server) showOwn(w http.ResponseWriter, r *http.Request, status int, change func(*views.InboxView)) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	v := views.OwnRequestsView{Now: s.Now(), Admin: p.Admin}
	v.Mine, v.Total, err = s.RequestList.ListAccessRequests(r.Context(), access.RequestFilter{Viewer: p.UserID, Mine: true, Limit: 2 * requestsAtOnce})
	if err != nil {
		return err
	}
	if !p.Admin {
		if v.Inbox, err = s.inbox(r, p); err != nil {
			return err
		}
		if change != nil {
			change(&v.Inbox)
		}
	}
	if r.Method != http.MethodHead {
		if err := s.RequestList.SeeAccessRequests(r.Context(), p.UserID); err != nil {
			request.Logger(r.Context()).WarnContext(r.Context(), "answers to requests stay marked as new", "err", err)
		}
	}
	return s.render(w, r, status, views.OwnRequestsPage(s.chrome(r, "Requests", views.NavRequests), v))
}

// countRequests puts the requests that need a look into a page's chrome, and
// tells once a session of answers that are new.
func (s *Server) countRequests(r *http.Request, p access.Principal, c *views.Chrome) {
	counts, err := s.RequestList.CountAccessRequests(r.Context(), p)
	if err != nil {
		request.Logger(r.Context()).WarnContext(r.Context(), "count requests for access", "err", err)
		return
	}
	c.Requests, c.Answered = counts.Open, counts.Answered
	if counts.Answered == 0 || r.Method != http.MethodGet || request.Partial(r) || r.URL.Path == views.RequestsURL {
		return
	}
	newest := strconv.FormatInt(counts.Newest.UnixMicro(), 10)
	if p.Via != access.ViaSession || s.Sessions.GetString(r.Context(), answersTold) == newest {
		return
	}
	s.Sessions.Put(r.Context(), answersTold, newest)
	c.Toasts = append(c.Toasts, views.Toast{Text: views.AnsweredSentence(counts.Answered)})
}

// answersTold is where a browser session keeps of which answers it has told.
const answersTold = "answers_told"

// requestForm is what the form of a decision holds.
type requestForm struct {
	id      string
	version int64
	choice  string // person, or group:<id>
	days    string // a number, or never
	answer  string
}

func parseRequestForm(r *http.Request) (requestForm, error) {
	if err := parseForm(r); err != nil {
		return requestForm{}, err
	}
	f := requestForm{id: param(r, "id"), choice: r.PostFormValue("choice"), days: r.PostFormValue("days"), answer: r.PostFormValue("answer")}
	if text := r.PostFormValue("version"); text != "" {
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil || version < 1 {
			return f, badForm(fmt.Errorf("version %q of a request", text))
		}
		f.version = version
	}
	return f, nil
}

func (f requestForm) approval(now time.Time) (access.Approval, error) {
	a := access.Approval{Seen: f.version, Answer: f.answer}
	if f.choice == views.ChoosePerson {
		a.OnlyPerson = true
	} else {
		a.Group = people.GroupID(views.ChosenGroup(f.choice))
	}
	if f.days == views.NoExpiry {
		return a, nil
	}
	days, err := strconv.Atoi(f.days)
	if err != nil {
		days = 0 // is no number of days either
	}
	a.ExpiresAt, err = access.ExpiryIn(&days, now)
	return a, err
}

func (s *Server) requestApprove(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(p access.Principal, f requestForm) (views.Toast, error) {
		a, err := f.approval(s.Now())
		if err != nil {
			return views.Toast{}, err
		}
		q, told, err := s.Requests.Approve(r.Context(), p, f.id, a)
		return views.Toast{Text: saying(views.ApprovedSentence(q), told), UndoURL: views.RequestAction(f.id, "undo")}, err
	})
}

func (s *Server) requestRefuse(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(p access.Principal, f requestForm) (views.Toast, error) {
		q, told, err := s.Requests.Refuse(r.Context(), p, f.id, access.Refusal{Seen: f.version, Answer: f.answer})
		return views.Toast{Text: saying("The request of "+q.By.Email+" for "+q.ResourceName+" is refused.", told)}, err
	})
}

func (s *Server) requestUndo(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(p access.Principal, f requestForm) (views.Toast, error) {
		q, told, err := s.Requests.Reopen(r.Context(), p, f.id)
		return views.Toast{Text: saying("The approval is taken back. "+q.By.Email+"’s request for "+q.ResourceName+" waits again.", told)}, err
	})
}

// saying adds to a sentence that somebody could not be told.
func saying(sentence string, told access.Told) string {
	if told.Problem == "" {
		return sentence
	}
	return sentence + " " + told.Problem
}

// decide runs one decision and goes back to the inbox. What is wrong with the
// form, or happened meanwhile, is said there.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, do func(access.Principal, requestForm) (views.Toast, error)) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	f, err := parseRequestForm(r)
	if err != nil {
		return err
	}
	toast, err := do(p, f)
	if fields, ok := fieldErrors(err); ok {
		return s.showInbox(w, r, http.StatusUnprocessableEntity, func(v *views.InboxView) { v.Refill(f.id, f.choice, f.days, f.answer, fields) })
	}
	if kind := domain.KindOf(err); err != nil && (kind == domain.Conflict || kind == domain.Stale) {
		return s.showInbox(w, r, statusOf(err), func(v *views.InboxView) { v.Error = request.Known(err).Message })
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), toast)
	page := views.RequestsURL
	if p.Admin {
		page = views.AccessRequestsURL
	}
	request.Redirect(w, r, page)
	return nil
}
