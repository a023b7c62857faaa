package cli

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// parquet is a file that looks like Parquet to a client.
func parquet(text string) string { return "PAR1" + text + "PAR1" }

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// entry describes a table's current file as a manifest does.
func entry(file string) map[string]any {
	return map[string]any{
		"hash": md5Of(file), "updated": "2026-03-01T10:00:00+00:00", "size_bytes": len(file), "rows": 1234, "query_mode": "local", "source_type": "local",
	}
}

// with changes one key of an entry.
func with(e map[string]any, key string, value any) map[string]any {
	e[key] = value
	return e
}

// publish makes the server offer tables; a later call replaces them.
func (b *bench) publish(files map[string]string) *offer {
	o := &offer{tables: map[string]map[string]any{}, files: files, serve: map[string]http.HandlerFunc{}}
	for name, file := range files {
		o.tables[name] = entry(file)
	}
	b.mux.HandleFunc("GET /api/sync/manifest", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if o.onManifest != nil {
			o.onManifest()
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"tables": o.tables, "assets": map[string]any{}, "server_time": "2026-03-01T12:00:00+00:00"}); err != nil {
			b.t.Error(err)
		}
	})
	b.mux.HandleFunc("GET /api/data/{table}/download", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("table")
		b.mu.Lock()
		file, ok := o.files[name]
		special := o.serve[name]
		b.mu.Unlock()
		switch {
		case special != nil:
			special(w, r)
		case !ok:
			w.WriteHeader(404)
			fmt.Fprint(w, `{"detail":"Table not found"}`)
		default:
			w.Header().Set("ETag", `"`+md5Of(file)+`"`)
			http.ServeContent(w, r, name+".parquet", testTime, strings.NewReader(file))
		}
	})
	return o
}

// offer is what the server of a bench has for pull.
type offer struct {
	tables     map[string]map[string]any
	files      map[string]string
	serve      map[string]http.HandlerFunc // instead of the file
	onManifest func()
}

func mustTouch(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) copyPath(table string) string {
	return filepath.Join(b.workspace, "server", "parquet", table+".parquet")
}

// wantCopies checks that the workspace holds these copies and nothing else, no
// half file either.
func (b *bench) wantCopies(files map[string]string) {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(b.copyPath("x")))
	if err != nil && len(files) > 0 {
		b.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if len(got) != len(files) {
		b.t.Errorf("files in the workspace: %v, want %d", got, len(files))
	}
	for name, want := range files {
		if text := mustRead(b.t, b.copyPath(name)); text != want {
			b.t.Errorf("%s holds %q, want %q", name, text, want)
		}
	}
}

func (b *bench) downloads() []string {
	return slices.DeleteFunc(b.requests("GET"), func(s string) bool { return !strings.Contains(s, "/download") })
}

func TestPull(t *testing.T) {
	b := newBench(t)
	files := map[string]string{"orders": parquet("1"), "a.b-c": parquet("22")}
	b.publish(files)
	out := b.mustRun("pull")
	wantIn(t, out, "orders: updated, 1,234 rows, 9 B", "a.b-c: updated", "2 tables updated, 0 current, 0 removed, in 0.0 s")
	b.wantCopies(files)
	if got := b.last.Get("Authorization"); got != "Bearer a-token" {
		t.Errorf("Authorization = %q", got)
	}

	b.log = nil
	wantIn(t, b.mustRun("pull"), "0 tables updated, 2 current")
	if got := b.downloads(); len(got) != 0 {
		t.Errorf("a second pull fetched %v", got)
	}
	if out := b.mustRun("pull", "--quiet"); out != "" {
		t.Errorf("pull --quiet printed %q", out)
	}
}

func TestPullFetchesWhatChanged(t *testing.T) {
	cases := []struct {
		name    string
		change  func(b *bench, o *offer)
		fetched int
	}{
		{"nothing", func(*bench, *offer) {}, 0},
		{"a new version", func(b *bench, o *offer) {
			o.files["orders"] = parquet("new")
			o.tables["orders"] = entry(o.files["orders"])
		}, 1},
		{"the copy is gone", func(b *bench, _ *offer) { os.Remove(b.copyPath("orders")) }, 1},
		{"the copy was changed", func(b *bench, _ *offer) { mustWrite(b.t, b.copyPath("orders"), parquet("0")) }, 1},
		{"the copy was touched", func(b *bench, _ *offer) { mustTouch(b.t, b.copyPath("orders"), testTime) }, 0},
		{"the state is gone", func(b *bench, _ *offer) { os.Remove(filepath.Join(b.config, "sync_state.json")) }, 0},
		{"the state is damaged", func(b *bench, _ *offer) { mustWrite(b.t, filepath.Join(b.config, "sync_state.json"), "{") }, 0},
		{"no checksum", func(_ *bench, o *offer) { o.tables["orders"]["hash"] = "" }, 1},
		{"a checksum in capitals", func(_ *bench, o *offer) {
			o.tables["orders"]["hash"] = strings.ToUpper(o.tables["orders"]["hash"].(string))
		}, 0},
		{"a mark that is no checksum", func(_ *bench, o *offer) { o.tables["orders"]["hash"] = "v2" }, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			o := b.publish(map[string]string{"orders": parquet("1"), "other": parquet("2")})
			b.mustRun("pull")
			b.log = nil
			c.change(b, o)
			b.mustRun("pull")
			if got := b.downloads(); len(got) != c.fetched {
				t.Errorf("fetched %v, want %d", got, c.fetched)
			}
			b.wantCopies(o.files)
		})
	}
}

func TestPullLeavesOutWhatIsNotCopied(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1")})
	o.tables["far"] = with(entry("x"), "query_mode", "remote")
	o.tables["inner"] = with(entry("x"), "query_mode", "internal")
	o.tables["young"] = map[string]any{"hash": nil, "size_bytes": nil, "rows": nil, "query_mode": "local"}
	o.tables["built"] = with(entry("x"), "query_mode", "materialized")
	b.mustRun("pull", "--skip-materialize")
	b.wantCopies(map[string]string{"orders": parquet("1")})
}

func TestPullRemovesWhatIsRevoked(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1"), "salaries": parquet("2"), "moved": parquet("3"), "built": parquet("4")})
	o.tables["built"]["query_mode"] = "materialized"
	b.mustRun("pull")
	mustWrite(t, b.copyPath("mine"), "my own file")
	delete(o.tables, "salaries")
	o.tables["moved"]["query_mode"] = "remote"

	out := b.mustRun("pull", "--dry-run")
	wantIn(t, out, "salaries: would be removed", "moved: would be removed", "0 tables to update, 2 current, 2 removed")
	b.wantCopies(map[string]string{"orders": parquet("1"), "salaries": parquet("2"), "moved": parquet("3"), "built": parquet("4"), "mine": "my own file"})

	out = b.mustRun("pull", "--skip-materialize")
	wantIn(t, out, "salaries: removed", "moved: removed", "mine: is not a table of the server's", "2 removed")
	b.wantCopies(map[string]string{"orders": parquet("1"), "built": parquet("4"), "mine": "my own file"})

	wantIn(t, b.mustRun("pull"), "0 removed")
	wantNotIn(t, mustRead(t, filepath.Join(b.config, "sync_state.json")), "salaries", "mine")
}

func TestPullStateIsPerWorkspace(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1")})
	b.mustRun("pull")
	first := b.workspace
	b.workspace = t.TempDir()
	b.env["AGNES_LOCAL_DIR"] = b.workspace
	mustWrite(t, b.copyPath("salaries"), "not ours")
	o.files["orders"] = parquet("2")
	o.tables["orders"] = entry(parquet("2"))
	b.mustRun("pull")
	b.wantCopies(map[string]string{"orders": parquet("2"), "salaries": "not ours"})

	b.workspace = first
	b.env["AGNES_LOCAL_DIR"] = first
	b.mustRun("pull")
	b.wantCopies(map[string]string{"orders": parquet("2")})
	var state struct {
		Tables     map[string]struct{ Hash string }
		LastSync   string `json:"last_sync"`
		Workspaces map[string]any
	}
	mustParse(t, mustRead(t, filepath.Join(b.config, "sync_state.json")), &state)
	if state.Tables["orders"].Hash != md5Of(parquet("2")) || state.LastSync != "2026-03-01T12:00:00Z" || len(state.Workspaces) != 2 {
		t.Errorf("sync_state.json = %+v", state)
	}
}

func TestPullTakesOverAnOlderClientsState(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	mustWrite(t, b.copyPath("orders"), parquet("1"))
	mustWrite(t, b.copyPath("salaries"), parquet("2"))
	mustWrite(t, filepath.Join(b.config, "sync_state.json"),
		`{"tables":{"orders":{"hash":"`+md5Of(parquet("1"))+`","rows":1,"size_bytes":9},"salaries":{"hash":"x","rows":1,"size_bytes":9},"../../x":{"hash":"y"}},"last_sync":null}`)
	wantIn(t, b.mustRun("pull"), "0 tables updated, 1 current, 1 removed")
	b.wantCopies(map[string]string{"orders": parquet("1")})
}

func TestPullJSON(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1"), "gone": parquet("2")})
	b.mustRun("pull")
	delete(o.tables, "gone")
	o.tables["missing"] = entry(parquet("3"))
	o.files["orders"] = parquet("new")
	o.tables["orders"] = entry(parquet("new"))

	stdout, stderr, err := b.run("pull", "--json")
	if ExitCode(err) != 1 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", ExitCode(err), stderr)
	}
	var got pullJSON
	mustParse(t, stdout, &got)
	if got.TablesUpdated != 1 || got.ParquetsTotal != 1 || len(got.Updated) != 1 || len(got.Removed) != 1 || got.Removed[0] != "gone" {
		t.Errorf("pull --json = %+v", got)
	}
	if len(got.Errors) != 1 || got.Errors[0].Table != "missing" || !strings.Contains(got.Errors[0].Error, "Table not found") {
		t.Errorf("errors = %+v", got.Errors)
	}
	wantIn(t, stdout, `"rules_count": 0`, `"duration_s": 0`, `"dry_run": false`, `"unknown": []`)
}

func TestPullDryRunChangesNothing(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	var got pullJSON
	mustParse(t, b.mustRun("pull", "--dry-run", "--json"), &got)
	if !got.DryRun || len(got.WouldUpdate) != 1 || got.TablesUpdated != 0 {
		t.Errorf("pull --dry-run --json = %+v", got)
	}
	wantIn(t, b.mustRun("pull", "--dry-run"), "orders: would be updated", "1 table to update")
	for _, path := range []string{b.config, filepath.Join(b.workspace, "server")} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("a dry run made %s", filepath.Base(path))
		}
	}
}

func TestPullManifestFaults(t *testing.T) {
	cases := []struct {
		name, body string
		status     int
		want       string
	}{
		{"server fault", `{"detail":"Internal server error","request_id":"r9"}`, 500, "request r9"},
		{"no tables at all", `{}`, 200, "not Agnes's JSON"},
		{"null tables", `{"tables":null}`, 200, "not Agnes's JSON"},
		{"not signed in", `{"detail":"Token expired"}`, 401, "agnes login"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			mustWrite(t, b.copyPath("orders"), parquet("1"))
			mustWrite(t, filepath.Join(b.config, "sync_state.json"), `{"tables":{"orders":{"hash":"x"}}}`)
			b.answer("GET /api/sync/manifest", c.status, c.body)
			wantIn(t, b.mustFail(1, "pull"), c.want)
			stdout, _, err := b.run("pull", "--json")
			if ExitCode(err) != 1 {
				t.Errorf("pull --json: %v", err)
			}
			wantIn(t, stdout, `"stage": "manifest"`)
			b.wantCopies(map[string]string{"orders": parquet("1")})
		})
	}
}

func TestPullParallelism(t *testing.T) {
	for text, code := range map[string]int{"": 0, "1": 0, "16": 0, "0": 2, "17": 2, "many": 2} {
		b := newBench(t)
		b.publish(map[string]string{"a": parquet("1"), "b": parquet("2"), "c": parquet("3")})
		b.env["AGNES_PULL_PARALLELISM"] = text
		if _, _, err := b.run("pull"); ExitCode(err) != code {
			t.Errorf("AGNES_PULL_PARALLELISM=%q: %v, want exit code %d", text, err, code)
		}
	}
}

func TestPullSweepsOldParts(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	dir := filepath.Dir(b.copyPath("orders"))
	for name, age := range map[string]time.Duration{".orders.parquet.1.part": 25 * time.Hour, ".orders.parquet.2.part": time.Hour} {
		mustWrite(t, filepath.Join(dir, name), "half")
		mustTouch(t, filepath.Join(dir, name), testTime.Add(-age))
	}
	b.mustRun("pull")
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".orders.parquet.2.part" {
		t.Errorf("parts left: %v, %v", left, err)
	}
}
