//go:build duckdb_arrow

package attacks

import (
	"fmt"
	"net/http"
	"strings"
)

// otherPeople is S1c: another person's runs and their kept results, asked for
// through every route; all answer as for a run that never was.
func otherPeople(t *trials) {
	w := t.theWorld()
	// The value is put together by the engine, so that only the result holds it.
	text := "SELECT 'CANARY-OTHER' || '-ROWS-9920' AS x, '" + otherSQLCanary + "' AS y FROM range(50)"
	var ids []string
	if got, err := w.other.query(text); err == nil && got.header.Get("X-Query-Run") != "" {
		ids = append(ids, got.header.Get("X-Query-Run"))
	}
	var run struct {
		ID    string
		RunID string `json:"run_id"`
	}
	if err := w.other.call(http.MethodPost, "/api/query/runs", map[string]string{"sql": text}, &run); err == nil {
		ids = append(ids, run.ID+run.RunID)
	}
	if len(ids) == 0 {
		t.skipped = "no route gives a run's id"
		return
	}
	unknown := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '8' {
			return r + 1
		}
		return r
	}, ids[0])
	requests := []string{"GET %s", "GET %s/rows", "GET %s/rows?offset=0&limit=10", "GET %s/rows?sort=x", "DELETE %s", "POST %s/cancel"}
	for _, f := range []string{"csv", "tsv", "json", "ndjson", "parquet", "arrow", "xlsx"} {
		requests = append(requests, "GET %s/export?format="+f)
	}
	for _, id := range ids {
		for _, as := range []*client{w.analyst, {server: w.server, barred: true}} {
			for _, r := range requests {
				t.one(r+" of another", func() error { return w.likeUnknown(as, r, id, unknown) })
			}
			for _, path := range []string{"/api/query/runs", "/api/query/runs?limit=100&q=CANARY", "/console", "/api/audit", "/history"} {
				t.one("GET "+path, func() error { return w.silentOn(as, path, id) })
			}
		}
	}
	t.also("the owner still has it", func() error {
		return w.other.call(http.MethodGet, "/api/query/runs/"+ids[len(ids)-1], nil, nil)
	})
}

// likeUnknown fails when a run of another is answered otherwise than one that never was.
func (w *world) likeUnknown(as *client, request, id, unknown string) error {
	method, path, _ := strings.Cut(request, " ")
	ask := func(id string) (string, error) {
		got, err := as.send(method, fmt.Sprintf(path, "/api/query/runs/"+id), "", nil)
		if err == nil {
			return "", fmt.Errorf("ANSWERED: %.200s", got.body)
		}
		return strings.ReplaceAll(err.Error(), id, "ID"), nil
	}
	theirs, err := ask(id)
	if err != nil {
		return err
	}
	nobodys, err := ask(unknown)
	if err != nil {
		return err
	}
	if theirs != nobodys {
		return fmt.Errorf("%q for another's, %q for one that never was", theirs, nobodys)
	}
	return nil
}

// silentOn fails when a list shows another's run; canaries are looked for in every answer.
func (w *world) silentOn(as *client, path, id string) error {
	got, err := as.send(http.MethodGet, path, "", nil)
	if err == nil && strings.Contains(string(got.body), id) {
		return fmt.Errorf("the list names another's run")
	}
	if err != nil && strings.Contains(err.Error(), "LEAK") {
		return err
	}
	return nil
}
