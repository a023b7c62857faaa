package api_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"agnes/domain"
	"agnes/domain/people"
	"agnes/domain/registry"
)

func TestCatalogListsWhatIsGranted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", func(t *registry.Table) { t.Description = "One row per order" }, 25)
	s.mustTable("secret", nil, 1)
	s.mustTable("new", nil)
	s.mustGrant("orders")
	s.mustGrant("new")
	for _, path := range []string{"/api/catalog/tables", "/api/v2/catalog?refresh=1"} {
		for who, want := range map[*people.User]string{&s.analyst: "new orders", &s.admin: "new orders secret"} {
			var names []string
			for _, v := range s.as(*who, http.MethodGet, path, nil).is(200)["tables"].([]any) {
				names = append(names, v.(map[string]any)["name"].(string))
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s for %s: %s, want %s", path, who.Email, got, want)
			}
		}
	}
	got := s.as(s.analyst, http.MethodGet, "/api/catalog/tables", nil).Body.String()
	want := `{"tables":[{"id":"new","name":"new","description":null,"source_type":"local","sync_strategy":"full_refresh","query_mode":"local"},` +
		`{"id":"orders","name":"orders","description":"One row per order","source_type":"local","sync_strategy":"full_refresh","query_mode":"local"}],"count":2}`
	if strings.TrimSpace(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = s.as(s.analyst, http.MethodGet, "/api/v2/catalog", nil).Body.String()
	want = `{"id":"orders","name":"orders","description":"One row per order","source_type":"local","query_mode":"local","sql_flavor":"duckdb","where_examples":[],` +
		`"fetch_via":"agnes pull","rough_size_hint":"small","rows":25,"size_bytes":100,"partition_by":null,"clustered_by":[],"entity_type":null,"metadata_freshness":"not_applicable"}`
	if !strings.Contains(got, want) || !strings.Contains(got, `"rough_size_hint":null,"rows":null`) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(s.audited("catalog.list")) == 0 {
		t.Error("listing left no audit row")
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustTable("secret", nil, 1)
	s.mustTable("new", nil)
	s.mustGrant("orders")
	s.mustGrant("new")
	got := strings.TrimSpace(s.as(s.analyst, http.MethodGet, "/api/v2/schema/orders", nil).Body.String())
	want := `{"table_id":"orders","source_type":"local","sql_flavor":"duckdb","columns":[{"name":"id","type":"BIGINT","nullable":true,"description":""},` +
		`{"name":"name","type":"VARCHAR","nullable":true,"description":""}],"partition_by":null,"clustered_by":[],"where_dialect_hints":{}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if body := s.as(s.analyst, http.MethodGet, "/api/v2/schema/new", nil).is(200); len(body["columns"].([]any)) != 0 {
		t.Errorf("a table that was never synced: %v", body)
	}
	for path, status := range map[string]int{"schema/secret": 403, "schema/nothing": 403, "schema/a%20b": 404, "sample/secret": 403, "sample/nothing": 403} {
		s.as(s.analyst, http.MethodGet, "/api/v2/"+path, nil).is(status)
	}
	s.as(s.admin, http.MethodGet, "/api/v2/schema/nothing", nil).is(404)
}

func TestSample(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustTable("new", nil)
	s.engine.schema = arrow.NewSchema([]arrow.Field{
		{Name: "f", Type: arrow.PrimitiveTypes.Float64}, {Name: "g", Type: arrow.PrimitiveTypes.Float32}, {Name: "n", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	s.engine.columns = []registry.Column{{Name: "f"}, {Name: "g"}, {Name: "n"}}
	s.engine.batches = []func(*array.RecordBuilder){func(b *array.RecordBuilder) {
		b.Field(0).(*array.Float64Builder).AppendValues([]float64{math.NaN(), 0.5}, nil)
		b.Field(1).(*array.Float32Builder).AppendValues([]float32{float32(math.Inf(1)), 0.25}, nil)
		b.Field(2).(*array.Int64Builder).AppendValues([]int64{1, 0}, []bool{true, false})
	}}
	got := strings.TrimSpace(s.as(s.admin, http.MethodGet, "/api/v2/sample/orders?n=2", nil).Body.String())
	want := `{"table_id":"orders","rows":[{"f":null,"g":null,"n":1},{"f":0.5,"g":0.25,"n":null}],"source":"local"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if asked := s.engine.asked[0]; asked.SQL != `SELECT * FROM "orders" LIMIT 2` || asked.MaxRows != 2 || s.engine.closed != 1 {
		t.Errorf("asked %+v, %d closed", asked, s.engine.closed)
	}
	if body := s.as(s.admin, http.MethodGet, "/api/v2/sample/new", nil).is(200); len(body["rows"].([]any)) != 0 {
		t.Errorf("a table that was never synced: %v", body)
	}
	for query, status := range map[string]int{"?n=0": 422, "?n=101": 422, "?n=x": 422, "?n=100": 200} {
		s.as(s.admin, http.MethodGet, "/api/v2/sample/orders"+query, nil).is(status)
	}
	s.engine.start = domain.E(domain.Limited, "busy", "All are busy.")
	s.as(s.admin, http.MethodGet, "/api/v2/sample/orders", nil).is(429)
	s.engine.start, s.engine.after = nil, errors.New("broke")
	s.as(s.admin, http.MethodGet, "/api/v2/sample/orders", nil).is(500)
}

func TestSizeHints(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const mib = 1 << 20
	for i, tt := range []struct {
		bytes int64
		want  string
	}{{0, "small"}, {100 * mib, "small"}, {100*mib + 1, "medium"}, {1024 * mib, "medium"}, {1024*mib + 1, "large"}, {10*1024*mib + 1, "very_large"}} {
		table := s.mustTable(string(rune('a'+i))+"_table", nil)
		v := s.mustPublish(table, 1)
		v.ID, v.Bytes = v.ID+"-big", tt.bytes
		_, err := s.store.PublishVersion(t.Context(), v)
		must(t, err)
		var body struct {
			Tables []struct {
				ID   string
				Hint string `json:"rough_size_hint"`
			}
		}
		must(t, json.Unmarshal(s.as(s.admin, http.MethodGet, "/api/v2/catalog", nil).Body.Bytes(), &body))
		if got := body.Tables[i]; got.Hint != tt.want {
			t.Errorf("%d bytes: %s, want %s", tt.bytes, got.Hint, tt.want)
		}
	}
}
