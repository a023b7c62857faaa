package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	domainfiles "agnes/domain/files"
	"agnes/domain/people"
	"agnes/handlers/api"
)

const offsetBytes = "application/offset+octet-stream"

// metadata is the header Upload-Metadata.
func metadata(pairs ...string) string {
	var words []string
	for i := 0; i < len(pairs); i += 2 {
		words = append(words, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(words, ",")
}

// mustBegin begins an upload and returns its path.
func (s *site) mustBegin(who people.User, name string, size int) string {
	s.t.Helper()
	got := s.as(who, http.MethodPost, "/api/uploads", nil, "Tus-Resumable", "1.0.0",
		"Upload-Length", fmt.Sprint(size), "Upload-Metadata", metadata("filename", name, "mark", name+"|1"))
	got.is(http.StatusCreated)
	at := got.Header().Get("Location")
	if !strings.HasPrefix(at, "/api/uploads/") {
		s.t.Fatalf("Location = %q, want a path: a proxy's scheme and host are not ours to know", at)
	}
	return at
}

func (s *site) patch(who people.User, at string, offset int, body string, headers ...string) reply {
	s.t.Helper()
	return s.as(who, http.MethodPatch, at, body, append([]string{"Tus-Resumable", "1.0.0", "Content-Type", offsetBytes, "Upload-Offset", fmt.Sprint(offset)}, headers...)...)
}

// offset asks how much has arrived.
func (s *site) offset(who people.User, at string) string {
	s.t.Helper()
	got := s.as(who, http.MethodHead, at, nil)
	got.is(http.StatusOK)
	return got.Header().Get("Upload-Offset")
}

func (s *site) detail(r reply, status int) string {
	s.t.Helper()
	text, ok := r.is(status)["detail"].(string)
	if !ok || text == "" || r.Header().Get("Content-Type") != "application/json" {
		s.t.Errorf("%d without a sentence in JSON: %q %s", r.Code, r.Header().Get("Content-Type"), r.Body)
	}
	return text
}

func TestUploadInPieces(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	content := "id,name\n1,Ada\n2,Grace\n"
	at := s.mustBegin(s.admin, `C:\data\people 2026.csv`, len(content))
	if got := s.offset(s.admin, at); got != "0" {
		t.Errorf("a new upload is at %s", got)
	}
	if got := s.patch(s.admin, at, 0, content[:8]); got.Code != http.StatusNoContent || got.Header().Get("Upload-Offset") != "8" {
		t.Errorf("PATCH: %d at %q", got.Code, got.Header().Get("Upload-Offset"))
	}
	list := s.as(s.admin, http.MethodGet, "/api/uploads", nil).is(http.StatusOK)["uploads"].([]any)
	if len(list) != 1 {
		t.Fatalf("%d uploads are open", len(list))
	}
	if got := list[0].(map[string]any); got["url"] != at || got["arrived"] != 8.0 || got["bytes"] != 22.0 || got["name"] != "people 2026.csv" || got["mark"] != `C:\data\people 2026.csv|1` {
		t.Errorf("listed as %v", got)
	}
	if got := s.patch(s.admin, at, 8, content[8:]); got.Code != http.StatusNoContent || got.Header().Get("Upload-Offset") != "22" {
		t.Errorf("the last PATCH: %d at %q", got.Code, got.Header().Get("Upload-Offset"))
	}
	if got := s.offset(s.admin, at); got != "22" {
		t.Errorf("a whole upload is at %s", got)
	}
	if list := s.as(s.admin, http.MethodGet, "/api/uploads", nil).is(http.StatusOK)["uploads"].([]any); len(list) != 0 {
		t.Errorf("a whole upload is still open: %v", list)
	}
	up, err := s.folder.Staged(t.Context(), domainfiles.UploadID(filepath.Base(at)))
	must(t, err)
	if up.Name != "people 2026.csv" || up.Bytes != 22 {
		t.Errorf("staged as %+v", up)
	}
	got, err := os.ReadFile(filepath.Join(s.folder.Root, filepath.FromSlash(up.Key)))
	if must(t, err); string(got) != content {
		t.Errorf("content %q", got)
	}
}

func TestUploadWithItsCreation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	got := s.as(s.admin, http.MethodPost, "/api/uploads", "a\n1\n", "Tus-Resumable", "1.0.0", "Content-Type", offsetBytes, "Upload-Length", "8", "Upload-Metadata", metadata("filename", "a.csv"))
	if got.Code != http.StatusCreated || got.Header().Get("Upload-Offset") != "4" {
		t.Errorf("%d at %q", got.Code, got.Header().Get("Upload-Offset"))
	}
	options := s.as(s.admin, http.MethodOptions, "/api/uploads", nil)
	if got := options.Header().Get("Tus-Extension"); options.Code != http.StatusOK || got != "creation,creation-with-upload,termination,checksum" || options.Header().Get("Tus-Checksum-Algorithm") != "sha1,sha256" {
		t.Errorf("OPTIONS: %d %q", options.Code, got)
	}
}

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	begin := func(length, meta string) reply {
		return s.as(s.admin, http.MethodPost, "/api/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Length", length, "Upload-Metadata", meta)
	}
	csv := metadata("filename", "a.csv")
	at := s.mustBegin(s.admin, "a.csv", 4)
	for _, c := range []struct {
		name   string
		got    reply
		status int
		says   string
	}{
		{"too large", begin("1048577", csv), http.StatusRequestEntityTooLarge, "one upload may have 1.0 MiB"},
		{"unknown format", begin("4", metadata("filename", "a.exe")), http.StatusUnprocessableEntity, "Parquet"},
		{"no name", begin("4", ""), http.StatusUnprocessableEntity, "Parquet"},
		{"empty", begin("0", csv), http.StatusUnprocessableEntity, "empty"},
		{"no length", begin("", csv), http.StatusBadRequest, "Upload-Length"},
		{"another length", begin("-4", csv), http.StatusBadRequest, "Upload-Length"},
		{"no version", s.as(s.admin, http.MethodPost, "/api/uploads", nil, "Upload-Length", "4"), http.StatusPreconditionFailed, "Tus-Resumable"},
		{"a wrong offset", s.patch(s.admin, at, 2, "x"), http.StatusConflict, "HEAD"},
		{"no offset", s.patch(s.admin, at, 0, "x", "Upload-Offset", ""), http.StatusBadRequest, "Upload-Offset"},
		{"a form", s.patch(s.admin, at, 0, "x", "Content-Type", "text/plain"), http.StatusBadRequest, offsetBytes},
		{"more than was said", s.patch(s.admin, at, 0, "12345"), http.StatusRequestEntityTooLarge, "beyond"},
		{"an unknown upload", s.patch(s.admin, "/api/uploads/5f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f11", 0, "x"), http.StatusNotFound, "Upload the file again"},
		{"no id", s.patch(s.admin, "/api/uploads/..", 0, "x"), http.StatusNotFound, "Upload the file again"},
	} {
		if text := s.detail(c.got, c.status); !strings.Contains(text, c.says) || strings.Contains(text, s.folder.Root) {
			t.Errorf("%s: %q, want it to say %q", c.name, text, c.says)
		}
	}
	if got := s.offset(s.admin, at); got != "0" {
		t.Errorf("refused bytes count: %s", got)
	}
}

// An upload is whose it is: for other administrators it does not exist.
func TestUploadOfSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admins, err := s.store.GetGroupByName(t.Context(), people.AdminGroup)
	must(t, err)
	other := s.mustUser("eve@example.com", admins.ID)
	at := s.mustBegin(s.admin, "a.csv", 4)
	s.as(other, http.MethodHead, at, nil).is(http.StatusNotFound)
	s.patch(other, at, 0, "1234").is(http.StatusNotFound)
	s.as(other, http.MethodDelete, at, nil, "Tus-Resumable", "1.0.0").is(http.StatusNotFound)
	if list := s.as(other, http.MethodGet, "/api/uploads", nil).is(http.StatusOK)["uploads"].([]any); len(list) != 0 {
		t.Errorf("somebody else's uploads are listed: %v", list)
	}
	s.patch(s.analyst, at, 0, "1234").is(http.StatusForbidden)
	s.patch(people.User{}, at, 0, "1234").is(http.StatusUnauthorized)
	if got := s.offset(s.admin, at); got != "0" {
		t.Errorf("it is at %s", got)
	}
	s.as(s.admin, http.MethodDelete, at, nil, "Tus-Resumable", "1.0.0").is(http.StatusNoContent)
	s.as(s.admin, http.MethodHead, at, nil).is(http.StatusNotFound)
}

// brokenBody ends as a connection that is cut does.
func brokenBody(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), failing{io.ErrUnexpectedEOF})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestUploadThatBreaksOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := s.mustBegin(s.admin, "a.csv", 100)
	r := httptest.NewRequest(http.MethodPatch, at, brokenBody("0123456789"))
	token := s.mustToken(s.admin)
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Tus-Resumable": "1.0.0", "Content-Type": offsetBytes, "Upload-Offset": "0"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "What has arrived is kept") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := s.offset(s.admin, at); got != "10" {
		t.Errorf("it is at %s, want 10: what came before the cut counts", got)
	}
	s.patch(s.admin, at, 10, strings.Repeat("x", 90)).is(http.StatusNoContent)
}

// brokenUploads fails where the disk does.
type brokenUploads struct{ api.Uploads }

func (brokenUploads) Append(context.Context, domainfiles.UploadID, int64, io.Reader) (int64, error) {
	return 0, errors.New("write /srv/data/uploads: input/output error")
}

func (brokenUploads) Parts(context.Context, people.UserID) ([]domainfiles.Part, error) {
	return nil, errors.New("open /srv/data/uploads: permission denied")
}

func TestUploadOnABrokenDisk(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(d *api.Deps) { d.Uploads = brokenUploads{d.Uploads} })
	at := s.mustBegin(s.admin, "a.csv", 4)
	for _, got := range []reply{s.patch(s.admin, at, 0, "1234"), s.as(s.admin, http.MethodGet, "/api/uploads", nil)} {
		if text := s.detail(got, http.StatusInternalServerError); text != "Internal server error" || bytes.Contains(got.Body.Bytes(), []byte("/srv")) {
			t.Errorf("answered %s", got.Body)
		}
	}
	if !strings.Contains(s.log.String(), "input/output error") {
		t.Error("the cause is not in the log")
	}
}

// A stop of the server ends an upload at once, with what has arrived kept.
func TestUploadWhenTheServerStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	s := newSiteWith(t, func(d *api.Deps) { d.Stopping = stopping })
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	at := s.mustBegin(s.admin, "a.csv", 1000)
	token := s.mustToken(s.admin)
	body, feed := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, server.URL+at, body)
	must(t, err)
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Tus-Resumable": "1.0.0", "Content-Type": offsetBytes, "Upload-Offset": "0"} {
		r.Header.Set(name, value)
	}
	go func() {
		if _, err := feed.Write(bytes.Repeat([]byte("x"), 500)); err == nil {
			close(stopping)
		}
	}()
	answer, err := server.Client().Do(r)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		text, err := io.ReadAll(answer.Body)
		t.Errorf("%s: %s %v", answer.Status, text, err)
	}
	must(t, feed.CloseWithError(io.ErrClosedPipe))
}
