package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/views"
)

// groupsClash shows two changes of the groups of one person. A group is a field
// here, and what is posted are groups: those of now with the changes of a button.
func (s *Server) groupsClash(w http.ResponseWriter, r *http.Request, cause error) error {
	id := people.UserID(param(r, "id"))
	groups, err := s.People.ListGroups(r.Context())
	if err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	memberships, err := s.People.Memberships(r.Context(), id)
	if err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	now, labels := views.OwnGroups(memberships), map[string]string{}
	for _, g := range groups {
		labels[string(g.ID)] = g.Name
	}
	stale := domain.StaleOf(cause)
	of := clashOf{
		Title: "The list of groups of this person", Back: string(views.PersonURL(id)), Nav: views.NavPeople, Labels: labels, Word: groupWord,
		Keep: groupsForm(now, stale.Mine()), Over: groupsForm(now, stale.Over()),
	}
	_, err = s.clash(w, r, cause, of)
	return err
}

// groupsForm is the form of a person's groups after a change of those of now.
func groupsForm(now []people.GroupID, change domain.Fields) url.Values {
	form := url.Values{"group": {}, "was": {}}
	for _, id := range now {
		form.Add("was", string(id))
		if value, changed := change[string(id)]; !changed || value == people.InGroup {
			form.Add("group", string(id))
		}
	}
	for id, value := range change {
		if value == people.InGroup && !slices.Contains(now, people.GroupID(id)) {
			form.Add("group", id)
		}
	}
	slices.Sort(form["group"])
	return form
}

func groupWord(_, value string) string {
	if value == people.InGroup {
		return value
	}
	return "no member"
}
