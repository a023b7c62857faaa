package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"agnes/domain"
)

// testClient speaks to handler and does not wait between tries.
func testClient(t *testing.T, handler http.Handler) *client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	a := newApp(Env{wait: func(context.Context, time.Duration) error { return nil }})
	return a.newClient(server.URL, "a-token")
}

func TestGetTriesAgain(t *testing.T) {
	cases := []struct {
		name   string
		faults int // answers with status before the good one
		status int
		tries  int32
		ok     bool
	}{
		{"at once", 0, 0, 1, true},
		{"503 once", 1, 503, 2, true},
		{"502 twice", 2, 502, 3, true},
		{"504 for ever", 9, 504, 3, false},
		{"500 is an answer", 9, 500, 1, false},
		{"403 is an answer", 9, 403, 1, false},
		{"cut once", 1, 0, 2, true},
		{"cut for ever", 9, 0, 3, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var n atomic.Int32
			client := testClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if int(n.Add(1)) <= c.faults {
					if c.status == 0 {
						w.Header().Set("Content-Length", "100")
						fmt.Fprint(w, `{"a":`)
						return
					}
					w.WriteHeader(c.status)
					return
				}
				fmt.Fprint(w, `{"a":12345678901234567890}`)
			}))
			var got map[string]any
			err := client.get(t.Context(), "/x", &got)
			if (err == nil) != c.ok || n.Load() != c.tries {
				t.Errorf("get = %v after %d tries, want ok %v after %d", err, n.Load(), c.ok, c.tries)
			}
			if c.ok && got["a"] != json.Number("12345678901234567890") {
				t.Errorf("a = %v, want the number itself", got["a"])
			}
		})
	}
}

func TestServerAway(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	a := newApp(Env{wait: func(context.Context, time.Duration) error { return nil }})
	err := a.newClient(address, "secret-token").get(t.Context(), "/x", nil)
	if err == nil {
		t.Fatal("a closed server answered")
	}
	wantIn(t, err.Error(), address+" does not answer", "connection refused", "agnes login --server")
	wantNotIn(t, err.Error(), "secret-token")
}

func TestRedirects(t *testing.T) {
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Store(true)
		t.Errorf("the other server was asked, with Authorization %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	mux.Handle("/elsewhere", http.RedirectHandler(other.URL+"/elsewhere", http.StatusMovedPermanently))
	mux.Handle("/here", http.RedirectHandler("/there", http.StatusMovedPermanently))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer a-token" {
			t.Errorf("Authorization after a redirect within the server = %q", got)
		}
		fmt.Fprint(w, `{"ok":true}`)
	})
	client := testClient(t, mux)
	cases := []struct{ method, path, want string }{
		{"GET", "/here", ""},
		{"GET", "/elsewhere", "agnes login --server " + other.URL},
		{"POST", "/elsewhere", "agnes login --server " + other.URL},
		{"POST", "/here", "redirect to /there"},
		{"GET", "/round", "redirect to /round"},
	}
	for _, c := range cases {
		var got map[string]any
		err := client.call(t.Context(), c.method, c.path, nil, &got)
		switch {
		case c.want == "" && (err != nil || got["ok"] != true):
			t.Errorf("%s %s = %v, %v", c.method, c.path, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %s = %v, want %q", c.method, c.path, err, c.want)
		}
	}
	if leaked.Load() {
		t.Error("a redirect left the server")
	}
}

func TestAnswersThatAreNotAgnes(t *testing.T) {
	for name, body := range map[string]string{"text": "hello", "html": "<html></html>", "nothing": "", "half": `{"a":`} {
		client := testClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if name == "html" {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			}
			fmt.Fprint(w, body)
		}))
		var got any
		if err := client.get(t.Context(), "/x", &got); err == nil || !strings.Contains(err.Error(), "not Agnes's JSON") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignInNotAccepted(t *testing.T) {
	client := testClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(401)
		fmt.Fprint(w, `{"detail":"Token expired"}`)
	}))
	err := client.get(t.Context(), "/x", nil)
	if err == nil {
		t.Fatal("no error")
	}
	wantIn(t, err.Error(), "HTTP 401: Token expired", "agnes login --server "+client.server)
}

func TestReadBounded(t *testing.T) {
	if data, err := readBounded(t.Context(), strings.NewReader("12345"), 5); err != nil || string(data) != "12345" {
		t.Errorf("readBounded = %q, %v", data, err)
	}
	if _, err := readBounded(t.Context(), strings.NewReader("123456"), 5); domain.KindOf(err) != domain.TooLarge {
		t.Errorf("readBounded of too much = %v, want TooLarge", err)
	}
}

func TestDeadlineAndStop(t *testing.T) {
	release := make(chan struct{})
	client := testClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	t.Cleanup(func() { close(release) })
	err := client.callWithin(t.Context(), time.Millisecond, "GET", "/x", nil, nil)
	if domain.CodeOf(err) != "no_answer_in_time" {
		t.Errorf("past the deadline: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = client.call(ctx, "GET", "/x", nil, nil)
	if domain.KindOf(err) != domain.Cancelled || passing(err) {
		t.Errorf("stopped by hand: %v", err)
	}
}

func TestPassing(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("x"), false},
		{&refusal{status: 503}, true},
		{fmt.Errorf("x: %w", &refusal{status: 502}), true},
		{&refusal{status: 500}, false},
		{domain.E(domain.Unavailable, "unreachable", "x"), true},
		{domain.E(domain.Unavailable, "redirected", "x"), false},
	} {
		if got := passing(c.err); got != c.want {
			t.Errorf("passing(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}
