package pages

import (
	"net/http"
	"net/url"
	"strings"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// itemURL is where a folder or pattern can be looked at.
func itemURL(item string) string { return "/files?item=" + url.QueryEscape(item) }

// itemOf is the folder or pattern that an address names.
func itemOf(r *http.Request) string { return strings.TrimSpace(r.URL.Query().Get("item")) }

// filesPage shows which files a folder or pattern names, and what they would
// become.
func (s *Server) filesPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.filesPreview(r, nil)
	if err != nil {
		return s.filesRefused(w, r, err)
	}
	v.TableName = registry.SuggestName(files.StemOf(itemOf(r)))
	return s.renderPreview(w, r, v)
}

// filesRefused shows the page that asks for files again, with why these are no
// table.
func (s *Server) filesRefused(w http.ResponseWriter, r *http.Request, cause error) error {
	known := request.Known(cause)
	if known.Kind != domain.Invalid && known.Kind != domain.NotFound {
		return cause
	}
	v, err := s.uploadView(r, "")
	if err != nil {
		return err
	}
	v.Item, v.ItemError = itemOf(r), known.Message
	if known.Kind == domain.NotFound { // its words are for a table that there is
		v.ItemError = "No file matches " + v.Item + ". Place files in " + filesPlace + ", or name another folder or pattern."
	}
	return s.render(w, r, http.StatusUnprocessableEntity, views.UploadPage(s.chrome(r, "Add data", views.NavAdd), v))
}

func (s *Server) filesPreview(r *http.Request, o *files.Options) (views.PreviewView, error) {
	item := itemOf(r)
	d, err := s.Uploads.Matches(r.Context(), item)
	if err != nil {
		return views.PreviewView{}, err //nolint:wrapcheck // the sentence is for people
	}
	v := views.PreviewView{FileName: item, Bytes: d.Bytes(), Action: itemURL(item), Matched: d}
	if o != nil {
		v.Options = *o
	}
	v.Preview, err = s.Importer.PreviewItem(r.Context(), item, v.Options)
	return v, failed(&v, err)
}

func (s *Server) filesSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return s.saveItem(w, r, itemOf(r), func(o *files.Options) (views.PreviewView, error) { return s.filesPreview(r, o) })
}
