package pages

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"agnes/domain/syncs"
	"agnes/handlers/request"
	"agnes/views"
)

// The rhythm of a live page.
const (
	liveGap   = time.Second      // between two messages, at least
	keepAlive = 15 * time.Second // a sign of life when nothing changes
	liveTurn  = 5 * time.Minute  // then the browser connects anew, and its session is checked again
)

// syncsLive sends the live region whole: at once, because it may have changed
// since the page was drawn, then whenever a run changes.
func (s *Server) syncsLive(w http.ResponseWriter, r *http.Request) error {
	feed := s.Feed.Listen()
	defer feed.Close()
	latest := map[string]syncs.Run{}
	first, err := s.syncsNow(r, latest)
	if err != nil {
		return err
	}

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := stream{w: w, control: http.NewResponseController(w), now: s.Now}
	if err := out.send(r, first); err != nil {
		return s.ended(r, err)
	}
	end := s.pause(liveTurn)
	gap, idle := s.pause(liveGap), s.pause(keepAlive)
	var wake <-chan struct{} // nil during the gap
	for {
		select {
		case <-gap:
			gap, wake = nil, feed.Wake
			continue
		case <-wake:
			for _, run := range feed.Take() {
				latest[run.ID] = run
			}
			v, err := s.syncsNow(r, latest)
			if err != nil {
				return s.ended(r, err)
			}
			forget(latest, v)
			if err := out.send(r, v); err != nil {
				return s.ended(r, err)
			}
			gap, wake = s.pause(liveGap), nil
		case <-idle:
			if err := out.write(": still here\n\n"); err != nil {
				return s.ended(r, err)
			}
		case <-end:
			return nil
		case <-s.Stopping:
			return nil
		case <-r.Context().Done():
			return nil
		}
		idle = s.pause(keepAlive)
	}
}

// syncsNow reads the region anew, tables too.
func (s *Server) syncsNow(r *http.Request, latest map[string]syncs.Run) (views.SyncsView, error) {
	p, err := who(r)
	if err != nil {
		return views.SyncsView{}, err
	}
	c, err := s.Catalogs.Catalog(r.Context(), p)
	if err != nil {
		return views.SyncsView{}, fmt.Errorf("catalog: %w", err)
	}
	return s.syncsView(r, c, latest)
}

// ended says in the log why a stream that has begun broke off; the browser
// connects again by itself, so there is no page to send.
func (s *Server) ended(r *http.Request, err error) error {
	if r.Context().Err() == nil {
		request.Logger(r.Context()).WarnContext(r.Context(), "live page ended", "path", r.URL.Path, "err", err)
	}
	return nil
}

// forget drops the runs that are over.
func forget(latest map[string]syncs.Run, v views.SyncsView) {
	live := map[string]bool{}
	for _, run := range v.Live {
		live[run.ID] = true
	}
	for id := range latest {
		if !live[id] {
			delete(latest, id)
		}
	}
}

// stream writes server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	now     func() time.Time
}

// send sends the region as one event. Its id is its time: whoever reconnects
// gets the region whole, whatever they saw last.
func (s stream) send(r *http.Request, v views.SyncsView) error {
	var html bytes.Buffer
	if err := views.SyncsLive(v).Render(r.Context(), &html); err != nil {
		return fmt.Errorf("draw live region: %w", err)
	}
	var event bytes.Buffer
	event.WriteString("id: " + strconv.FormatInt(s.now().UnixMicro(), 10) + "\n")
	for line := range bytes.Lines(html.Bytes()) {
		event.WriteString("data: ")
		event.Write(bytes.ReplaceAll(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"), nil)) // a lone one would end the line
		event.WriteByte('\n')
	}
	event.WriteByte('\n')
	return s.write(event.String())
}

func (s stream) write(text string) error {
	// A writer that knows no deadlines, as in tests, has none to extend.
	_ = s.control.SetWriteDeadline(s.now().Add(stall))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flush event: %w", err)
	}
	return nil
}
