package syncs

import (
	"errors"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// TestATableThatCanBeReadAgainIsSynced: the cause lay outside the files, so
// nothing of the extract changed when it went.
func TestATableThatCanBeReadAgainIsSynced(t *testing.T) {
	for _, code := range []string{"table_unreadable", "table_too_slow"} {
		t.Run(code, func(t *testing.T) {
			w := newWorld()
			w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
			w.inside["crm"] = []work.SourceTable{{Name: "people"}}
			watch := w.watcher(t)
			tick(t, watch, 2)
			<-w.finished
			w.inside["crm"][0].Code, w.inside["crm"][0].Problem = code, "People cannot be read."
			w.dirs[0].Fingerprint = "2"
			tick(t, watch, 2)
			if st := w.tables["people"].Status; st.ErrorCode != code {
				t.Fatalf("status = %+v", st)
			}
			w.inside["crm"][0].Code, w.inside["crm"][0].Problem = "", ""
			tick(t, watch, 1)
			if n := len(w.runs); n != 1 {
				t.Fatalf("%d runs before the source rested", n)
			}
			w.now = w.now.Add(retryPart)
			tick(t, watch, 1)
			if end := <-w.finished; end.State != OK || end.Table != "people" {
				t.Errorf("run = %+v", end)
			}
			if st := w.tables["people"].Status; st.ErrorCode != "" {
				t.Errorf("status = %+v", st)
			}
			w.now = w.now.Add(retryPart)
			tick(t, watch, 1)
			if n := len(w.runs); n != 2 {
				t.Errorf("%d runs, want no more of a source that is well", n)
			}
		})
	}
}

// TestATableThatGotItsNameAgainIsSynced: it was served before, so the rows may
// be newer than what it serves.
func TestATableThatGotItsNameAgainIsSynced(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	w.owners["people"], w.dirs[0].Fingerprint = "other", "2"
	tick(t, watch, 2)
	if st := w.tables["people"].Status; st.ErrorCode != "name_taken" {
		t.Fatalf("status = %+v", st)
	}
	delete(w.owners, "people")
	if s, err := watch.Inspect(t.Context(), person(), "crm"); err != nil || len(s.Problems) != 0 {
		t.Fatalf("looked again: %+v, %v", s, err)
	}
	if end := <-w.finished; end.State != OK || end.Table != "people" {
		t.Errorf("run = %+v", end)
	}
	if st := w.tables["people"].Status; st.ErrorCode != "" {
		t.Errorf("status = %+v", st)
	}
}

// TestANameThatIsFreeGoesToWhoWaitsForIt: its owner left without a change to
// the files of the one that wants it.
func TestANameThatIsFreeGoesToWhoWaitsForIt(t *testing.T) {
	w := newWorld()
	w.owners["people"] = "old"
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}, {Name: "deals"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	delete(w.owners, "people")
	delete(w.tables, "deals") // by an administrator, who was told that the extractor's next run brings it back
	w.now = w.now.Add(retryPart)
	tick(t, watch, 1)
	if end := <-w.finished; end.Table != "people" {
		t.Errorf("run = %+v", end)
	}
	if s := w.sources["crm"]; len(s.Problems) != 0 || len(s.Tables) != 2 {
		t.Errorf("source = %+v", s)
	}
	if _, back := w.tables["deals"]; back {
		t.Error("a table that was removed came back without a run of its extractor")
	}
	if _, err := watch.Inspect(t.Context(), person(), "crm"); err != nil {
		t.Fatal(err)
	}
	if end := <-w.finished; end.Table != "deals" {
		t.Errorf("run of a table that somebody asked for = %+v", end)
	}
}

// TestARowTwiceInMetaIsNoReasonToSyncAgain: the first row counts and is served.
func TestARowTwiceInMetaIsNoReasonToSyncAgain(t *testing.T) {
	w := newWorld()
	w.owners["taken"] = "old"
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{
		{Name: "people"}, {Name: "people", Code: "table_name_doubled", Problem: "The first row counts."}, {Name: "taken"},
	}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	w.now = w.now.Add(retryPart)
	tick(t, watch, 2)
	if n := len(w.runs); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// TestASourceSaysWhatNext: who reads why an extract is refused has to know what
// to do about it.
func TestASourceSaysWhatNext(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code string
		want string
	}{
		"refused": {
			&work.ChildError{Failure: work.Failure{Code: "extract_too_new", Message: "It was written by a newer DuckDB.", NextStep: "Let the extractor write an older one."}},
			"extract_too_new", "It was written by a newer DuckDB. Let the extractor write an older one.",
		},
		"a fault of Agnes": {
			errors.New("open /srv/x: no"),
			"internal", "Agnes could not look at this extract because of a fault of its own. What was synced before is still served. Look for the source in the server's log.",
		},
		"without a next step": {domain.E(domain.Unavailable, "extract_too_slow", "It took too long."), "extract_too_slow", "It took too long."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
			w.broken["crm"] = c.err
			tick(t, w.watcher(t), 2)
			if s := w.sources["crm"]; s.State != SourceBroken || s.Code != c.code || s.Message != c.want {
				t.Errorf("source = %+v", s)
			}
		})
	}
}

// TestNamesOfSourcesDifferInCase: crm and CRM are two folders, and the one that
// loses a name is told who has it.
func TestNamesOfSourcesDifferInCase(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "CRM", Fingerprint: "1"}, {Name: "crm", Fingerprint: "1"}}
	w.inside["CRM"] = []work.SourceTable{{Name: "leads"}}
	w.inside["crm"] = []work.SourceTable{{Name: "leads"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	p := w.sources["crm"].Problems
	if len(p) != 1 || p[0].Code != "name_taken" || p[0].Owner != "CRM" {
		t.Errorf("problems of crm = %+v", p)
	}
	if _, err := watch.Rename(t.Context(), person(), "crm", "leads", "CRM_leads", nil); err != nil {
		t.Fatal(err)
	}
	if end := <-w.finished; end.State != OK || w.tables[end.Table].Bucket != "crm" {
		t.Errorf("run = %+v", end)
	}
}

// TestATableOutsideThatLeavesItsSource: no rows of it are here, so none are
// said to be served.
func TestATableOutsideThatLeavesItsSource(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "far", QueryMode: "remote"}, {Name: "here"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	w.inside["crm"], w.dirs[0].Fingerprint = nil, "2"
	tick(t, watch, 2)
	for id, served := range map[string]bool{"far": false, "here": true} {
		st := w.tables[registry.TableID(id)].Status
		if st.ErrorCode != GoneUpstream || strings.Contains(st.Error, "still served") != served {
			t.Errorf("%s: %+v", id, st)
		}
	}
	w.inside["crm"], w.dirs[0].Fingerprint = []work.SourceTable{{Name: "far", QueryMode: "remote"}, {Name: "here", QueryMode: "remote"}}, "3"
	tick(t, watch, 2)
	for _, id := range []registry.TableID{"far", "here"} {
		if got := w.tables[id]; got.QueryMode != registry.ModeRemote || got.Status.State != ModeMark || got.Status.Error != "" {
			t.Errorf("%s is back, outside: %+v", id, got.Status)
		}
	}
}

// TestAFolderThatGotAnotherName: its tables belong to the folder of before until
// somebody removes them, and who looks at the new one is told so.
func TestAFolderThatGotAnotherName(t *testing.T) {
	w := newWorld()
	w.dirs = []ExtractDir{{Name: "crm", Fingerprint: "1"}}
	w.inside["crm"] = []work.SourceTable{{Name: "people"}}
	watch := w.watcher(t)
	tick(t, watch, 2)
	<-w.finished
	w.dirs = []ExtractDir{{Name: "sales", Fingerprint: "1"}}
	w.inside["sales"] = w.inside["crm"]
	tick(t, watch, 3)
	w.now = w.now.Add(retryPart)
	tick(t, watch, 1)
	p := w.sources["sales"].Problems
	if len(p) != 1 || p[0].Owner != "crm" || !strings.Contains(p[0].Message, "which is gone") || !strings.Contains(p[0].Message, "Remove that table") {
		t.Fatalf("problems = %+v", p)
	}
	delete(w.tables, "people")
	delete(w.owners, "people")
	tick(t, watch, 1)
	if _, known := w.sources["crm"]; known {
		t.Error("a source that is gone, without tables, is still known")
	}
	w.now = w.now.Add(retryPart)
	tick(t, watch, 1)
	if end := <-w.finished; end.State != OK || w.tables[end.Table].Bucket != "sales" {
		t.Errorf("run = %+v", end)
	}
}
