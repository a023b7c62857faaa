package pages

import (
	"net/http"
	"testing"
	"time"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

func TestSyncsPageSaysWhatIsPublished(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	orders := p.mustTable("orders", 3)
	b := p.as(p.admin)
	b.get("/syncs").wantStatus(http.StatusOK).wantText("Nothing has been published yet.", "Rebuild now")

	must(t, p.store.SaveRebuild(t.Context(), syncs.Rebuild{
		ID: "r1", StartedAt: p.clock.now(), FinishedAt: p.clock.now(), State: syncs.OK, Views: 311,
		Problems: []work.Problem{
			{Source: "crm", Table: "deals", Code: work.VersionMissing, Message: "deals has no rows yet."},
			{Source: "9x", Code: "source_name_invalid", Message: "The folder's name is not usable."},
		},
	}))
	b.get("/syncs").wantText("Published 311 tables at", "2 left out", "crm.deals", "deals has no rows yet.", work.VersionMissing, "The folder's name is not usable.")

	p.clock.advance(time.Minute)
	must(t, p.store.SaveRebuild(t.Context(), syncs.Rebuild{
		ID: "r2", StartedAt: p.clock.now(), FinishedAt: p.clock.now(), State: syncs.Failed, Code: "disk_full", Message: "The disk is full.", NextStep: "Make room.",
	}))
	b.get("/syncs").wantText("failed. What was published before is served.", "The disk is full.", "Make room.", "disk_full")

	versions, err := p.store.ListVersions(t.Context(), orders.ID)
	must(t, err)
	newest := versions[0]
	newest.ID, newest.CreatedAt = "newest", p.clock.now()
	_, err = p.store.PublishVersion(t.Context(), newest)
	must(t, err)
	_, err = p.store.QuarantineVersion(t.Context(), syncs.Damage{
		Version: "newest", Table: orders.ID, Name: "orders", FoundAt: p.clock.now(), Code: work.FileChanged, Message: "Damaged.",
		Outcome: syncs.ServesEarlier, Serves: versions[0].ID,
	})
	must(t, err)
	b.get("/syncs").wantText("orders", "serves the version of", "because the newest one is damaged.", work.FileChanged)
}

func TestRebuildButton(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.as(p.analyst).post("/syncs/rebuild", nil).wantStatus(http.StatusForbidden)
	p.nobody().post("/syncs/rebuild", nil).wantStatus(http.StatusUnauthorized)
	p.as(p.admin).post("/syncs/rebuild", nil).wantStatus(http.StatusSeeOther)
}
