package views

import (
	"fmt"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/access"
	"agnes/domain/files"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// galleryPage is one page of the gallery, drawn in any chrome.
type galleryPage struct {
	chrome Chrome
	draw   func(Chrome) templ.Component
}

// gallery is every page in every state worth seeing.
func gallery() map[string]galleryPage {
	admin, analyst, nobody := testChrome(true), testChrome(false), Chrome{Brand: "Hollis & Brandt", Back: "/login", Now: noon()}
	pages := map[string]galleryPage{}
	add := func(name string, c Chrome, title string, nav Nav, draw func(Chrome) templ.Component) {
		c.Title, c.Nav, c.Rail = title, nav, nav == NavConsole
		pages[name] = galleryPage{chrome: c, draw: draw}
	}

	add("signin", nobody, "Sign in", NavNone, func(c Chrome) templ.Component { return SignInPage(c, SignInView{Next: "/catalog", Password: true}) })
	add("signin-error", nobody, "Sign in", NavNone, func(c Chrome) templ.Component {
		return SignInPage(c, SignInView{Email: "petra@hollisbrandt.eu", Password: true, Error: "This e-mail and password do not belong together."})
	})
	addSignIn(add, nobody, admin)
	addGroups(add, admin)
	addSettings(add, admin)
	addRequests(add, admin, analyst)
	add("first-run", nobody, "Set up", NavNone, func(c Chrome) templ.Component { return FirstRunPage(c, FirstRunView{}) })
	add("first-run-error", nobody, "Set up", NavNone, func(c Chrome) templ.Component {
		return FirstRunPage(c, FirstRunView{Name: "Petra", Email: "petra", Errors: FieldErrors{
			"email": "An e-mail address looks like name@example.com.", "password": "A password has at least 8 characters; this one has 3.",
		}})
	})
	add("account", admin, "Your account", NavNone, func(c Chrome) templ.Component { return AccountPage(c, testAccount()) })
	add("account-new", analyst, "Your account", NavNone, func(c Chrome) templ.Component {
		return AccountPage(c, AccountView{Email: "jonas@hollisbrandt.eu", Form: TokenForm{Name: " ", Errors: FieldErrors{"name": "A token needs a name."}}, Now: noon()})
	})
	add("account-password", analyst, "Your account", NavNone, func(c Chrome) templ.Component {
		v := testAccount()
		v.Passwords, v.HasPassword, v.NameForm.Name = true, true, "Jonas"
		v.PasswordErrors = FieldErrors{"current": "This is not your password. Nothing was changed.", "password": "A password has at least 8 characters; this one has 3.", "again": "The two passwords differ."}
		return AccountPage(c, v)
	})
	add("account-stale", admin, "Your account", NavNone, func(c Chrome) templ.Component {
		v := testAccount()
		v.Passwords, v.Stale, v.Methods, v.NameForm.Errors = true, true, nil, FieldErrors{"name": "A name has at most 200 characters; this one has 201."}
		return AccountPage(c, v)
	})
	add("account-token", analyst, "Your account", NavNone, func(c Chrome) templ.Component {
		v := testAccount()
		v.Admin, v.Made = false, &MadeToken{Name: "nightly export", Text: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl", Rotated: true}
		return AccountPage(c, v)
	})
	add("confirm", admin, "Confirm", NavNone, func(c Chrome) templ.Component {
		return ConfirmPage(c, ConfirmView{Email: "petra@hollisbrandt.eu", Next: "/catalog", Password: true, Error: "This is not your password. Nothing was changed.", Providers: []Provider{{Name: "Google", URL: "/auth/google/login", Google: true}}})
	})
	add("confirm-again", admin, "Confirm", NavNone, func(c Chrome) templ.Component {
		return ConfirmPage(c, ConfirmView{Email: "petra@hollisbrandt.eu", Next: "/catalog"})
	})
	add("error-404", analyst, "Not found", NavNone, func(c Chrome) templ.Component {
		return ErrorPage(c, ErrorView{Status: 404, Title: "There is no such page.", Message: "It was removed, or its address is mistyped.", RequestID: "01JD8Z5T3K"})
	})
	add("error-signed-out", nobody, "Not found", NavNone, func(c Chrome) templ.Component {
		return ErrorPage(c, ErrorView{Status: 500, Title: "Agnes could not answer.", Message: "The fault is on our side and was logged.", NextStep: "Try again in a minute.", Code: "internal", RequestID: "01JD8Z5T3K", BackURL: "/login", BackLabel: "To sign-in"})
	})
	add("catalog", admin, "Catalog", NavCatalog, func(c Chrome) templ.Component { return CatalogPage(c, testCatalog(true)) })
	add("catalog-analyst", analyst, "Catalog", NavCatalog, func(c Chrome) templ.Component { return CatalogPage(c, testCatalog(false)) })
	add("catalog-samples", admin, "Catalog", NavCatalog, func(c Chrome) templ.Component { return CatalogPage(c, testSamples()) })
	add("catalog-none", admin, "Catalog", NavCatalog, func(c Chrome) templ.Component {
		return CatalogPage(c, CatalogView{All: 12, Sources: 2, Query: CatalogQuery{Search: "invoises"}, Admin: true, Now: noon()})
	})
	add("catalog-empty", admin, "Catalog", NavCatalog, func(c Chrome) templ.Component {
		return CatalogPage(c, CatalogView{Admin: true, SetUp: testSetUp(), Now: noon()})
	})
	add("catalog-empty-analyst", analyst, "Catalog", NavCatalog, func(c Chrome) templ.Component { return CatalogPage(c, CatalogView{Now: noon()}) })
	for _, tab := range []TableTab{TabColumns, TabSample, TabRuns} {
		add("table-"+string(tab), admin, "orders", NavCatalog, func(c Chrome) templ.Component { return TablePage(c, testTable(tab)) })
	}
	add("table-profile", admin, "orders", NavCatalog, func(c Chrome) templ.Component { return TablePage(c, profiled(nil)) })
	add("table-counting", analyst, "orders", NavCatalog, func(c Chrome) templ.Component {
		return TablePage(c, profiled(func(v *TableView) { v.Profile.Current, v.Profile.Counting, v.Admin = false, true, false }))
	})
	add("table-failing", analyst, "store_budget_2026", NavCatalog, func(c Chrome) templ.Component {
		return TablePage(c, TableView{Table: testTables()[4], Tab: TabColumns, Now: noon()})
	})
	add("table-new", admin, "returns", NavCatalog, func(c Chrome) templ.Component {
		return TablePage(c, TableView{Table: testTables()[6], Tab: TabSample, Admin: true, Now: noon()})
	})
	add("table-versions", admin, "orders", NavCatalog, func(c Chrome) templ.Component { return TablePage(c, testVersions(true)) })
	add("table-versions-analyst", analyst, "orders", NavCatalog, func(c Chrome) templ.Component { return TablePage(c, testVersions(false)) })
	add("syncs-held", admin, "Syncs", NavSyncs, func(c Chrome) templ.Component { return SyncsPage(c, testHeldSyncs()) })
	add("upload", admin, "Add data", NavAdd, func(c Chrome) templ.Component { return UploadPage(c, testUpload()) })
	add("upload-replace", admin, "New data", NavAdd, func(c Chrome) templ.Component {
		table := testTables()[1].Table
		return UploadPage(c, UploadView{Replaces: &table, MaxUpload: 2 << 30, Error: "The file ends in the middle of a row.", Now: noon()})
	})
	add("preview", admin, "budget_v4.csv", NavAdd, func(c Chrome) templ.Component { return PreviewPage(c, testPreview()) })
	add("preview-files", admin, "sales/2024/*.csv", NavAdd, func(c Chrome) templ.Component { return PreviewPage(c, testSeveral()) })
	add("preview-replace", admin, "budget_v5.csv", NavAdd, func(c Chrome) templ.Component { return PreviewPage(c, testReplacing()) })
	add("syncs", admin, "Syncs", NavSyncs, func(c Chrome) templ.Component { return SyncsPage(c, testSyncs()) })
	add("syncs-quiet", admin, "Syncs", NavSyncs, func(c Chrome) templ.Component {
		return SyncsPage(c, SyncsView{Tables: 3, Fresh: 3, Recent: testSyncs().Recent, Now: noon()})
	})
	add("sources", admin, "Sources", NavSources, func(c Chrome) templ.Component { return SourcesPage(c, testSources()) })
	add("sources-none", admin, "Sources", NavSources, func(c Chrome) templ.Component { return SourcesPage(c, SourcesView{Now: noon()}) })
	add("syncs-new", admin, "Syncs", NavSyncs, func(c Chrome) templ.Component { return SyncsPage(c, SyncsView{Now: noon()}) })
	add("console", analyst, "Console", NavConsole, func(c Chrome) templ.Component { return ConsolePage(c, testConsole()) })
	add("console-result", admin, "Console", NavConsole, func(c Chrome) templ.Component { return ConsolePage(c, testAnswered()) })
	add("console-error", analyst, "Console", NavConsole, func(c Chrome) templ.Component { return ConsolePage(c, testRefused()) })
	add("reference", admin, "API reference", NavNone, func(c Chrome) templ.Component { return ReferencePage(c, testReference()) })
	peopleGallery(func(name, title string, draw func(Chrome) templ.Component) { add(name, admin, title, NavPeople, draw) })
	add("toasts", admin, "Catalog", NavCatalog, func(c Chrome) templ.Component {
		c.Toasts = []Toast{{Text: "3 tables removed", UndoURL: "/undo/1"}, {Error: true, Text: "The change was not saved: Jonas Dahl edited the same row at 14:29."}}
		return CatalogPage(c, testCatalog(true))
	})
	return pages
}

func testChrome(admin bool) Chrome {
	viewer := &Viewer{ID: "u1", Name: "Petra Nováková", Email: "petra.novakova@hollisbrandt.eu", Admin: admin}
	return Chrome{Brand: "Hollis & Brandt", Viewer: viewer, Back: "/catalog", Failing: 2, Version: "0.1.0", Now: noon()}
}

// testTables is one table in each state.
func testTables() []registry.Published {
	ok := func(age time.Duration) registry.SyncStatus {
		return registry.SyncStatus{State: "ok", LastSync: before(age), LastTry: before(age)}
	}
	return []registry.Published{
		{Table: registry.Table{ID: "orders", Name: "orders", SourceType: registry.SourceCustom, Bucket: "sales", SourceTable: "orders", SyncSchedule: "every 1h", Description: "One row per order line, all channels, net of test orders. Cancelled lines stay with status cancelled."}, Version: testVersion("orders", 18402117, 1503238553), Status: ok(14 * time.Minute), GrantedTo: []string{"Sales", "Finance", "Operations", "Marketing", "Product"}},
		{Table: registry.Table{ID: "store_budget_2026", Name: "store_budget_2026", SourceType: registry.SourceLocal, SourceTable: "budget_v4.csv", Description: "Approved, per store and month"}, Version: testVersion("budget", 2208, 184320), Status: ok(10 * 24 * time.Hour), GrantedTo: []string{"Finance"}},
		{Table: registry.Table{ID: "customers", Name: "customers", SourceType: registry.SourceCustom, Bucket: "crm", SourceTable: "customers", Description: "Customer accounts"}, Version: testVersion("customers", 1284306, 222298112), Status: registry.SyncStatus{State: "running", LastSync: before(12 * time.Hour)}, GrantedTo: []string{"Sales", "Support"}},
		{Table: registry.Table{ID: "fx_rates", Name: "fx_rates", SourceType: registry.SourceCustom, Bucket: "ref", SourceTable: "fx", SyncSchedule: "daily 05:00", Description: "ECB daily reference rates to EUR"}, Version: testVersion("fx", 214980, 3250586), Status: ok(12 * time.Hour)},
		{Table: registry.Table{ID: "ad_spend_daily", Name: "ad_spend_daily", SourceType: registry.SourceCustom, Bucket: "ads", SourceTable: "spend", SyncSchedule: "every 1h", Description: "Spend and clicks per campaign"}, Version: testVersion("spend", 842190, 63963136), Status: registry.SyncStatus{State: "error", LastSync: before(11 * time.Hour), LastTry: before(8 * time.Minute), ErrorCode: "extract_schema", Error: "The extract's table spend has no column clicks any more.", NextStep: "Ask whoever looks after the extractor, or remove the table."}, GrantedTo: []string{"Marketing", "Finance"}},
		{Table: registry.Table{ID: "a_table_with_a_very_long_name_that_nobody_shortened_in_time_1234", Name: "a_table_with_a_very_long_name_that_nobody_shortened_in_time_1234", SourceType: registry.SourceLocal, SourceTable: "export of everything (final) (2).csv"}, Version: testVersion("long", 0, 512), Status: ok(38 * time.Second)},
		{Table: registry.Table{ID: "returns", Name: "returns", SourceType: registry.SourceCustom, Bucket: "sales", SourceTable: "returns", Description: "Return lines with reason and refund"}, Status: registry.SyncStatus{State: "never"}},
		{Table: registry.Table{ID: "airports", Name: "airports", SourceType: registry.SourceLocal, SourceTable: "airports.csv", Sample: true, Description: "Airports of the United States with their place"}, Version: testVersion("airports", 3376, 190464), Status: ok(3 * time.Hour), GrantedTo: []string{"Everyone"}},
		{Table: registry.Table{ID: "web_sessions", Name: "web_sessions", SourceType: registry.SourceCustom, Bucket: "web", SourceTable: "sessions"}, Version: testVersion("web", 9604411, 406847488), Status: registry.SyncStatus{State: "queued", LastSync: before(26 * time.Hour)}, GrantedTo: []string{"Marketing", "Product"}},
	}
}

func testVersion(id string, rows, bytes int64) *registry.Version {
	return &registry.Version{ID: registry.VersionID(id), Rows: rows, Bytes: bytes, Columns: testColumns(), CreatedAt: *before(12 * time.Hour)}
}

func testColumns() []registry.Column {
	return []registry.Column{
		{Name: "order_id", Type: "BIGINT"},
		{Name: "ordered_at", Type: "TIMESTAMP"},
		{Name: "channel", Type: "VARCHAR"},
		{Name: "net_eur", Type: "DECIMAL(18,2)"},
		{Name: "paid", Type: "BOOLEAN"},
		{Name: "tags", Type: "VARCHAR[]"},
		{Name: "year", Type: "INTEGER"},
		{Name: "share", Type: "DOUBLE"},
		{Name: "delivered_on", Type: "DATE"},
		{Name: "note", Type: "STRUCT(a INTEGER, b VARCHAR)"},
	}
}

func testGrid(rows int) Grid {
	text := func(s string) *string { return &s }
	g := Grid{Columns: testColumns()}
	for i := range rows {
		row := []*string{
			text(fmt.Sprint(1000012 + i)), text("2026-10-31 23:58:12"), text("marketplace"), text(fmt.Sprintf("%d.20", 4182904/(i+1))), text("true"),
			text("[tent, winter]"), text(fmt.Sprint(2000 + i%27)), text("6.83"), nil, text("{'a': 1, 'b': x}"),
		}
		if i%4 == 3 {
			row[3], row[5] = nil, nil
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func testCatalog(admin bool) CatalogView {
	tables := testTables()
	return CatalogView{
		Query: CatalogQuery{Sort: "rows", Desc: true}, Tables: tables, Matching: 64, All: 318, Sources: 4, AllBytes: 12455405158,
		Rows: 2514077830, Bytes: 7945689497, AsExpected: 57, Admin: admin, Now: noon(),
	}
}

func testSetUp() SetUp {
	return SetUp{
		Samples:     []SampleTable{{Name: "airports", Rows: 3376}, {Name: "seattle_weather", Rows: 1461}, {Name: "movies", Rows: 3201}},
		SampleBytes: 1658565, MaxUpload: 2 << 30, AdminEmail: "petra.novakova@hollisbrandt.eu",
	}
}

func testExamples() []Example {
	return []Example{
		{Title: "States with the most airports", SQL: "SELECT state, count(*) AS airports\nFROM airports\nGROUP BY state\nORDER BY airports DESC"},
		{Title: "Rain in Seattle by month", SQL: "SELECT monthname(date) AS month, avg(precipitation) AS rain\nFROM seattle_weather\nGROUP BY ALL"},
		{Title: "Films that earned most for their budget", SQL: "SELECT Title, \"Worldwide Gross\" / \"Production Budget\" AS times\nFROM movies\nORDER BY times DESC"},
	}
}

func testSamples() CatalogView {
	return CatalogView{
		Tables: testTables()[7:8], Matching: 1, All: 1, Sources: 1, AllBytes: 190464, Rows: 3376, Bytes: 190464, AsExpected: 1,
		Admin: true, Examples: testExamples(), Now: noon(),
	}
}

func testTable(tab TableTab) TableView {
	v := TableView{Table: testTables()[0], Tab: tab, RunCount: 48, Admin: true, Now: noon()}
	if tab == TabSample {
		g := testGrid(50)
		v.Sample = &g
	}
	if tab == TabRuns {
		for _, r := range testSyncs().Recent {
			v.Runs = append(v.Runs, RunSteps{Run: r, Steps: testSteps(r)})
		}
	}
	return v
}

func testSteps(r syncs.Run) []syncs.Step {
	var steps []syncs.Step
	for _, p := range syncs.Phases() {
		steps = append(steps, syncs.Step{Phase: p, At: *before(time.Minute), Rows: r.Rows, Bytes: 12 << 20, Duration: 3 * time.Second, State: syncs.OK})
	}
	if r.State == syncs.Failed {
		steps = steps[:2]
		steps[1].State, steps[1].Message, steps[1].Bytes = syncs.Failed, "Row 41,220 has 9 values where 10 were expected.", 0
	}
	return steps
}

func testUpload() UploadView {
	return UploadView{MaxUpload: 2 << 30, Now: noon(), Waiting: []WaitingFile{
		{File: files.File{Name: "clicks_2026.parquet", Format: files.Parquet, Bytes: 3 << 30, ModTime: *before(2 * time.Hour)}, PreviewURL: "/add/clicks_2026.parquet"},
		{File: files.File{Name: "export of everything (final).csv", Format: files.CSV, Bytes: 81920, ModTime: *before(70 * time.Hour)}, PreviewURL: "/add/export"},
	}}
}

func testPreview() PreviewView {
	g := testGrid(50)
	return PreviewView{
		FileName: "budget_v4.csv", Bytes: 184320, Action: "/uploads/u1", CancelURL: "/uploads/u1/cancel", TableName: "select",
		Preview: files.Preview{Format: files.CSV, Dialect: "separated by ;", Columns: g.Columns, Rows: g.Rows, TotalRows: 2208, Warnings: []string{"3 rows have more values than columns; the rest of them is in the last column."}},
		Errors:  FieldErrors{"name": "\"select\" is a word of SQL or of Agnes itself. Nearest: select_table"},
	}
}

// testSeveral is a pattern of twelve files.
func testSeveral() PreviewView {
	v := testPreview()
	v.FileName, v.TableName, v.Errors, v.Action, v.CancelURL = "sales/2024/*.csv", "sales", nil, "/files?item=sales", ""
	v.Preview.TotalRows, v.Preview.Files, v.Matched.Skipped = -1, 12, 1
	for n := range 12 {
		v.Matched.Files = append(v.Matched.Files, files.DatasetFile{Name: fmt.Sprintf("sales/2024/%02d.csv", n+1), Bytes: int64(n+1) << 14})
	}
	for n := range v.Preview.Rows {
		v.Preview.From = append(v.Preview.From, v.Matched.Files[n*4/len(v.Preview.Rows)].Name)
	}
	return v
}

func testReplacing() PreviewView {
	v := testPreview()
	table := testTables()[1]
	v.FileName, v.Errors, v.Replaces, v.Preview.Warnings = "budget_v5.csv", nil, &table, nil
	was := append(testColumns()[1:], registry.Column{Name: "old_column", Type: "VARCHAR"})
	was[2].Type = "DOUBLE"
	v.Changes = registry.CompareColumns(was, testColumns())
	return v
}

func testSyncs() SyncsView {
	tables := testTables()
	run := func(id, name string, state syncs.State, rows int64, ago time.Duration) syncs.Run {
		r := syncs.Run{ID: id, Table: registry.TableID(name), Name: name, Trigger: syncs.BySchedule, State: state, Rows: rows, QueuedAt: *before(ago), StartedAt: before(ago)}
		if !r.Live() {
			r.FinishedAt = before(ago - 4*time.Second)
		}
		return r
	}
	extracting, reading := run("r1", "orders", syncs.Running, 11801220, 287*time.Second), run("r2", "customers", syncs.Running, 3960218, 52*time.Minute)
	extracting.Phase, extracting.Fraction = syncs.Extract, 0.64
	reading.Phase = syncs.ReadBack
	failed := run("r5", "ad_spend_daily", syncs.Failed, 0, 9*time.Minute)
	failed.Code, failed.Message, failed.NextStep = "extract_schema", "The extract's table spend has no column clicks any more.", "Ask whoever looks after the extractor."
	return SyncsView{
		Tables: 318, Fresh: 315, Never: 1, Now: noon(),
		Failing: []FailingTable{{Published: tables[4], Since: before(11 * time.Hour), Tries: 12}},
		Live:    []LiveRun{{Run: extracting, Expected: 7 * time.Minute}, {Run: reading, Expected: 6 * time.Minute}, {Run: run("r3", "web_sessions", syncs.Queued, 0, time.Minute)}},
		Recent:  []syncs.Run{run("r4", "fx_rates", syncs.OK, 214980, 3*time.Minute), failed, run("r6", "orders", syncs.Cancelled, 0, 70*time.Minute), run("r7", "orders", syncs.OK, 18402117, 26*time.Hour)},
		Broken: []syncs.Source{
			{Name: "legacy_dwh", State: "broken", Code: "extract_unreadable", Message: "The extract.duckdb of this source is not a DuckDB file. Its tables keep the rows of the last good version.", CheckedAt: *before(2 * time.Minute)},
			{Name: "sales", State: "ok", CheckedAt: *before(5 * time.Minute), Problems: []syncs.Problem{{Table: "Bad Name", Code: "invalid_name", Message: "A table name has letters, digits and _."}}},
		},
	}
}

func testConsole() ConsoleView {
	return ConsoleView{Limit: 1000, Sources: ConsoleSources(testTables()), Open: "orders", Examples: testExamples(), UserID: "u1", Now: noon()}
}

const testSQL = "-- Paid efficiency by channel, October\nWITH revenue AS (\n  SELECT channel, sum(net_eur) AS net, count(DISTINCT order_id) AS orders\n  FROM orders\n  WHERE ordered_at >= DATE '2026-10-01' AND ordered_at < DATE '2026-11-01'\n  GROUP BY ALL\n)\nSELECT r.channel, r.orders, r.net, nullif(r.net, 0) AS safe\nFROM revenue r\nORDER BY r.net DESC;"

func testAnswered() ConsoleView {
	v := testConsole()
	v.SQL = testSQL
	v.Run = &ConsoleRunView{ID: "r1", Result: &ConsoleResultView{
		RunID: "r1", Grid: testGrid(100), Total: 1000, Page: 2, PerPage: 100, More: true, Elapsed: 410 * time.Millisecond, At: noon(),
	}}
	v.Run.Result.Grid.First = 100
	return v
}

func testRefused() ConsoleView {
	v := testConsole()
	v.SQL = "SELECT state, count(*)\nFROM airprots\nGROUP BY state"
	v.Failure = &ConsoleErrorView{
		Title: "There is no table airprots", Message: "No table of this name is granted to you.", NextStep: "Check the name in the list at the left.", Code: "table_not_found",
		Engine: "Catalog Error: Table with name airprots does not exist!\nDid you mean \"airports\"?", Line: 2, Column: 6, Nearest: []string{"airports"}, Elapsed: 8 * time.Millisecond, RequestID: "01JD8Z5T3K",
	}
	return v
}

func testReference() ReferenceView {
	return ReferenceView{Title: "API reference", Version: "0.1.0", SpecURL: "/openapi.json", Intro: []string{"Every call carries a token: Authorization: Bearer …. Answers are JSON."}, Groups: []ReferenceGroup{
		{Name: "Query", Description: "Read what is granted.", Operations: []Operation{
			{
				ID: "query", Method: "POST", Path: "/api/query", Summary: "Run one reading statement", Description: "Answers with all rows, up to the limit.", Need: "signed in",
				Params:  []Param{{Name: "sql", In: "body", Type: "string", Required: true, Description: "One SELECT."}, {Name: "limit", In: "body", Type: "integer", Description: "Rows at most; 1,000 by default."}},
				Request: "{\n  \"sql\": \"SELECT 42\"\n}", Responses: []Response{{Status: 200, Description: "Rows", Example: "{\n  \"rows\": [[42]]\n}"}, {Status: 400, Description: "The statement was refused"}},
			},
		}},
		{Name: "Tables", Operations: []Operation{
			{ID: "unregister", Method: "DELETE", Path: "/api/admin/registry/{table_id}", Summary: "Remove a table", Need: "administrators", Responses: []Response{{Status: 204, Description: "Removed"}}},
			{ID: "catalog", Method: "GET", Path: "/api/catalog", Summary: "List the tables", Need: "signed in", Responses: []Response{{Status: 200, Description: "Tables"}}},
		}},
	}}
}

// testAccount is an account with one of each: sign-ins and tokens.
func testAccount() AccountView {
	at := func(d time.Duration) *time.Time { t := noon().Add(d); return &t }
	firefox := people.Session{ID: "s1", Kind: people.BrowserSession, Method: people.ByPassword, CreatedAt: *at(-26 * time.Hour), UsedAt: *at(-time.Minute), UsedIP: "192.0.2.17"}
	cli := people.Session{ID: "s2", Kind: people.TokenSession, Method: people.ByOIDC, CreatedAt: *at(-3 * time.Hour), UsedAt: *at(-2 * time.Hour), UsedIP: "2001:db8::17"}
	token := func(id, name, scopes string, change func(*access.Token)) access.Token {
		s, err := access.ParseScopes(scopes)
		if err != nil {
			panic(err)
		}
		t := access.Token{ID: access.TokenID(id), Name: name, Prefix: id[:8], Scopes: s, CreatedAt: *at(-90 * 24 * time.Hour)}
		change(&t)
		return t
	}
	return AccountView{
		Email: "petra@hollisbrandt.eu", Admin: true, Groups: []string{"Admin", "Finance"}, Now: noon(),
		Methods:  []SignInMethod{{Method: people.ByPassword}, {Method: people.ByGoogle, Detail: "petra@hollisbrandt.eu", Used: at(-50 * time.Hour)}},
		Sessions: []SessionRow{{Session: firefox, Device: "Firefox on Linux", Current: true}, {Session: cli, Device: "Agnes on the command line"}},
		Tokens: []access.Token{
			token("7d0c2f0e-1", "nightly export", "read query", func(t *access.Token) {
				t.ExpiresAt, t.LastUsedAt, t.LastUsedIP = at(40*24*time.Hour), at(-8*time.Hour), "192.0.2.80"
			}),
			token("81bb2f0e-2", "notebook", "general", func(t *access.Token) { t.ExpiresAt, t.ReplacedBy = at(9*time.Hour), "7d0c2f0e-1" }),
			token("93aa2f0e-3", "a token with a very long name that somebody typed without a space_inside_its_second_half", "sync", func(t *access.Token) { t.RevokedAt = at(-time.Hour) }),
			token("a4aa2f0e-4", "old", "admin", func(t *access.Token) { t.ExpiresAt = at(-time.Hour) }),
		},
		Form: TokenForm{Days: "90", Scope: "read query"},
	}
}
