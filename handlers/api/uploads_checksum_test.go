package api_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// sums returns the header Upload-Checksum of a text, by algorithm.
func sums(text string) map[string]string {
	one, two := sha1.Sum([]byte(text)), sha256.Sum256([]byte(text))
	return map[string]string{
		"sha1": "sha1 " + base64.StdEncoding.EncodeToString(one[:]), "sha256": "sha256 " + base64.StdEncoding.EncodeToString(two[:]),
	}
}

func TestUploadWithAChecksum(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	content := "id,name\n1,Ada\n"
	at := s.mustBegin(s.admin, "people.csv", len(content))
	for name, sum := range map[string]string{
		"another algorithm": "md5 1B2M2Y8AsgTpgAmY7PhCfg==", "no base64": "sha1 ???", "too short": "sha256 AAAA", "nothing but a name": "sha1",
	} {
		if says := s.detail(s.patch(s.admin, at, 0, content, "Upload-Checksum", sum), http.StatusBadRequest); !strings.Contains(says, "sha1 or sha256") {
			t.Errorf("%s: %s", name, says)
		}
	}
	if says := s.detail(s.patch(s.admin, at, 0, content[:5], "Upload-Checksum", sums("other")["sha1"]), 460); !strings.Contains(says, "send them again") {
		t.Errorf("bytes that were changed: %s", says)
	}
	if says := s.detail(s.patch(s.admin, at, 0, content, "Upload-Checksum", sums("other")["sha256"]), 460); says == "" {
		t.Error("a whole file that was changed is taken")
	}
	if got := s.offset(s.admin, at); got != "0" {
		t.Errorf("of bytes that were changed %s count", got)
	}
	if got := s.patch(s.admin, at, 0, content[:5], "Upload-Checksum", sums(content[:5])["sha1"]); got.Code != http.StatusNoContent || got.Header().Get("Upload-Offset") != "5" {
		t.Errorf("with sha1: %d at %s", got.Code, got.Header().Get("Upload-Offset"))
	}
	if got := s.patch(s.admin, at, 5, content[5:], "Upload-Checksum", sums(content[5:])["sha256"]); got.Code != http.StatusNoContent {
		t.Errorf("with sha256: %d %s", got.Code, got.Body)
	}
	if list := s.as(s.admin, http.MethodGet, "/api/uploads", nil).is(http.StatusOK)["uploads"].([]any); len(list) != 0 {
		t.Errorf("the whole file is still open: %v", list)
	}
}

func TestUploadsOfOnePersonAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var last string
	for range unfinished {
		last = s.mustBegin(s.admin, "a.csv", 4)
	}
	begin := func() reply {
		return s.as(s.admin, http.MethodPost, "/api/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Length", "4", "Upload-Metadata", metadata("filename", "a.csv"))
	}
	if says := s.detail(begin(), http.StatusTooManyRequests); !strings.Contains(says, "throw one away") {
		t.Errorf("one more: %s", says)
	}
	if got := s.patch(s.admin, last, 0, "a\n1\n"); got.Code != http.StatusNoContent {
		t.Fatalf("the last of them does not go on: %d", got.Code)
	}
	begin().is(http.StatusCreated) // one that is whole does not count
}
