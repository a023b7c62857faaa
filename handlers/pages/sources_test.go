package pages

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/registry"
	"agnes/domain/syncs"
	"agnes/domain/work"
	"agnes/store"
)

// extracts are folders of custom extractors, without a disk.
type extracts struct {
	dirs   []syncs.ExtractDir
	inside map[string]work.Inspected
	broken map[string]error
}

func (e *extracts) List(context.Context) ([]syncs.ExtractDir, error) { return e.dirs, nil }

func (e *extracts) InspectSource(_ context.Context, source string) (work.Inspected, error) {
	return e.inside[source], e.broken[source]
}

// watch gives the portal a watcher over a real state.
func (p *portal) watch(e *extracts) *syncs.Watcher {
	w := &syncs.Watcher{
		Dirs: e, Inspector: e, Sources: p.store, Tables: p.store, Syncer: p.Syncer, Rebuilder: requests{}, Now: p.clock.now, Log: slog.New(slog.DiscardHandler),
	}
	p.Sources = w
	return w
}

func twoSources() *extracts {
	return &extracts{
		dirs: []syncs.ExtractDir{{Name: "crm", Fingerprint: "1"}, {Name: "shop", Fingerprint: "1"}},
		inside: map[string]work.Inspected{
			"crm":  {Tables: []work.SourceTable{{Name: "leads"}, {Name: "far", QueryMode: "remote"}}, Remote: []work.RemoteRow{{Alias: "kbc", Extension: "evil", URL: "https://hidden.example", TokenEnv: "SECRET_ENV"}}},
			"shop": {Tables: []work.SourceTable{{Name: "leads"}, {Name: "lost", Code: "table_missing", Problem: "The extract has no such table."}}},
		},
		broken: map[string]error{},
	}
}

func (p *portal) mustWatch(w *syncs.Watcher) {
	p.t.Helper()
	for range 2 {
		must(p.t, w.Tick(p.t.Context()))
	}
}

func TestSourcesPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	e := twoSources()
	w := p.watch(e)
	b := p.as(p.admin)
	b.get("/sources").wantStatus(http.StatusOK).wantText("No extractor has brought a table yet.")
	p.mustWatch(w)
	p.nobody().get("/sources").wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).get("/sources").wantStatus(http.StatusForbidden)
	got := b.get("/sources").wantStatus(http.StatusOK).wantText("2 sources", "leads", "the name is served from crm", "table_missing", "The extract has no such table.",
		"since 14:31 UTC", "extension_not_allowed", "Asked live").wantNoText("hidden.example", "SECRET_ENV")
	if got.Find("nav a[aria-current=page]").Text() == "" || got.Find("#source-shop form[action='/sources/shop/tables/leads/rename']").Length() != 1 {
		t.Errorf("page: %.2000s", got.body)
	}
	if n := got.Find("form[action='/sources/shop/tables/lost/rename']").Length(); n != 0 {
		t.Error("another name is offered where it would not help")
	}
	if name := got.value("#rename-shop-leads"); name != "shop_leads" {
		t.Errorf("suggested name %q", name)
	}
	e.dirs = nil
	for range 2 {
		must(t, w.Tick(t.Context()))
	}
	b.get("/sources").wantText("Gone", "The extract.duckdb of this source is gone, or its folder is.", "Not offered any more")
}

func TestSourceRename(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	w := p.watch(twoSources())
	p.mustWatch(w)
	const target = "/sources/shop/tables/leads/rename"
	p.nobody().post(target, url.Values{"name": {"x"}}).wantStatus(http.StatusUnauthorized)
	p.as(p.analyst).post(target, url.Values{"name": {"x"}}).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	got := b.post(target, url.Values{"name": {"no name"}}).wantStatus(http.StatusUnprocessableEntity).wantText("Nearest: no_name")
	if got.value("#rename-shop-leads") != "no name" || got.Find("#rename-shop-leads[aria-invalid=true]").Length() != 1 {
		t.Error("the form lost what was typed")
	}
	b.post(target, url.Values{"name": {"leads"}}).wantRedirect("/sources") // its own name: nothing to keep
	b.post("/sources/shop/tables/nothing/rename", url.Values{"name": {"x"}}).wantStatus(http.StatusNotFound)
	b.post("/sources/nothing/tables/leads/rename", url.Values{"name": {"x"}}).wantStatus(http.StatusNotFound)
	b.post(target, url.Values{"name": {"shop_leads"}}).wantRedirect("/sources")
	b.get("/sources").wantText("leads has another name in SQL now.")
	table, err := p.store.GetTable(t.Context(), "shop_leads")
	must(t, err)
	if table.Bucket != "shop" || table.SourceTable != "leads" {
		t.Errorf("table = %+v", table.Table)
	}
	entries, err := p.store.ListAudit(t.Context(), 100)
	must(t, err)
	if !slices.ContainsFunc(entries, func(e audit.Entry) bool {
		return e.Action == "source.rename_table" && e.Actor.UserID == string(p.admin.ID)
	}) {
		t.Error("no audit row")
	}
}

func TestSourceInspect(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	e := twoSources()
	w := p.watch(e)
	p.mustWatch(w)
	p.as(p.analyst).post("/sources/crm/inspect", nil).wantStatus(http.StatusForbidden)
	b := p.as(p.admin)
	b.post("/sources/nothing/inspect", nil).wantStatus(http.StatusNotFound)
	b.post("/sources/crm/inspect", nil).wantRedirect("/sources")
	b.get("/sources").wantText("Looked at crm.")
	e.broken["crm"] = &work.ChildError{Failure: work.Failure{Code: "extract_unreadable", Message: "The extract of crm is damaged."}}
	b.post("/sources/crm/inspect", nil).wantRedirect("/sources")
	if got := b.get("/sources").wantText("The extract of crm is damaged.", "extract_unreadable"); got.Find("#toasts [role=alert]").Length() != 1 {
		t.Error("nothing says that the look failed")
	}
}

func TestSourcesOfABrokenStore(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.watch(twoSources())
	p.Sources = brokenSources{}
	b := p.as(p.admin)
	for _, target := range []string{"/sources/crm/inspect", "/sources/crm/tables/leads/rename"} {
		b.post(target, url.Values{"name": {"x"}}).wantStatus(http.StatusInternalServerError).wantNoText("disk I/O", "system.db")
	}
}

type brokenSources struct{}

func (brokenSources) Inspect(context.Context, audit.Actor, string) (syncs.Source, error) {
	return syncs.Source{}, errBroken
}

func (brokenSources) Rename(context.Context, audit.Actor, string, string, string, *string) (syncs.Source, error) {
	return syncs.Source{}, errBroken
}

// What an analyst sees of a table that stays outside names nothing of where it is.
func TestRemoteTableForAnalysts(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	w := p.watch(twoSources())
	p.mustWatch(w)
	_, err := p.store.CreateGrant(t.Context(), p.actor(), access.NewGrant{Group: p.everyone(), ResourceType: "table", ResourceID: "far"})
	must(t, err)
	b := p.as(p.analyst)
	hidden := []string{"hidden.example", "SECRET_ENV", "evil", "kbc", "extension_not_allowed"}
	b.get("/catalog").wantStatus(http.StatusOK).wantText("far", "Asked live", "not served yet").wantNoText(hidden...)
	b.get("/tables/far").wantStatus(http.StatusOK).wantText("Asked live, not served yet: the server has no way to ask its system.").wantNoText(hidden...)
	far, err := p.store.GetTable(t.Context(), "far")
	must(t, err)
	if failing(&far) || far.QueryMode != registry.ModeRemote {
		t.Errorf("far is failing: %+v", far.Status)
	}
}

var (
	_ Sources       = (*syncs.Watcher)(nil)
	_ syncs.Sources = (*store.Store)(nil)
)
