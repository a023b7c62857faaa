package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a server that speaks the contract, and a laptop beside it.
type bench struct {
	t         *testing.T
	mux       *http.ServeMux
	server    *httptest.Server
	env       map[string]string
	config    string
	workspace string
	stdin     string

	mu    sync.Mutex
	log   []string // requests, "METHOD path?query body"
	waits []time.Duration
	last  http.Header // of the last request
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, mux: http.NewServeMux(), config: filepath.Join(t.TempDir(), "agnes"), workspace: t.TempDir()}
	b.server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.server.Close)
	b.env = map[string]string{
		"AGNES_SERVER": b.server.URL, "AGNES_TOKEN": "a-token",
		"AGNES_CONFIG_DIR": b.config, "AGNES_LOCAL_DIR": b.workspace,
	}
	return b
}

func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Errorf("read body of %s: %v", r.URL, err)
	}
	b.mu.Lock()
	b.log = append(b.log, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	b.last = r.Header.Clone()
	b.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	b.mux.ServeHTTP(w, r)
}

// requests are the requests of one method, or all with "".
func (b *bench) requests(method string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.log), func(s string) bool { return !strings.HasPrefix(s, method) })
}

// answer makes the server answer a pattern with a status and a body.
func (b *bench) answer(pattern string, status int, body string) {
	b.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := fmt.Fprint(w, body); err != nil {
			b.t.Errorf("answer %s: %v", pattern, err)
		}
	})
}

// run runs one command line.
func (b *bench) run(args ...string) (stdout, stderr string, err error) {
	b.t.Helper()
	return b.runIn(b.t.Context(), args...)
}

func (b *bench) runIn(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	b.t.Helper()
	root := &cobra.Command{Use: "agnes", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands(Env{
		Getenv: func(key string) string { return b.env[key] }, ConfigDir: filepath.Dir(b.config), Stdin: strings.NewReader(b.stdin),
		Now: func() time.Time { return testTime }, Version: "1.2.3", HTTP: b.server.Client(),
		wait: func(_ context.Context, d time.Duration) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.waits = append(b.waits, d)
			return nil
		},
	})...)
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// mustRun runs a command line that succeeds.
func (b *bench) mustRun(args ...string) (stdout string) {
	b.t.Helper()
	stdout, stderr, err := b.run(args...)
	if err != nil {
		b.t.Fatalf("agnes %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// mustFail runs a command line that fails with an exit code.
func (b *bench) mustFail(code int, args ...string) (message string) {
	b.t.Helper()
	stdout, _, err := b.run(args...)
	if err == nil {
		b.t.Fatalf("agnes %s succeeded, want exit code %d\n%s", strings.Join(args, " "), code, stdout)
	}
	if got := ExitCode(err); got != code {
		b.t.Errorf("agnes %s: exit code %d, want %d (%v)", strings.Join(args, " "), got, code, err)
	}
	return err.Error()
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func wantNotIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q is in:\n%s", part, text)
		}
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustParse(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
}

// jwtOf is an unsigned token with claims.
func jwtOf(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims)) + ".c2lnbmF0dXJl"
}
