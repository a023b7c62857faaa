package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	tus "github.com/tus/tusd/v2/pkg/handler"

	"agnes/handlers/request"
)

// endingBody is a request's body that ends when the server stops. The
// connection's deadline wakes a read that waits for bytes; done ends the watch.
func endingBody(w http.ResponseWriter, r *http.Request, stopping <-chan struct{}) (_ io.ReadCloser, done func()) {
	ctx, cancel := context.WithCancel(r.Context())
	end := func() {
		if err := http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)); err != nil {
			request.Logger(ctx).Debug("end the body of an upload", "err", err)
		}
	}
	watched := make(chan struct{})
	request.Guard(ctx).Go("end the body of an upload", func() {
		defer close(watched)
		select {
		case <-stopping:
			end()
		case <-ctx.Done():
		}
	})
	return stoppable{r.Body, stopping, end}, func() {
		cancel()
		<-watched
	}
}

// stoppable is a body that fails once the server stops.
type stoppable struct {
	io.ReadCloser
	stopping <-chan struct{}
	end      func()
}

// errStopping is for tusd, which sends its first part and, by the second,
// leaves the connection's deadline as it is.
var errStopping = errors.Join(tus.ErrServerShutdown, os.ErrDeadlineExceeded)

// Read reads the body.
func (s stoppable) Read(p []byte) (int, error) {
	if s.stopped() {
		s.end() // tusd may have moved the deadline meanwhile
		return 0, errStopping
	}
	n, err := s.ReadCloser.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && s.stopped() {
		err = errStopping
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

func (s stoppable) stopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// tusWriter words tusd's answers as those of the other operations are.
type tusWriter struct {
	http.ResponseWriter
	refused bool // the body is tusd's text of an error
}

// Unwrap lets the connection's deadlines through.
func (w *tusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the status.
func (w *tusWriter) WriteHeader(status int) {
	h := w.Header()
	// tusd guesses scheme and host, which behind a proxy are others.
	if at, err := url.Parse(h.Get("Location")); err == nil && at.Path != "" {
		h.Set("Location", at.Path)
	}
	if spoken := h.Get("Tus-Extension"); spoken != "" {
		h.Set("Tus-Extension", spoken+",checksum")
		h.Set("Tus-Checksum-Algorithm", checksumAlgorithms)
	}
	if status >= http.StatusBadRequest && strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
		w.refused = true
		h.Del("Content-Length")
		h.Set("Content-Type", "application/json")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the body.
func (w *tusWriter) Write(p []byte) (int, error) {
	if !w.refused {
		return w.ResponseWriter.Write(p) //nolint:wrapcheck // a writer is passed through
	}
	code, _, _ := strings.Cut(string(p), ":")
	if err := json.NewEncoder(w.ResponseWriter).Encode(&failure{Detail: tusSentence(code)}); err != nil {
		return 0, err //nolint:wrapcheck // as above
	}
	return len(p), nil
}

// tusSentence says what a refusal of tusd's own means.
func tusSentence(code string) string {
	switch code {
	case "ERR_UNSUPPORTED_VERSION":
		return "Uploads are sent with the protocol tus 1.0: add the header Tus-Resumable: 1.0.0."
	case "ERR_INVALID_CONTENT_TYPE":
		return "Bytes of an upload have the header Content-Type: application/offset+octet-stream."
	case "ERR_INVALID_UPLOAD_LENGTH", "ERR_INVALID_UPLOAD_LENGTH_DEFER", "ERR_AMBIGUOUS_UPLOAD_LENGTH", "ERR_NOT_IMPLEMENTED":
		return "The header Upload-Length must name the bytes of the whole file, when the upload begins."
	case "ERR_INVALID_OFFSET":
		return "The header Upload-Offset must name the byte at which the upload goes on."
	case "ERR_MISMATCHED_OFFSET":
		return "The upload goes on at another byte. Ask for it with HEAD, then send from there."
	case "ERR_UPLOAD_SIZE_EXCEEDED":
		return "More was sent than the upload was said to have. Nothing beyond it is taken."
	case "ERR_UPLOAD_LOCKED", "ERR_LOCK_TIMEOUT", "ERR_UPLOAD_INTERRUPTED":
		return "The upload goes on elsewhere, such as in another window. What has arrived is kept."
	case "ERR_SERVER_SHUTDOWN":
		return "The server stops. What has arrived is kept; continue in a minute."
	case "ERR_UNEXPECTED_EOF", "ERR_READ_TIMEOUT", "ERR_CONNECTION_RESET":
		return "The connection broke. What has arrived is kept; continue from there."
	}
	return "The upload was refused: it is not as the protocol tus 1.0 has it."
}
