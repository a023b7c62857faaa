package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	filesource "agnes/connectors/files"
	domainfiles "agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/handlers/api"
	"agnes/store"
)

// previews shows of any file what it was asked to read.
type previews struct{ asked domainfiles.Options }

func (p *previews) PreviewFile(_ context.Context, _ string, o domainfiles.Options) (domainfiles.Preview, error) {
	p.asked = o
	one := "1"
	return domainfiles.Preview{
		Format: domainfiles.CSV, Columns: []registry.Column{{Name: "id", Type: "BIGINT"}, {Name: "new", Type: "DATE"}}, Rows: [][]*string{{&one, nil}}, TotalRows: -1,
		Report: domainfiles.Report{Misfits: domainfiles.Misfits{Count: 1, First: []domainfiles.Misfit{{Line: 3, Reason: "has 3 values, the header has 2", Raw: "1,2,3"}}}},
	}, nil
}

func newImportSite(t *testing.T) (*site, *previews) {
	t.Helper()
	p := &previews{}
	return newSiteWith(t, func(d *api.Deps) {
		state := d.Store.(*store.Store)
		d.Imports = &domainfiles.Importer{Folder: d.Uploads.(filesource.Folder), Previewer: p, Tables: state, Syncer: d.Syncer.(*syncs.Syncer)}
	}), p
}

func (s *site) mustUpload(name, content string) string {
	s.t.Helper()
	at := s.mustBegin(s.admin, name, len(content))
	s.patch(s.admin, at, 0, content).is(http.StatusNoContent)
	return at
}

func TestUploadBecomesATable(t *testing.T) {
	t.Parallel()
	s, p := newImportSite(t)
	at := s.mustUpload("orders.csv", "id;new\n1;\n")
	got := s.as(s.admin, http.MethodPost, at+"/preview", `{"read_options":{"delimiter":";"}}`).is(http.StatusOK)
	if p.asked.Delimiter != ";" || got["name"] != "orders.csv" || got["total_rows"] != nil || got["changes"] != nil || got["report"].(map[string]any)["misfits"] != 1.0 {
		t.Errorf("preview with %+v: %v", p.asked, got)
	}
	s.as(s.admin, http.MethodPost, at+"/preview", `{"read_options":{"quote":"too long"}}`).is(http.StatusUnprocessableEntity)
	s.as(s.admin, http.MethodPost, at+"/table", `{"name":"my orders"}`).is(http.StatusUnprocessableEntity)
	s.as(s.admin, http.MethodPost, at+"/table", `{"name":"orders","read_options":{"delimiter":";"}}`).is(http.StatusCreated)
	s.as(s.admin, http.MethodPost, at+"/table", `{"name":"more"}`).is(http.StatusNotFound)
	made, err := s.store.GetTable(t.Context(), "orders")
	must(t, err)
	if made.SourceTable != "orders.csv" || !strings.Contains(made.ReadOptions, ";") {
		t.Errorf("made %+v", made.Table)
	}
	if runs := s.as(s.admin, http.MethodGet, "/api/sync/runs?table=orders", nil).is(http.StatusOK); runs["total"] != 1.0 {
		t.Errorf("runs %v", runs)
	}
	s.as(s.admin, http.MethodPost, s.mustUpload("b.csv", "id\n1\n")+"/table", `{"name":"Orders"}`).is(http.StatusConflict)
}

func TestUploadReplacesRows(t *testing.T) {
	t.Parallel()
	s, p := newImportSite(t)
	s.mustTable("orders", func(t *registry.Table) { t.ReadOptions = `{"decimal":","}` }, 7)
	s.mustTable("leads", func(t *registry.Table) { t.SourceType, t.Bucket = "custom", "crm" })
	at := s.mustUpload("new.csv", "id;new\n1;\n")
	got := s.as(s.admin, http.MethodPost, at+"/preview", `{"table_id":"orders"}`).is(http.StatusOK)
	if changes := got["changes"].(map[string]any); p.asked.Decimal != "," || len(changes["added"].([]any)) == 0 {
		t.Errorf("preview with %+v: %v", p.asked, changes)
	}
	s.as(s.admin, http.MethodPost, at+"/preview", `{"table_id":"gone"}`).is(http.StatusNotFound)
	s.as(s.admin, http.MethodPost, at+"/replace", `{"table_id":"gone"}`).is(http.StatusNotFound)
	s.as(s.admin, http.MethodPost, at+"/replace", `{"table_id":"leads"}`).is(http.StatusConflict)
	s.as(s.admin, http.MethodPost, at+"/replace", `{"table_id":"orders"}`, "If-Match", `"99"`).is(http.StatusPreconditionFailed)
	s.as(s.admin, http.MethodPost, at+"/replace", `{"table_id":"orders"}`).is(http.StatusAccepted)
	is, err := s.store.GetTable(t.Context(), "orders")
	must(t, err)
	if is.SourceTable != "orders.csv" || is.ReadOptions != `{"decimal":","}` {
		t.Errorf("now %+v", is.Table)
	}
}

func TestUploadThatBecomesNoTable(t *testing.T) {
	t.Parallel()
	s, _ := newImportSite(t)
	half := s.mustBegin(s.admin, "half.csv", 10)
	s.patch(s.admin, half, 0, "id\n1\n").is(http.StatusNoContent)
	whole := s.mustUpload("whole.csv", "id\n1\n")
	for _, way := range []struct{ path, body string }{{"/preview", `{}`}, {"/table", `{"name":"a"}`}} {
		if got := s.detail(s.as(s.admin, http.MethodPost, half+way.path, way.body), http.StatusConflict); !strings.Contains(got, "50 %") {
			t.Errorf("%s of half a file says %q", way.path, got)
		}
		s.as(s.analyst, http.MethodPost, whole+way.path, way.body).is(http.StatusForbidden)
		s.as(s.admin, http.MethodPost, "/api/uploads/nope"+way.path, way.body).is(http.StatusNotFound)
	}
}
