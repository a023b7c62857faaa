package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServerURL(t *testing.T) {
	cases := []struct{ in, want string }{
		{"http://127.0.0.1:8000", "http://127.0.0.1:8000"},
		{"https://agnes.example.com/", "https://agnes.example.com"},
		{"https://Agnes.Example.COM/data/", "https://agnes.example.com/data"},
		{" agnes.example.com ", "https://agnes.example.com"},
		{"localhost:8000", "http://localhost:8000"},
		{"127.0.0.1:8000/x", "http://127.0.0.1:8000/x"},
		{"[::1]:8000", "http://[::1]:8000"},
		{"ftp://agnes.example.com", ""},
		{"https://", ""},
		{"https://me:secret@agnes.example.com", ""},
		{"https://agnes.example.com/?a=b", ""},
		{"https://agnes.example.com/#top", ""},
		{"http://a b", ""},
		{"", ""},
	}
	for _, c := range cases {
		got, err := serverURL(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("serverURL(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestWhichServer(t *testing.T) {
	cases := []struct{ name, env, file, want string }{
		{"none", "", "", defaultServer},
		{"file", "", "server: https://a.example.com\n", "https://a.example.com"},
		{"file of another kind", "", "theme: dark\n", defaultServer},
		{"environment wins", "https://b.example.com", "server: https://a.example.com\n", "https://b.example.com"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.file != "" {
				mustWrite(t, filepath.Join(dir, "config.yaml"), c.file)
			}
			env := map[string]string{"AGNES_SERVER": c.env, "AGNES_CONFIG_DIR": dir}
			got, err := newApp(Env{Getenv: func(k string) string { return env[k] }}).server()
			if err != nil || got != c.want {
				t.Errorf("server = %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestDamagedFilesAreSaid(t *testing.T) {
	b := newBench(t)
	delete(b.env, "AGNES_SERVER")
	mustWrite(t, filepath.Join(b.config, "config.yaml"), "server: [")
	wantIn(t, b.mustFail(1, "whoami"), "config.yaml is not YAML")
	b = newBench(t)
	mustWrite(t, filepath.Join(b.config, "token.json"), "{")
	wantIn(t, b.mustFail(1, "catalog"), "The saved sign-in cannot be read", "agnes login")
}

func TestWhichToken(t *testing.T) {
	const here, there = "https://here.example.com", "https://there.example.com"
	cases := []struct{ name, file, env, want, message string }{
		{"nothing", "", "", "", "not signed in at " + here},
		{"environment", "", " env ", "env", ""},
		{"file wins", `{"access_token":"file","server":"` + here + `"}`, "env", "file", ""},
		{"file of an older client", `{"access_token":"file","email":"a@example.com"}`, "env", "file", ""},
		{"another server's file", `{"access_token":"file","server":"` + there + `"}`, "", "", "signed in at " + there},
		{"another server's file, and environment", `{"access_token":"file","server":"` + there + `"}`, "env", "env", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.file != "" {
				mustWrite(t, filepath.Join(dir, "token.json"), c.file)
			}
			env := map[string]string{"AGNES_TOKEN": c.env, "AGNES_CONFIG_DIR": dir}
			got, err := newApp(Env{Getenv: func(k string) string { return env[k] }}).token(here)
			if got.AccessToken != c.want {
				t.Errorf("token = %q, want %q", got.AccessToken, c.want)
			}
			if (err != nil) != (c.message != "") || (err != nil && !strings.Contains(err.Error(), c.message)) {
				t.Errorf("error = %v, want %q", err, c.message)
			}
		})
	}
}

func TestSaveSignInKeepsOtherSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "agnes")
	a := newApp(Env{ConfigDir: filepath.Dir(dir)})
	for _, server := range []string{"https://a.example.com", "https://b.example.com"} {
		if err := a.saveSignIn(signIn{AccessToken: "t", Email: "a@example.com", Server: server}); err != nil {
			t.Fatal(err)
		}
		if server == "https://a.example.com" {
			mustWrite(t, filepath.Join(dir, "config.yaml"), "theme: dark\n"+mustRead(t, filepath.Join(dir, "config.yaml")))
		}
	}
	if got, want := mustRead(t, filepath.Join(dir, "config.yaml")), "theme: dark\nserver: https://b.example.com\n"; got != want {
		t.Errorf("config.yaml = %q, want %q", got, want)
	}
	for name, want := range map[string]os.FileMode{".": os.ModeDir | 0o700, "token.json": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("mode of %s = %v, want %v", name, info.Mode(), want)
		}
	}
	if parts, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(parts) != 0 {
		t.Errorf("left behind: %v, %v", parts, err)
	}
}

func TestNoConfigDir(t *testing.T) {
	if _, err := newApp(Env{}).configDir(); err == nil || !strings.Contains(err.Error(), "AGNES_CONFIG_DIR") {
		t.Errorf("configDir = %v, want a word about AGNES_CONFIG_DIR", err)
	}
}
