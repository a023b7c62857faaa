package api_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain"
	"agnes/domain/query"
	"agnes/domain/registry"
)

func TestQueryAnswersInTheContractsForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustTable("secret", nil, 1)
	s.mustGrant("orders")
	s.engine.schema = arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64},
		{Name: "u", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean},
		{Name: `t"<`, Type: arrow.BinaryTypes.String},
		{Name: "d", Type: arrow.FixedWidthTypes.Date32},
	}, nil)
	for _, f := range s.engine.schema.Fields() {
		s.engine.columns = append(s.engine.columns, registry.Column{Name: f.Name})
	}
	s.engine.batches = []func(*array.RecordBuilder){func(b *array.RecordBuilder) {
		b.Field(0).(*array.Int64Builder).AppendValues([]int64{math.MaxInt64, -1, 0}, nil)
		b.Field(1).(*array.Uint64Builder).AppendValues([]uint64{math.MaxUint64, 1, 0}, nil)
		b.Field(2).(*array.Float64Builder).AppendValues([]float64{0.5, math.NaN(), 0}, []bool{true, true, false})
		b.Field(3).(*array.BooleanBuilder).AppendValues([]bool{true, false, false}, []bool{true, true, false})
		b.Field(4).(*array.StringBuilder).AppendValues([]string{"a<b>&\"\\\n\u2028", "é", ""}, []bool{true, true, false})
		b.Field(5).(*array.Date32Builder).AppendValues([]arrow.Date32{0, 20000, 0}, []bool{true, true, false})
	}}
	w := s.as(s.analyst, http.MethodPost, "/api/query", map[string]any{"sql": "SELECT * FROM orders", "limit": 10})
	w.is(http.StatusOK)
	want := `{"columns":["i","u","f","b","t\"<","d"],"rows":[` +
		`[9223372036854775807,18446744073709551615,0.5,true,"a<b>&\"\\\n\u2028","1970-01-01"],` +
		`[-1,1,"NaN",false,"é","2024-10-04"],` +
		`[0,0,null,null,null,null]],"row_count":3,"truncated":false}` + "\n"
	if got := w.Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if strings.Join(s.engine.tables, " ") != "orders" {
		t.Errorf("the engine was given %v", s.engine.tables)
	}
	if s.engine.closed != 1 || len(s.audited("query.local")) != 1 {
		t.Errorf("%d results closed, %d audit rows", s.engine.closed, len(s.audited("query.local")))
	}
}

func TestQueryLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		rows       int
		more       bool
		asked      int64
		count      float64
		truncated  bool
	}{
		{"by default", `{"sql":"x"}`, 5, false, 1000, 5, false},
		{"null", `{"sql":"x","limit":null}`, 5, false, 1000, 5, false},
		{"more than there are", `{"sql":"x","limit":10}`, 5, false, 10, 5, false},
		{"cut by the engine", `{"sql":"x","limit":5}`, 5, true, 5, 5, true},
		{"cut here", `{"sql":"x","limit":3}`, 5, false, 3, 3, true},
		{"none", `{"sql":"x","limit":0}`, 1, true, 1, 0, true},
		{"none of none", `{"sql":"x","limit":0}`, 0, false, 1, 0, false},
		{"below none", `{"sql":"x","limit":-7}`, 1, false, 1, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.engine.numbers(tt.rows, 2)
			s.engine.more = tt.more
			body := s.as(s.analyst, http.MethodPost, "/api/query", tt.body).is(http.StatusOK)
			if s.engine.asked[0].MaxRows != tt.asked || body["row_count"] != tt.count || body["truncated"] != tt.truncated || len(body["rows"].([]any)) != int(tt.count) {
				t.Errorf("asked for %d, got %v", s.engine.asked[0].MaxRows, body)
			}
		})
	}
}

func TestQueryFailures(t *testing.T) {
	t.Parallel()
	engineText := &query.SQLError{Code: "query_error", Text: "Catalog Error: Table with name nope does not exist!"}
	tests := []struct {
		name, sql    string
		start, after error
		status       int
		detail       string
	}{
		{"the engine's words", "x", engineText, nil, 400, "Query error: Catalog Error: Table with name nope does not exist!"},
		{"the gate's words", "x", &query.SQLError{Code: "several_statements", Text: "Only one statement."}, nil, 400, "Only one statement."},
		{"in the middle", "x", nil, engineText, 400, "Query error: Catalog Error: Table with name nope does not exist!"},
		{"nothing to run", " ", nil, nil, 400, "There is no statement to run."},
		{"too long", strings.Repeat("x", 5000), nil, nil, 400, "The statement has 5000 bytes; at most 4096 are read."},
		{"no child free", "x", domain.E(domain.Limited, "busy", "All are busy."), nil, 429, "All are busy."},
		{"a child that died", "x", nil, domain.E(domain.Unavailable, "child_died", "The query was lost."), 503, "The query was lost."},
		{"stopped", "x", nil, domain.E(domain.Cancelled, "query_timeout", "Its time was up."), 503, "Its time was up."},
		{"a fault inside", "x", errors.New("pipe /srv/data broke"), nil, 500, "Internal server error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.engine.numbers(4, 2)
			s.engine.start, s.engine.after = tt.start, tt.after
			body := s.as(s.analyst, http.MethodPost, "/api/query", map[string]string{"sql": tt.sql}).is(tt.status)
			if body["detail"] != tt.detail {
				t.Errorf("detail %v, want %s", body["detail"], tt.detail)
			}
			if tt.after != nil && s.engine.closed != 1 {
				t.Error("the failed result was not closed")
			}
		})
	}
}

// Rows beyond what is held back leave as they come; a failure then must not
// look like an answer.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		s := newSite(t)
		s.engine.numbers(200_000, 10_000)
		if broken {
			s.engine.after = errors.New("the child died")
		}
		server := httptest.NewServer(s.handler)
		t.Cleanup(server.Close)
		token := s.mustToken(s.analyst)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/query", strings.NewReader(`{"sql":"x","limit":1000000}`))
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		response, err := server.Client().Do(r)
		must(t, err)
		raw, err := io.ReadAll(response.Body)
		must(t, response.Body.Close())
		if broken {
			if err == nil {
				t.Errorf("an answer that broke off looks whole, with %d bytes", len(raw))
			}
			continue
		}
		must(t, err)
		var body struct {
			Rows     [][]int64
			RowCount int `json:"row_count"`
		}
		must(t, json.Unmarshal(raw, &body))
		if body.RowCount != 200_000 || len(body.Rows) != 200_000 || body.Rows[199_999][0] != 199_999 {
			t.Errorf("%d rows", body.RowCount)
		}
	}
}
