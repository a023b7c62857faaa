package pages

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/handlers/request"
	"agnes/views"
)

// staged reads the edits that a form carries: as text, or as the ticked boxes
// of a page of the matrix.
func (s *Server) staged(r *http.Request) (views.StagedView, error) {
	if err := parseForm(r); err != nil {
		return views.StagedView{}, err
	}
	f := r.PostForm
	v := views.StagedView{
		Back: request.SafeNext(f.Get("back")), Staged: f.Get("staged") == "1", Now: s.Now(), Errors: views.FieldErrors{},
		Note: strings.TrimSpace(f.Get("note")), EndsOn: strings.TrimSpace(f.Get("ends_on")), Reason: strings.TrimSpace(f.Get("reason")),
	}
	if !strings.HasPrefix(v.Back, views.AccessURL) && !strings.HasPrefix(v.Back, "/tables/") {
		v.Back = views.AccessURL
	}
	var err error
	if text := f.Get("edits"); text != "" || !f.Has("page") {
		err = json.Unmarshal([]byte(text), &v.Edits)
	} else {
		v.Edits, err = views.EditsOf(f.Get("page"), f["on"], s.Now())
	}
	if err != nil {
		return v, badForm(err)
	}
	return v, nil
}

// foresee works out what the edits do to people.
func (s *Server) foresee(ctx context.Context, v *views.StagedView) error {
	checked, err := access.CheckEdits(v.Note, v.Edits, s.Now())
	if err != nil {
		return err
	}
	v.Edits = checked
	if v.Basis, err = s.Access.AccessBasis(ctx, v.Edits); err != nil {
		return err
	}
	v.Consequence = access.Foresee(v.Basis, v.Edits, s.Now())
	return nil
}

// accessPreview says what the staged edits do, for the bar below the matrix.
func (s *Server) accessPreview(w http.ResponseWriter, r *http.Request) error {
	v, err := s.staged(r)
	if err != nil {
		return err
	}
	v.Staged = true
	if len(v.Edits) > 0 {
		if err := s.foresee(r.Context(), &v); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, views.StagedBar(v))
}

// accessReview lists the edits, before they are made.
func (s *Server) accessReview(w http.ResponseWriter, r *http.Request) error {
	v, err := s.staged(r)
	if err != nil {
		return err
	}
	if len(v.Edits) == 0 {
		s.tell(r.Context(), views.Toast{Text: "Nothing differs from what it was, so there is nothing to review."})
		request.Redirect(w, r, v.Back)
		return nil
	}
	if err := s.foresee(r.Context(), &v); err != nil {
		return err
	}
	return s.review(w, r, http.StatusOK, v)
}

func (s *Server) review(w http.ResponseWriter, r *http.Request, status int, v views.StagedView) error {
	return s.answer(w, r, status, views.Review(v, true), func() templ.Component {
		return views.ReviewPage(s.chrome(r, "Review changes of access", views.NavAccess), v)
	})
}

// accessApply makes the edits, all or none.
func (s *Server) accessApply(w http.ResponseWriter, r *http.Request) error {
	v, err := s.staged(r)
	if err != nil {
		return err
	}
	v.Edits = chosen(r, v.Edits)
	if len(v.Edits) == 0 {
		s.tell(r.Context(), views.Toast{Text: "Nothing was changed: the cells stay as the others left them."})
		request.Redirect(w, r, landing(v))
		return nil
	}
	terms(&v)
	if err := s.foresee(r.Context(), &v); err != nil {
		return err
	}
	if v.Consequence.Asks() && r.PostForm.Get("confirm") != "1" {
		v.Errors["confirm"] = "Tick the box to say that this is meant."
	}
	if len(v.Errors) > 0 {
		return s.review(w, r, http.StatusUnprocessableEntity, v)
	}

	change, err := s.Access.ApplyAccess(r.Context(), request.Actor(r), v.Note, v.Edits)

	if clash := (*access.ConflictError)(nil); errors.As(err, &clash) {
		return s.clashing(w, r, v, clash)
	}
	if domain.KindOf(err) == domain.Invalid || domain.KindOf(err) == domain.NotFound {
		v.Error = request.Known(err).Message
		return s.review(w, r, request.Status(domain.KindOf(err)), v)
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: applied(change, v.Consequence), UndoURL: views.ChangeUndoURL(change.ID)})
	request.Redirect(w, r, landing(v))
	return nil
}

// landing is where an applied change leads. The mark at its end tells the
// browser that what it kept is done.
func landing(v views.StagedView) string {
	if v.Staged {
		return v.Back + "#applied"
	}
	return v.Back
}

func applied(c access.Change, done access.Consequence) string {
	return views.Plural(len(c.Edits), "change") + " applied: " + done.Effect()
}

// chosen are the edits without those where somebody took what others did.
func chosen(r *http.Request, edits []access.Edit) []access.Edit {
	kept := make([]access.Edit, 0, len(edits))
	for i, e := range edits {
		if r.PostForm.Get("cell-"+strconv.Itoa(i)) != "theirs" {
			kept = append(kept, e)
		}
	}
	return kept
}

// terms puts the end and the reason that were asked for on what is added.
func terms(v *views.StagedView) {
	if v.EndsOn == "" && v.Reason == "" {
		return
	}
	var ends *time.Time
	if v.EndsOn != "" {
		day, err := time.Parse(time.DateOnly, v.EndsOn)
		last := day.Add(24*time.Hour - time.Second)
		if err != nil || !last.After(v.Now) {
			v.Errors["ends_on"] = "Choose a day from today on, or leave it empty."
			return
		}
		ends = &last
	}
	for i, e := range v.Edits {
		if e.Want == nil || e.Was.Live(v.Now) {
			continue
		}
		want := *e.Want
		if ends != nil {
			want.ExpiresAt = ends
		}
		if v.Reason != "" {
			want.Reason = v.Reason
		}
		v.Edits[i].Want = &want
	}
}

// clashing shows the cells that changed under somebody. Their edits are made
// from what is there now, for when they are sent again.
func (s *Server) clashing(w http.ResponseWriter, r *http.Request, v views.StagedView, clash *access.ConflictError) error {
	page := views.ClashingView{}
	there := make(map[access.Cell]*access.CellGrant, len(clash.Cells))
	for _, c := range clash.Cells {
		there[c.Cell] = c.Was
	}
	for i, e := range v.Edits {
		now, clashes := there[e.Cell]
		if !clashes {
			continue
		}
		page.Cells = append(page.Cells, views.ClashingCell{At: i, Seen: e.Was, There: now})
		v.Edits[i].Was = now
	}
	page.StagedView = v
	return s.render(w, r, http.StatusPreconditionFailed, views.ClashingPage(s.chrome(r, "Cells changed under you", views.NavAccess), page))
}
