package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	const want = `POST /auth/token {"email":"ana@example.com","password":"correct horse"}`
	cases := []struct {
		name, stdin string
		args        []string
	}{
		{"flags", "", []string{"--email", "ana@example.com", "--password", "correct horse"}},
		{"password on stdin", "correct horse\n", []string{"--email", "ana@example.com", "--password-stdin"}},
		{"password on a line", "correct horse\r\nmore", []string{"--email", "ana@example.com"}},
		{"both on lines", "ana@example.com\ncorrect horse\n", nil},
	}
	for _, command := range [][]string{{"login"}, {"auth", "login"}} {
		for _, c := range cases {
			t.Run(strings.Join(command, " ")+", "+c.name, func(t *testing.T) {
				b := newBench(t)
				delete(b.env, "AGNES_SERVER")
				delete(b.env, "AGNES_TOKEN")
				b.stdin = c.stdin
				b.answer("POST /auth/token", 200, `{"access_token":"jwt","token_type":"bearer","user_id":"u1","email":"ana@example.com","role":"user"}`)
				b.answer("GET /api/catalog/tables", 200, `{"tables":[],"count":0}`)
				out := b.mustRun(append(append(command, "--server", b.server.URL+"/"), c.args...)...)
				wantIn(t, out, "Signed in at "+b.server.URL+" as ana@example.com.")
				wantNotIn(t, out, "correct horse", "jwt")
				if got := b.requests("POST"); len(got) != 1 || got[0] != want {
					t.Errorf("requests = %q, want %q", got, want)
				}
				// The next command goes to that server, by itself.
				b.mustRun("catalog")
				if got := b.last.Get("Authorization"); got != "Bearer jwt" {
					t.Errorf("Authorization = %q", got)
				}
				if got := b.last.Get("User-Agent"); !strings.HasPrefix(got, "agnes/1.2.3 (") {
					t.Errorf("User-Agent = %q", got)
				}
			})
		}
	}
}

func TestLoginRefused(t *testing.T) {
	cases := []struct {
		name   string
		status int
		body   string
		want   []string
	}{
		{"wrong password", 401, `{"detail":"Invalid password"}`, []string{"HTTP 401: Invalid password"}},
		{"too often", 429, `{"detail":"Too many tries."}`, []string{"Too many tries.", "Try again in 60 seconds."}},
		{"no token", 200, `{}`, []string{"not Agnes's JSON"}},
		{"a web page", 200, `<html>`, []string{"not Agnes's JSON"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.mux.HandleFunc("POST /auth/token", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			wantIn(t, b.mustFail(1, "login", "--email", "a@example.com", "--password", "x"), c.want...)
			if _, err := os.Stat(filepath.Join(b.config, "token.json")); err == nil {
				t.Error("a sign-in was saved")
			}
			if n := len(b.requests("POST")); n != 1 {
				t.Errorf("%d tries, want 1: tries count against the person", n)
			}
		})
	}
}

func TestLoginNeedsItsParts(t *testing.T) {
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"secret", []string{"--password-stdin"}, "--password-stdin needs --email"},
		{"", nil, "an e-mail address is missing"},
		{"ana@example.com\n", nil, "a password is missing"},
		{"", []string{"--email", "a@example.com", "--password-stdin"}, "a password is missing"},
		{"", []string{"--server", "ftp://x"}, "not a server's address"},
	} {
		b := newBench(t)
		b.stdin = c.stdin
		wantIn(t, b.mustFail(2, append([]string{"login"}, c.args...)...), c.want)
		if got := b.requests(""); len(got) != 0 {
			t.Errorf("login %v asked the server: %v", c.args, got)
		}
	}
}

func TestLoginWarnsOfAnotherServerInUse(t *testing.T) {
	b := newBench(t)
	b.env["AGNES_SERVER"] = "https://other.example.com"
	b.answer("POST /auth/token", 200, `{"access_token":"jwt"}`)
	_, stderr, err := b.run("login", "--server", b.server.URL, "--email", "a@example.com", "--password", "x")
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, stderr, "AGNES_SERVER is set to https://other.example.com")
}

func TestUnencryptedServersAreSaid(t *testing.T) {
	for server, warned := range map[string]bool{
		"http://agnes.example.com": true, "https://agnes.example.com": false,
		"http://127.0.0.1:1": false, "http://localhost:1": false, "http://[::1]:1": false,
	} {
		var errs strings.Builder
		cmd := newApp(Env{}).loginCommand()
		cmd.SetErr(&errs)
		warnUnencrypted(cmd, server)
		if got := errs.Len() > 0; got != warned {
			t.Errorf("%s: warned %v, want %v", server, got, warned)
		}
	}
}

func TestLogout(t *testing.T) {
	b := newBench(t)
	delete(b.env, "AGNES_TOKEN")
	mustWrite(t, filepath.Join(b.config, "token.json"), `{"access_token":"x"}`)
	wantIn(t, b.mustRun("logout"), "Signed out")
	wantIn(t, b.mustFail(1, "whoami"), "You are not signed in", "agnes login --server "+b.server.URL)
	wantIn(t, b.mustRun("auth", "logout"), "There was no saved sign-in.")
	b.env["AGNES_TOKEN"] = "x"
	wantIn(t, b.mustRun("logout"), "AGNES_TOKEN is still set")
}

func TestWhoami(t *testing.T) {
	cases := []struct {
		name, token string
		code        int
		want        []string
	}{
		{"session", jwtOf(`{"sub":"u1","email":"ana@example.com","typ":"session","exp":1772409600}`), 0, []string{"ana@example.com at http", "user id u1", "until 2026-03-02 00:00 UTC."}},
		{"without an end", jwtOf(`{"sub":"u1","email":"ana@example.com","typ":"pat"}`), 0, []string{"user id u1."}},
		{"no JWT", "scheduler", 0, []string{"a token that does not say who"}},
		{"damaged", "a.!.c", 0, []string{"does not say who"}},
		{"ended", jwtOf(`{"sub":"u1","email":"ana@example.com","exp":1772323200}`), 1, []string{"until 2026-03-01 00:00 UTC"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.env["AGNES_TOKEN"] = c.token
			out, _, err := b.run("whoami")
			if got := ExitCode(err); got != c.code {
				t.Errorf("exit code %d, want %d (%v)", got, c.code, err)
			}
			wantIn(t, out, c.want...)
			wantNotIn(t, out, c.token)
			if len(b.requests("")) != 0 {
				t.Error("whoami asked the server")
			}
		})
	}
}

func TestWhoamiJSON(t *testing.T) {
	b := newBench(t)
	mustWrite(t, filepath.Join(b.config, "token.json"), `{"access_token":"opaque","email":"ana@example.com"}`)
	var got map[string]any
	mustParse(t, b.mustRun("auth", "whoami", "--json"), &got)
	if got["email"] != "ana@example.com" || got["server"] != b.server.URL || got["expired"] != false || got["expires_at"] != nil {
		t.Errorf("whoami --json = %v", got)
	}
}
