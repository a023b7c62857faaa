package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"agnes/cli"
)

// client runs client commands against an instance, as one person on one laptop.
type client struct {
	*instance
	workspace, config string
}

func (c client) run(stdin string, args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	env := map[string]string{"AGNES_SERVER": c.url, "AGNES_CONFIG_DIR": c.config, "AGNES_LOCAL_DIR": c.workspace}
	root := &cobra.Command{Use: "agnes", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(cli.Commands(cli.Env{
		Getenv: func(k string) string { return env[k] }, Stdin: strings.NewReader(stdin), Now: time.Now, Version: "test",
	})...)
	var out, errs bytes.Buffer
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(context.Background())
	if err != nil {
		errs.WriteString(err.Error())
	}
	return out.String(), errs.String(), cli.ExitCode(err)
}

func (c client) must(stdin string, args ...string) string {
	c.t.Helper()
	out, errs, code := c.run(stdin, args...)
	if code != 0 {
		c.t.Fatalf("agnes %s: exit %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

func TestClientAgainstTheServer(t *testing.T) {
	i := newInstance(t)
	if _, err := i.importer.LoadSamples(t.Context(), auditAdmin()); err != nil {
		t.Fatal(err)
	}
	i.waitFor("airports", "seattle_weather", "movies")
	c := client{i, t.TempDir(), t.TempDir()}

	if _, _, code := c.run("", "query", "SELECT 1"); code == 0 {
		t.Error("a query works before anybody signed in")
	}
	c.must(password+"\n", "login", "--email", adminEmail, "--password-stdin")
	if out := c.must("", "catalog"); !strings.Contains(out, "seattle_weather") {
		t.Errorf("catalog:\n%s", out)
	}
	if out := c.must("", "query", "SELECT count(*) AS n FROM airports", "-f", "csv"); out != "n\n3376\n" {
		t.Errorf("query = %q", out)
	}
	if _, errs, code := c.run("", "query", "SELECT * FROM nowhere"); code != 1 || !strings.Contains(errs, "nowhere") {
		t.Errorf("a wrong query: exit %d, %q", code, errs)
	}

	var pulled struct {
		Updated int   `json:"tables_updated"`
		Total   int   `json:"parquets_total"`
		Errors  []any `json:"errors"`
	}
	if err := json.Unmarshal([]byte(c.must("", "pull", "--json")), &pulled); err != nil {
		t.Fatal(err)
	}
	if pulled.Updated != 3 || pulled.Total != 3 || len(pulled.Errors) != 0 {
		t.Errorf("pulled %+v", pulled)
	}
	file := filepath.Join(c.workspace, "server", "parquet", "airports.parquet")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if got := direct(t, "", "SELECT count(*) FROM read_parquet('"+file+"')"); got[0][0] != json.Number("3376") {
		t.Errorf("pulled rows = %v", got)
	}

	c.must("", "admin", "register-table", "places", "--source-type", "local", "--source-table", "sample-airports.csv", "--query-mode", "local")
	c.must("", "admin", "sync", "places", "--wait")
	if out := c.must("", "query", "SELECT count(*) AS n FROM places", "-f", "json"); !strings.Contains(out, "3376") {
		t.Errorf("query of a table registered by the client = %s", out)
	}
	c.must("", "admin", "unregister-table", "places", "-y")
	if out := c.must("", "pull", "--json"); !strings.Contains(out, `"errors": []`) && !strings.Contains(out, `"errors":[]`) {
		t.Errorf("pull after a table went = %s", out)
	}
}
