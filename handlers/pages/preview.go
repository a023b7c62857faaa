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
	v, err := s.uploadPreview(r, r.URL.Query().Get("table"), nil)
	if err != nil {
		return err
	}
	v.TableName = suggestion(v.FileName)
	return s.renderPreview(w, r, v)
}

func (s *Server) renderPreview(w http.ResponseWriter, r *http.Request, v views.PreviewView) error {
	return s.render(w, r, previewStatus(v), views.PreviewPage(s.chrome(r, v.FileName, views.NavAdd), v))
}

// uploadPreview reads the upload that the path names in a child, with
// corrections; nil takes those of the table that it replaces.
func (s *Server) uploadPreview(r *http.Request, table string, o *files.Options) (views.PreviewView, error) {
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
		v.Replaces, v.Options, v.Version = &t, optionsOf(t.Table), t.Revision
		if earlier := seen(r); earlier != 0 { // the form is shown again
			v.Version = earlier
		}
	}
	if o != nil {
		v.Options = *o
	}

	u, p, err := s.Importer.Preview(r.Context(), request.Actor(r), id, v.Options)
	v.FileName, v.Bytes, v.Preview = u.Name, u.Bytes, p
	if err := failed(&v, err); err != nil {
		return v, err
	}
	if v.Replaces != nil && v.Replaces.Version != nil && v.Failed == "" {
		v.Changes = registry.CompareColumns(v.Replaces.Version.Columns, p.Columns)
	}
	return v, nil
}

// previewSave makes the upload a table, or the new rows of one, or shows it
// again with other corrections.
func (s *Server) previewSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, table, n := files.UploadID(param(r, "id")), r.FormValue("table"), newTable(r)
	again := func(o *files.Options) (views.PreviewView, error) { return s.uploadPreview(r, table, o) }
	o, err := corrections(r)
	if fields, ok := fieldErrors(err); ok || r.PostFormValue("do") == "preview" {
		return s.previewAgain(w, r, again, n, o, fields)
	}
	if table != "" {
		return s.replace(w, r, id, registry.TableID(table), o)
	}

	n.Options = o
	t, err := s.Importer.Create(r.Context(), request.Actor(r), id, n)
	if fields, ok := fieldErrors(err); ok {
		return s.previewAgain(w, r, again, n, o, fields)
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

// previewAgain shows the form with what was typed and what is wrong with it. The
// file is read with the corrections, unless they are what is wrong.
func (s *Server) previewAgain(w http.ResponseWriter, r *http.Request, read func(*files.Options) (views.PreviewView, error),
	n files.NewTable, o files.Options, fields views.FieldErrors,
) error {
	with := &o
	if checked := o; checked.Normalize() != nil || fields["skip"] != "" {
		with = nil
	}
	v, err := read(with)
	if err != nil {
		return err
	}
	v.TableName, v.Description, v.Errors, v.Options = n.Name, n.Description, fields, o
	return s.renderPreview(w, r, v)
}

func (s *Server) created(w http.ResponseWriter, r *http.Request, t registry.Table) {
	s.tell(r.Context(), views.Toast{Text: t.Name + " is registered and being read. Nobody but administrators sees it until it is granted."})
	request.Redirect(w, r, "/syncs")
}

func (s *Server) replace(w http.ResponseWriter, r *http.Request, id files.UploadID, table registry.TableID, o files.Options) error {
	if !r.PostForm.Has("misfits") { // not sent from the form: the table keeps its own
		_, c, err := s.tables(r)
		if err != nil {
			return err
		}
		t, err := c.Find(string(table))
		if err != nil {
			return err
		}
		o = optionsOf(t.Table)
	}
	err := s.Importer.Replace(r.Context(), request.Actor(r), id, table, o, seen(r))
	// What is sent again is the whole form: the file and how it is read belong together.
	of := clashOf{Title: "This table", Labels: tableLabels(), Word: views.TableFieldWord, Nav: views.NavAdd, Back: uploadURL(id, string(table)), Keep: url.Values{}, Over: url.Values{}}
	if shown, err := s.clash(w, r, err, of); shown {
		return err
	}
	if err != nil {
		return err
	}
	s.tell(r.Context(), views.Toast{Text: "The new rows are being read. The old ones are served until they are in place."})
	request.Redirect(w, r, string(views.TableURL(table)))
	return nil
}

func (s *Server) previewDiscard(w http.ResponseWriter, r *http.Request) error {
	err := s.Importer.Discard(r.Context(), request.Actor(r), files.UploadID(param(r, "id")))
	if err != nil && domain.KindOf(err) != domain.NotFound { // gone already is what was asked for
		return fmt.Errorf("discard upload: %w", err)
	}
	s.tell(r.Context(), views.Toast{Text: "The upload is thrown away. Nothing was changed."})
	request.Redirect(w, r, "/add")
	return nil
}

// filePage shows what a file on the server would become.
func (s *Server) filePage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.filePreview(r, nil)
	if err != nil {
		return err
	}
	v.TableName = suggestion(v.FileName)
	return s.renderPreview(w, r, v)
}

func (s *Server) filePreview(r *http.Request, o *files.Options) (views.PreviewView, error) {
	f, err := s.file(r.Context(), param(r, "name"))
	if err != nil {
		return views.PreviewView{}, err
	}
	v := views.PreviewView{FileName: f.Name, Bytes: f.Bytes, Action: "/files/" + url.PathEscape(f.Name)}
	if o != nil {
		v.Options = *o
	}
	v.Preview, err = s.Importer.PreviewItem(r.Context(), f.Name, v.Options)
	return v, failed(&v, err)
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
	return s.saveItem(w, r, param(r, "name"), func(o *files.Options) (views.PreviewView, error) { return s.filePreview(r, o) })
}

// saveItem makes what lies on the server a table, or shows it again, as read
// reads it.
func (s *Server) saveItem(w http.ResponseWriter, r *http.Request, item string, again func(*files.Options) (views.PreviewView, error)) error {
	n := newTable(r)
	o, err := corrections(r)
	if fields, ok := fieldErrors(err); ok || r.PostFormValue("do") == "preview" {
		return s.previewAgain(w, r, again, n, o, fields)
	}

	n.Options = o
	t, err := s.Importer.CreateFromItem(r.Context(), request.Actor(r), item, n)
	if fields, ok := fieldErrors(err); ok {
		return s.previewAgain(w, r, again, n, o, fields)
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
