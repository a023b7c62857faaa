package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the predecessor's engine
	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/imports"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// newPredecessor makes a predecessor's data directory with its state.
func newPredecessor(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "state", "system.duckdb")
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("store/warehouse/testdata/predecessor.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"ATTACH '" + file + "' AS p", "USE p", string(script)}
	for _, table := range imports.Schema() {
		columns := make([]string, len(table.Columns))
		for i, c := range table.Columns {
			columns[i] = registry.Quote(c.Name) + " " + c.Type.Duck()
		}
		statements = append(statements, "CREATE TABLE IF NOT EXISTS "+table.Name+" ("+strings.Join(columns, ", ")+")")
	}
	duck(t, append(statements, "USE memory", "DETACH p")...)
	return file
}

// duck runs statements in a private DuckDB, as another program would.
func duck(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%.80s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// migrate runs agnes migrate on a file and returns what it printed.
func migrate(t *testing.T, dir, file string, flags ...string) (imports.Report, error) {
	t.Helper()
	t.Setenv("DATA_DIR", dir)
	var out, log bytes.Buffer
	err := run(t.Context(), append([]string{"migrate", "--from-system-duckdb", file, "--json"}, flags...), &out, &log)
	var report imports.Report
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
	}
	return report, err
}

// migrated are the counts of a table.
func migrated(r imports.Report, table string) imports.Counts {
	for _, c := range r.Tables {
		if c.Table == table {
			return c
		}
	}
	return imports.Counts{}
}

func TestMoveFromThePredecessor(t *testing.T) {
	dir := t.TempDir()
	file := newPredecessor(t, dir)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dry, err := migrate(t, dir, file, "--dry-run")
	if exitCode(err) != 2 {
		t.Fatalf("dry run: %v", err)
	}
	done, err := migrate(t, dir, file)
	if exitCode(err) != 2 {
		t.Fatalf("import: %v", err)
	}
	if !dry.DryRun || done.DryRun || fmt.Sprint(dry.Tables) != fmt.Sprint(done.Tables) || fmt.Sprint(dry.Issues) != fmt.Sprint(done.Issues) {
		t.Errorf("the dry run said\n%s\nthe import\n%s", &dry, &done)
	}
	for _, want := range []imports.Counts{
		{Table: "users", Read: 7, Added: 3, Merged: 1, Skipped: 3},
		{Table: "user_groups", Read: 6, Added: 3, Merged: 2, Skipped: 1},
		{Table: "user_group_members", Read: 10, Added: 5, Merged: 1, Needless: 1, Skipped: 3},
		{Table: "resource_grants", Read: 10, Added: 5, Needless: 1, Skipped: 4},
		{Table: "table_registry", Read: 10, Added: 4, Needless: 1, Skipped: 5},
		{Table: "sync_state", Read: 3, Added: 3},
		{Table: "view_ownership", Read: 2, Added: 1, Skipped: 1},
		{Table: "personal_access_tokens", Read: 3, Added: 2, Skipped: 1},
		{Table: "knowledge_items", Read: 2, Added: 1, Skipped: 1},
		{Table: "knowledge_votes", Read: 3, Added: 1, Merged: 1, Skipped: 1},
		{Table: "table_profiles", Read: 2, Added: 1, Skipped: 1},
		{Table: "pending_codes", Read: 1, Needless: 1},
		{Table: "sync_history", Read: 3000, Added: 3000},
		{Table: "audit_log", Read: 10000, Added: 10000},
	} {
		if got := migrated(done, want.Table); got != want {
			t.Errorf("counts\n%+v, want\n%+v", got, want)
		}
	}
	for _, c := range done.Tables {
		if c.Read != c.Added+c.Back+c.Updated+c.Unchanged+c.Kept+c.Removed+c.Merged+c.Needless+c.Skipped && c.Table != "imported_password_hashes" {
			t.Errorf("rows of %s are unaccounted for: %+v", c.Table, c)
		}
	}
	again, err := migrate(t, dir, file)
	if exitCode(err) != 2 || again.Changes() != 0 {
		t.Errorf("a second import changed %d rows: %v", again.Changes(), err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old database changed: %v", err)
	}

	i := newInstance(t, "DATA_DIR", dir)
	ada := i.signedIn("ada@example.com", password) // the hash that the old server made
	if ada == "" {
		t.Fatal("nobody is signed in")
	}
	for id, want := range map[people.UserID]string{"u-ada": "Company odd orders salaries", "u-eva": "Company orders"} {
		p, err := i.store.Principal(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		catalog, err := i.store.Catalog(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, table := range catalog.Tables() {
			names = append(names, table.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s reads %q, want %q", id, got, want)
		}
	}
}

// signedIn returns the access token that a password gives, "" for none.
func (i *instance) signedIn(email, password string) string {
	i.t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		i.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.url+"/auth/token", bytes.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		i.t.Fatal(err)
	}
	return out.AccessToken
}

func TestPredecessorsExtractsAreServed(t *testing.T) {
	dir := t.TempDir()
	file := newPredecessor(t, dir)
	source := filepath.Join(dir, "extracts", "keboola")
	if err := os.MkdirAll(filepath.Join(source, "data"), 0o750); err != nil {
		t.Fatal(err)
	}
	parquet := filepath.Join(source, "data", "orders.parquet")
	extract := filepath.Join(source, "extract.duckdb")
	duck(t, "COPY (SELECT i AS id FROM range(42) t(i)) TO '"+parquet+"'", "ATTACH '"+extract+"' AS e",
		"CREATE TABLE e._meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR)",
		"INSERT INTO e._meta VALUES ('orders', 'Orders', 42, 1, now(), 'local')",
		"CREATE VIEW e.orders AS SELECT * FROM read_parquet('"+parquet+"')", "DETACH e")
	before, err := os.ReadFile(extract)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrate(t, dir, file); exitCode(err) != 2 {
		t.Fatal(err)
	}
	i := newInstance(t, "DATA_DIR", dir)
	if r := i.waitFor("orders")["orders"]; r.State != "ok" || r.Rows != 42 {
		t.Fatalf("run %+v", r)
	}
	p, err := i.store.GetTable(t.Context(), "orders")
	if err != nil || p.SourceType != "keboola" || p.Version == nil || p.Version.Rows != 42 || p.Description != "Objednávky" {
		t.Errorf("table %+v, %v", p, err)
	}
	if after, err := os.ReadFile(extract); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old extract was written to: %v", err)
	}
}

func TestMirrorOfTheState(t *testing.T) {
	dir := t.TempDir()
	i := newInstance(t, "DATA_DIR", dir, "AGNES_STATE_MIRROR_MINUTES", "0")
	i.mirror.Every = time.Minute
	if err := i.mirror.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", filepath.Join(dir, "state", "system.duckdb")+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range imports.Schema() {
		want := int64(0)
		if err := i.store.Export(t.Context(), func(r work.StateRows) error {
			if r.Table == table.Name {
				want += int64(len(r.Rows))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		secrets := []string{"0"}
		for _, c := range table.Columns {
			if c.Secret {
				secrets = append(secrets, "count("+registry.Quote(c.Name)+")")
			}
		}
		var rows, leaked int64
		if err := db.QueryRowContext(t.Context(), "SELECT count(*), "+strings.Join(secrets, " + ")+" FROM "+table.Name).Scan(&rows, &leaked); err != nil {
			t.Fatal(err)
		}
		if rows != want || leaked != 0 {
			t.Errorf("%s: %d rows, want %d; %d secrets", table.Name, rows, want, leaked)
		}
	}
	var email string
	if err := db.QueryRowContext(t.Context(), "SELECT email FROM users").Scan(&email); err != nil || email != adminEmail {
		t.Errorf("users: %q, %v", email, err)
	}
}

func TestMigrateWords(t *testing.T) {
	dir := t.TempDir()
	file := newPredecessor(t, t.TempDir())
	duck(t, "ATTACH '"+file+"' AS p", "UPDATE p.schema_version SET version = 40 WHERE version = 51", "DETACH p")
	if _, err := migrate(t, dir, file); err == nil || !strings.Contains(err.Error(), "Upgrade the old server to 0.54 first") {
		t.Errorf("an older schema: %v", err)
	}
	t.Setenv("DATA_DIR", dir)
	if err := run(t.Context(), []string{"migrate", "--dry-run"}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("--dry-run alone is accepted")
	}
	if _, err := migrate(t, dir, ""); err == nil || !strings.Contains(err.Error(), "names no file") {
		t.Errorf("an empty name: %v", err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"migrate", "--from-system-duckdb", newPredecessor(t, t.TempDir()), "--dry-run"}, &out, &bytes.Buffer{}); exitCode(err) != 2 {
		t.Errorf("dry run: %v", err)
	}
	for _, want := range []string{"Dry run: nothing was changed.", "audit_log", "would add", "users u-bad (skipped, invalid_email)", "Note: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestMigrateThatStopsSaysWhatIsDone(t *testing.T) {
	died := &work.ChildError{Kind: domain.Unavailable, Failure: work.Failure{Code: "out_of_memory", Message: "The work needs more memory. Nothing was changed.", NextStep: "Give it more."}}
	some := &imports.Report{Tables: []imports.Counts{{Table: "users", Read: 9, Added: 3, Updated: 1, Unchanged: 5}}}
	dry := &imports.Report{DryRun: true, Tables: some.Tables}
	for name, c := range map[string]struct {
		err    error
		report *imports.Report
		want   string
	}{
		"a child, before anything": {died, &imports.Report{}, "The work needs more memory. Nothing was changed. Give it more."},
		"a child, in a dry run":    {died, dry, "The work needs more memory. Nothing was changed. Give it more."},
		"a child, half way":        {fmt.Errorf("import: %w", died), some, "The work needs more memory. Rows taken over before that: 4. Run the import again, and it goes on from there. Give it more."},
		"Ctrl-C":                   {fmt.Errorf("import rows: %w", context.Canceled), nil, "The import was stopped. Nothing was changed."},
		"Ctrl-C, half way":         {fmt.Errorf("import rows: %w", context.Canceled), some, "The import was stopped. Rows taken over before that: 4. Run the import again, and it goes on from there."},
		"the state":                {fmt.Errorf("import: %w", domain.E(domain.Unavailable, "disk_full", "The disk is full.")), some, "The disk is full. Rows taken over before that: 4. Run the import again, and it goes on from there."},
	} {
		if got := importStopped(c.err, c.report).Error(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestMigrateSaysWhatIsNotKnown(t *testing.T) {
	dir, file := t.TempDir(), newPredecessor(t, t.TempDir())
	duck(t, "ATTACH '"+file+"' AS p", "CREATE TABLE p.surveys AS SELECT * FROM range(12)", "ALTER TABLE p.knowledge_items ADD COLUMN mood VARCHAR",
		"UPDATE p.knowledge_items SET mood = 'good' WHERE id = 'km_1'", "DETACH p")
	for _, flags := range [][]string{{"--dry-run"}, nil} {
		report, err := migrate(t, dir, file, flags...)
		if want := "2 tables and columns that Agnes does not know"; exitCode(err) != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", flags, err, want)
		}
		want := []imports.Unknown{{Table: "surveys", Rows: 12}, {Table: "knowledge_items", Column: "mood", Rows: 1}}
		if diff := cmp.Diff(want, report.Unknown); diff != "" {
			t.Errorf("%v: %s", flags, diff)
		}
		for _, sentence := range []string{
			"The table surveys (rows: 12) is not known to Agnes and not taken over.",
			"The column mood of knowledge_items (rows with a value: 1) is not known to Agnes and not taken over.",
		} {
			if !strings.Contains(report.String(), sentence) {
				t.Errorf("%v: no %q in %s", flags, sentence, &report)
			}
		}
	}
}

// holdEnv makes the test binary hold a database open for writing.
const holdEnv = "AGNES_TEST_HOLD"

func TestHoldADatabase(t *testing.T) {
	file := os.Getenv(holdEnv)
	if file == "" {
		t.Skip("a helper of TestMigrateOfAStateInUse")
	}
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
		t.Error("somebody wrote")
	}
}

func TestMigrateOfAStateInUse(t *testing.T) {
	file := newPredecessor(t, t.TempDir())
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestHoldADatabase$", "-test.v")
	holder.Env = append(os.Environ(), holdEnv+"="+file)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "open") {
	}
	_, err = migrate(t, t.TempDir(), file)
	if err == nil || !strings.Contains(err.Error(), "Stop the old server") {
		t.Errorf("a database in use: %v", err)
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
	}
	if err := holder.Wait(); err != nil {
		t.Error(err)
	}
}
