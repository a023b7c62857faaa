package syncs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/work"
)

func person() audit.Actor { return audit.Actor{UserID: "u1", Email: "ada@example.com"} }

func TestRenameServesTheLoserUnderAnotherName(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "a", Fingerprint: "1"}, {Name: "b", Fingerprint: "1"}}
	w.inside["a"] = []work.SourceTable{{Name: "leads"}}
	w.inside["b"] = []work.SourceTable{{Name: "leads"}, {Name: "select"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	p := w.sources["b"].Problems
	if len(p) != 2 || p[0].Code != "name_taken" || p[0].Owner != "a" || !p[0].Since.Equal(w.now) {
		t.Fatalf("problems of b = %+v", p)
	}
	for name, c := range map[string]struct{ source, table, name, code string }{
		"taken":          {"b", "leads", "LEADS", "invalid_name"},
		"reserved":       {"b", "leads", "where", "invalid_name"},
		"no name":        {"b", "leads", "no name", "invalid_name"},
		"no such table":  {"b", "orders", "orders2", "source_table_not_found"},
		"no such source": {"c", "leads", "leads2", "source_table_not_found"},
	} {
		if _, err := watch.Rename(t.Context(), person(), c.source, c.table, c.name, nil); domain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	s, err := watch.Rename(t.Context(), person(), "b", "leads", " b_leads ", nil)
	if err != nil || len(s.Problems) != 1 || len(s.Tables) != 1 || s.Tables[0].Name != "b_leads" {
		t.Fatalf("renamed: %+v, %v", s, err)
	}
	if end := <-w.finished; end.Table != "b_leads" || end.State != OK {
		t.Errorf("run = %+v", end)
	}
	if got := w.tables["b_leads"]; got.SourceTable != "leads" || got.Bucket != "b" {
		t.Errorf("table = %+v", got.Table)
	}
	if s, err = watch.Rename(t.Context(), person(), "b", "select", "choice", nil); err != nil || len(s.Problems) != 0 {
		t.Errorf("a reserved word under another name: %+v, %v", s, err)
	}
	<-w.finished
	runs := len(w.runs)
	if _, err := watch.Rename(t.Context(), person(), "b", "leads", "prospects", nil); err != nil {
		t.Fatal(err)
	}
	if got := w.tables["b_leads"]; got.Name != "prospects" || len(w.runs) != runs {
		t.Errorf("a served table keeps its id and its rows: name %q, %d runs more", got.Name, len(w.runs)-runs)
	}
}

func TestTablesThatLeaveTheirSource(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}, {Name: "deals"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	<-w.finished
	w.inside["crm"], w.dirs[0].Fingerprint = w.inside["crm"][:1], "2"
	tick(t, watch, 2)
	<-w.finished
	st := w.tables["deals"].Status
	if st.State != "error" || st.ErrorCode != GoneUpstream || st.Error == "" || st.NextStep == "" || w.tables["deals"].Version == nil {
		t.Errorf("a table that left: %+v", st)
	}
	if s := w.sources["crm"]; len(s.Tables) != 2 || !s.Tables[1].Gone {
		t.Errorf("source = %+v", s.Tables)
	}
	if (&Scheduler{Log: watch.Log}).due(registry.Published{Table: registry.Table{SyncSchedule: "every 1m"}, Status: st}, w.now) {
		t.Error("a table that left is synced by the clock")
	}
	runs, err := watch.Syncer.Trigger(t.Context(), person(), ByPerson, nil)
	if err != nil || len(runs) != 1 {
		t.Errorf("syncing all tables took %d, %v, want the one that is offered", len(runs), err)
	}
	<-w.finished
	w.inside["crm"], w.dirs[0].Fingerprint = []work.SourceTable{{Name: "people"}, {Name: "deals"}}, "3"
	tick(t, watch, 2)
	<-w.finished
	<-w.finished
	if st := w.tables["deals"].Status; st.ErrorCode != "" {
		t.Errorf("a table that is back: %+v", st)
	}
	w.dirs = nil
	tick(t, watch, 3)
	if st := w.tables["people"].Status; st.ErrorCode != GoneUpstream || !strings.Contains(st.Error, "crm") {
		t.Errorf("a table whose source is gone: %+v", st)
	}
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "3"}}
	tick(t, watch, 2)
	<-w.finished
	<-w.finished
	if s := w.sources["crm"]; s.State != SourceOK || s.GoneAt != nil || w.tables["people"].Status.ErrorCode != "" {
		t.Errorf("a source that is back: %+v", s)
	}
}

func TestProblemsKeepTheirDate(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "lost", Code: "table_missing", Problem: "There is none."}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	first := w.now
	w.now = w.now.Add(time.Hour)
	s, err := watch.Inspect(t.Context(), person(), "crm")
	if err != nil || !s.Problems[0].Since.Equal(first) || !s.CheckedAt.Equal(w.now) {
		t.Errorf("looked again: %+v, %v", s, err)
	}
	if _, err := watch.Inspect(t.Context(), person(), "nothing"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a source that is nowhere: %v", err)
	}
}

func TestATableThatCannotBeReadAnyMoreSaysSo(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	w.inside["crm"][0].Code, w.inside["crm"][0].Problem = "table_unreadable", "People cannot be read."
	w.dirs[0].Fingerprint = "2"
	tick(t, watch, 2)
	if st := w.tables["people"].Status; st.State != "error" || st.ErrorCode != "table_unreadable" {
		t.Errorf("status = %+v", st)
	}
	if s := w.sources["crm"]; len(s.Tables) != 1 || s.Tables[0].Gone || len(s.Problems) != 1 {
		t.Errorf("source = %+v", s)
	}
}

func TestInspectIgnoresTheRest(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "bad", Fingerprint: "1"}}
	w.broken["bad"] = &work.ChildError{Kind: domain.Unavailable, Failure: work.Failure{Code: "extract_locked", Message: "It is being written."}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	delete(w.broken, "bad")
	if s, err := watch.Inspect(t.Context(), person(), "bad"); err != nil || s.State != SourceOK {
		t.Errorf("looked again: %+v, %v", s, err)
	}
}

func TestRemotePolicy(t *testing.T) {
	asked := []string{}
	policy := RemotePolicy{
		Extensions: []string{"keboola"}, TokenEnvs: []string{"KBC_TOKEN", "EMPTY", "UNSET"},
		Token: func(name string) (string, bool) {
			asked = append(asked, name)
			v, ok := map[string]string{"KBC_TOKEN": "s3cret", "EMPTY": ""}[name]
			return v, ok
		},
	}
	good := work.RemoteRow{Alias: "kbc", Extension: "keboola", URL: "https://x.example", TokenEnv: "KBC_TOKEN"}
	for name, c := range map[string]struct {
		change func(*work.RemoteRow)
		code   string
	}{
		"good":                  {func(*work.RemoteRow) {}, ""},
		"without a token":       {func(r *work.RemoteRow) { r.TokenEnv = "" }, ""},
		"alias":                 {func(r *work.RemoteRow) { r.Alias = `x" (TYPE y); --` }, "alias_invalid"},
		"alias with a newline":  {func(r *work.RemoteRow) { r.Alias = "kbc\n" }, "alias_invalid"},
		"extension":             {func(r *work.RemoteRow) { r.Extension = "../evil" }, "extension_invalid"},
		"another extension":     {func(r *work.RemoteRow) { r.Extension = "httpfs" }, "extension_not_allowed"},
		"variable in lower":     {func(r *work.RemoteRow) { r.TokenEnv = "path" }, "token_env_invalid"},
		"variable with a break": {func(r *work.RemoteRow) { r.TokenEnv = "KBC_TOKEN\n" }, "token_env_invalid"},
		"another variable":      {func(r *work.RemoteRow) { r.TokenEnv = "JWT_SECRET_KEY" }, "token_env_not_allowed"},
		"no value":              {func(r *work.RemoteRow) { r.TokenEnv = "UNSET" }, "token_missing"},
		"an empty value":        {func(r *work.RemoteRow) { r.TokenEnv = "EMPTY" }, "token_missing"},
	} {
		row := good
		c.change(&row)
		try, refused := policy.Judge([]work.RemoteRow{row})
		switch {
		case c.code == "" && (len(try) != 1 || len(refused) != 0):
			t.Errorf("%s: try %v, refused %v", name, try, refused)
		case c.code != "" && (len(try) != 0 || len(refused) != 1 || refused[0].Code != c.code || refused[0].Message == ""):
			t.Errorf("%s: try %v, refused %+v, want %s", name, try, refused, c.code)
		}
		for _, r := range refused {
			if text := r.Message + r.Alias + r.Extension; strings.Contains(text, "s3cret") || strings.Contains(text, row.URL) || strings.Contains(text, "\n") {
				t.Errorf("%s: told %+v", name, r)
			}
		}
	}
	for _, name := range asked {
		if name == "JWT_SECRET_KEY" || name == "path" {
			t.Errorf("the variable %s was read", name)
		}
	}
	try, refused := policy.Judge([]work.RemoteRow{good, {Alias: "KBC", Extension: "keboola", URL: "https://y.example"}})
	if len(try) != 1 || try[0].URL != good.URL || try[0].Token != "s3cret" || len(refused) != 1 || refused[0].Code != "alias_taken" {
		t.Errorf("the first row counts: %+v, %+v", try, refused)
	}
	if _, refused := policy.Judge(make([]work.RemoteRow, 100)); len(refused) != maxRemote+1 {
		t.Errorf("%d rows were told of", len(refused))
	}
}

func TestRemoteTablesAreListedAndNeverSynced(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "far", QueryMode: "remote"}}
	w.outside["crm"] = []work.RemoteRow{{Alias: "kbc", Extension: "keboola", URL: "https://hidden.example", TokenEnv: "KBC_TOKEN"}, {Alias: "x", Extension: "evil"}}
	w.answers["kbc"] = work.Attached{Alias: "kbc", Code: "extension_missing", Message: "Not installed."}
	watch := w.watcher(t)
	watch.Remote = RemotePolicy{Extensions: []string{"keboola"}, TokenEnvs: []string{"KBC_TOKEN"}, Token: func(string) (string, bool) { return "s3cret", true }}
	tick(t, watch, 2)
	got := w.tables["far"]
	if got.QueryMode != registry.ModeRemote || got.Status.State != ModeMark || got.Status.Error != "" || len(w.runs) != 0 {
		t.Errorf("table = %+v, runs %v", got, w.runs)
	}
	if len(w.attached) != 1 || w.attached[0].Token != "s3cret" {
		t.Errorf("tried %v", w.attached)
	}
	s := w.sources["crm"]
	if len(s.Remote) != 2 || s.Remote[0].Code != "extension_not_allowed" || s.Remote[1].Code != "extension_missing" {
		t.Errorf("outside systems = %+v", s.Remote)
	}
	w.attachErr, w.answers = errors.New("child died"), nil
	if s, err := watch.Inspect(t.Context(), person(), "crm"); err != nil || s.State != SourceOK {
		t.Errorf("a child that died: %+v, %v", s, err)
	}
	w.inside["crm"][0].QueryMode, w.dirs[0].Fingerprint = "local", "2"
	tick(t, watch, 2)
	<-w.finished
	if got := w.tables["far"]; got.QueryMode != registry.ModeLocal || got.Status.State == ModeMark {
		t.Errorf("a table that is copied now: %+v", got)
	}
}
