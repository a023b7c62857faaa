package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// previewPage shows what an upload would become.
func (s *Server) previewPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.uploadPreview(r, r.URL.Query().Get("table"))
	if err != nil {
		return err
	}
	v.TableName = suggestion(v.FileName)
	return s.renderPreview(w, r, http.StatusOK, v)
}

func (s *Server) renderPreview(w http.ResponseWriter, r *http.Request, status int, v views.PreviewView) error {
	return s.render(w, r, status, views.PreviewPage(s.chrome(r, v.FileName, views.NavAdd), v))
}

// uploadPreview reads the upload that the path names in a child.
func (s *Server) uploadPreview(r *http.Request, table string) (views.PreviewView, error) {
	id := files.UploadID(param(r, "id"))
	v := views.PreviewView{
		Action:    uploadURL(id, table),
		CancelURL: uploadURL(id, "") + "/discard",
	}
	if table != "" {
		_, c, err := s.tables(r)
		if err != nil {
			return v, err
		}
		t, err := c.Find(table)
		if err != nil {
			return v, err
		}
		v.Replaces = &t
	}

	u, p, err := s.Importer.Preview(r.Context(), id)
	v.FileName, v.Bytes, v.Preview = u.Name, u.Bytes, p
	if err != nil {
		return v, unreadable(u.Name, err)
	}
	if v.Replaces != nil && v.Replaces.Version != nil {
		v.Changes = views.CompareColumns(v.Replaces.Version.Columns, p.Columns)
	}
	return v, nil
}

// unreadable titles the page about a file that no table can be made of.
func unreadable(file string, err error) error {
	if file == "" || domain.KindOf(err) != domain.Invalid {
		return err
	}
	return &explained{err: err, title: file + " cannot be read as a table", back: "/add", label: "Choose another file"}
}

// previewSave makes the upload a table, or the new rows of one.
func (s *Server) previewSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, table := files.UploadID(param(r, "id")), r.FormValue("table")
	if table != "" {
		return s.replace(w, r, id, registry.TableID(table))
	}

	n := newTable(r)
	t, err := s.Importer.Create(r.Context(), request.Actor(r), id, n)
	if fields, ok := fieldErrors(err); ok {
		v, err := s.uploadPreview(r, "")
		if err != nil {
			return err
		}
		return s.previewAgain(w, r, v, n, fields)
	}
	if err != nil {
		return err
	}

	s.created(w, r, t)
	return nil
}

func newTable(r *http.Request) files.NewTable {
	return files.NewTable{Name: r.PostFormValue("name"), Description: r.PostFormValue("description")}
}

// previewAgain shows the form with what was typed and what is wrong with it.
func (s *Server) previewAgain(w http.ResponseWriter, r *http.Request, v views.PreviewView, n files.NewTable, fields views.FieldErrors) error {
	v.TableName, v.Description, v.Errors = n.Name, n.Description, fields
	return s.renderPreview(w, r, http.StatusUnprocessableEntity, v)
}

func (s *Server) created(w http.ResponseWriter, r *http.Request, t registry.Table) {
	s.tell(r.Context(), views.Toast{Text: t.Name + " is registered and being read. Nobody but administrators sees it until it is granted."})
	request.Redirect(w, r, "/syncs")
}

func (s *Server) replace(w http.ResponseWriter, r *http.Request, id files.UploadID, table registry.TableID) error {
	if err := s.Importer.Replace(r.Context(), request.Actor(r), id, table); err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The new rows are being read. The old ones are served until they are in place."})
	request.Redirect(w, r, string(views.TableURL(table)))
	return nil
}

func (s *Server) previewDiscard(w http.ResponseWriter, r *http.Request) error {
	err := s.Uploads.Discard(r.Context(), files.UploadID(param(r, "id")))
	if err != nil && domain.KindOf(err) != domain.NotFound { // gone already is what was asked for
		return fmt.Errorf("discard upload: %w", err)
	}
	s.tell(r.Context(), views.Toast{Text: "The upload is thrown away. Nothing was changed."})
	request.Redirect(w, r, "/add")
	return nil
}

// filePage shows what a file on the server would become.
func (s *Server) filePage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.filePreview(r)
	if err != nil {
		return err
	}
	v.TableName = suggestion(v.FileName)
	return s.renderPreview(w, r, http.StatusOK, v)
}

func (s *Server) filePreview(r *http.Request) (views.PreviewView, error) {
	f, err := s.file(r.Context(), param(r, "name"))
	if err != nil {
		return views.PreviewView{}, err
	}
	p, err := s.Importer.PreviewItem(r.Context(), f.Name)
	if err != nil {
		return views.PreviewView{}, unreadable(f.Name, err)
	}
	return views.PreviewView{FileName: f.Name, Bytes: f.Bytes, Preview: p, Action: "/files/" + url.PathEscape(f.Name)}, nil
}

// file finds a file that lies on the server, among those that are listed only.
func (s *Server) file(ctx context.Context, name string) (files.File, error) {
	list, err := s.Uploads.List(ctx)
	if err != nil {
		return files.File{}, fmt.Errorf("list files: %w", err)
	}
	for _, f := range list {
		if f.Name == name {
			return f, nil
		}
	}
	return files.File{}, domain.E(domain.NotFound, "file_not_found", "No file of this name lies on the server. Add data lists those that do.")
}

func (s *Server) fileSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	n := newTable(r)

	t, err := s.Importer.CreateFromItem(r.Context(), request.Actor(r), param(r, "name"), n)
	if fields, ok := fieldErrors(err); ok {
		v, err := s.filePreview(r)
		if err != nil {
			return err
		}
		return s.previewAgain(w, r, v, n, fields)
	}
	if err != nil {
		return err
	}

	s.created(w, r, t)
	return nil
}

// explained gives an error's page a title and a way on of its own.
type explained struct {
	err         error
	title       string
	back, label string
}

// Error returns the cause's text.
func (e *explained) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *explained) Unwrap() error { return e.err }

// explain puts the title and way of an explained error into its page.
func explain(err error, v *views.ErrorView) {
	var e *explained
	if errors.As(err, &e) {
		v.Title, v.BackURL, v.BackLabel = e.title, e.back, e.label
	}
}
