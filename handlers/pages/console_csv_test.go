package pages

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

func TestConsoleCSV(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	b := p.as(p.analyst)
	p.nobody().post("/console/csv", url.Values{"sql": {"FROM airports"}}).wantStatus(http.StatusUnauthorized)

	got := b.post("/console/csv", url.Values{"sql": {"FROM airports"}}).wantStatus(http.StatusOK)
	if want := "attachment; filename=\"query-20261122-143100.csv\""; got.Header.Get("Content-Disposition") != want {
		t.Errorf("Content-Disposition = %q, want %q", got.Header.Get("Content-Disposition"), want)
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	must(t, err)
	want := [][]string{{"iata", "name"}, {"JFK", `New York, "Kennedy"`}, {"XXX", ""}}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("rows = %q, want %q", rows, want)
	}
	if got := p.engine.last().MaxRows; got != 0 {
		t.Errorf("MaxRows = %d, want all", got)
	}
	runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
	must(t, err)
	if len(runs) != 1 || runs[0].Origin != query.FromExport || runs[0].State != query.OK || runs[0].Rows != 2 {
		t.Errorf("query runs = %+v", runs)
	}
}

func TestConsoleCSVOfOneColumnWithNull(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.columns = []registry.Column{{Name: "a", Type: "VARCHAR"}}
	p.engine.batches = [][][]*string{{{text("x")}, {nil}, {text("y")}}}
	got := p.as(p.analyst).post("/console/csv", url.Values{"sql": {"FROM t"}}).wantStatus(http.StatusOK)
	if want := "a\nx\n\"\"\ny\n"; got.body != want {
		t.Errorf("body = %q, want %q", got.body, want)
	}
	p.engine.batches = nil
	if got := p.as(p.analyst).post("/console/csv", url.Values{"sql": {"FROM t"}}); got.body != "a\n" {
		t.Errorf("body = %q without rows", got.body)
	}
}

func TestConsoleCSVThatFailsAtOnceIsAPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	b := p.as(p.analyst)
	p.engine.err = &query.SQLError{Code: "query_error", Text: "Parser Error: syntax error"}
	got := b.post("/console/csv", url.Values{"sql": {"FORM t"}}).wantStatus(422).wantText("The statement cannot be read")
	if sql := got.value("textarea[name=sql]"); sql != "FORM t" || got.Header.Get("Content-Disposition") != "" {
		t.Errorf("sql %q, disposition %q", sql, got.Header.Get("Content-Disposition"))
	}
	p.engine.err, p.engine.late = nil, domain.E(domain.Unavailable, "child_died", "The query process ended.")
	b.post("/console/csv", url.Values{"sql": {"FROM t"}}).wantStatus(503).wantText("The query process ended.")
}

func TestConsoleCSVThatFailsLaterIsCut(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.engine.airports()
	p.engine.late = domain.E(domain.Unavailable, "child_died", "The query process ended.")
	b := p.as(p.analyst)
	r := httptest.NewRequest(http.MethodPost, "/console/csv", strings.NewReader("sql=FROM+airports"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(b.cookies["session"])
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("the handler ended with %v, want http.ErrAbortHandler", err)
		}
		runs, err := p.store.ListQueryRuns(t.Context(), p.analyst.ID, 0)
		must(t, err)
		if len(runs) != 1 || runs[0].State != query.Failed || runs[0].Code != "child_died" {
			t.Errorf("query runs = %+v", runs)
		}
	}()
	p.handler.ServeHTTP(httptest.NewRecorder(), r)
}
