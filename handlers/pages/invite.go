package pages

import (
	"fmt"
	"net/http"
	"slices"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/handlers/request"
	"agnes/views"
)

func (s *Server) invitePage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query() // filled in by the page of a group
	return s.showInvite(w, r, http.StatusOK, views.InviteView{Emails: q.Get("emails"), Checked: groupIDs(q["group"])})
}

func (s *Server) showInvite(w http.ResponseWriter, r *http.Request, status int, v views.InviteView) error {
	if v.Groups == nil {
		groups, err := s.People.ListGroups(r.Context())
		if err != nil {
			return fmt.Errorf("invite: %w", err)
		}
		v.Groups = groups
	}
	return s.render(w, r, status, views.InvitePage(s.chrome(r, "Invite people", views.NavPeople), v))
}

// inviteSend previews a list, or invites the people of one that was looked at.
// What was done is shown here and not after a redirect: links are shown once.
func (s *Server) inviteSend(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx := r.Context()
	v := views.InviteView{Emails: r.PostFormValue("emails"), Checked: groupIDs(r.PostForm["group"])}
	var err error
	if v.Groups, err = s.People.ListGroups(ctx); err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	list, err := people.ParseAddressees(v.Emails)
	if err == nil {
		err = knownGroups(v.Groups, v.Checked)
	}
	if fields, ok := fieldErrors(err); ok {
		v.Errors = fields
		return s.showInvite(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}

	invites := people.Invites{Guests: s.People, Inviter: s.Inviter}
	if r.PostFormValue("do") != "invite" {
		v.Guests, err = invites.Preview(ctx, list)
	} else {
		v.Guests, err = invites.Invite(ctx, request.Actor(r), list, v.Checked)
		v.Done = true
	}
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	return s.showInvite(w, r, http.StatusOK, v)
}

// knownGroups refuses a group that is gone since the form was drawn, before
// every line would fail by it.
func knownGroups(groups []people.Group, checked []people.GroupID) error {
	for _, id := range checked {
		if !slices.ContainsFunc(groups, func(g people.Group) bool { return g.ID == id }) {
			return domain.FieldError("groups", "One of the groups is gone. Look at the list again.")
		}
	}
	return nil
}
