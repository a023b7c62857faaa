package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// rebuildAnswer is what GET /api/admin/rebuild says.
type rebuildAnswer struct {
	Last struct {
		Views     int  `json:"views"`
		LeftOut   int  `json:"left_out"`
		Unchanged bool `json:"unchanged"`
	} `json:"last"`
	Recent  []struct{ ID string } `json:"recent"`
	Damaged []struct {
		Name, Code, Message string
		Serves              string `json:"serves"`
	} `json:"damaged"`
}

// twice makes a table of two versions and returns the newest.
func (i *instance) twice(t *testing.T, admin person) registry.Version {
	t.Helper()
	for n, text := range []string{"id\n1\n2\n", "id\n1\n2\n3\n"} {
		mustWrite(t, filepath.Join(mustDir(t, i.cfg.Dirs.Data, "files"), "orders.csv"), text)
		if n == 0 {
			admin.call(http.MethodPost, "/api/admin/register-table", map[string]string{"name": "orders", "source_type": "local", "source_table": "orders.csv"}, http.StatusCreated, nil)
		} else {
			admin.call(http.MethodPost, "/api/sync/trigger", []string{"orders"}, http.StatusOK, nil)
		}
		if r := i.waitFor("orders")["orders"]; r.State != syncs.OK {
			t.Fatalf("sync ended %s: %s", r.State, r.Message)
		}
	}
	versions, err := i.store.ListVersions(t.Context(), "orders")
	if err != nil || len(versions) < 2 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	return versions[0]
}

func TestDamagedVersionIsReplaced(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	newest := i.twice(t, admin)
	if got := admin.query("SELECT count(*) FROM orders"); fmt.Sprint(got.Rows) != "[[3]]" {
		t.Fatalf("before: %v", got.Rows)
	}
	file := filepath.Join(i.cfg.Dirs.Data, newest.Files[0].Key)
	rows := mustRead(t, file)
	rows[len(rows)/2] ^= 1
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, rows, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := i.scrub.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin.call(http.MethodPost, "/api/admin/rebuild", nil, http.StatusOK, nil)
	if got := admin.query("SELECT count(*) FROM orders"); fmt.Sprint(got.Rows) != "[[2]]" {
		t.Errorf("analysts get %v, want the version before", got.Rows)
	}
	var said rebuildAnswer
	admin.call(http.MethodGet, "/api/admin/rebuild", nil, http.StatusOK, &said)
	if len(said.Damaged) != 1 || said.Damaged[0].Name != "orders" || !strings.Contains(said.Damaged[0].Message, "are served instead") || said.Last.LeftOut != 0 {
		t.Errorf("said %+v", said)
	}
	if _, page := admin.send(http.MethodGet, "/syncs", "", nil); !strings.Contains(string(page), "because the newest one is damaged") {
		t.Error("the page does not say so")
	}
	outside := direct(t, filepath.Join(i.cfg.Dirs.Data, "analytics", "server.duckdb")+"?access_mode=read_only", "SELECT count(*) FROM orders")
	if fmt.Sprint(outside) != "[[2]]" {
		t.Errorf("other clients get %v", outside)
	}
}

// Who asks while a rebuild runs shares the next one.
func TestRebuildsAreShared(t *testing.T) {
	i := newInstance(t)
	admin := i.admin()
	i.twice(t, admin)
	before, err := i.store.ListRebuilds(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	const askers = 24
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			if report, err := i.rebuilder.Rebuild(t.Context()); err != nil || report.Views != 1 {
				t.Errorf("rebuilt %+v, %v", report, err)
			}
		})
	}
	all.Wait()
	after, err := i.store.ListRebuilds(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(after) - len(before); n == 0 || n >= askers {
		t.Errorf("%d askers made %d rebuilds", askers, n)
	}
	if !after[0].Unchanged || after[0].Views != 1 || !slices.ContainsFunc(after, func(r syncs.Rebuild) bool { return !r.Unchanged }) {
		t.Errorf("the last rebuild %+v, want one that had nothing to do", after[0])
	}
}
