package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // another DuckDB client, to compare with
	"github.com/google/go-cmp/cmp"

	"agnes/domain/syncs"
)

// direct asks DuckDB itself and returns the rows as POST /api/query would.
func direct(t *testing.T, dsn, query string) [][]any {
	t.Helper()
	db, err := sql.Open("duckdb", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]any
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for c := range row {
			to[c] = &row[c]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for c, v := range row {
			if v != nil {
				row[c] = json.Number(fmt.Sprint(v)) // compared as text: numbers arrive as they were sent
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// asText makes the cells of an answer comparable with those of direct.
func asText(rows [][]any) [][]any {
	for _, row := range rows {
		for c, v := range row {
			if v != nil {
				row[c] = json.Number(fmt.Sprint(v))
			}
		}
	}
	return rows
}

// comparisons are queries over the four data sets; %[1]s … %[4]s are flights,
// airports, movies and birdstrikes.
var comparisons = []string{
	`SELECT count(*), sum(delay), min(delay), max(distance), count(DISTINCT origin) FROM %[1]s`,
	`SELECT origin, count(*) AS n, sum(distance) FROM %[1]s GROUP BY origin ORDER BY n DESC, origin LIMIT 20`,
	`SELECT a.state, count(*) AS n, sum(f.delay) FROM %[1]s f JOIN %[2]s a ON a.iata = f.origin GROUP BY a.state ORDER BY n DESC, a.state LIMIT 30`,
	`SELECT count(*), count(DISTINCT state), sum(latitude)::DECIMAL(18,6)::VARCHAR FROM %[2]s`,
	`SELECT "Major Genre", count(*) AS n, sum("Worldwide Gross")::VARCHAR FROM %[3]s GROUP BY 1 ORDER BY n DESC, 1 NULLS LAST`,
	`SELECT count(*), count("US DVD Sales"), max("IMDB Votes") FROM %[3]s`,
	`SELECT "Phase of flight", count(*) AS n FROM %[4]s GROUP BY 1 ORDER BY n DESC, 1 NULLS LAST`,
	`WITH hard AS (SELECT * FROM %[4]s WHERE "Cost Total $" > 0) SELECT "Origin State", sum("Cost Total $")::VARCHAR FROM hard GROUP BY 1 ORDER BY 1 NULLS LAST LIMIT 25`,
}

func TestFilesBecomeTables(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	i.place("flights-3m.parquet")
	for _, name := range []string{"airports.csv", "movies.json"} {
		i.place(name)
	}
	register := func(name, item string) {
		t.Helper()
		var made struct{ ID, Name, Status string }
		admin.call(http.MethodPost, "/api/admin/register-table", map[string]string{"name": name, "source_type": "local", "source_table": item}, http.StatusCreated, &made)
		if made.ID != name || made.Status != "registered" {
			t.Errorf("registered %+v", made)
		}
	}
	register("flights", "flights-3m.parquet")
	register("airports", "airports.csv")
	register("movies", "movies.json")
	preview := admin.upload(dataset(t, "birdstrikes.csv"))
	if resp, page := admin.send(http.MethodGet, preview, "", nil); resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "Cost Total $") {
		t.Errorf("preview %s = %s without the column", preview, resp.Status)
	}
	form := url.Values{"name": {"birdstrikes"}, "description": {"Birds that met planes"}}
	if resp, page := admin.send(http.MethodPost, preview, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("make a table of it = %s: %.500s", resp.Status, page)
	}
	for table, r := range i.waitFor("flights", "airports", "movies", "birdstrikes") {
		if r.State != syncs.OK {
			t.Fatalf("sync of %s ended %s: %s", table, r.State, r.Message)
		}
	}

	tables := []any{"flights", "airports", "movies", "birdstrikes"}
	sources := []any{
		"read_parquet('" + dataset(t, "flights-3m.parquet") + "')", "read_csv('" + dataset(t, "airports.csv") + "')",
		"read_json('" + dataset(t, "movies.json") + "')", "read_csv('" + dataset(t, "birdstrikes.csv") + "')",
	}
	for _, query := range comparisons {
		want := direct(t, "", fmt.Sprintf(query, sources...))
		got := admin.query(fmt.Sprintf(query, tables...))
		if diff := cmp.Diff(want, asText(got.Rows)); diff != "" {
			t.Errorf("%s\n(-DuckDB on the files, +Agnes):\n%s", query, diff)
		}
	}
	analytics := filepath.Join(i.cfg.Dirs.Data, "analytics", "server.duckdb") + "?access_mode=read_only"
	for _, query := range comparisons[:3] {
		want := admin.query(fmt.Sprintf(query, tables...))
		if diff := cmp.Diff(asText(want.Rows), direct(t, analytics, fmt.Sprintf(query, tables...))); diff != "" {
			t.Errorf("analytics/server.duckdb (-Agnes +file):\n%s", diff)
		}
	}
	checkConsole(t, admin)
	checkDownload(t, admin)
}

// checkConsole asks through the page what the API answers too.
func checkConsole(t *testing.T, admin person) {
	t.Helper()
	form := url.Values{"sql": {"SELECT count(*) AS rows FROM flights"}, "limit": {"1000"}}
	resp, _ := admin.send(http.MethodPost, "/console", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("console = %s, want the way to the run", resp.Status)
	}
	var page []byte
	for range 1000 { // the run may be under way
		if _, page = admin.send(http.MethodGet, resp.Header.Get("Location"), "", nil); strings.Contains(string(page), "3,000,000") {
			return
		}
	}
	t.Errorf("the run's page has no 3,000,000: %.2000s", page)
}

// checkDownload compares what is downloaded with what the manifest promises.
func checkDownload(t *testing.T, admin person) {
	t.Helper()
	var manifest struct {
		Tables map[string]struct {
			Hash      string `json:"hash"`
			SizeBytes int    `json:"size_bytes"`
			Rows      int    `json:"rows"`
		} `json:"tables"`
	}
	admin.call(http.MethodGet, "/api/sync/manifest", nil, http.StatusOK, &manifest)
	entry := manifest.Tables["airports"]
	resp, data := admin.send(http.MethodGet, "/api/data/airports/download", "", nil)
	sum := md5.Sum(data)
	if resp.StatusCode != http.StatusOK || len(data) != entry.SizeBytes || hex.EncodeToString(sum[:]) != entry.Hash || entry.Rows != 3376 {
		t.Errorf("download %s of %d bytes does not match %+v", resp.Status, len(data), entry)
	}
	if resp, data = admin.send(http.MethodHead, "/api/data/airports/download", "", nil); resp.ContentLength != int64(entry.SizeBytes) || len(data) != 0 {
		t.Errorf("HEAD says %d bytes and sends %d", resp.ContentLength, len(data))
	}
}

// writeExtract is a custom extractor: it writes an extract beside the old one and renames it.
func writeExtract(t *testing.T, dir string, statements ...string) {
	t.Helper()
	temp := filepath.Join(dir, "extract.duckdb.tmp")
	db, err := sql.Open("duckdb", temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	mustRename(t, temp, filepath.Join(dir, "extract.duckdb"))
}

const metaTable = `CREATE TABLE _meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')`

func TestCustomExtractAppears(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	crm := mustDir(t, i.cfg.Dirs.Data, "extracts", "crm")
	mustDir(t, crm, "data")
	broken := mustDir(t, i.cfg.Dirs.Data, "extracts", "broken")
	mustWrite(t, filepath.Join(broken, "extract.duckdb"), "this is no database")
	leads := filepath.Join(crm, "data", "leads.parquet")
	writeExtract(t, crm,
		fmt.Sprintf(`COPY (SELECT i AS id, 'lead ' || i AS name FROM range(1000) t(i)) TO '%s' (FORMAT parquet)`, leads),
		fmt.Sprintf(`CREATE VIEW leads AS SELECT * FROM read_parquet('%s')`, leads),
		`CREATE TABLE deals AS SELECT i AS id, (i * 1.5)::DECIMAL(10,2) AS amount FROM range(500) t(i)`,
		metaTable, `INSERT INTO _meta VALUES ('leads', 'Leads', 1000, 0, now()::TIMESTAMP, 'local'), ('deals', 'Deals', 500, 0, now()::TIMESTAMP, 'local'), ('ghost', '', 1, 1, now()::TIMESTAMP, 'local')`)
	for table, r := range i.waitFor("leads", "deals") {
		if r.State != syncs.OK || r.Trigger != syncs.ByWatch {
			t.Fatalf("sync of %s by %s ended %s: %s", table, r.Trigger, r.State, r.Message)
		}
	}
	got := admin.query(`SELECT count(*), sum(amount), max(name) FROM deals JOIN leads USING (id)`)
	if diff := cmp.Diff([][]any{{json.Number("500"), "187125.00", "lead 99"}}, got.Rows); diff != "" {
		t.Errorf("join (-want +got):\n%s", diff)
	}
	sources, err := i.store.ListSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for _, s := range sources {
		state[s.Name] = fmt.Sprint(s.State, len(s.Problems))
	}
	if diff := cmp.Diff(map[string]string{"crm": "ok1", "broken": "broken0"}, state); diff != "" {
		t.Errorf("sources with their problems (-want +got):\n%s", diff)
	}

	writeExtract(t, crm, `CREATE TABLE deals AS SELECT i AS id, 1::DECIMAL(10,2) AS amount FROM range(450) t(i)`, metaTable, `INSERT INTO _meta (table_name) VALUES ('deals')`)
	if r := i.waitFor("deals")["deals"]; r.State != syncs.OK {
		t.Fatalf("second sync ended %s: %s", r.State, r.Message)
	}
	if got := admin.query(`SELECT count(*) FROM deals`); fmt.Sprint(got.Rows) != "[[450]]" {
		t.Errorf("rows after the extract changed = %v", got.Rows)
	}
	if got := admin.query(`SELECT count(*) FROM leads`); fmt.Sprint(got.Rows) != "[[1000]]" {
		t.Errorf("rows of a table that left the extract = %v, want its last version", got.Rows)
	}
}

func TestASecondPersonGetsOneTable(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	if _, err := i.importer.LoadSamples(t.Context(), auditAdmin()); err != nil {
		t.Fatal(err)
	}
	i.waitFor("airports", "seattle_weather", "movies")
	user, group, grants := struct{ ID string }{}, struct{ ID string }{}, []struct {
		ID         string `json:"id"`
		ResourceID string `json:"resource_id"`
	}{}
	admin.call(http.MethodGet, "/api/admin/grants?resource_type=table", nil, http.StatusOK, &grants)
	for _, g := range grants { // the samples are Everyone's; leave one of them to a group
		admin.call(http.MethodDelete, "/api/admin/grants/"+g.ID, nil, http.StatusNoContent, nil)
	}
	admin.call(http.MethodPost, "/api/users", map[string]string{"email": "Ana@Example.com", "name": "Ana"}, http.StatusCreated, &user)
	admin.call(http.MethodPost, "/api/users/"+user.ID+"/set-password", map[string]string{"password": password}, http.StatusNoContent, nil)
	ana := i.signIn("ana@example.com", password)
	if got := tablesOfManifest(ana); len(got) != 0 {
		t.Errorf("Ana sees %v before any grant", got)
	}
	admin.call(http.MethodPost, "/api/admin/groups", map[string]string{"name": "Travel"}, http.StatusCreated, &group)
	admin.call(http.MethodPost, "/api/admin/groups/"+group.ID+"/members", map[string]string{"email": "ana@example.com"}, http.StatusCreated, nil)
	grant := map[string]string{"group_id": group.ID, "resource_type": "table", "resource_id": "airports"}
	var made struct{ ID string }
	admin.call(http.MethodPost, "/api/admin/grants", grant, http.StatusCreated, &made)

	if diff := cmp.Diff([]string{"airports"}, tablesOfManifest(ana)); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if got := ana.query(`SELECT count(*) FROM airports`); fmt.Sprint(got.Rows) != "[[3376]]" {
		t.Errorf("rows = %v", got.Rows)
	}
	refusals(ana)
	admin.call(http.MethodDelete, "/api/admin/grants/"+made.ID, nil, http.StatusNoContent, nil)
	ana.call(http.MethodPost, "/api/query", map[string]string{"sql": "SELECT 1 FROM airports"}, http.StatusBadRequest, nil)
	if resp, _ := ana.send(http.MethodGet, "/api/data/airports/download", "", nil); resp.StatusCode == http.StatusOK {
		t.Error("a download works after the grant was taken back")
	}
}

// refusals are what somebody with a grant on airports alone must not get.
func refusals(ana person) {
	ana.t.Helper()
	for _, sql := range []string{
		`SELECT * FROM movies`, `SELECT * FROM read_parquet('versions/files/movies/*.parquet')`, `FROM 'files/movies.json'`,
		`SELECT * FROM query('SELECT * FROM mov' || 'ies')`, `COPY airports TO 'x.csv'`, `SELECT 1; SELECT 2`, `ATTACH 'state/system.db'`,
	} {
		var refused struct{ Detail string }
		ana.call(http.MethodPost, "/api/query", map[string]string{"sql": sql}, http.StatusBadRequest, &refused)
		if refused.Detail == "" || strings.Contains(refused.Detail, ana.cfg.Dirs.Data) {
			ana.t.Errorf("%s: refused with %q", sql, refused.Detail)
		}
	}
	for _, path := range []string{"/tables/movies", "/api/admin/registry", "/api/data/movies/download", "/syncs", "/add"} {
		if resp, _ := ana.send(http.MethodGet, path, "", nil); resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusNotFound {
			ana.t.Errorf("GET %s = %s", path, resp.Status)
		}
	}
}

func tablesOfManifest(p person) []string {
	p.t.Helper()
	var manifest struct {
		Tables map[string]any `json:"tables"`
	}
	p.call(http.MethodGet, "/api/sync/manifest", nil, http.StatusOK, &manifest)
	var names []string
	for name := range manifest.Tables {
		names = append(names, name)
	}
	return names
}

func TestSamplesAreWhatTheySay(t *testing.T) {
	i := newInstance(t)
	if _, err := i.importer.LoadSamples(context.Background(), auditAdmin()); err != nil {
		t.Fatal(err)
	}
	i.waitFor("airports", "seattle_weather", "movies")
	admin := i.admin()
	for _, s := range i.importer.Samples {
		data, err := s.Open()
		if err != nil || int64(len(data)) != s.Bytes {
			t.Errorf("%s has %d bytes (%v), says %d", s.Name, len(data), err, s.Bytes)
		}
		if got := admin.query("SELECT count(*) FROM " + s.Name); fmt.Sprint(got.Rows) != fmt.Sprintf("[[%d]]", s.Rows) {
			t.Errorf("%s has %v rows, says %d", s.Name, got.Rows, s.Rows)
		}
	}
	for _, e := range exampleQueries() {
		if got := admin.query(e.SQL); got.RowCount < 3 {
			t.Errorf("%s answers %d rows", e.Title, got.RowCount)
		}
	}
}
