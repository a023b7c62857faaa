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

// offered is how many people a list that opens while somebody types holds.
const offered = 12

func (s *Server) groupPage(w http.ResponseWriter, r *http.Request) error {
	return s.showGroup(w, r, http.StatusOK, nil)
}

// showGroup draws one group, with what change adds: a form that could not be
// carried out.
func (s *Server) showGroup(w http.ResponseWriter, r *http.Request, status int, change func(*views.GroupView)) error {
	ctx, id := r.Context(), people.GroupID(param(r, "id"))
	v := views.GroupView{Search: strings.TrimSpace(r.URL.Query().Get("q")), Page: pageNumber(r.URL.Query()), Now: s.Now()}
	var err error
	if v.Group, err = s.Groups.GetGroup(ctx, id); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	v.Members, v.Matching, err = s.Groups.ListMembersPage(ctx, id, people.MemberFilter{
		Search: v.Search, Limit: views.MembersPerPage, Offset: (v.Page - 1) * views.MembersPerPage,
	})
	if err != nil {
		return fmt.Errorf("group: %w", err)
	}
	if v.Offered, _, err = s.People.ListUsers(ctx, people.UserFilter{State: people.ActiveUsers, Limit: offered}); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	v.Form = views.GroupFormOf(v.Group)
	v.Stale = s.recentFor(r, v.Group) != nil
	if change != nil {
		change(&v)
	}
	return s.render(w, r, status, views.GroupPage(s.chrome(r, v.Group.Name, views.NavPeople), v))
}

// recentFor asks for a recent proof of who one is before somebody becomes an
// administrator or is none any more.
func (s *Server) recentFor(r *http.Request, g people.Group) error {
	if !g.Admins() {
		return nil
	}
	p, err := who(r)
	if err != nil {
		return err
	}
	return p.Meet(access.Terms{Interactive: true, Recent: true}, s.Now())
}

// recentForGroup is recentFor the group that the path names.
func (s *Server) recentForGroup(r *http.Request) (people.Group, error) {
	g, err := s.Groups.GetGroup(r.Context(), people.GroupID(param(r, "id")))
	if err != nil {
		return g, fmt.Errorf("group: %w", err)
	}
	return g, s.recentFor(r, g)
}

// refusedGroup shows the group with why something was not done, where that is
// theirs to know; other errors stay errors.
func (s *Server) refusedGroup(w http.ResponseWriter, r *http.Request, err error) error {
	known := request.Known(err)
	if known.Kind != domain.Conflict && known.Code != "member_not_found" {
		return err
	}
	return s.showGroup(w, r, request.Status(known.Kind), func(v *views.GroupView) { v.Error = known.Message })
}

// groupCandidates are the people whom a part of a name or address may mean.
func (s *Server) groupCandidates(w http.ResponseWriter, r *http.Request) error {
	users, _, err := s.People.ListUsers(r.Context(), people.UserFilter{State: people.ActiveUsers, Search: r.URL.Query().Get("who"), Limit: offered})
	if err != nil {
		return fmt.Errorf("candidates: %w", err)
	}
	return s.render(w, r, http.StatusOK, views.Candidates(users))
}

// membersAdd adds one person, or all of a list. Those without an account are
// named; the others are members from then on.
func (s *Server) membersAdd(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	g, err := s.recentForGroup(r)
	if err != nil {
		return err
	}
	form := views.AddForm{Who: strings.TrimSpace(r.PostFormValue("who")), Emails: r.PostFormValue("emails")}
	emails, fields := addressed(form)
	if len(fields) > 0 {
		form.Errors = fields
		return s.showGroup(w, r, http.StatusUnprocessableEntity, func(v *views.GroupView) { v.Add = form })
	}

	joined, err := s.Groups.AddMembers(r.Context(), request.Actor(r), g.ID, emails)
	if err != nil {
		return s.refusedGroup(w, r, err)
	}
	if len(joined.Unknown) > 0 {
		left := views.AddForm{Added: len(joined.Added), Unknown: joined.Unknown}
		return s.showGroup(w, r, http.StatusUnprocessableEntity, func(v *views.GroupView) { v.Add = left })
	}

	s.tell(r.Context(), views.Toast{Text: joinedWords(g, joined)})
	request.Redirect(w, r, string(views.GroupURL(g.ID)))
	return nil
}

// addressed reads the addresses of both fields, and what is wrong with them.
func addressed(form views.AddForm) (emails []string, fields views.FieldErrors) {
	for field, text := range map[string]string{"who": form.Who, "emails": form.Emails} {
		if strings.TrimSpace(text) == "" {
			continue
		}
		list, err := people.ParseAddressees(text)
		if err != nil {
			return nil, views.FieldErrors{field: request.Known(err).Message}
		}
		for _, a := range list {
			if a.Problem != "" && a.Problem != people.ProblemTwice {
				return nil, views.FieldErrors{field: a.Text + ": " + a.Problem}
			}
			if a.Email != "" {
				emails = append(emails, a.Email)
			}
		}
	}
	if len(emails) == 0 {
		return nil, views.FieldErrors{"who": "Name somebody by their address, or paste a list."}
	}
	return emails, nil
}

func joinedWords(g people.Group, j people.Joined) string {
	switch {
	case len(j.Added) == 0 && len(j.Already) == 1:
		return personTitle(j.Already[0]) + " is in " + g.Name + " already."
	case len(j.Added) == 0:
		return "All of them are in " + g.Name + " already."
	case len(j.Added) == 1:
		return personTitle(j.Added[0]) + " is in " + g.Name + " now."
	}
	return views.Count(int64(len(j.Added))) + " people joined " + g.Name + "."
}

func (s *Server) memberRemove(w http.ResponseWriter, r *http.Request) error {
	g, err := s.recentForGroup(r)
	if err != nil {
		return err
	}
	u, err := s.People.GetUser(r.Context(), people.UserID(param(r, "user")))
	if err != nil {
		return fmt.Errorf("take out of a group: %w", err)
	}
	if err := s.Groups.RemoveMember(r.Context(), request.Actor(r), g.ID, u.ID); err != nil {
		return s.refusedGroup(w, r, err)
	}

	s.tell(r.Context(), views.Toast{Text: personTitle(u) + " is out of " + g.Name + ".", UndoURL: string(views.MemberURL(g.ID, u.ID, "add"))})
	request.Redirect(w, r, string(views.GroupURL(g.ID)))
	return nil
}

// memberAdd takes a removal back.
func (s *Server) memberAdd(w http.ResponseWriter, r *http.Request) error {
	g, err := s.recentForGroup(r)
	if err != nil {
		return err
	}
	u, err := s.People.GetUser(r.Context(), people.UserID(param(r, "user")))
	if err != nil {
		return fmt.Errorf("add to a group: %w", err)
	}
	joined := people.Joined{Added: []people.User{u}}
	_, err = s.Groups.Rejoin(r.Context(), request.Actor(r), g.ID, u.ID)
	if domain.CodeOf(err) == "already_member" {
		joined, err = people.Joined{Already: []people.User{u}}, nil
	}
	if err != nil {
		return s.refusedGroup(w, r, err)
	}

	s.tell(r.Context(), views.Toast{Text: joinedWords(g, joined)})
	request.Redirect(w, r, string(views.GroupURL(g.ID)))
	return nil
}
