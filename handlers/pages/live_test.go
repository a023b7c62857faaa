package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// pauses hands out the channels of a live page's rhythm, which only tests fire.
type pauses map[time.Duration]chan time.Time

func newPauses(p *portal) pauses {
	all := pauses{liveGap: make(chan time.Time), keepAlive: make(chan time.Time), liveTurn: make(chan time.Time)}
	p.pause = func(d time.Duration) <-chan time.Time { return all[d] }
	return all
}

// watcher is somebody who looks at the live page.
type watcher struct {
	t      *testing.T
	sent   chan string // every write
	header http.Header
	leave  context.CancelFunc
	done   chan struct{}
}

func (w *watcher) Header() http.Header { return w.header }
func (w *watcher) WriteHeader(int)     {}
func (w *watcher) Flush()              {}

func (w *watcher) Write(p []byte) (int, error) {
	w.sent <- string(p)
	return len(p), nil
}

// watch opens the live page.
func (b *browser) watch() *watcher {
	b.p.t.Helper()
	ctx, leave := context.WithCancel(b.p.t.Context())
	w := &watcher{t: b.p.t, sent: make(chan string), header: http.Header{}, leave: leave, done: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/syncs/live", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	go func() {
		defer close(w.done)
		b.p.handler.ServeHTTP(w, r)
	}()
	b.p.t.Cleanup(leave)
	return w
}

// event is the next event: its id and its data.
func (w *watcher) event() (id, data string) {
	w.t.Helper()
	var html strings.Builder
	for _, line := range lines(<-w.sent) {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			id = value
		case "data":
			html.WriteString(value + "\n")
		case "":
		default:
			w.t.Errorf("line %q", line)
		}
	}
	return id, html.String()
}

func TestSyncsLive(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.mustTable("airports", 3)
	pause := newPauses(p)
	w := p.as(p.admin).watch()

	id, data := w.event()
	if id == "" || !strings.Contains(data, `id="syncs-body"`) || strings.Contains(data, "<title>") {
		t.Errorf("first event: id %q, data %.200s", id, data)
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store"} {
		if got := w.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	p.clock.advance(time.Second)
	runs, err := p.Syncer.Trigger(t.Context(), audit.System("test"), syncs.ByPerson, []registry.TableID{"airports"})
	must(t, err)
	pause[liveGap] <- p.clock.now() // nothing is sent before
	next, data := w.event()
	if next == id || !strings.Contains(data, "/runs/"+runs[0].ID+"/cancel") {
		t.Errorf("second event: id %q, data %.2000s", next, data)
	}

	progress := runs[0]
	progress.State, progress.Phase, progress.Rows = syncs.Running, syncs.Extract, 424242
	p.Feed.Tell(progress)
	p.Feed.Tell(progress)
	pause[liveGap] <- p.clock.now()
	if _, data = w.event(); !strings.Contains(data, "424,242") {
		t.Errorf("third event lacks the rows so far: %.2000s", data)
	}

	must(t, p.store.SaveRebuild(t.Context(), syncs.Rebuild{ID: "r1", StartedAt: p.clock.now(), FinishedAt: p.clock.now(), State: syncs.OK, Views: 7}))
	p.Feed.Nudge()
	pause[liveGap] <- p.clock.now()
	if _, data = w.event(); !strings.Contains(data, "Published 7 tables") || !strings.Contains(data, "424,242") {
		t.Errorf("fourth event lacks the rebuild or the run: %.2000s", data)
	}

	pause[keepAlive] <- p.clock.now()
	if got := <-w.sent; got != ": still here\n\n" {
		t.Errorf("keep-alive = %q", got)
	}
	w.leave()
	<-w.done
}

func TestSyncsLiveEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*portal, pauses, *watcher){
		"server stops": func(p *portal, _ pauses, _ *watcher) { close(p.stopping) },
		"reader left":  func(_ *portal, _ pauses, w *watcher) { w.leave() },
		"its turn":     func(p *portal, all pauses, _ *watcher) { all[liveTurn] <- p.clock.now() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPortal(t)
			all := newPauses(p)
			w := p.as(p.admin).watch()
			w.event()
			end(p, all, w)
			<-w.done
		})
	}
}

func TestSyncsLiveIsForAdministrators(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.as(p.analyst).get("/syncs/live").wantStatus(http.StatusForbidden)
	p.nobody().get("/syncs/live").wantStatus(http.StatusUnauthorized)
}

func TestStreamKeepsLinesApart(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	table := p.mustTable("airports", 3)
	p.mustRun(table, func(r *syncs.Run) { r.State, r.Message = syncs.Failed, "first\r\nsecond\rthird\n\nfourth" })
	newPauses(p)
	w := p.as(p.admin).watch()
	if _, data := w.event(); !strings.Contains(data, "fourth") {
		t.Errorf("data = %.2000s", data)
	}
	w.leave()
	<-w.done
}
