package api_test

import (
	"net/http"
	"strings"
	"testing"

	"agnes/domain/people"
)

func TestCheckAccess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil)
	s.mustTable("secret", nil)
	s.mustGrant("orders")
	tests := []struct {
		who    people.User
		id     string
		status int
		detail string
	}{
		{s.analyst, "orders", 204, ""},
		{s.analyst, "ORDERS", 204, ""},
		{s.analyst, "secret", 403, "No access to table 'secret'. Ask an administrator for a grant of it to one of your groups."},
		{s.analyst, "nothing", 403, "No access to table 'nothing'. Ask an administrator for a grant of it to one of your groups."},
		{s.admin, "secret", 204, ""},
		{s.admin, "nothing", 404, "Table not found"},
		{s.analyst, "-orders", 404, "Table not found"},
		{s.analyst, "or%2Fders", 404, "Table not found"},
		{s.analyst, "orders%0A", 404, "Table not found"},
	}
	for _, tt := range tests {
		w := s.as(tt.who, http.MethodGet, "/api/data/"+tt.id+"/check-access", nil)
		if body := w.is(tt.status); tt.detail != "" && body["detail"] != tt.detail {
			t.Errorf("%s as %s: %v, want %s", tt.id, tt.who.Email, body["detail"], tt.detail)
		}
	}
	results := map[string]int{}
	for _, e := range s.audited("data.access_check") {
		results[e.Result]++
		if strings.ContainsAny(e.Resource, "\n/") {
			t.Errorf("audit names %q", e.Resource)
		}
	}
	if results["success"] != 3 || results["error.403"] != 2 || results["error.404"] != 4 {
		t.Errorf("audit rows by result: %v", results)
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	orders := s.mustTable("orders", nil)
	v := s.mustPublish(orders, 25) // 100 bytes
	s.mustTable("empty", nil)
	s.mustTable("secret", nil, 1)
	s.mustGrant("orders")
	s.mustGrant("empty")
	etag := `"` + string(v.ID) + `"`
	tests := []struct {
		name, method, id string
		headers          []string
		status, bytes    int
	}{
		{"whole", http.MethodGet, "orders", nil, 200, 100},
		{"a range", http.MethodGet, "orders", []string{"Range", "bytes=0-0"}, 206, 1},
		{"the end", http.MethodGet, "orders", []string{"Range", "bytes=-10"}, 206, 10},
		{"beyond", http.MethodGet, "orders", []string{"Range", "bytes=200-"}, 416, -1},
		{"a copy that is current", http.MethodGet, "orders", []string{"If-None-Match", etag}, 304, 0},
		{"a copy that is one of several", http.MethodGet, "orders", []string{"If-None-Match", `"other", ` + etag}, 304, 0},
		{"an old copy", http.MethodGet, "orders", []string{"If-None-Match", `"old"`}, 200, 100},
		{"going on with the same version", http.MethodGet, "orders", []string{"Range", "bytes=50-", "If-Range", etag}, 206, 50},
		{"going on with another version", http.MethodGet, "orders", []string{"Range", "bytes=50-", "If-Range", `"old"`}, 200, 100},
		{"the header only", http.MethodHead, "orders", nil, 200, 0},
		{"denied", http.MethodGet, "secret", nil, 403, -1},
		{"unknown", http.MethodGet, "nothing", nil, 403, -1},
		{"never synced", http.MethodGet, "empty", nil, 404, -1},
		{"no id", http.MethodGet, "a..%2F..%2Fb", nil, 404, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.as(s.analyst, tt.method, "/api/data/"+tt.id+"/download", nil, append(tt.headers, "Accept-Encoding", "gzip")...)
			if w.Code != tt.status || (tt.bytes >= 0 && w.Body.Len() != tt.bytes) {
				t.Fatalf("got %d with %d bytes, want %d with %d: %s", w.Code, w.Body.Len(), tt.status, tt.bytes, w.Body)
			}
			if w.Code == http.StatusOK || w.Code == http.StatusPartialContent {
				for name, want := range map[string]string{
					"ETag": etag, "Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="orders.parquet"`,
					"Accept-Ranges": "bytes", "Last-Modified": "Sun, 22 Nov 2026 14:00:00 GMT", "Cache-Control": "private, no-cache",
				} {
					if got := w.Header().Get(name); got != want {
						t.Errorf("%s = %q, want %q", name, got, want)
					}
				}
			}
		})
	}
	entries := s.audited("data.download")
	if countOf(entries, "success") != 9 || countOf(entries, "error.403") != 2 || countOf(entries, "error.404") != 2 {
		t.Errorf("%d audit rows, %+v", len(entries), entries)
	}
	entries = entries[4:] // those before were refused
	if entries[0].Resource != "table:orders" || entries[0].Params["bytes"] != 100.0 || entries[0].Params["format"] != "parquet" {
		t.Errorf("%d audit rows, %+v", len(entries), entries)
	}
}

// A grant that is taken back ends with the next request.
func TestARevokedGrantEndsDownloads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("orders", nil, 1)
	s.mustGrant("orders")
	s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil).is(http.StatusOK)
	for _, g := range s.as(s.admin, http.MethodGet, "/api/admin/grants?resource_id=orders", nil).list() {
		s.as(s.admin, http.MethodDelete, "/api/admin/grants/"+g["id"].(string), nil).is(http.StatusNoContent)
	}
	s.as(s.analyst, http.MethodGet, "/api/data/orders/download", nil).is(http.StatusForbidden)
}
