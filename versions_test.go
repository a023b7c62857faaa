package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/store"
	"agnes/store/warehouse"
)

// listedVersion is a version as the API lists it.
type listedVersion struct {
	ID            string  `json:"id"`
	State         string  `json:"state"`
	Rows          int     `json:"rows"`
	Trigger       string  `json:"trigger"`
	TriggeredBy   string  `json:"triggered_by"`
	SchemaChanges *string `json:"schema_changes"`
	Files         []struct {
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
}

func (p person) versions(table string) []listedVersion {
	p.t.Helper()
	var got struct {
		Versions []listedVersion `json:"versions"`
	}
	p.call(http.MethodGet, "/api/admin/registry/"+table+"/versions", nil, http.StatusOK, &got)
	return got.Versions
}

// placeOrders writes a file of so many orders; the numbers begin at from.
func (i *instance) placeOrders(from, rows int, header string) {
	i.t.Helper()
	var b strings.Builder
	b.WriteString(header + "\n")
	for n := from; n < from+rows; n++ {
		sum := sha256.Sum256([]byte(fmt.Sprint(n)))
		fmt.Fprintf(&b, "%d,%s\n", n, hex.EncodeToString(sum[:]))
	}
	mustWrite(i.t, filepath.Join(mustDir(i.t, i.cfg.Dirs.Data, "files"), "orders.csv"), b.String())
}

// sync syncs the table orders and returns how its run ended.
func (p person) sync() syncs.Run {
	p.t.Helper()
	if _, err := p.syncer.Trigger(p.t.Context(), auditAdmin(), syncs.ByPerson, []registry.TableID{"orders"}); err != nil {
		p.t.Fatal(err)
	}
	return p.waitFor("orders")["orders"]
}

func (p person) wantRows(want int) {
	p.t.Helper()
	if got := fmt.Sprint(p.query("SELECT count(*) FROM orders").Rows); got != fmt.Sprintf("[[%d]]", want) {
		p.t.Errorf("orders has %s rows, want %d", got, want)
	}
}

func (p person) mustOrders(rows int) {
	p.t.Helper()
	p.placeOrders(0, rows, "id,hash")
	p.call(http.MethodPost, "/api/admin/register-table", map[string]string{"name": "orders", "source_type": "local", "source_table": "orders.csv"}, http.StatusCreated, nil)
	if r := p.waitFor("orders")["orders"]; r.State != syncs.OK {
		p.t.Fatalf("first sync ended %s: %s", r.State, r.Message)
	}
}

func TestVersionsAreRestored(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	admin.mustOrders(1000)
	i.placeOrders(0, 2000, "id,digest")
	if r := admin.sync(); r.State != syncs.OK {
		t.Fatalf("second sync ended %s: %s", r.State, r.Message)
	}
	list := admin.versions("orders")
	if len(list) != 2 || list[0].State != "current" || list[1].State != "kept" || list[0].Rows != 2000 || list[1].TriggeredBy != adminEmail {
		t.Fatalf("versions %+v", list)
	}
	if list[0].SchemaChanges == nil || *list[0].SchemaChanges != "hash is gone; digest is new" {
		t.Errorf("schema changes of the newest: %v", list[0].SchemaChanges)
	}
	restore := func(id string) syncs.Run {
		t.Helper()
		admin.call(http.MethodPost, "/api/admin/registry/orders/versions/"+id+"/restore", nil, http.StatusAccepted, nil)
		return i.waitFor("orders")["orders"]
	}
	if r := restore(list[1].ID); r.State != syncs.OK || r.Trigger != syncs.ByRestore {
		t.Fatalf("restore ended %+v", r)
	}
	admin.wantRows(1000)
	if got := admin.versions("orders"); got[1].State != "current" {
		t.Errorf("versions after the restore %+v", got)
	}
	if r := restore(list[0].ID); r.State != syncs.OK { // undo
		t.Fatalf("undo ended %+v", r)
	}
	admin.wantRows(2000)

	flipByte(t, filepath.Join(i.cfg.Dirs.Data, "versions", "files", "orders", list[1].ID+".parquet"))
	if r := restore(list[1].ID); r.State != syncs.Failed || r.Code != "version_damaged" {
		t.Errorf("restore of a damaged version ended %s %s: %s", r.State, r.Code, r.Message)
	}
	admin.wantRows(2000)
	if r := admin.sync(); r.State != syncs.OK {
		t.Errorf("a sync after restores ended %s: %s", r.State, r.Message)
	}
}

// flipByte changes one value of a Parquet file, as a faulty disk would.
func flipByte(t *testing.T, path string) {
	t.Helper()
	data := mustRead(t, path)
	data[100] ^= 4
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestShrunkRowsAreHeld(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	admin.mustOrders(1000)
	i.placeOrders(0, 10, "id,hash")
	held := admin.sync()
	if held.State != syncs.Held || held.Code != "shrink_guard" {
		t.Fatalf("the sync ended %s %s: %s", held.State, held.Code, held.Message)
	}
	admin.wantRows(1000)
	if _, page := admin.send(http.MethodGet, "/syncs", "", nil); !strings.Contains(string(page), "99 % smaller") {
		t.Error("the syncs page does not say what is held")
	}
	admin.call(http.MethodPost, "/api/sync/runs/"+held.ID+"/publish", nil, http.StatusAccepted, nil)
	if r := i.waitFor("orders")["orders"]; r.State != syncs.OK || r.ID != held.ID {
		t.Fatalf("published anyway: %+v", r)
	}
	admin.wantRows(10)

	admin.call(http.MethodPut, "/api/admin/registry/orders", map[string]any{"schema_policy": "ask"}, http.StatusOK, nil)
	i.placeOrders(0, 10, "id,digest")
	held = admin.sync()
	if held.State != syncs.Held || held.Code != "schema_changed" || !strings.Contains(held.Message, "hash is gone; digest is new") {
		t.Fatalf("the sync ended %s %s: %s", held.State, held.Code, held.Message)
	}
	admin.call(http.MethodPost, "/api/sync/runs/"+held.ID+"/discard", nil, http.StatusOK, nil)
	if got := admin.query("SELECT hash FROM orders LIMIT 1"); len(got.Rows) != 1 {
		t.Errorf("the old columns are gone: %+v", got)
	}
}

// Whoever has begun to read a version reads it to its end, whatever is
// published and removed meanwhile.
func TestReadersKeepWhatTheyOpened(t *testing.T) {
	const rows = 250_000 // more than what sockets hold
	i := newInstance(t, "AGNES_VERSIONS_KEPT", "1")
	admin := i.admin()
	admin.mustOrders(rows)
	first := admin.versions("orders")[0]

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.url+"/api/data/orders/download", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin.token)
	download, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer download.Body.Close()
	body, sum := bufio.NewReaderSize(download.Body, 4096), sha256.New()
	if _, err := io.CopyN(sum, body, 4096); err != nil {
		t.Fatal(err)
	}
	run := i.mustStart("SELECT id, hash FROM orders")
	read := i.mustBatch(run)

	for n := range 3 {
		i.placeOrders(n+1, rows, "id,hash")
		if r := admin.sync(); r.State != syncs.OK {
			t.Fatalf("sync %d ended %s: %s", n, r.State, r.Message)
		}
	}
	i.removeOldFiles()
	if _, err := os.Stat(filepath.Join(i.cfg.Dirs.Data, "versions", "files", "orders", first.ID+".parquet")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the first version is still there: %v", err)
	}

	if _, err := io.Copy(sum, body); err != nil {
		t.Errorf("the download broke off: %v", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != first.Files[0].SHA256 {
		t.Errorf("downloaded %s, want %s", got, first.Files[0].SHA256)
	}
	for {
		n := i.mustBatch(run)
		if read += n; n == 0 {
			break
		}
	}
	if err := run.Close(); err != nil || read != rows {
		t.Errorf("the query read %d rows, want %d; %v", read, rows, err)
	}
	if got := fmt.Sprint(admin.query("SELECT min(id), count(*) FROM orders").Rows); got != fmt.Sprintf("[[3 %d]]", rows) {
		t.Errorf("newest rows %s", got)
	}
}

// mustStart starts a query of the administrator.
func (i *instance) mustStart(sql string) *query.Run {
	i.t.Helper()
	users, _, err := i.store.ListUsers(i.t.Context(), people.UserFilter{})
	if err != nil || len(users) != 1 {
		i.t.Fatalf("users %v, %v", users, err)
	}
	who, err := i.store.Principal(i.t.Context(), users[0].ID)
	if err != nil {
		i.t.Fatal(err)
	}
	run, err := i.runner.Run(i.t.Context(), who, query.Request{SQL: sql, Origin: query.FromAPI})
	if err != nil {
		i.t.Fatal(err)
	}
	return run
}

// mustBatch reads the next rows and counts them; 0 at the end.
func (i *instance) mustBatch(run *query.Run) int {
	i.t.Helper()
	batch, err := run.Next()
	if errors.Is(err, io.EOF) {
		return 0
	}
	if err != nil {
		i.t.Fatal(err)
	}
	defer batch.Release()
	return int(batch.NumRows())
}

// removeOldFiles is the sweep of a day later.
func (i *instance) removeOldFiles() {
	i.t.Helper()
	ctx, later := i.t.Context(), time.Now().Add(time.Hour)
	for range 2 {
		if _, err := i.store.PruneVersions(ctx, store.Retention{Keep: 1, Removed: later}); err != nil {
			i.t.Fatal(err)
		}
	}
	keys, err := i.store.VersionKeys(ctx)
	if err != nil {
		i.t.Fatal(err)
	}
	known := func(key string) bool { _, ok := keys[key]; return ok }
	// Children are much younger than what is swept: theirs is not swept here either.
	inUse, err := filepath.Glob(filepath.Join(i.cfg.Dirs.Data, "scratch", "*"))
	if err != nil {
		i.t.Fatal(err)
	}
	for _, folder := range inUse {
		if err := os.Chtimes(folder, later, later); err != nil {
			i.t.Fatal(err)
		}
	}
	if _, err := warehouse.Sweep(ctx, i.cfg.Dirs.Data, later, known); err != nil {
		i.t.Fatal(err)
	}
}
