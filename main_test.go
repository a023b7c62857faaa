package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/config"
	"agnes/domain/files"
	"agnes/domain/syncs"
)

// TestMain lets the test binary be its own child, as the real one is, and the
// server of a benchmark, or of a test that kills it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "worker" || os.Args[1] == "serve") {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	adminEmail = "petra@example.com"
	password   = "correct horse battery"
)

// instance is a whole server over a new data directory, with one administrator.
type instance struct {
	*app
	t    *testing.T
	url  string
	feed *syncs.Listener
}

func newInstance(t *testing.T, environment ...string) *instance {
	t.Helper()
	env := map[string]string{"DATA_DIR": t.TempDir(), "SEED_ADMIN_EMAIL": adminEmail, "SEED_ADMIN_PASSWORD": password, "AGNES_METRICS_ADDR": "off"}
	for i := 0; i < len(environment); i += 2 {
		env[environment[i]] = environment[i+1]
	}
	cfg, _, err := config.Load(config.Input{
		Getenv:  func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		Machine: config.Machine{CPUs: 2, MemoryBytes: 4 << 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), cfg, slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopping := make(chan struct{})
	handler, err := a.handler(stopping)
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{app: a, t: t, feed: a.feed.Listen()}
	stopWork, err := a.startWork(context.Background(), make(chan error, 1))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	i.url = server.URL
	t.Cleanup(func() {
		close(stopping)
		server.Close()
		if err := stopWork(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return i
}

// testLog shows warnings of a test that failed.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// waitFor waits until every named table's run has ended, and returns them.
func (i *instance) waitFor(tables ...string) map[string]syncs.Run {
	i.t.Helper()
	ended := map[string]syncs.Run{}
	for len(ended) < len(tables) {
		select {
		case <-i.feed.Wake:
		case <-i.t.Context().Done():
			i.t.Fatalf("ended %v, waiting for %v", ended, tables)
		}
		for _, r := range i.feed.Take() {
			for _, want := range tables {
				if string(r.Table) == want && !r.Live() {
					ended[want] = r
				}
			}
		}
	}
	return ended
}

// person is somebody with an access token.
type person struct {
	*instance
	token string
}

func (i *instance) signIn(email, password string) person {
	i.t.Helper()
	var got struct {
		Token string `json:"access_token"`
	}
	person{instance: i}.call(http.MethodPost, "/auth/token", map[string]string{"email": email, "password": password}, http.StatusOK, &got)
	return person{i, got.Token}
}

func (i *instance) admin() person { return i.signIn(adminEmail, password) }

// call sends JSON and reads JSON; out may be nil.
func (p person) call(method, path string, in any, status int, out any) *http.Response {
	p.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			p.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	resp, data := p.send(method, path, "application/json", body)
	if resp.StatusCode != status {
		p.t.Fatalf("%s %s = %s: %.500s; want %d", method, path, resp.Status, data, status)
	}
	if out != nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(out); err != nil {
			p.t.Fatalf("%s %s: %v in %.500s", method, path, err, data)
		}
	}
	return resp
}

func (p person) send(method, path, contentType string, body io.Reader) (*http.Response, []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, data
}

// queried is the answer of POST /api/query.
type queried struct {
	Columns   []string `json:"columns"`
	Rows      [][]any  `json:"rows"`
	RowCount  int      `json:"row_count"`
	Truncated bool     `json:"truncated"`
}

func (p person) query(sql string) queried {
	p.t.Helper()
	var got queried
	p.call(http.MethodPost, "/api/query", map[string]any{"sql": sql, "limit": 10000}, http.StatusOK, &got)
	return got
}

// upload stages a file through the page's form and returns where the browser goes next.
func (p person) upload(path string) string {
	p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", filepath.Base(path))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := part.Write(mustRead(p.t, path)); err != nil {
		p.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	resp, data := p.send(http.MethodPost, "/uploads", form.FormDataContentType(), &body)
	if resp.StatusCode != http.StatusSeeOther {
		p.t.Fatalf("upload = %s: %.500s", resp.Status, data)
	}
	return resp.Header.Get("Location")
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// dataset is the path of a file of the vega-datasets package.
func dataset(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("node_modules", "vega-datasets", "data", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run make assets first (%v)", name, err)
	}
	return path
}

// place puts a data set into DATA_DIR/files.
func (i *instance) place(name string) {
	i.t.Helper()
	dir := filepath.Join(i.cfg.Dirs.Data, "files")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		i.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), mustRead(i.t, dataset(i.t, name)), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

func mustDir(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustRename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func auditAdmin() audit.Actor { return audit.Actor{UserID: "test", ClientKind: "web"} }

func exampleQueries() []files.Example { return files.Examples() }
