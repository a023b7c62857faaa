package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"agnes/domain/syncs"
)

// command runs agnes as from a shell, in a directory of its own.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), err
}

func mustCommand(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, err := command(t, args...)
	if err != nil {
		t.Fatalf("agnes %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out
}

// shell prepares an environment as a person's: a data directory, nothing else set.
func shell(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	t.Chdir(t.TempDir())
	t.Setenv("DATA_DIR", data)
	t.Setenv("AGNES_METRICS_ADDR", "off")
	for _, name := range []string{"STATE_DIR", "CONFIG_DIR", "AGNES_ADDR", "PORT", "SEED_ADMIN_EMAIL", "SEED_ADMIN_PASSWORD"} {
		t.Setenv(name, "")
	}
	return data
}

func TestOperations(t *testing.T) {
	data := shell(t)
	if out := mustCommand(t, "migrate"); !strings.Contains(out, "schema") {
		t.Errorf("migrate = %q", out)
	}
	var checks []check
	if err := json.Unmarshal([]byte(mustCommand(t, "doctor", "--json")), &checks); err != nil {
		t.Fatal(err)
	}
	if len(checks) != 23 { // eight, and the walls
		t.Errorf("doctor looked at %d things, want 23: %v", len(checks), checks)
	}
	for _, c := range checks {
		if c.Status != "ok" {
			t.Errorf("doctor: %+v", c)
		}
	}
	if out := mustCommand(t, "rebuild", "--json"); !strings.Contains(out, `"views":0`) {
		t.Errorf("rebuild = %q", out)
	}
	if _, err := os.Stat(filepath.Join(data, "analytics", "server.duckdb")); err != nil {
		t.Error(err)
	}
	if out := mustCommand(t, "extract"); out != "" {
		t.Errorf("extract of nothing = %q", out)
	}
	if _, _, err := command(t, "extract", "absent"); err == nil {
		t.Error("extract of an unknown table succeeded")
	}
}

func TestBackupAndRestore(t *testing.T) {
	data := shell(t)
	copied := filepath.Join(t.TempDir(), "state.db")
	t.Setenv("SEED_ADMIN_EMAIL", adminEmail)
	mustCommand(t, "migrate")
	mustCommand(t, "backup", copied)
	if _, _, err := command(t, "backup", copied); err == nil {
		t.Error("a backup was written over another")
	}
	state := filepath.Join(data, "state", "system.db")
	mustWrite(t, state, "ruined")
	if _, _, err := command(t, "migrate"); err == nil {
		t.Error("a ruined state opens")
	}
	if out := mustCommand(t, "restore", copied); !strings.Contains(out, "in place") {
		t.Errorf("restore = %q", out)
	}
	mustCommand(t, "migrate")
	mustWrite(t, copied+".cut", "SQLite format 3")
	if _, _, err := command(t, "restore", copied+".cut"); err == nil {
		t.Error("a broken backup was restored")
	}
}

func TestConfigCommand(t *testing.T) {
	shell(t)
	config := mustDir(t, "config")
	mustWrite(t, filepath.Join(config, "instance.yaml"), "instance:\n  name: Hollis\n  titel: x\n")
	mustWrite(t, ".env", "JWT_SECRET_KEY=0123456789012345678901234567890123456789\nPORT=9001\n")
	out, errs, err := command(t, "config", "--json")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"Hollis"`, "config/instance.yaml:2", "[redacted]", "127.0.0.1:9001"} {
		if !strings.Contains(out, want) {
			t.Errorf("config lacks %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "0123456789") || !strings.Contains(errs, "instance.titel") {
		t.Errorf("a secret shows, or the mistyped key has no nearest one: %s", errs)
	}
	t.Setenv("AGNES_ADDR", "nowhere")
	t.Setenv("LOG_LEVEL", "loud")
	if _, _, err := command(t, "config"); err == nil || !strings.Contains(err.Error(), "AGNES_ADDR") || !strings.Contains(err.Error(), "LOG_LEVEL") {
		t.Errorf("two mistakes are told as %v", err)
	}
}

func TestHealthCommand(t *testing.T) {
	i := newInstance(t)
	shell(t)
	addr := strings.TrimPrefix(i.url, "http://")
	mustCommand(t, "health", "--addr", addr)
	if _, _, err := command(t, "health", "--addr", "127.0.0.1:1"); err == nil {
		t.Error("a server that is not there is healthy")
	}
	var ready struct{ Status string }
	person{instance: i}.call(http.MethodGet, "/api/health/ready", nil, http.StatusOK, &ready)
	if ready.Status != "ready" {
		t.Errorf("ready = %+v", ready)
	}
}

// sourceList is what is known of sources, or why it is not.
type sourceList struct {
	sources []syncs.Source
	err     error
}

func (l sourceList) ListSources(context.Context) ([]syncs.Source, error) { return l.sources, l.err }

func TestDoctorOnOutsideSystems(t *testing.T) {
	t.Parallel()
	remote := func(codes ...string) sourceList {
		var s syncs.Source
		for i, code := range codes {
			s.Remote = append(s.Remote, syncs.Remote{Alias: "kbc", Extension: []string{"keboola", "bigquery"}[i%2], Code: code})
		}
		return sourceList{sources: []syncs.Source{s, {}}}
	}
	for want, l := range map[string]sourceList{
		"extracts name none":                                {},
		"extracts name 2":                                   remote("", "token_missing"),
		"extracts name 1; not installed: keboola":           remote("extension_missing"),
		"extracts name 3; not installed: bigquery, keboola": remote("extension_missing", "extension_missing", "extension_missing"),
	} {
		if got, err := examineOutside(t.Context(), l); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if _, err := examineOutside(t.Context(), sourceList{err: errors.New("disk I/O error")}); err == nil {
		t.Error("a state that cannot be read is fine")
	}
}
