package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// A table whose columns could not be counted says why, after its 404.
func TestProfileThatFailedSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustTable("broken", nil, 3)
	s.mustProfiler()
	s.as(s.admin, http.MethodPost, "/api/catalog/profile/broken/refresh", nil).is(http.StatusServiceUnavailable)
	if says := s.as(s.admin, http.MethodGet, "/api/catalog/profile/broken", nil).is(http.StatusNotFound)["detail"].(string); !strings.Contains(says, "The work ended.") {
		t.Errorf("detail %q", says)
	}
}
