package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"agnes/domain/activity"
	"agnes/domain/audit"
)

// mustNote writes rows of the log.
func (s *site) mustNote(entries ...audit.Entry) {
	s.t.Helper()
	for _, e := range entries {
		if e.Actor.UserID == "" {
			e.Actor = s.analystActor()
		}
		if e.Result == "" {
			e.Result = "success"
		}
		must(s.t, s.store.Audit(s.t.Context(), e))
	}
}

func (s *site) analystActor() audit.Actor {
	return audit.Actor{UserID: string(s.analyst.ID), Email: s.analyst.Email, ClientKind: "cli", ClientIP: "192.0.2.9", RequestID: "req-1"}
}

func rowsOf(body map[string]any) []map[string]any {
	list, _ := body["rows"].([]any)
	rows := make([]map[string]any, len(list))
	for i := range list {
		rows[i], _ = list[i].(map[string]any)
	}
	return rows
}

func TestActivity(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 7 {
		s.clock.advance(time.Minute)
		s.mustNote(audit.Entry{
			ID: fmt.Sprintf("n%d", i), Action: "thing.made", Resource: "table:orders", DurationMS: 12,
			Params: map[string]any{"n": i}, Before: map[string]any{"n": i - 1},
		})
	}
	s.mustNote(audit.Entry{ID: "late", Action: "thing.refused", Result: "error.403", Params: map[string]any{"word": "100%"}})
	s.as(s.analyst, http.MethodGet, "/api/admin/activity", nil).is(http.StatusForbidden)

	get := func(query string) map[string]any {
		t.Helper()
		return s.as(s.admin, http.MethodGet, "/api/admin/activity"+query, nil).is(http.StatusOK)
	}
	var ids []string
	query := "?action_prefix=thing.made&limit=3"
	for pages := 0; pages < 5; pages++ {
		body := get(query)
		for _, row := range rowsOf(body) {
			ids = append(ids, fmt.Sprint(row["id"]))
		}
		next, ok := body["next_cursor"].(map[string]any)
		if !ok {
			break
		}
		query = "?action_prefix=thing.made&limit=3&cursor_ts=" + url.QueryEscape(fmt.Sprint(next["ts"])) + "&cursor_id=" + url.QueryEscape(fmt.Sprint(next["id"]))
	}
	if got := strings.Join(ids, " "); got != "n6 n5 n4 n3 n2 n1 n0" {
		t.Errorf("pages: %s", got)
	}
	body := get("?action_prefix=thing.made&limit=1")
	row := rowsOf(body)[0]
	for name, want := range map[string]any{
		"id": "n6", "action": "thing.made", "resource": "table:orders", "result": "success", "duration_ms": 12.0, "user_id": string(s.analyst.ID),
		"user_email": s.analyst.Email, "user_name": "Somebody", "client_kind": "cli", "client_ip": "192.0.2.9", "correlation_id": "req-1",
	} {
		if row[name] != want {
			t.Errorf("%s = %v, want %v", name, row[name], want)
		}
	}
	if fmt.Sprint(row["params"]) != "map[n:6]" || fmt.Sprint(row["params_before"]) != "map[n:5]" {
		t.Errorf("params %v, before %v", row["params"], row["params_before"])
	}
	if filter, _ := body["filter"].(map[string]any); filter["action_prefix"] != "thing.made" || filter["since_minutes"] != 1440.0 {
		t.Errorf("filter %v", body["filter"])
	}
	for query, want := range map[string]int{
		"?q=100%25": 1, "?result_pattern=error.%25": 1, "?user_id=" + string(s.analyst.ID) + "&action_prefix=thing": 8, "?resource=table:orders": 7,
		"?user_id=ben@example.com&action_prefix=thing.r": 1, "?since_minutes=3&action_prefix=thing.made": 4,
	} {
		if got := len(rowsOf(get(query))); got != want {
			t.Errorf("%s: %d rows, want %d", query, got, want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=201", "?since_minutes=0", "?since_minutes=43201", "?cursor_ts=yesterday"} {
		s.as(s.admin, http.MethodGet, "/api/admin/activity"+query, nil).is(http.StatusUnprocessableEntity)
	}
}

func TestActivityReadsAreNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 3 {
		s.as(s.admin, http.MethodGet, "/api/admin/activity?q=x", nil).is(http.StatusOK)
	}
	s.as(s.admin, http.MethodGet, "/api/admin/activity?q=y", nil).is(http.StatusOK)
	if got := len(s.audited(audit.ActionRead)); got != 2 {
		t.Errorf("%d rows for two filters in a minute", got)
	}
	s.clock.advance(time.Minute)
	s.as(s.admin, http.MethodGet, "/api/admin/activity?q=x", nil).is(http.StatusOK)
	rows := s.audited(audit.ActionRead)
	if len(rows) != 3 || rows[0].Params["q"] != "x" {
		t.Errorf("%d rows a minute later: %+v", len(rows), rows)
	}
}

func TestActivityHealthAndSync(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 25)
	past := rowsOf(s.as(s.admin, http.MethodGet, "/api/admin/activity/sync", nil).is(http.StatusOK))
	if len(past) != 1 || past[0]["table_id"] != "orders" || past[0]["rows"] != 25.0 || past[0]["status"] != "ok" || past[0]["error"] != nil {
		t.Errorf("history %v", past)
	}
	health := func() (status string, fields map[string]map[string]any, sentence string) {
		body := s.as(s.admin, http.MethodGet, "/api/admin/activity/health", nil).is(http.StatusOK)
		fields = map[string]map[string]any{}
		list, _ := body["fields"].([]any)
		for _, f := range list {
			field, _ := f.(map[string]any)
			fields[fmt.Sprint(field["key"])] = field
		}
		return fmt.Sprint(body["status"]), fields, fmt.Sprint(body["sentence"])
	}
	status, fields, sentence := health()
	for _, key := range []string{"scheduler", "sync_24h", "active_users_today", "memory_pipeline", "diagnose_warnings"} {
		if fields[key] == nil {
			t.Errorf("no field %s", key)
		}
	}
	if status != "green" || sentence != "All is well." || fields["sync_24h"]["raw"] != 1.0 {
		t.Errorf("health %s, %s, %v", status, sentence, fields)
	}
	s.clock.advance(29 * time.Second)
	if _, again, _ := health(); fields["scheduler"]["raw"] != again["scheduler"]["raw"] {
		t.Error("the answer was not kept for 30 s")
	}
	for _, tt := range []struct {
		after  time.Duration
		status string
	}{{31 * time.Minute, "yellow"}, {2 * time.Hour, "red"}} {
		s.clock.advance(tt.after)
		if status, fields, _ := health(); status != tt.status || fields["scheduler"]["color"] != tt.status {
			t.Errorf("after another %s: %s, %v", tt.after, status, fields["scheduler"])
		}
	}
}

func TestObservability(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustNote(
		audit.Entry{Action: "a", Resource: "table:x", DurationMS: 10}, audit.Entry{Action: "a", DurationMS: 20},
		audit.Entry{Action: "b", Result: "error.500", Actor: audit.System("watch")},
	)
	kpis := s.as(s.admin, http.MethodGet, "/api/admin/observability/kpis?since_minutes=60", nil).is(http.StatusOK)
	if kpis["window_minutes"] != 60.0 || kpis["errors"] != 1.0 || kpis["p95_duration_ms"] != 20.0 || kpis["counted_from"] != nil {
		t.Errorf("kpis %v", kpis)
	}
	if rate, total := kpis["error_rate"].(float64), kpis["events_total"].(float64); rate != 1/total {
		t.Errorf("kpis %v", kpis)
	}
	facets := s.as(s.admin, http.MethodGet, "/api/admin/observability/facets", nil).is(http.StatusOK)
	for name, want := range map[string]string{
		"users": "map[count:2 id:" + string(s.analyst.ID) + " label:ben@example.com]", "actions": "map[count:2 value:a]", "results": "map[count:1 value:error.500]",
		"resources": "map[count:1 value:table:x]", "sources": "map[count:2 value:cli]",
	} {
		if !strings.Contains(fmt.Sprint(facets[name]), want) {
			t.Errorf("%s: %v, want %s in it", name, facets[name], want)
		}
	}
}

func TestObservabilityViews(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const path = "/api/admin/observability/views"
	post := func(name string, query any, status int) map[string]any {
		t.Helper()
		return s.as(s.admin, http.MethodPost, path, map[string]any{"name": name, "query": query}).is(status)
	}
	made := post("Failed", map[string]any{"result": "failed", "deep": []any{1, map[string]any{"a": nil}}}, http.StatusOK)
	again := post(" Failed ", map[string]any{"result": "error.403"}, http.StatusOK)
	if made["id"] != again["id"] || fmt.Sprint(again["query"]) != "map[result:error.403]" {
		t.Errorf("%v, then %v", made, again)
	}
	post("", map[string]any{}, http.StatusBadRequest)
	post(strings.Repeat("n", 81), map[string]any{}, http.StatusBadRequest)
	post(strings.Repeat("ž", 80), map[string]any{}, http.StatusOK)
	post("large", map[string]any{"q": strings.Repeat("x", activity.MaxViewSize)}, http.StatusBadRequest)
	list := s.as(s.admin, http.MethodGet, path, nil).is(http.StatusOK)
	if views, _ := list["views"].([]any); len(views) != 2 {
		t.Errorf("views %v", list)
	}
	s.as(s.admin, http.MethodDelete, path+"/nothing", nil).is(http.StatusNotFound)
	s.as(s.admin, http.MethodDelete, path+"/"+fmt.Sprint(made["id"]), nil).is(http.StatusNoContent)
	if got := len(s.audited("activity.view_deleted")); got != 1 {
		t.Errorf("%d rows of deleting", got)
	}
}

func TestActivityExport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustNote(audit.Entry{ID: "n1", Action: "thing.made", Resource: "=cmd|' /C calc'!A0", Params: map[string]any{"name": "a,\"b\"\nc"}}, audit.Entry{ID: "n2", Action: "thing.made", Resource: "table:x"})
	s.as(s.analyst, http.MethodGet, "/api/admin/activity/export", nil).is(http.StatusForbidden)
	s.as(s.admin, http.MethodGet, "/api/admin/activity/export?format=xlsx", nil).is(http.StatusUnprocessableEntity)

	w := s.as(s.admin, http.MethodGet, "/api/admin/activity/export?action=thing.&format=csv", nil)
	w.is(http.StatusOK)
	lines, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(lines) != 3 || lines[2][5] != "'=cmd|' /C calc'!A0" || lines[2][6] != `{"name":"a,\"b\"\nc"}` || lines[0][1] != "timestamp" {
		t.Errorf("csv %q, %v", lines, err)
	}
	if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="activity-`) || !strings.HasSuffix(got, `.csv"`) {
		t.Errorf("Content-Disposition %q", got)
	}
	w = s.as(s.admin, http.MethodGet, "/api/admin/activity/export?action=thing.&format=jsonl", nil)
	decoder, n := json.NewDecoder(w.Body), 0
	for decoder.More() {
		var row map[string]any
		must(t, decoder.Decode(&row))
		if row["action"] != "thing.made" {
			t.Errorf("row %v", row)
		}
		n++
	}
	rows := s.audited("activity.export")
	if n != 2 || len(rows) != 2 || rows[0].Params["rows"] != 2.0 || rows[0].Params["format"] != "jsonl" || rows[0].Params["action"] != "thing." || rows[0].Result != "success" {
		t.Errorf("%d lines, rows %+v", n, rows)
	}
}
