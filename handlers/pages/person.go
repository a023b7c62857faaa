package pages

import (
	"fmt"
	"net/http"
	"strings"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) personPage(w http.ResponseWriter, r *http.Request) error {
	return s.showPerson(w, r, http.StatusOK, nil)
}

// showPerson draws one person, with what change adds: a form that could not be
// carried out, or a link that was made.
func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, status int, change func(*views.PersonView)) error {
	ctx, id := r.Context(), people.UserID(param(r, "id"))
	v := views.PersonView{Now: s.Now()}
	var err error
	if v.User, err = s.People.GetUser(ctx, id); err != nil {
		return fmt.Errorf("person: %w", err)
	}
	if v.Memberships, err = s.People.Memberships(ctx, id); err != nil {
		return fmt.Errorf("person: %w", err)
	}
	if v.Groups, err = s.People.ListGroups(ctx); err != nil {
		return fmt.Errorf("person: %w", err)
	}
	v.Version = v.User.Version
	v.Name, v.Checked, v.Self = v.User.Name, views.OwnGroups(v.Memberships), request.Principal(ctx).UserID == id
	v.Stale = request.Principal(ctx).Meet(access.Terms{Interactive: true, Recent: true}, s.Now()) != nil
	if change != nil {
		change(&v)
	}
	return s.render(w, r, status, views.PersonPage(s.chrome(r, personTitle(v.User), views.NavPeople), v))
}

func personTitle(u people.User) string {
	if u.Name == "" {
		return u.Email
	}
	return u.Name
}

// refusedPerson shows the person with why something was not done, where that is
// theirs to know; other errors stay errors.
func (s *Server) refusedPerson(w http.ResponseWriter, r *http.Request, err error) error {
	known := request.Known(err)
	switch known.Kind {
	case domain.Conflict, domain.Unavailable:
		return s.showPerson(w, r, request.Status(known.Kind), func(v *views.PersonView) { v.Error = known.Message })
	default:
		return err
	}
}

func (s *Server) personRename(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	change := people.UserChange{Seen: seen(r)}
	if typed := sent(r, "name"); typed != nil {
		if n := len([]rune(*typed)); n > people.MaxName {
			return s.showPerson(w, r, http.StatusUnprocessableEntity, func(v *views.PersonView) {
				v.Name, v.Version, v.Errors = *typed, seen(r), views.FieldErrors{"name": fmt.Sprintf("A name has at most %d characters; this one has %d.", people.MaxName, n)}
			})
		}
		name := people.PersonName(*typed)
		change.Name = &name
	}

	u, err := s.People.UpdateUser(r.Context(), request.Actor(r), people.UserID(param(r, "id")), change)
	if shown, err := s.clash(w, r, err, personClash(r)); shown {
		return err
	}
	if err != nil {
		return fmt.Errorf("rename: %w", err)
	}

	s.tell(r.Context(), views.Toast{Text: u.Email + " is shown as " + personTitle(u) + "."})
	request.Redirect(w, r, string(views.PersonURL(u.ID)))
	return nil
}

// personClash shows two changes of one person.
func personClash(r *http.Request) clashOf {
	return clashOf{
		Title: "This person", Back: string(views.PersonURL(people.UserID(param(r, "id")))), Nav: views.NavPeople,
		Labels: personLabels(), Word: personWord,
	}
}

// personLabels are what people call the fields of a person.
func personLabels() map[string]string { return map[string]string{"name": "Name", "active": "Account"} }

func personWord(field, value string) string {
	switch {
	case field != "active":
		return value
	case value == "true":
		return "active"
	}
	return "deactivated"
}

func (s *Server) personGroups(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	want, was := groupIDs(r.PostForm["group"]), groupIDs(r.PostForm["was"])

	u, err := s.People.SetGroups(r.Context(), request.Actor(r), people.UserID(param(r, "id")), people.GroupsChange{Want: want, Was: was})
	switch domain.CodeOf(err) {
	case "last_admin", "group_not_found":
		return s.showPerson(w, r, http.StatusUnprocessableEntity, func(v *views.PersonView) {
			v.Checked, v.Errors = want, views.FieldErrors{"groups": request.Known(err).Message}
		})
	}
	if domain.KindOf(err) == domain.Stale {
		return s.groupsClash(w, r, err)
	}
	if err != nil {
		return s.refusedPerson(w, r, err)
	}

	s.tell(r.Context(), views.Toast{Text: "The groups of " + personTitle(u) + " are saved."})
	request.Redirect(w, r, string(views.PersonURL(u.ID)))
	return nil
}

// groupIDs is never nil: a form without a tick asks for no group.
func groupIDs(values []string) []people.GroupID {
	ids := make([]people.GroupID, len(values))
	for i, v := range values {
		ids[i] = people.GroupID(v)
	}
	return ids
}

// personSwitch activates or deactivates at once; its message can undo it.
func (s *Server) personSwitch(active bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		u, err := s.People.UpdateUser(r.Context(), request.Actor(r), people.UserID(param(r, "id")), people.UserChange{Active: &active, Seen: seen(r)})
		if shown, err := s.clash(w, r, err, personClash(r)); shown {
			return err
		}
		if err != nil {
			return s.refusedPerson(w, r, err)
		}
		page := string(views.PersonURL(u.ID))
		toast := views.Toast{Text: personTitle(u) + " is deactivated and signed out everywhere.", UndoURL: undoOf(page+"/reactivate", u.Version)}
		if active {
			toast = views.Toast{Text: personTitle(u) + " can sign in again.", UndoURL: undoOf(page+"/deactivate", u.Version)}
		}
		s.tell(r.Context(), toast)
		request.Redirect(w, r, page)
		return nil
	}
}

// personLink makes a link to set a first or another password.
func (s *Server) personLink(w http.ResponseWriter, r *http.Request) error {
	u, err := s.People.GetUser(r.Context(), people.UserID(param(r, "id")))
	if err != nil {
		return fmt.Errorf("make a link: %w", err)
	}
	if err := mayGetLink(u); err != nil {
		return s.refusedPerson(w, r, err)
	}
	send := s.Inviter.Invite
	if strings.HasSuffix(r.URL.Path, "/reset") {
		send = s.Inviter.Reset
	}

	made, err := send(r.Context(), request.Actor(r), u)
	if err != nil {
		return s.refusedPerson(w, r, err)
	}

	if made.Mailed {
		s.tell(r.Context(), views.Toast{Text: "A link to set a password was mailed to " + u.Email + "."})
		request.Redirect(w, r, string(views.PersonURL(u.ID)))
		return nil
	}
	return s.showPerson(w, r, http.StatusOK, func(v *views.PersonView) { v.Link = &made })
}

func mayGetLink(u people.User) error {
	if !u.Active {
		return domain.E(domain.Conflict, "deactivated", "%s is deactivated, so a link would open nothing. Reactivate the account first.", u.Email)
	}
	return u.CheckOwnPassword()
}

func (s *Server) personDeletePage(w http.ResponseWriter, r *http.Request) error {
	u, err := s.People.GetUser(r.Context(), people.UserID(param(r, "id")))
	if err != nil {
		return fmt.Errorf("person: %w", err)
	}
	return s.render(w, r, http.StatusOK, views.PersonDeletePage(s.chrome(r, "Delete "+personTitle(u), views.NavPeople), u))
}

func (s *Server) personDelete(w http.ResponseWriter, r *http.Request) error {
	u, err := s.People.GetUser(r.Context(), people.UserID(param(r, "id")))
	if err != nil {
		return fmt.Errorf("person: %w", err)
	}

	if err := s.People.DeleteUser(r.Context(), request.Actor(r), u.ID); err != nil {
		return s.refusedPerson(w, r, err)
	}

	s.tell(r.Context(), views.Toast{Text: "The account of " + u.Email + " is deleted."})
	request.Redirect(w, r, views.PeopleURL)
	return nil
}
