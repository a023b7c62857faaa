package views

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// testVersions is a table with four versions, the newest of which is held.
func testVersions(admin bool) TableView {
	v := TableView{Table: testTables()[0], Tab: TabVersions, Admin: admin, Now: noon()}
	v.Table.Guard, v.Table.Status.State = registry.DefaultGuard(), registry.StatusHeld
	v.Guard = GuardFormOf(v.Table.Guard)
	held := testHeld()
	version := func(id string, rows int64, ago time.Duration, cause string, names ...string) registry.Version {
		made := registry.Version{
			ID: registry.VersionID(id), Table: v.Table.ID, RunID: "01JD8Z5T3K" + id, Rows: rows, Bytes: rows * 40, CreatedAt: *before(ago),
			Cause: cause, Maker: "petra@hollisbrandt.eu", PublishedAt: before(ago),
		}
		for _, name := range names {
			made.Columns = append(made.Columns, registry.Column{Name: name, Type: "BIGINT"})
		}
		return made
	}
	versions := []registry.Version{
		version("v4", 28_400_000, 2*time.Hour, "schedule", "id", "store"), version("v3", 48_200_000, 26*time.Hour, "person", "id", "store"),
		version("v2", 48_100_000, 50*time.Hour, "upload", "id", "warehouse", "note"), version("v1", 48_100_000, 74*time.Hour, "schedule", "id", "warehouse", "note"),
	}
	versions[0].PublishedAt = nil
	v.Table.Version = &versions[1]
	v.Held = &held
	v.Versions = VersionRows(v.Table, versions, v.Held)
	if !admin {
		v.Held = nil
	}
	return v
}

func testHeld() syncs.Run {
	return syncs.Run{
		ID: "r9", Table: "orders", Name: "orders", State: syncs.Held, Code: registry.CodeShrinkGuard, Version: "v4",
		Message:  "It came back 41 % smaller: 28400000 rows instead of 48200000. People still read the rows from before.",
		NextStep: "Publish the new rows anyway, or keep the old ones.", QueuedAt: *before(2 * time.Hour), FinishedAt: before(2 * time.Hour),
	}
}

func testHeldSyncs() SyncsView {
	v := testSyncs()
	other := testHeld()
	other.ID, other.Table, other.Name, other.Code = "r10", "stores", "stores", registry.CodeSchemaChanged
	other.Message = "The columns changed and are frozen: city is gone. People still read the rows from before."
	v.Held = []HeldTable{
		{Run: testHeld(), Guard: registry.DefaultGuard()}, {Run: other, Guard: registry.Guard{ShrinkPercent: 20, Schema: registry.SchemaFreeze}},
	}
	v.Stopped = "Nothing new has been published since 22 Nov 14:02 UTC, because the server's disk did not confirm a write."
	return v
}

func TestVersionsTab(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, TablePage(testChrome(true), testVersions(true))))
	want := map[string][]string{
		"v4": {"Held", "28,400,000", "−19,800,000", "the same columns", "schedule"},
		"v3": {"Current", "+100,000", "warehouse and note are gone; store is new", "asked for by petra@hollisbrandt.eu"},
		"v2": {"Kept", "the same", "the same columns"},
		"v1": {"Kept", "none before it is kept", "rows · "},
	}
	for id, words := range want {
		row := doc.Find("#version-" + id).Text()
		for _, w := range words {
			if !strings.Contains(row, w) {
				t.Errorf("version %s lacks %q: %s", id, w, strings.Join(strings.Fields(row), " "))
			}
		}
	}
	if doc.Find("#version-v2 td[data-m]").Last().Find("form").Length() != 1 {
		t.Error("a phone does not show the button to restore")
	}
	var actions []string
	doc.Find(`form[action$="/restore"]`).Each(func(_ int, s *goquery.Selection) { actions = append(actions, s.AttrOr("action", "")) })
	if got := strings.Join(actions, " "); got != "/tables/orders/versions/v2/restore /tables/orders/versions/v1/restore" {
		t.Errorf("what can be restored: %s", got)
	}
	if doc.Find(`#held form[action="/runs/r9/publish"]`).Length() != 1 || doc.Find(`#held form[action="/runs/r9/discard"]`).Length() != 1 {
		t.Error("the page does not let an administrator decide about the held rows")
	}
	if got := doc.Find("#schema_policy option[selected]").AttrOr("value", ""); got != "evolve" {
		t.Errorf("the policy shown is %q", got)
	}
}

func TestVersionsTabOfAnAnalyst(t *testing.T) {
	t.Parallel()
	html := draw(t, TablePage(testChrome(false), testVersions(false)))
	doc := parse(t, html)
	if doc.Find("main form").Length() != 0 || strings.Contains(html, "petra@hollisbrandt.eu</span>") || strings.Contains(doc.Find("#version-v3").Text(), "petra@") {
		t.Error("an analyst is shown who asked, or offered to restore")
	}
	if doc.Find("#version-v3").Length() != 1 {
		t.Error("an analyst sees no versions")
	}
}

func TestHeldOnSyncs(t *testing.T) {
	t.Parallel()
	doc := parse(t, draw(t, SyncsPage(testChrome(true), testHeldSyncs())))
	text := doc.Find("main").Text()
	for _, want := range []string{"2 are held.", "came back smaller", "came back with other columns", "guard at 20 %", "Nothing new has been published"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if doc.Find(`form[action="/runs/r9/publish"]`).Length() != 1 || doc.Find(`form[action="/runs/r10/publish"]`).Length() != 0 {
		t.Error("frozen columns are offered to be published, or others not")
	}
	if doc.Find(`form[action$="/discard"]`).Length() != 2 {
		t.Error("not every held table can keep its old rows")
	}
}

func TestPreviewSaysThatRowsWillBeHeld(t *testing.T) {
	t.Parallel()
	table := registry.Published{Table: registry.Table{Guard: registry.DefaultGuard()}, Version: &registry.Version{Rows: 1000}}
	for _, c := range []struct {
		rows int64
		want string
	}{{999, ""}, {-1, ""}, {10, "99 % smaller"}} {
		v := PreviewView{Replaces: &table, Preview: files.Preview{TotalRows: c.rows}}
		if got := v.holdWords(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%d rows: %q, want %q", c.rows, got, c.want)
		}
	}
	if got := (PreviewView{}).holdWords(); got != "" {
		t.Errorf("a new table: %q", got)
	}
}

func TestArrivedAfterARestore(t *testing.T) {
	t.Parallel()
	made, synced, restored := *before(50 * time.Hour), *before(time.Hour), noon()
	table := registry.Published{Version: &registry.Version{CreatedAt: made, PublishedAt: &restored, Made: 1, Turn: 3}, Status: registry.SyncStatus{LastSync: &synced}}
	if got := arrived(table); !got.Equal(made) {
		t.Errorf("rows gone back to arrived %v, want %v", got, made)
	}
	early := *before(99 * time.Hour) // the clock was set back before
	table.Version.PublishedAt = &early
	if got := arrived(table); !got.Equal(made) {
		t.Errorf("after a clock was set back they arrived %v, want %v", got, made)
	}
	table.Version.PublishedAt, table.Version.Turn = &made, 1
	if got := arrived(table); !got.Equal(synced) {
		t.Errorf("rows arrived %v, want the last sync %v", got, synced)
	}
}
