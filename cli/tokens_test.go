package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tokenOf is a token for a purpose, which no server signed.
func tokenOf(purpose string) string {
	return jwtOf(fmt.Sprintf(`{"sub":"u1","email":"ana@example.com","typ":%q}`, purpose))
}

func (b *bench) mustSave(token string) {
	b.t.Helper()
	if err := os.MkdirAll(b.config, 0o700); err != nil {
		b.t.Fatal(err)
	}
	text := fmt.Sprintf(`{"access_token":%q,"email":"ana@example.com","server":%q}`, token, b.server.URL)
	if err := os.WriteFile(filepath.Join(b.config, "token.json"), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func TestLogoutEndsTheAccessToken(t *testing.T) {
	for name, c := range map[string]struct {
		token  string
		status int
		asked  int
		want   string
	}{
		"an access token":  {tokenOf("session"), 204, 1, "Signed out"},
		"one that is over": {tokenOf("session"), 401, 1, "Signed out"},
		"a broken server":  {tokenOf("session"), 500, 1, "works for up to a day more"},
		"a personal token": {tokenOf("pat"), 204, 0, "goes on working elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.mustSave(c.token)
			b.answer("POST /auth/logout", c.status, ``)
			stdout, stderr, err := b.run("auth", "logout")
			if err != nil {
				t.Fatal(err)
			}
			wantIn(t, stdout+stderr, "Signed out", c.want)
			if n := len(b.requests("POST")); n != c.asked {
				t.Errorf("%d requests, want %d", n, c.asked)
			}
			if _, err := os.Stat(filepath.Join(b.config, "token.json")); err == nil {
				t.Error("the sign-in is still saved")
			}
		})
	}
}

func TestImportToken(t *testing.T) {
	for name, c := range map[string]struct {
		status, code int
		args         []string
	}{
		"taken":            {200, 0, nil},
		"of another scope": {403, 0, nil},
		"refused":          {401, 1, nil},
		"a broken server":  {500, 1, nil},
		"not asked":        {401, 0, []string{"--skip-verify"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.answer("GET /api/catalog/tables", c.status, `{"tables":[],"count":0}`)
			args := append([]string{"auth", "import-token", "--server", b.server.URL, "--token", tokenOf("pat")}, c.args...)
			if c.code != 0 {
				b.mustFail(c.code, args...)
			} else {
				wantNotIn(t, b.mustRun(args...), tokenOf("pat"))
			}
			data, err := os.ReadFile(filepath.Join(b.config, "token.json"))
			if saved := err == nil && strings.Contains(string(data), tokenOf("pat")) && strings.Contains(string(data), "ana@example.com"); saved != (c.code == 0) {
				t.Errorf("saved %t: %s", saved, data)
			}
		})
	}
	wantIn(t, newBench(t).mustFail(2, "auth", "import-token"), "a token is missing")
}

func TestTokenCreate(t *testing.T) {
	const answer = `{"id":"0198c2f4-aaaa","name":"ci","prefix":"0198c2f4","scope":"read","token":"the.new.token","expires_at":null,"created_at":"2026-11-22T09:00:00+00:00"}`
	for name, c := range map[string]struct {
		args []string
		body string
		want string
	}{
		"the defaults": {nil, `"expires_in_days":90,"name":"ci","scope":"general"`, "the.new.token\n"},
		"raw":          {[]string{"--raw", "--ttl", "30d", "--scope", "read,query"}, `"expires_in_days":30,"name":"ci","scope":"read,query"`, "the.new.token\n"},
		"for ever":     {[]string{"--ttl", "never"}, `"expires_in_days":null`, "the.new.token\n"},
		"json":         {[]string{"--json"}, `"name":"ci"`, `"token": "the.new.token"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.answer("POST /auth/tokens", 201, answer)
			wantIn(t, b.mustRun(append([]string{"auth", "token", "create", "--name", "ci"}, c.args...)...), c.want)
			if got := b.requests("POST"); len(got) != 1 || !strings.Contains(got[0], c.body) {
				t.Errorf("requests %q, want %q", got, c.body)
			}
		})
	}
	b := newBench(t)
	for _, ttl := range []string{"0d", "90", "soon", "-1d", ""} {
		wantIn(t, b.mustFail(2, "auth", "token", "create", "--name", "x", "--ttl", ttl), "takes days such as 90d")
	}
	wantIn(t, b.mustFail(2, "auth", "token", "create"), "needs a name")
}

func TestTokenListAndRevoke(t *testing.T) {
	const list = `[{"id":"0198c2f4-aaaa","name":"ci","prefix":"0198c2f4","scope":"read","expires_at":"2027-01-01T00:00:00+00:00","last_used_at":null,"revoked_at":null},
		{"id":"0299d3f5-bbbb","name":"lap\u001btop","prefix":"0299d3f5","scope":"general","expires_at":null,"last_used_at":null,"revoked_at":null},
		{"id":"0311aaaa-cccc","name":"ci","prefix":"0311aaaa","scope":"general","expires_at":null,"last_used_at":null,"revoked_at":null}]`
	b := newBench(t)
	b.answer("GET /auth/tokens", 200, list)
	b.answer("DELETE /auth/tokens/{id}", 204, ``)
	out := b.mustRun("auth", "token", "list")
	wantIn(t, out, "0198c2f4-aaaa", "until 2027-01-01", "never", `lap\u001btop`)
	wantIn(t, b.mustRun("auth", "token", "list", "--json"), `"id": "0198c2f4-aaaa"`)
	for which, want := range map[string]string{"0198c2f4": "0198c2f4-aaaa", "0311aaaa-cccc": "0311aaaa-cccc", "0299": "0299d3f5-bbbb"} {
		b.mustRun("auth", "token", "revoke", which)
		if got := b.requests("DELETE"); len(got) == 0 || !strings.Contains(got[len(got)-1], want) {
			t.Errorf("revoke %s asked %q", which, got)
		}
	}
	wantIn(t, b.mustFail(1, "auth", "token", "revoke", "ci"), "2 tokens of yours")
	wantIn(t, b.mustFail(1, "auth", "token", "revoke", "nothing"), "No token of yours")
	b.mustFail(2, "auth", "token", "revoke")
}
