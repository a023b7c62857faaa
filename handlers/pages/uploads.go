package pages

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// filesPlace is where operators put files for people, in words: no path is shown.
const filesPlace = "the files folder of the data directory"

func (s *Server) addPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.uploadView(r, r.URL.Query().Get("table"))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, views.UploadPage(s.chrome(r, "Add data", views.NavAdd), v))
}

// uploadView is the page that adds data; table names the one to replace, "" for a new one.
func (s *Server) uploadView(r *http.Request, table string) (views.UploadView, error) {
	_, c, err := s.tables(r)
	if err != nil {
		return views.UploadView{}, err
	}
	v := views.UploadView{MaxUpload: s.MaxUpload, FilesPlace: filesPlace, Now: s.Now()}
	if table != "" {
		t, err := c.Find(table)
		if err != nil {
			return v, err
		}
		v.Replaces = &t.Table
	}

	if v.Unfinished, err = s.Uploads.Parts(r.Context(), request.Principal(r.Context()).UserID); err != nil {
		return v, fmt.Errorf("list unfinished uploads: %w", err)
	}
	list, err := s.Uploads.List(r.Context())
	if err != nil {
		return v, fmt.Errorf("list files: %w", err)
	}
	used := map[string]bool{}
	for _, t := range c.Tables() {
		if t.Source() == "files" {
			used[t.SourceTable] = true
		}
	}
	for _, f := range list {
		if f.Table == "" && !used[f.Name] {
			at := "/files/" + url.PathEscape(f.Name)
			if f.Files > 0 {
				at = itemURL(f.Name)
			}
			v.Waiting = append(v.Waiting, views.WaitingFile{File: f, PreviewURL: at})
		}
	}
	return v, nil
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	got, err := s.receive(r)
	if err != nil {
		return s.uploadRefused(w, r, got.table, err)
	}
	request.Redirect(w, r, uploadURL(got.upload.ID, got.table))
	return nil
}

func uploadURL(id files.UploadID, table string) string {
	u := "/uploads/" + url.PathEscape(string(id))
	if table != "" {
		u += "?table=" + url.QueryEscape(table)
	}
	return u
}

// uploadRefused shows the form again with the reason. The rest of what the
// browser still sends is read first: one that is cut off shows its own error
// instead of ours.
func (s *Server) uploadRefused(w http.ResponseWriter, r *http.Request, table string, cause error) error {
	known := request.Known(cause)
	if known.Kind == domain.Internal || known.Kind == domain.Cancelled {
		return cause
	}
	if _, err := io.CopyN(io.Discard, r.Body, s.MaxUpload); err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(cause, err)
	}
	v, err := s.uploadView(r, table)
	if err != nil {
		return err
	}
	v.Error = known.Message
	return s.render(w, r, statusOf(cause), views.UploadPage(s.chrome(r, "Add data", views.NavAdd), v))
}

// received is what an upload form brought.
type received struct {
	upload files.Upload
	table  string // the table to replace; "" for a new one
}

// The most that is read of a form beside its file.
const (
	maxParts = 8
	maxField = 1 << 10
)

// receive streams the form's file to disk, part by part.
func (s *Server) receive(r *http.Request) (received, error) {
	got := received{}
	parts, err := r.MultipartReader()
	if err != nil {
		return got, badForm(err)
	}
	for range maxParts {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			if got.upload.ID == "" {
				return got, domain.FieldError("file", "No file was chosen. Choose one, then send the form again.")
			}
			return got, nil
		}
		if err != nil {
			return got, s.dropped(r, got, badForm(err))
		}
		switch {
		case part.FormName() == "table":
			text, err := io.ReadAll(io.LimitReader(part, maxField))
			if err != nil {
				return got, s.dropped(r, got, badForm(err))
			}
			got.table = string(text)
		case part.FormName() != "file" || part.FileName() == "":
		case got.upload.ID != "":
			return got, s.dropped(r, got, domain.FieldError("file", "One file becomes one table. Send the files one after the other."))
		default:
			file := &bounded{r: part, left: s.MaxUpload, most: s.MaxUpload}
			if got.upload, err = s.Uploads.Stage(r.Context(), request.Principal(r.Context()).UserID, part.FileName(), file); errors.Is(err, io.ErrUnexpectedEOF) {
				return received{table: got.table}, badForm(err) // the sender left
			}
			if err != nil {
				return received{table: got.table}, fmt.Errorf("stage upload: %w", errors.Join(file.err, err))
			}
		}
	}
	return got, s.dropped(r, got, badForm(errors.New("too many parts")))
}

// dropped throws away what was staged of a form that cannot be taken, and
// returns why.
func (s *Server) dropped(r *http.Request, got received, why error) error {
	if got.upload.ID == "" {
		return why
	}
	if err := s.Uploads.Discard(r.Context(), got.upload.ID); err != nil {
		return errors.Join(why, fmt.Errorf("discard upload %s: %w", got.upload.ID, err))
	}
	return why
}

// bounded fails a read past its limit, instead of ending as a shorter file.
type bounded struct {
	r    io.Reader
	left int64
	most int64
	err  error
}

// Read reads at most what is left.
func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		b.err = domain.E(domain.TooLarge, "upload_too_large",
			"The file is larger than %s, the most that is taken. Send a smaller one, or Parquet, which is a fraction of the size; "+
				"whoever runs Agnes can raise the limit or place the file in %s.", views.Bytes(b.most), filesPlace)
		return max(0, n-1), b.err
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// suggestion names a table after a file.
func suggestion(file string) string { return registry.SuggestName(files.Stem(file)) }
