package syncs

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/work"
)

// outsiders are sources that name outside systems, all of them allowed.
func outsiders(t *testing.T, names ...string) (*world, *Watcher) {
	t.Helper()
	w := newWorld()
	for _, alias := range []string{"kbc", "other", "mine", "bq"} {
		w.answers[alias] = work.Attached{Alias: alias}
	}
	for _, n := range names {
		w.dirs = append(w.dirs, ExtractDir{Name: n, Fingerprint: "1"})
		w.inside[n] = []work.SourceTable{{Name: n + "_far", QueryMode: "remote"}}
	}
	watch := w.watcher(t)
	watch.Remote = RemotePolicy{
		Extensions: []string{"keboola", "bigquery"}, TokenEnvs: []string{"KBC_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"},
		Token: func(name string) (string, bool) { return "value of " + name, true },
	}
	return w, watch
}

func TestAnAliasBelongsToItsFirstSource(t *testing.T) {
	t.Parallel()
	w, watch := outsiders(t, "a", "b")
	row := work.RemoteRow{Alias: "kbc", Extension: "keboola", URL: "https://hidden.example"}
	w.outside["a"], w.outside["b"] = []work.RemoteRow{row}, []work.RemoteRow{row, {Alias: "other", Extension: "keboola", URL: "https://y.example"}}
	tick(t, watch, 2)
	if got := w.sources["a"].Remote; len(got) != 1 || got[0].Code != "" {
		t.Errorf("the first source: %+v", got)
	}
	got := w.sources["b"].Remote
	if len(got) != 2 || got[0].Code != "alias_taken" || got[0].Owner != "a" || !strings.Contains(got[0].Message, "source a named") || got[1].Code != "" {
		t.Errorf("the second source: %+v", got)
	}
	if len(w.attached) != 2 {
		t.Errorf("tried %v, want kbc of a and other of b", w.attached)
	}
	if s := w.tables["b_far"].Status; s.ErrorCode != "alias_taken" {
		t.Errorf("a table of the second source: %+v", s)
	}

	// Broken and gone, the owner keeps it; what it does not name any more is free.
	w.broken["a"], w.dirs[0].Fingerprint = errors.New("damaged"), "2"
	tick(t, watch, 2)
	look := func(source, code string) {
		t.Helper()
		s, err := watch.Inspect(t.Context(), person(), source)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Remote) == 0 || s.Remote[0].Code != code {
			t.Errorf("%s looked at again: %+v, want %q", source, s.Remote, code)
		}
	}
	look("b", "alias_taken")
	delete(w.broken, "a")
	w.outside["a"][0].Alias = "mine"
	look("a", "")
	look("b", "")
	w.outside["a"][0].Alias = "kbc"
	look("a", "alias_taken")

	// So it does while its list cannot be read: that says nothing of what it names.
	named := w.outside["b"]
	w.outside["b"] = []work.RemoteRow{{Unreadable: true}}
	look("b", "remote_unreadable")
	look("a", "alias_taken")
	w.outside["b"] = named
	look("b", "")
}

func TestBigQueryGetsATokenOfGoogles(t *testing.T) {
	t.Parallel()
	w, watch := outsiders(t, "dwh")
	watch.Remote.QueryTimeout = time.Minute
	var files []string
	watch.Remote.Google = func(_ context.Context, file string) (string, error) {
		files = append(files, file)
		if file != "" {
			return "", domain.E(domain.Unavailable, "google_credentials_unreadable", "No.")
		}
		return "ya29.short", nil
	}
	w.outside["dwh"] = []work.RemoteRow{
		{Alias: "bq", Extension: "bigquery", URL: "project=p"},
		{Alias: "bq2", Extension: "bigquery", URL: "project=q", TokenEnv: "GOOGLE_APPLICATION_CREDENTIALS"},
		{Alias: "kbc", Extension: "keboola", URL: "https://x.example", TokenEnv: "KBC_TOKEN"},
	}
	tick(t, watch, 2)
	if len(w.attached) != 2 {
		t.Fatalf("tried %v", w.attached)
	}
	if a := w.attached[0]; a.Token != "ya29.short" || a.QueryTimeout != time.Minute {
		t.Errorf("BigQuery is asked with %q for %s", a.Token, a.QueryTimeout)
	}
	if a := w.attached[1]; a.Token != "value of KBC_TOKEN" || a.QueryTimeout != 0 {
		t.Errorf("another system is asked with %q for %s", a.Token, a.QueryTimeout)
	}
	if len(files) != 2 || files[1] != "value of GOOGLE_APPLICATION_CREDENTIALS" {
		t.Errorf("credentials of %q", files)
	}
	for _, r := range w.sources["dwh"].Remote {
		if r.Alias == "bq2" && (r.Code != "token_missing" || strings.Contains(r.Message, "value of")) {
			t.Errorf("without a token: %+v", r)
		}
	}
}
