package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
)

// run starts a query through JSON and returns its id.
func (s *site) run(u people.User, sql string) string {
	s.t.Helper()
	w := s.as(u, http.MethodPost, "/api/query", map[string]any{"sql": sql, "limit": 100_000})
	w.is(http.StatusOK)
	id := w.Header().Get("X-Query-Run")
	if id == "" {
		s.t.Fatal("the answer names no run")
	}
	return id
}

// ended waits for a run in the background.
func (s *site) ended(u people.User, path string) map[string]any {
	s.t.Helper()
	for s.t.Context().Err() == nil {
		if body := s.as(u, http.MethodGet, path, nil).is(http.StatusOK); body["state"] != "running" && body["state"] != "queued" {
			return body
		}
	}
	s.t.Fatal("the run did not end")
	return nil
}

func TestKeptRowsAreReadAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustGrant("orders")
	s.engine.numbers(5000, 1000)
	id := s.run(s.analyst, "SELECT n FROM orders")
	one := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id, nil).is(http.StatusOK)
	if one["state"] != "ok" || one["rows"] != 5000.0 || one["kept"] != "kept" || one["error"] != nil || fmt.Sprint(one["tables"]) != "[orders]" || fmt.Sprint(one["columns"]) != "[map[name:n type:BIGINT]]" {
		t.Errorf("run %v", one)
	}
	asked := len(s.engine.asked)
	page := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows?offset=2500&limit=3", nil).is(http.StatusOK)
	if fmt.Sprint(page["rows"]) != "[[2500] [2501] [2502]]" || page["total"] != 5000.0 || page["truncated"] != true || page["row_count"] != 3.0 || page["offset"] != 2500.0 || fmt.Sprint(page["types"]) != "[BIGINT]" {
		t.Errorf("page %v", page)
	}
	last := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows?offset=4999&limit=3", nil).is(http.StatusOK)
	if fmt.Sprint(last["rows"]) != "[[4999]]" || last["truncated"] != false {
		t.Errorf("last page %v", last)
	}
	for format, kind := range map[string]string{
		"csv": "text/csv; charset=utf-8", "tsv": "text/tab-separated-values; charset=utf-8", "json": "application/json", "ndjson": "application/x-ndjson",
		"parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.file", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	} {
		w := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/export?format="+format+"&guard=spreadsheet", nil)
		guard := map[bool]string{true: "spreadsheet"}[format == "csv" || format == "tsv"]
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 || w.Header().Get("X-Csv-Guard") != guard || !strings.HasSuffix(w.Header().Get("Content-Disposition"), "."+format+`"`) {
			t.Errorf("%s: %v, %d bytes", format, w.Header(), w.Body.Len())
		}
	}
	lines, err := csv.NewReader(s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/export?format=csv", nil).Body).ReadAll()
	if err != nil || len(lines) != 5001 || lines[5000][0] != "4999" {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if len(s.engine.asked) != asked {
		t.Error("the query ran again")
	}
}

func TestSortedRowsComeFromTheFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(10, 10)
	id := s.run(s.analyst, "SELECT 1")
	s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows?sort=-n&offset=4&limit=2", nil).is(http.StatusOK)
	last := s.engine.asked[len(s.engine.asked)-1]
	if last.SQL != "SELECT c0 FROM result AS answer(c0) ORDER BY c0 DESC NULLS LAST LIMIT 2 OFFSET 4" || fmt.Sprint(s.engine.tables) != "[result]" {
		t.Errorf("asked %q of %v", last.SQL, s.engine.tables)
	}
	s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows?sort=nope", nil).is(http.StatusUnprocessableEntity)
	s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/export?format=pdf", nil).is(http.StatusUnprocessableEntity)
	s.engine.start = &query.SQLError{Code: "query_error", Text: "Binder Error: c0"}
	body := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows?sort=%231", nil).is(http.StatusServiceUnavailable)
	if detail, _ := body["detail"].(string); strings.Contains(detail, "Binder") {
		t.Errorf("the engine's words: %s", detail)
	}
}

func TestRunsAreTheirAuthorsAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(3, 3)
	id := s.run(s.analyst, "SELECT 42")
	for _, other := range []people.User{s.admin, s.mustUser("eve@example.com")} {
		for _, path := range []string{"", "/rows", "/export?format=csv", "/rows?sort=n"} {
			s.as(other, http.MethodGet, "/api/query/runs/"+id+path, nil).is(http.StatusNotFound)
			unknown := s.as(other, http.MethodGet, "/api/query/runs/nope"+path, nil)
			if got := s.as(other, http.MethodGet, "/api/query/runs/"+id+path, nil); got.Body.String() != unknown.Body.String() {
				t.Errorf("somebody else's answers %s, none %s", got.Body, unknown.Body)
			}
		}
		s.as(other, http.MethodDelete, "/api/query/runs/"+id, nil).is(http.StatusNotFound)
		list := s.as(other, http.MethodGet, "/api/query/runs?after="+id, nil).is(http.StatusOK)
		if len(list["runs"].([]any)) != 0 {
			t.Errorf("somebody else sees %v", list)
		}
	}
	s.as(people.User{}, http.MethodGet, "/api/query/runs/"+id, nil).is(http.StatusUnauthorized)
	s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id, nil).is(http.StatusOK)
}

func TestRowsOfATableThatIsNotTheirsAnyMore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil, 1)
	s.mustGrant("orders")
	s.engine.numbers(3, 3)
	id := s.run(s.analyst, "SELECT * FROM orders")
	if _, err := s.store.Unregister(t.Context(), tester, []registry.TableID{table.ID}); err != nil {
		t.Fatal(err)
	}
	body := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/rows", nil).is(http.StatusNotFound)
	if detail, _ := body["detail"].(string); strings.Contains(detail, "orders") {
		t.Errorf("the answer names the table: %s", detail)
	}
}

func TestBackgroundRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(5000, 1000)
	w := s.as(s.analyst, http.MethodPost, "/api/query/runs", map[string]any{"sql": "SELECT 1"})
	begun := w.is(http.StatusAccepted)
	at := w.Header().Get("Location")
	if at != "/api/query/runs/"+begun["id"].(string) || begun["limit"] != nil || begun["origin"] != "background" {
		t.Errorf("begun %v at %s", begun, at)
	}
	if done := s.ended(s.analyst, at); done["state"] != "ok" || done["rows"] != 5000.0 || done["kept"] != "kept" {
		t.Errorf("ended %v", done)
	}
	s.as(s.analyst, http.MethodDelete, at, nil).is(http.StatusNoContent)
	s.as(s.analyst, http.MethodGet, at, nil).is(http.StatusNotFound)
	s.as(s.analyst, http.MethodGet, at+"/rows", nil).is(http.StatusNotFound)
	s.as(s.analyst, http.MethodPost, "/api/query/runs", map[string]any{"sql": " "}).is(http.StatusBadRequest)
	s.as(s.analyst, http.MethodPost, "/api/query/runs", map[string]any{"sql": "x", "limit": 0}).is(http.StatusUnprocessableEntity)
}

func TestBackgroundRunThatFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.start = &query.SQLError{Code: "query_error", Text: "no such column", Line: 2, Column: 7}
	at := s.as(s.analyst, http.MethodPost, "/api/query/runs", map[string]any{"sql": "SELECT x"}).Header().Get("Location")
	done := s.ended(s.analyst, at)
	if fmt.Sprint(done["error"]) != "map[code:query_error column:7 line:2 message:no such column]" || done["state"] != "failed" {
		t.Errorf("ended %v", done)
	}
	s.as(s.analyst, http.MethodGet, at+"/rows", nil).is(http.StatusNotFound)
}

func TestBackgroundRunThatIsTooLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(500_000, 50_000)
	at := s.as(s.analyst, http.MethodPost, "/api/query/runs", map[string]any{"sql": "SELECT 1"}).Header().Get("Location")
	if done := s.ended(s.analyst, at); done["state"] != "failed" || done["kept"] != "too_large" || done["error"].(map[string]any)["code"] != "result_too_large" {
		t.Errorf("ended %v", done)
	}
	// Somebody who reads along gets all rows.
	w := s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "SELECT 1", "limit": 1_000_000})
	if body := w.is(http.StatusOK); body["row_count"] != 500_000.0 {
		t.Errorf("%v rows", body["row_count"])
	}
	one := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+w.Header().Get("X-Query-Run"), nil).is(http.StatusOK)
	if one["state"] != "ok" || one["kept"] != "too_large" || !strings.Contains(one["kept_message"].(string), "not kept") {
		t.Errorf("run %v", one)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(1, 1)
	for i := range 7 {
		s.run(s.analyst, fmt.Sprintf("SELECT %d AS Item", i))
		s.clock.advance(time.Second)
	}
	seen, path := []string{}, "/api/query/runs?limit=3"
	for path != "" {
		body := s.as(s.analyst, http.MethodGet, path, nil).is(http.StatusOK)
		for _, r := range body["runs"].([]any) {
			seen = append(seen, r.(map[string]any)["sql"].(string)[7:8])
		}
		path = ""
		if next, ok := body["next"].(string); ok {
			path = "/api/query/runs?limit=3&after=" + next
		}
	}
	if strings.Join(seen, "") != "6543210" {
		t.Errorf("pages showed %v", seen)
	}
	for filter, want := range map[string]int{"q=3+as+ITEM": 1, "q=100%25": 0, "state=ok": 7, "state=failed": 0, "origin=api&kept=true": 7, "origin=console": 0} {
		if body := s.as(s.analyst, http.MethodGet, "/api/query/runs?"+filter, nil).is(http.StatusOK); len(body["runs"].([]any)) != want {
			t.Errorf("%s: %d runs, want %d", filter, len(body["runs"].([]any)), want)
		}
	}
}

func TestLimitsOfAPerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(1000, 1000)
	s.run(s.analyst, "SELECT 1")
	usage := s.as(s.analyst, http.MethodGet, "/api/query/usage", nil).is(http.StatusOK)
	if usage["queries"] != 1.0 || usage["rows"] != 1000.0 || usage["bytes"].(float64) < 8000 || usage["day"] != "2026-11-22" || usage["max_concurrent"] != 50.0 {
		t.Errorf("usage %v", usage)
	}
	s.runner.Limits.Person.DailyBytes = int64(usage["bytes"].(float64))
	w := s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "SELECT 1"})
	detail, _ := w.is(http.StatusTooManyRequests)["detail"].(map[string]any)
	left := 9*3600 + 29*60
	if detail["reason"] != "daily_byte_cap_exceeded" || detail["kind"] != "daily_bytes" || detail["retry_after_seconds"] != float64(left) || w.Header().Get("Retry-After") != fmt.Sprint(left) {
		t.Errorf("%v, Retry-After %s", detail, w.Header().Get("Retry-After"))
	}
	s.as(s.mustUser("eve@example.com"), http.MethodPost, "/api/query", map[string]any{"sql": "SELECT 1"}).is(http.StatusOK)
	s.clock.advance(24 * time.Hour)
	s.run(s.analyst, "SELECT 1")

	s.runner.Limits.Person = query.PersonLimits{Concurrent: 1}
	run, err := s.runner.Run(t.Context(), access.Principal{UserID: s.analyst.ID, Email: s.analyst.Email}, query.Request{SQL: "SELECT 1"})
	must(t, err)
	w = s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "SELECT 1"})
	detail, _ = w.is(http.StatusTooManyRequests)["detail"].(map[string]any)
	if detail["reason"] != "concurrent_slot_exceeded" || detail["current"] != 1.0 || detail["limit"] != 1.0 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%v, Retry-After %s", detail, w.Header().Get("Retry-After"))
	}
	live := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+run.ID, nil).is(http.StatusOK)
	if live["state"] != "running" || live["finished_at"] != nil {
		t.Errorf("live %v", live)
	}
	s.as(s.analyst, http.MethodGet, "/api/query/runs/"+run.ID+"/rows", nil).is(http.StatusConflict)
	s.as(s.analyst, http.MethodDelete, "/api/query/runs/"+run.ID, nil).is(http.StatusNoContent)
	must(t, run.Close())
	if body := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+run.ID, nil).is(http.StatusOK); body["state"] != "cancelled" {
		t.Errorf("cancelled %v", body)
	}
	s.run(s.analyst, "SELECT 1")
}

func TestQueryStreams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.numbers(3000, 1000)
	for accept, prefix := range map[string]string{
		"text/csv": "n\n0\n1\n", "text/tab-separated-values": "n\n0\n", "application/x-ndjson": "{\"n\":0}\n", "application/vnd.apache.arrow.stream": "\xff\xff\xff\xff",
		"text/html, text/csv;q=0.9, application/json;q=0.1": "n\n0\n", "*/*": `{"columns":["n"]`, "application/json, text/csv": `{"columns":["n"]`,
	} {
		w := s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "SELECT 1"}, "Accept", accept)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), prefix) || w.Header().Get("X-Query-Run") == "" {
			t.Errorf("%s: %.40q, %v", accept, w.Body, w.Header())
		}
		if prefix[0] != '{' && s.engine.asked[len(s.engine.asked)-1].MaxRows != 0 {
			t.Errorf("%s asked for %d rows", accept, s.engine.asked[len(s.engine.asked)-1].MaxRows)
		}
	}
	s.engine.more = true
	w := s.as(s.analyst, http.MethodPost, "/api/query?guard=spreadsheet", map[string]any{"sql": "SELECT 1", "limit": 3000}, "Accept", "text/csv")
	if w.Result().Trailer.Get("X-Query-Truncated") != "true" || w.Header().Get("X-Csv-Guard") != "spreadsheet" {
		t.Errorf("trailer %v, header %v", w.Result().Trailer, w.Header())
	}
	s.engine.start = &query.SQLError{Code: "query_error", Text: "no such table"}
	body := s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "x"}, "Accept", "text/csv").is(http.StatusBadRequest)
	if body["detail"] != "Query error: no such table" {
		t.Errorf("failure %v", body)
	}
}

func TestASheetThatFailsIsAnErrorAndNoFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.long(40_000)
	id := s.run(s.analyst, "SELECT 1")
	w := s.as(s.analyst, http.MethodGet, "/api/query/runs/"+id+"/export?format=xlsx", nil)
	body := w.is(http.StatusRequestEntityTooLarge)
	if detail, _ := body["detail"].(string); !strings.Contains(detail, "32767 characters") || w.Header().Get("Content-Disposition") != "" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%v, %v", body, w.Header())
	}
	var whole json.RawMessage
	must(t, json.Unmarshal(w.Body.Bytes(), &whole))
}
