package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	tus "github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog" // the logger that tusd takes

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/people"
	"agnes/handlers/request"
)

// Uploads keeps uploads that arrive in pieces.
type Uploads interface {
	Begin(ctx context.Context, n files.NewPart) (files.Part, error)
	Part(ctx context.Context, id files.UploadID) (files.Part, error)
	// Parts returns those of a person that are not complete.
	Parts(ctx context.Context, owner people.UserID) ([]files.Part, error)
	// Append returns how many bytes are durable, also when it fails.
	Append(ctx context.Context, id files.UploadID, offset int64, r io.Reader) (int64, error)
	Discard(ctx context.Context, id files.UploadID) error
}

// uploadsPath is where uploads are made; each lives one step below.
const uploadsPath = "/api/uploads"

// Part is an upload that is not complete.
type Part struct {
	ID      string    `json:"id" example:"5f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f11"`
	URL     string    `json:"url" doc:"Where it goes on, with HEAD and PATCH." example:"/api/uploads/5f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f11"`
	Name    string    `json:"name" example:"orders.csv"`
	Bytes   int64     `json:"bytes" doc:"Of the whole file." example:"1073741824"`
	Arrived int64     `json:"arrived" doc:"Bytes that are safely here." example:"461373440"`
	Mark    string    `json:"mark" doc:"What the client sent as metadata mark, to know its file again."`
	Touched time.Time `json:"touched_at"`
	Expires time.Time `json:"expires_at" doc:"When it is thrown away unless more of it comes."`
}

// PartList is the answer of list-uploads.
type PartList struct {
	Body struct {
		Uploads []Part `json:"uploads"`
	}
}

// uploadRoutes declares the protocol tus 1.0 (https://tus.io): resumable uploads
// as many clients speak them. tusd answers it; files are kept by Uploads, so that
// a finished one lies where those of the plain form do.
func (a *API) uploadRoutes() error {
	register(a, operation{
		id: "list-uploads", method: http.MethodGet, path: uploadsPath, tag: "Uploads", need: access.Admin, terms: asks(access.ScopeSync),
		summary: "Your uploads that are not complete",
		about:   "Each is kept for a day after its last byte came. It goes on at its url, at the byte that arrived names.",
	}, a.listUploads)

	composer := tus.NewStoreComposer()
	composer.UseCore(tusStore{a})
	composer.UseTerminater(tusStore{a})
	memorylocker.New().UseIn(composer)
	protocol, err := tus.NewUnroutedHandler(tus.Config{
		StoreComposer: composer, BasePath: uploadsPath + "/", DisableDownload: true, DisableConcatenation: true,
		Cors:           &tus.CorsConfig{Disable: true},
		Logger:         xslog.New(xslog.NewTextHandler(io.Discard, nil)), // requests and failures are logged here already
		NetworkTimeout: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("make the protocol of uploads: %w", err)
	}
	one := uploadsPath + "/{id}"
	a.tus(protocol, operation{
		id: "upload-begin", method: http.MethodPost, path: uploadsPath, status: http.StatusCreated,
		summary: "Begin an upload in pieces",
		about: "The protocol is tus 1.0 with creation, creation-with-upload, checksum (sha1, sha256) and termination. Send Upload-Length and, in Upload-Metadata, filename and optionally mark. " +
			"The header Location of the answer is where the bytes go. Once all have arrived, the file is seen and made a table at /uploads/{id}.",
		errors: []int{http.StatusBadRequest, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	}, protocol.PostFile, header("Upload-Length", "Bytes of the file.", "1073741824"), header("Upload-Metadata", "filename and mark, each in base64.", "filename b3JkZXJzLmNzdg=="))
	a.tus(protocol, operation{
		id: "upload-options", method: http.MethodOptions, path: uploadsPath, summary: "What of tus is spoken", about: "Versions and extensions, as headers.",
	}, protocol.PostFile)
	a.tus(protocol, operation{
		id: "upload-offset", method: http.MethodHead, path: one, summary: "How much has arrived",
		about: "The header Upload-Offset counts bytes that are safely on disk, also after the server was killed.", errors: []int{http.StatusNotFound},
	}, protocol.HeadFile)
	a.tus(protocol, operation{
		id: "upload-append", method: http.MethodPatch, path: one, status: http.StatusNoContent, summary: "Send bytes",
		about:  "Upload-Offset must be what has arrived. What came before a connection broke counts, unless Upload-Checksum names the sum of all of it: bytes with another sum are thrown away, with 460.",
		errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge},
	}, protocol.PatchFile, header("Upload-Offset", "The byte at which this goes on.", "0"))
	a.tus(protocol, operation{
		id: "upload-cancel", method: http.MethodDelete, path: one, status: http.StatusNoContent, summary: "Throw an upload away",
		about: "What has arrived of it is removed.", errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, protocol.DelFile)
	return nil
}

func (a *API) listUploads(ctx context.Context, _ *none) (*PartList, error) {
	parts, err := a.Uploads.Parts(ctx, principal(ctx).UserID)
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", err)
	}
	out := &PartList{}
	out.Body.Uploads = make([]Part, 0, len(parts))
	for _, p := range parts {
		out.Body.Uploads = append(out.Body.Uploads, Part{
			ID: string(p.ID), URL: uploadsPath + "/" + string(p.ID), Name: p.Name, Bytes: p.Bytes, Arrived: p.Arrived, Mark: p.Mark,
			Touched: p.Touched.UTC(), Expires: p.Expires().UTC(),
		})
	}
	return out, nil
}

func header(name, about, example string) *huma.Param {
	return &huma.Param{Name: name, In: "header", Required: true, Description: about, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
}

// tus declares one operation of the protocol. A stop of the server ends it at
// once: the client goes on with the next one.
func (a *API) tus(protocol *tus.UnroutedHandler, o operation, handle http.HandlerFunc, params ...*huma.Param) {
	o.tag, o.need, o.terms, o.long, o.anyBody = "Uploads", access.Admin, asks(access.ScopeSync), true, true
	documented := o.huma()
	documented.Parameters = append(params, header("Tus-Resumable", "Version of the protocol.", "1.0.0"))
	if strings.Contains(o.path, "{id}") {
		documented.Parameters = append(documented.Parameters, &huma.Param{
			Name: "id", In: "path", Required: true, Description: "Id of the upload.", Schema: &huma.Schema{Type: huma.TypeString}, Example: "5f0c2f0e-8a55-4a67-9d52-0d3f2f6b0f11",
		})
	}
	if o.method == http.MethodPatch {
		documented.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/offset+octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}
	}
	documented.Responses[fmt.Sprint(max(o.status, http.StatusOK))] = &huma.Response{Description: "Done."}
	spoken := http.StripPrefix(uploadsPath, protocol.Middleware(handle)) // what is left is the id
	a.raw(o, documented, func(w http.ResponseWriter, r *http.Request) error {
		if o.method == http.MethodPatch || o.method == http.MethodPost {
			sum, err := checksumOf(r)
			if err != nil {
				f := a.failure(r.Context(), o, err)
				f.status, f.Detail = http.StatusBadRequest, request.Known(err).Message
				f.write(w, r)
				return nil
			}
			r = r.WithContext(withChecksum(r.Context(), sum))
			body, done := endingBody(w, r, a.Stopping)
			defer done()
			r.Body = body
		}
		spoken.ServeHTTP(&tusWriter{ResponseWriter: w}, r)
		return nil
	})
}

// tusStore is Uploads as tusd sees it. Somebody else's upload does not exist.
type tusStore struct{ api *API }

// NewUpload begins an upload of whoever asks.
func (s tusStore) NewUpload(ctx context.Context, info tus.FileInfo) (tus.Upload, error) {
	p, err := s.api.Uploads.Begin(ctx, files.NewPart{
		Owner: principal(ctx).UserID, Name: info.MetaData["filename"], Bytes: info.Size, Mark: info.MetaData["mark"],
	})
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &tusUpload{tusStore: s, part: p}, nil
}

// GetUpload returns an upload of whoever asks.
func (s tusStore) GetUpload(ctx context.Context, id string) (tus.Upload, error) {
	p, err := s.api.Uploads.Part(ctx, files.UploadID(id))
	if err == nil && p.Owner != principal(ctx).UserID {
		err = domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more: it was finished, thrown away, or left alone for a day. Upload the file again.")
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return &tusUpload{tusStore: s, part: p}, nil
}

// AsTerminatableUpload returns an upload as one that can be thrown away.
func (tusStore) AsTerminatableUpload(u tus.Upload) tus.TerminatableUpload {
	return u.(*tusUpload)
}

// fail words an error as every operation does, for tusd to send.
func (s tusStore) fail(ctx context.Context, err error) error {
	f := s.api.failure(ctx, operation{id: "upload"}, err)
	if errors.Is(err, errChecksum) {
		f.status = statusChecksum
	}
	body, merr := json.Marshal(f)
	if merr != nil {
		return fmt.Errorf("word %w: %w", err, merr)
	}
	return tus.Error{
		ErrorCode: domain.CodeOf(err), Message: f.Error(),
		HTTPResponse: tus.HTTPResponse{StatusCode: f.status, Body: string(body) + "\n", Header: tus.HTTPHeader{"Content-Type": "application/json"}},
	}
}

// tusUpload is one upload as tusd sees it.
type tusUpload struct {
	tusStore
	part files.Part
}

// GetInfo says how much there is.
func (u *tusUpload) GetInfo(context.Context) (tus.FileInfo, error) {
	return tus.FileInfo{
		ID: string(u.part.ID), Size: u.part.Bytes, Offset: u.part.Arrived, MetaData: tus.MetaData{"filename": u.part.Name, "mark": u.part.Mark},
	}, nil
}

// WriteChunk adds bytes and returns how many are durable.
func (u *tusUpload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	n, err := u.api.Uploads.Append(ctx, u.part.ID, offset, summed(ctx, src))
	if err != nil {
		return n, u.fail(ctx, err)
	}
	return n, nil
}

// GetReader is for downloads, which there are none of.
func (*tusUpload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, tus.ErrNotImplemented
}

// FinishUpload has nothing left to do: Append ends what is whole.
func (*tusUpload) FinishUpload(context.Context) error { return nil }

// Terminate throws the upload away.
func (u *tusUpload) Terminate(ctx context.Context) error {
	if err := u.api.Uploads.Discard(ctx, u.part.ID); err != nil {
		return u.fail(ctx, err)
	}
	return nil
}
