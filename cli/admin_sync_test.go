package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// runOf is a run as the server lists it.
func runOf(id, table, state string) map[string]any {
	r := map[string]any{"id": id, "table_id": table, "name": table, "state": state, "rows": 1234, "message": nil, "next_step": nil}
	if state == "failed" {
		r["message"], r["next_step"] = "The file is gone.", "Upload it again."
	}
	return r
}

// runsInTurn answers each look at the runs with the next list; the last stays.
func (b *bench) runsInTurn(lists ...[]map[string]any) {
	n := 0
	b.mux.HandleFunc("GET /api/sync/runs", func(w http.ResponseWriter, _ *http.Request) {
		runs := lists[min(n, len(lists)-1)]
		n++
		if err := json.NewEncoder(w).Encode(map[string]any{"runs": runs, "total": len(runs)}); err != nil {
			b.t.Error(err)
		}
	})
}

func TestSyncWait(t *testing.T) {
	type list = []map[string]any
	old := runOf("r1", "orders", "failed")
	cases := []struct {
		name    string
		args    []string
		trigger int
		runs    []list
		waits   int
		want    []string // on stdout
		failed  []string // on stderr
	}{
		{
			"one, well",
			[]string{"orders"},
			200,
			[]list{{old}, {runOf("r2", "orders", "queued"), old}, {runOf("r2", "orders", "running"), old}, {runOf("r2", "orders", "ok"), old}},
			2,
			[]string{"1 sync started.", "orders: ok, 1,234 rows"},
			nil,
		},
		{
			"one, failed",
			[]string{"orders"},
			200,
			[]list{{}, {runOf("r2", "orders", "failed")}},
			0,
			nil,
			[]string{"orders: failed (run r2). The file is gone. Upload it again."},
		},
		{"cancelled", []string{"orders"}, 200, []list{{}, {runOf("r2", "orders", "cancelled")}}, 0, nil, []string{"orders: cancelled (run r2)."}},
		{
			"another table's failure is not ours",
			[]string{"orders"},
			200,
			[]list{{}, {runOf("r3", "web_visits", "failed"), runOf("r4", "web_visits", "running"), runOf("r2", "orders", "ok")}},
			0,
			[]string{"orders: ok"},
			nil,
		},
		{
			"all", nil, 200,
			[]list{{old}, {runOf("r3", "web_visits", "running"), runOf("r2", "orders", "ok"), old}, {runOf("r3", "web_visits", "ok"), runOf("r2", "orders", "ok"), old}},
			1,
			[]string{"orders: ok", "web_visits: ok"},
			nil,
		},
		{
			"under way already",
			[]string{"orders"},
			409,
			[]list{{runOf("r2", "orders", "running")}, {runOf("r2", "orders", "running")}, {runOf("r2", "orders", "ok")}},
			1,
			[]string{"orders: ok"},
			nil,
		},
		{"nothing due", nil, 200, []list{{old}}, 0, []string{"1 sync started."}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newAdminBench(t)
			b.answer("POST /api/sync/trigger", c.trigger, `{"status":"triggered","message":"1 sync started.","detail":"sync_already_in_progress"}`)
			b.runsInTurn(c.runs...)
			stdout, stderr, err := b.run(append([]string{"admin", "sync", "--wait"}, c.args...)...)
			if (err != nil) != (c.failed != nil) || (err != nil && ExitCode(err) != 1) {
				t.Errorf("sync --wait: %v", err)
			}
			wantIn(t, stdout, c.want...)
			wantIn(t, stderr, c.failed...)
			if err != nil {
				wantIn(t, err.Error(), "1 sync did not succeed")
			}
			if len(b.waits) != c.waits {
				t.Errorf("waited %d times, want %d", len(b.waits), c.waits)
			}
			if strings.Contains(stdout+stderr, "r1") {
				t.Errorf("an older run is reported:\n%s%s", stdout, stderr)
			}
		})
	}
}

func TestSyncUnderWay(t *testing.T) {
	b := newAdminBench(t)
	b.answer("POST /api/sync/trigger", 409, `{"detail":"sync_already_in_progress"}`)
	wantIn(t, b.mustFail(1, "admin", "sync", "orders"), "being synced already", "--wait")
}

// A server that cannot be followed is not asked to start anything.
func TestSyncWaitNeedsRuns(t *testing.T) {
	b := newAdminBench(t)
	b.answer("POST /api/sync/trigger", 200, `{}`)
	wantIn(t, b.mustFail(1, "admin", "sync", "--wait"), "HTTP 404")
	if got := b.requests("POST"); len(got) != 0 {
		t.Errorf("started %v", got)
	}
}

func TestRecentRunsReadsBackToWhatIsKnown(t *testing.T) {
	pages := 0
	c := testClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages++
		var runs []map[string]any
		for i := range runsPage {
			runs = append(runs, runOf(fmt.Sprintf("%s-%d", r.URL.Query().Get("offset"), i), "t", "ok"))
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"runs": runs}); err != nil {
			t.Error(err)
		}
	}))
	for known, want := range map[string]int{"": 1, "0-5": 1, "1000-5": 2} {
		pages = 0
		var m map[string]bool
		if known != "" {
			m = map[string]bool{known: true}
		}
		runs, err := recentRuns(t.Context(), c, m)
		if err != nil || pages != want || len(runs) != want*runsPage {
			t.Errorf("known %q: %d runs by %d requests, %v; want %d requests", known, len(runs), pages, err, want)
		}
	}
}

func TestSyncWaitStopped(t *testing.T) {
	b := newAdminBench(t)
	b.answer("POST /api/sync/trigger", 200, `{"message":"1 sync started."}`)
	b.runsInTurn(nil, []map[string]any{runOf("r2", "orders", "running")})
	a := newApp(Env{
		Getenv: func(key string) string { return b.env[key] },
		wait:   func(context.Context, time.Duration) error { return errors.New("stopped") },
	})
	cmd := a.syncCommand()
	cmd.SetArgs([]string{"orders", "--wait"})
	var out strings.Builder
	cmd.SetOut(&out)
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "the syncs on the server go on") {
		t.Errorf("sync --wait, stopped: %v", err)
	}
}
