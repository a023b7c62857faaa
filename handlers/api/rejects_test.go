package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	filesdomain "agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestRejects(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	table := s.mustTable("orders", nil)
	ctx := t.Context()
	_, err := s.store.QueueRuns(ctx, tester, syncs.ByPerson, []registry.TableID{table.ID})
	must(t, err)
	r, err := s.store.ClaimRun(ctx)
	must(t, err)
	path := "/api/sync/runs/" + r.ID
	s.as(s.admin, http.MethodGet, path+"/rejects", nil).is(http.StatusNotFound)

	r.State = syncs.Failed
	r.Report.Warnings = []string{"Renamed."}
	r.Report.Losses = []filesdomain.Loss{{Column: "n", Count: 2, Example: "x"}}
	r.Report.Misfits = filesdomain.Misfits{Count: 1, First: []filesdomain.Misfit{{Line: 3, Reason: "has 2 values, the header has 3", Raw: "1,2"}}, Key: "versions/files/orders/v1.rejects.csv", Bytes: 9}
	must(t, s.store.FinishRun(ctx, r))
	s.files[r.Report.Misfits.Key] = "line\n3\n"

	body := s.as(s.admin, http.MethodGet, path, nil).is(http.StatusOK)
	text, err := json.Marshal(body["report"])
	must(t, err)
	if want := `{"first_misfits":[{"line":3,"raw":"1,2","reason":"has 2 values, the header has 3"}],"kept_aside":true,"losses":[{"column":"n","count":2,"example":"x"}],"misfits":1,"warnings":["Renamed."]}`; string(text) != want {
		t.Errorf("report %s, want %s", text, want)
	}
	w := s.as(s.admin, http.MethodGet, path+"/rejects", nil)
	if w.Code != http.StatusOK || w.Body.String() != "line\n3\n" || w.Header().Get("Content-Disposition") != `attachment; filename="orders-rejects.csv"` {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if len(s.audited("data.download_rejects")) != 1 {
		t.Error("the download left no trace")
	}
	s.as(s.analyst, http.MethodGet, path+"/rejects", nil).is(http.StatusForbidden)
	s.as(s.admin, http.MethodGet, "/api/sync/runs/none/rejects", nil).is(http.StatusNotFound)
	delete(s.files, r.Report.Misfits.Key)
	s.as(s.admin, http.MethodGet, path+"/rejects", nil).is(http.StatusInternalServerError)
}

func TestReadOptions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	options := func() any {
		body := s.as(s.admin, http.MethodGet, "/api/admin/registry", nil).is(http.StatusOK)
		return body["tables"].([]any)[0].(map[string]any)["read_options"]
	}
	s.as(s.admin, http.MethodPost, "/api/admin/register-table", `{"name":"sales","source_type":"local","source_table":"sales/*.csv","read_options":{"delimiter":"tab","encoding":"latin-1"}}`).is(http.StatusCreated)
	if got, _ := options().(map[string]any); got["delimiter"] != "\t" || got["encoding"] != "windows-1252" {
		t.Errorf("read_options %v", got)
	}
	for _, wrong := range []string{`{"decimal":";"}`, `{"columns":[{"column":"a","type":"BLOB"}]}`, `{"skip":-1}`} {
		s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":`+wrong+`}`).is(http.StatusUnprocessableEntity)
	}
	s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":{"decimal":","}}`).is(http.StatusOK)
	if got, _ := options().(map[string]any); got["decimal"] != "," || got["delimiter"] != nil {
		t.Errorf("read_options %v", got)
	}
	s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":{}}`).is(http.StatusOK)
	if got := options(); got != nil {
		t.Errorf("read_options %v", got)
	}
	s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":{"decimal":","}}`).is(http.StatusOK)
	s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":null}`).is(http.StatusOK)
	if got := options(); got != nil {
		t.Errorf("after null, read_options %v", got)
	}
	s.as(s.admin, http.MethodPost, "/api/admin/register-table", `{"name":"plain","source_type":"local","source_table":"b.csv","read_options":null}`).is(http.StatusCreated)
	s.as(s.admin, http.MethodPut, "/api/admin/registry/sales", `{"read_options":"tab"}`).is(http.StatusUnprocessableEntity)
	for _, item := range []string{"../x.csv", "a/../b.csv", ".hidden.csv", "/etc/passwd"} {
		s.as(s.admin, http.MethodPost, "/api/admin/register-table", map[string]any{"name": "bad", "source_type": "local", "source_table": item}).is(http.StatusUnprocessableEntity)
	}
}
