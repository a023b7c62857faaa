package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/activity"
	"agnes/domain/audit"
	"agnes/handlers/request"
	"agnes/views"
)

// activityRoutes are the pages of the audit log, for administrators.
func (s *Server) activityRoutes() []request.Route {
	route := func(method, pattern string, h handler) request.Route {
		return request.Route{Method: method, Pattern: views.ActivityURL + pattern, Need: access.Admin, Terms: access.Terms{Interactive: true}, Handler: s.page(h)}
	}
	export := route(http.MethodGet, "/export", s.activityExport)
	export.Long = true
	return []request.Route{
		route(http.MethodGet, "", s.activityPage),
		route(http.MethodGet, "/newer", s.activityNewer),
		export,
		route(http.MethodPost, "/views", s.activityKeep),
		route(http.MethodPost, "/views/{id}/delete", s.activityForget),
	}
}

// activityRows is how many rows a page shows.
const activityRows = 50

func (s *Server) activityPage(w http.ResponseWriter, r *http.Request) error {
	return s.showActivity(w, r, http.StatusOK, r.URL.Query(), "")
}

// showActivity draws the log by what values say, with a problem where there is one.
func (s *Server) showActivity(w http.ResponseWriter, r *http.Request, status int, values url.Values, problem string) error {
	ctx, p := r.Context(), request.Principal(r.Context())
	v := views.ActivityView{
		Filter: audit.ParseFilter(values, s.Now()), Viewed: values.Get("view"), Me: string(p.UserID), Kept: s.Activity.KeptFor(), Error: problem, Now: s.Now(),
	}
	o := audit.ListOptions{Limit: activityRows, From: audit.ParseCursor(values.Get("before"))}
	if from := audit.ParseCursor(values.Get("after")); from != nil {
		o.From, o.Newer = from, true
	}
	var err error
	if v.Page, err = s.Activity.ListActivity(ctx, v.Filter, o); err != nil {
		return err
	}
	v.Newest = v.Page.Newer == nil
	if v.Counts, err = s.Activity.CountActivity(ctx, v.Filter, true); err != nil {
		return err
	}
	if v.Bars, err = s.Activity.ChartActivity(ctx, v.Filter, v.Now); err != nil {
		return err
	}
	if v.Saved, err = s.Activity.ListViews(ctx, v.Me); err != nil {
		return err
	}
	if err := s.Activity.Look(ctx, request.Actor(r), v.Filter.Key(), v.Filter.Params()); err != nil {
		return err
	}
	return s.render(w, r, status, views.ActivityPage(s.chrome(r, "Activity", views.NavAudit), v))
}

// activityNewer says how many rows came since a page was made. It is no look at
// the log: it names none of them.
func (s *Server) activityNewer(w http.ResponseWriter, r *http.Request) error {
	values := r.URL.Query()
	from := audit.ParseCursor(values.Get("from"))
	if from == nil {
		from = &audit.Cursor{At: s.Now()}
	}
	f := audit.ParseFilter(values, s.Now())
	n, err := s.Activity.CountNewer(r.Context(), f, *from, views.MostNewer)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, views.ActivityNewer(n, string(views.ActivityOf(f)), r.URL.RequestURI()))
}

// activityExport sends every row that the filter means as a file.
func (s *Server) activityExport(w http.ResponseWriter, r *http.Request) error {
	format, err := activity.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		return err
	}
	f := audit.ParseFilter(r.URL.Query(), s.Now())
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Disposition", `attachment; filename="activity-`+s.Now().UTC().Format("20060102-150405")+`.`+string(format)+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	out := &extended{w: w, extend: func() { s.extend(http.NewResponseController(w)) }}
	if err := s.Activity.Export(r.Context(), request.Actor(r), out, format, f); err != nil {
		if !out.begun {
			w.Header().Del("Content-Disposition")
			return fmt.Errorf("export the activity: %w", err)
		}
		request.Logger(r.Context()).WarnContext(r.Context(), "export of the activity ended early", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// extended gives the reader time for each piece of an answer.
type extended struct {
	w      http.ResponseWriter
	extend func()
	begun  bool
}

// Write sends one piece.
func (e *extended) Write(b []byte) (int, error) {
	e.begun = true
	e.extend()
	return e.w.Write(b)
}

// activityKeep keeps the filter that the page shows under a name.
func (s *Server) activityKeep(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	values, err := url.ParseQuery(r.PostFormValue("filter"))
	if err != nil {
		return badForm(err)
	}
	values = audit.ParseFilter(values, s.Now()).Values()
	object := map[string]string{}
	for name := range values {
		object[name] = values.Get(name)
	}
	query, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("keep a view: %w", err)
	}
	view, err := s.Activity.KeepView(r.Context(), request.Actor(r), r.PostFormValue("name"), query)
	if domain.KindOf(err) == domain.Invalid {
		return s.showActivity(w, r, http.StatusUnprocessableEntity, values, request.Known(err).Message)
	}
	if err != nil {
		return err
	}
	values.Set("view", view.ID)
	s.tell(r.Context(), views.Toast{Text: "The view " + view.Name + " is kept."})
	request.Redirect(w, r, views.ActivityURL+"?"+values.Encode())
	return nil
}

func (s *Server) activityForget(w http.ResponseWriter, r *http.Request) error {
	if err := s.Activity.DeleteView(r.Context(), request.Actor(r), param(r, "id")); err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The view is forgotten."})
	request.Redirect(w, r, views.ActivityURL)
	return nil
}
