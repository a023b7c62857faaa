package pages

import (
	"fmt"
	"net/http"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// maxBinned is how much of the bin its page shows, the newest first.
const maxBinned = 500

func (s *Server) binPage(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Groups.ListBin(r.Context(), maxBinned)
	if err != nil {
		return fmt.Errorf("bin: %w", err)
	}
	return s.render(w, r, http.StatusOK, views.BinPage(s.chrome(r, "Recently deleted", views.NavPeople), views.BinView{Binned: list, Now: s.Now()}))
}

// binRestore brings something back, from its page or from the message that said
// it was deleted.
func (s *Server) binRestore(w http.ResponseWriter, r *http.Request) error {
	id := param(r, "id")
	list, err := s.Groups.ListBin(r.Context(), 0)
	if err != nil {
		return fmt.Errorf("bin: %w", err)
	}
	err = s.Groups.Restore(r.Context(), request.Actor(r), id)
	if refused(err) {
		return s.refuse(w, r, err, views.BinURL)
	}
	if err != nil {
		return err
	}

	to, told := views.BinURL, views.Toast{Text: "It is back."}
	for _, b := range list {
		if b.ID == id {
			to, told.Text = restored(b)
		}
	}
	s.tell(r.Context(), told)
	request.Redirect(w, r, to)
	return nil
}

// restored is where something that came back is, and a sentence about it.
func restored(b access.Binned) (at, text string) {
	if b.Kind == access.BinTable {
		return string(views.TableURL(registry.TableID(b.ResourceID))), b.Name + " is registered again, with its grants. Sync it to bring its rows back."
	}
	return string(views.GroupURL(people.GroupID(b.ResourceID))), "The group " + b.Name + " is back, with its members and grants."
}
