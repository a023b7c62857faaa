package handlers_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestPanicsAreSurvived lets handlers panic before they answer and in the
// middle of it: each costs one answer, and the server goes on.
func TestPanicsAreSurvived(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	server := s.serve()
	fetch := func(path string) (int, string, error) {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, string(body), err
	}
	survived := 0
	for range 10 {
		code, body, err := fetch("/api/panic")
		if err != nil || code != http.StatusInternalServerError || strings.Contains(body, "secret") {
			t.Errorf("a panic before the answer: %d %s, %v; want a 500 that says nothing of it", code, body, err)
			continue
		}
		if _, _, err := fetch("/api/half"); err == nil {
			t.Error("a panic in the middle of an answer: it looks whole")
			continue
		}
		if code, _, err := fetch("/api/open"); err != nil || code != http.StatusOK {
			t.Errorf("afterwards: %d, %v", code, err)
			continue
		}
		survived += 2
	}
	t.Logf("R19: %d of 20 panics in handlers survived", survived)
	if got := strings.Count(s.log.String(), `"msg":"panic"`); got < 20 { // a client may ask again when nothing came
		t.Errorf("%d panics are in the log, want 20 at least", got)
	}
}
