package imports

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/work"
)

// rowOf makes cells of "column=value" pairs; what is not named is NULL.
func rowOf(t *testing.T, table string, pairs ...string) cells {
	t.Helper()
	shape, known := Find(table)
	if !known {
		t.Fatalf("no table %s", table)
	}
	c := cells{table: shape, row: make([]*string, len(shape.Columns))}
	for _, pair := range pairs {
		column, v, _ := strings.Cut(pair, "=")
		if shape.Index(column) < 0 {
			t.Fatalf("%s has no column %s", table, column)
		}
		c.row[shape.Index(column)] = &v
	}
	return c
}

func testPlan() *plan {
	known := Known{
		Users: map[string]string{"here@x.y": "h1"}, Groups: map[string]string{"A": "Admin", "E": "Everyone", "S": "Sales"},
		Names: map[string]string{"admin": "A", "everyone": "E", "sales": "S"}, Admin: "A", All: "E", Tables: map[string]string{"there": "There"},
	}
	return newPlan(&Report{}, known, work.StateSchema{Version: SchemaVersion, AppliedAt: time.UnixMicro(77)}, false)
}

// told are the codes of the issues, skipped ones with a minus.
func told(r *Report) string {
	var codes []string
	for _, i := range r.Issues {
		mark := "-"
		if i.Status == StatusTakenOver {
			mark = "+"
		}
		codes = append(codes, mark+i.ID+":"+i.Code)
	}
	return strings.Join(codes, " ")
}

func TestSchema(t *testing.T) {
	t.Parallel()
	tables := Schema()
	if len(tables) != 40 {
		t.Errorf("%d tables", len(tables))
	}
	for i, name := range coreTables() {
		if tables[i].Name != name {
			t.Errorf("table %d is %s, want %s: the core comes first", i, tables[i].Name, name)
		}
	}
	for _, table := range tables {
		if len(table.Key()) == 0 {
			t.Errorf("%s has no key", table.Name)
		}
		for _, c := range table.Columns {
			if c.Name == "" || c.Name != strings.ToLower(c.Name) || (c.Type.Duck() == "VARCHAR") != (c.Type == Text) {
				t.Errorf("%s.%s has type %q", table.Name, c.Name, c.Type)
			}
			if hidden := strings.Contains(c.Name, "hash") || strings.HasSuffix(c.Name, "_token"); hidden && !c.Secret && c.Name != "hash" && c.Name != "file_hash" {
				t.Errorf("%s.%s is no secret", table.Name, c.Name)
			}
		}
	}
	if _, known := Find("nonsense"); known {
		t.Error("a table that nobody has")
	}
}

func TestPlanUsers(t *testing.T) {
	t.Parallel()
	const argon = "password_hash=$argon2id$v=19$m=65536,t=3,p=4$hHKd41Mvf2FoUVdGFY1jpw$ORhlQYhDDcNNII2xiKEXtr/9Do379K+WxHi7PeQYwDY"
	cases := []struct {
		name    string
		rows    [][]string
		admins  []string
		kept    string // ids here of the rows written
		mapped  string // the predecessor's ids and theirs here
		aside   int
		reports string
	}{
		{"one", [][]string{{"id=1", "email=a@x.y", argon}}, nil, "1", "1→1", 0, ""},
		{"somebody who is here", [][]string{{"id=1", "email=Here@X.y"}}, nil, "h1", "1→h1", 0, ""},
		{"no address", [][]string{{"id=1"}, {"id=2", "email=Ada <a@x.y>"}}, nil, "", "", 0, "-1:invalid_email -2:invalid_email"},
		{"case only, the administrator", [][]string{{"id=1", "email=a@x.y"}, {"id=2", "email=A@x.y"}}, []string{"2"}, "2", "1→2 2→2", 0, "+1:duplicate_email"},
		{"case only, the one with a password", [][]string{{"id=1", "email=a@x.y"}, {"id=2", "email=A@x.y", argon}}, nil, "2", "1→2 2→2", 0, "+1:duplicate_email"},
		{
			"a closed administrator opens nothing",
			[][]string{{"id=1", "email=a@x.y", "active=false"}, {"id=2", "email=A@x.y", "active=true"}},
			[]string{"1"},
			"2", "2→2", 0, "-1:duplicate_email",
		},
		{"all closed", [][]string{{"id=1", "email=a@x.y", "active=false"}, {"id=2", "email=A@x.y", "active=false"}}, nil, "1", "1→1 2→1", 0, "+2:duplicate_email"},
		{"another hash", [][]string{{"id=1", "email=a@x.y", "password_hash=$2b$12$abc"}}, nil, "1", "1→1", 1, "+1:password_unusable"},
		{"a costly hash", [][]string{{"id=1", "email=a@x.y", "password_hash=" + strings.Replace(argon[14:], "m=65536", "m=4000000", 1)}}, nil, "1", "1→1", 1, "+1:password_unusable"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := testPlan()
			var rows, members []cells
			for _, r := range c.rows {
				rows = append(rows, rowOf(t, "users", r...))
			}
			for _, id := range c.admins {
				members = append(members, rowOf(t, "user_group_members", "user_id="+id, "group_id=oldadmin"))
			}
			users, aside := p.planUsers(rows, members, "oldadmin")
			var kept, mapped []string
			for _, r := range users.Rows {
				kept = append(kept, r.Values[0].(string))
				if len(r.Values) != len(users.Columns) {
					t.Errorf("%d values for %d columns", len(r.Values), len(users.Columns))
				}
			}
			for from, to := range p.users {
				mapped = append(mapped, from+"→"+to)
			}
			slices.Sort(mapped)
			if got := strings.Join(kept, " "); got != c.kept {
				t.Errorf("kept %q, want %q", got, c.kept)
			}
			if got := strings.Join(mapped, " "); got != c.mapped {
				t.Errorf("mapped %q, want %q", got, c.mapped)
			}
			if len(aside.Rows) != c.aside || told(p.report) != c.reports {
				t.Errorf("%d hashes aside, want %d; told %q, want %q", len(aside.Rows), c.aside, told(p.report), c.reports)
			}
		})
	}
}

func TestPlanUserTimes(t *testing.T) {
	t.Parallel()
	p := testPlan()
	users, _ := p.planUsers([]cells{
		rowOf(t, "users", "id=1", "email=a@x.y"), rowOf(t, "users", "id=2", "email=b@x.y", "active=false", "updated_at=5", "reset_token=s"),
	}, nil, "")
	if got := fmt.Sprint(users.Rows[0].Values[4:]); got != "[true <nil> <nil> 77 77 false <nil>]" {
		t.Errorf("without times: %s", got)
	}
	if got := fmt.Sprint(users.Rows[1].Values[4:]); got != "[false 5  5 5 false <nil>]" {
		t.Errorf("deactivated: %s", got)
	}
	if len(p.report.Notes) != 1 || !strings.Contains(p.report.Notes[0], "void now: 1.") {
		t.Errorf("notes %v", p.report.Notes)
	}
}

func TestPlanGroupsMembersAndGrants(t *testing.T) {
	t.Parallel()
	p := testPlan()
	p.users = map[string]string{"1": "1", "2": "1", "3": "3"}
	p.plugins["m/p"] = true
	groups := p.planGroups([]cells{
		rowOf(t, "user_groups", "id=ga", "name=Admin", "is_system=true"), rowOf(t, "user_groups", "id=ge", "name=Everyone", "is_system=true"),
		rowOf(t, "user_groups", "id=gs", "name=Sales"), rowOf(t, "user_groups", "id=gt", "name=SALES"), rowOf(t, "user_groups", "id=gu", "name=sales"),
		rowOf(t, "user_groups", "id=gx", "name=admin"), rowOf(t, "user_groups", "id=gb"),
	})
	var names []string
	for _, r := range groups.Rows {
		names = append(names, fmt.Sprint(r.Values[1]))
	}
	if got := strings.Join(names, ", "); got != "SALES (2), sales (3), admin (2)" {
		t.Errorf("groups %s", got)
	}
	if p.groups["ga"] != "A" || p.groups["gs"] != "S" || p.groups["gx"] != "gx" || told(p.report) != "+gs:group_exists +gt:name_taken +gu:name_taken +gx:name_taken -gb:invalid_name" {
		t.Errorf("mapped %v, told %s", p.groups, told(p.report))
	}
	p.report.Issues = nil
	rows := []cells{
		rowOf(t, "user_group_members", "user_id=1", "group_id=gs", "source=google_sync"), rowOf(t, "user_group_members", "user_id=2", "group_id=gs"),
		rowOf(t, "user_group_members", "user_id=3", "group_id=ge"), rowOf(t, "user_group_members", "user_id=9", "group_id=gs"),
		rowOf(t, "user_group_members", "user_id=3", "group_id=gb"), rowOf(t, "user_group_members", "user_id=3", "group_id=gt", "source=magic"),
	}
	members := p.planMembers(rows)
	if len(members.Rows) != 2 || fmt.Sprint(members.Rows[0].Values) != "[1 S google_sync 77 ]" || members.Rows[1].Values[2] != "admin" {
		t.Errorf("members %+v", members.Rows)
	}
	if got := told(p.report); got != "-9/gs:user_missing -3/gb:group_missing +3/gt:source_unknown" {
		t.Errorf("told %s", got)
	}
	p.report.Issues, p.report.Notes = nil, nil
	grants := p.planGrants([]cells{
		rowOf(t, "resource_grants", "id=1", "group_id=ge", "resource_type=table", "resource_id=there"),
		rowOf(t, "resource_grants", "id=2", "group_id=gs", "resource_type=table", "resource_id=gone"),
		rowOf(t, "resource_grants", "id=3", "group_id=gs", "resource_type=marketplace_plugin", "resource_id=m/p"),
		rowOf(t, "resource_grants", "id=4", "group_id=gs", "resource_type=marketplace_plugin", "resource_id=m/q"),
		rowOf(t, "resource_grants", "id=5", "group_id=gs", "resource_type=spell", "resource_id=x"),
		rowOf(t, "resource_grants", "id=6", "group_id=gs", "resource_type=memory_domain"),
		rowOf(t, "resource_grants", "id=7", "group_id=zz", "resource_type=table", "resource_id=there"),
		rowOf(t, "resource_grants", "id=8", "group_id=gs", "resource_type=table", "resource_id=agnes_telemetry"),
	}, rows)
	if len(grants.Rows) != 2 || told(p.report) != "-2:table_missing -4:plugin_missing -5:resource_type_unknown -6:resource_missing -7:group_missing" {
		t.Errorf("grants %+v, told %s", grants.Rows, told(p.report))
	}
	if len(p.report.Notes) != 1 || !strings.Contains(p.report.Notes[0], "its grants (1): accounts that were not members of it in the old server (1)") {
		t.Errorf("notes %v", p.report.Notes)
	}
}

func TestPlanTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row  []string
		told string
		want string // key and filters
	}{
		{[]string{"id=a", "name=a"}, "", "a  "},
		{[]string{"id=a", "name=a", `primary_key=["x","y"]`, `where_filters=[{"column":"c","values":[1,"z"]}]`}, "", `a ["x","y"] [{"column":"c","operator":"eq","values":["1","z"]}]`},
		{[]string{"id=a", "name=a", "primary_key=x, y", "where_filters=null"}, "", `a ["x","y"] `},
		{[]string{"id=a", "name=a", "primary_key=[1]"}, "+a:primary_key_invalid", "a  "},
		{[]string{"id=a", "name=a", "sync_schedule=never"}, "+a:schedule_invalid", "a  "},
		{[]string{"id=a", "name=select"}, "-a:name_invalid", ""},
		{[]string{"id=a b", "name=a"}, "-a b:id_invalid", ""},
		{[]string{"id=a", "name=THERE"}, "-a:name_taken", ""},
		{[]string{"id=there", "name=There"}, "", "There  "},
		{[]string{"id=a", "name=a", `where_filters=[{"column":""}]`}, "-a:filters_invalid", ""},
		{[]string{"id=a", "name=a", `where_filters=[{"column":"c","values":[null]}]`}, "-a:filters_invalid", ""},
		{[]string{"id=a", "name=a", `where_filters=[{"column":"c","values":[["x"]]}]`}, "-a:filters_invalid", ""},
		{[]string{"id=a", "name=a", `where_filters=[{"column":"c","operator":"between","values":["x"]}]`}, "-a:filters_invalid", ""},
		{[]string{"id=a", "name=a", `where_filters=[{"column":"c","values":["x"]}] [1]`}, "-a:filters_invalid", ""},
		{[]string{"id=a", "name=a", `where_filters=[{"column":"c","values":[1.50,true,123456789012345678]}]`}, "", `a  [{"column":"c","operator":"eq","values":["1.50","true","123456789012345678"]}]`},
		{[]string{"id=a", "name=a", "source_type=custom", "bucket=../x"}, "-a:source_invalid", ""},
		{[]string{"id=a", "name=a", "source_type=internal"}, "", ""},
	} {
		p := testPlan()
		b := p.planTables([]cells{rowOf(t, "table_registry", c.row...)})
		got := ""
		for _, r := range b.Rows {
			got = fmt.Sprint(r.Values[1], " ", r.Values[10], " ", r.Values[19])
			if len(r.Values) != len(b.Columns) {
				t.Errorf("%d values for %d columns", len(r.Values), len(b.Columns))
			}
		}
		if got != c.want || told(p.report) != c.told {
			t.Errorf("%v: %q, told %q; want %q, %q", c.row, got, told(p.report), c.want, c.told)
		}
	}
}

func TestPlanPlain(t *testing.T) {
	t.Parallel()
	p := testPlan()
	p.users = map[string]string{"1": "1", "2": "1"}
	table, _ := Find("knowledge_votes")
	b := p.planPlain(table, []cells{
		rowOf(t, "knowledge_votes", "item_id=k", "user_id=1", "vote=1"), rowOf(t, "knowledge_votes", "item_id=k", "user_id=2", "vote=-1"),
		rowOf(t, "knowledge_votes", "item_id=k", "user_id=9"), rowOf(t, "knowledge_votes", "item_id=l", "user_id=1", "vote=x"),
	})
	if len(b.Rows) != 2 || b.Rows[1].Values[2] != nil || told(p.report) != "-k/9:user_missing +l/1:value_invalid" {
		t.Errorf("votes %+v, told %s", b.Rows, told(p.report))
	}
	p.report.Issues = nil
	table, _ = Find("personal_access_tokens") // one that ended must not come to life
	b = p.planPlain(table, []cells{
		rowOf(t, "personal_access_tokens", "id=a", "user_id=1", "expires_at=infinity"), rowOf(t, "personal_access_tokens", "id=b", "user_id=1", "expires_at=-infinity"),
		rowOf(t, "personal_access_tokens", "id=c", "user_id=1", "revoked_at=infinity"), rowOf(t, "personal_access_tokens", "id=d", "user_id=1", "last_used_at=infinity"),
	})
	if len(b.Rows) != 2 || told(p.report) != "-b:value_invalid -c:value_invalid +d:value_invalid" {
		t.Errorf("tokens %+v, told %s", b.Rows, told(p.report))
	}
	p.report.Issues = nil
	p.addresses = map[string]string{"1": "ada@example.com"}
	b = p.planPlain(table, []cells{
		rowOf(t, "personal_access_tokens", "id=a", "user_id=1", "name=ci", `scopes=["tables:read"]`), rowOf(t, "personal_access_tokens", "id=b", "user_id=1", "scopes=read,query"),
		rowOf(t, "personal_access_tokens", "id=c", "user_id=1", "scopes="), rowOf(t, "personal_access_tokens", "id=d", "user_id=1", "scopes=root", "revoked_at=5"),
	})
	if len(b.Rows) != 4 || told(p.report) != "+a:scope_unknown" || !strings.Contains(p.report.Issues[0].Reason, `"ci" of ada@example.com has the scope "[\"tables:read\"]"`) {
		t.Errorf("tokens %+v, told %+v", b.Rows, p.report.Issues)
	}
	p.report.Issues = nil
	table, _ = Find("usage_tool_daily")
	b = p.planPlain(table, []cells{
		rowOf(t, "usage_tool_daily", "day=2026-01-02", "tool_name=x"), rowOf(t, "usage_tool_daily", "tool_name=x"), rowOf(t, "usage_tool_daily", "day=today"),
	})
	if len(b.Rows) != 1 || told(p.report) != "-/x/:key_missing -today//:value_invalid" {
		t.Errorf("days %+v, told %s", b.Rows, told(p.report))
	}
	p.report.Issues = nil
	if b = p.planProfiles([]cells{
		rowOf(t, "table_profiles", "table_id=there", "profile=[1]"), rowOf(t, "table_profiles", "table_id=there"), rowOf(t, "table_profiles", "table_id=gone", "profile={}"),
	}); len(b.Rows) != 1 || b.Rows[0].Values[1] != `{"value":[1]}` || told(p.report) != "-there:profile_empty -gone:table_missing" {
		t.Errorf("profiles %+v, told %s", b.Rows, told(p.report))
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind Type
		text string
		want any
		ok   bool
	}{
		{Text, "x\x00y", "x\x00y", true},
		{Integer, "9223372036854775807", int64(9223372036854775807), true},
		{Integer, "1.5", int64(0), false},
		{Time, "2026-01-02 03:04:05.000006", int64(1767323045000006), true},
		{Time, "infinity", int64(0), false},
		{Boolean, "true", true, true},
		{Boolean, "x", false, false},
		{Double, "0.25", 0.25, true},
		{Double, "nan", nil, false},
		{Double, "inf", nil, false},
		{JSON, `{"a":1}`, `{"a":1}`, true},
		{JSON, "{", "{", false},
		{List, `["a"]`, `["a"]`, true},
		{Day, "2026-02-30", "2026-02-30", false},
		{Day, "2026-02-28", "2026-02-28", true},
	} {
		got, ok := value(c.kind, c.text)
		if ok != c.ok || (ok && got != c.want) {
			t.Errorf("value(%s, %q) = %v, %v; want %v, %v", c.kind, c.text, got, ok, c.want, c.ok)
		}
	}
	for in, want := range map[string]string{"": "", "null": "", "{}": "", `{"a":1}`: `{"a":1}`, "[1]": `{"value":[1]}`, `"x"`: `{"value":"x"}`, "not JSON": `{"value":"not JSON"}`} {
		if got := object(in); got != want {
			t.Errorf("object(%q) = %q, want %q", in, got, want)
		}
	}
}

// fake is a source and a state that say what they are told to.
type fake struct {
	rows    []work.StateRows
	known   error
	write   error
	finish  error
	done    int
	outcome Outcome
	tables  []string
}

func (f *fake) ImportSystem(_ context.Context, _ string, schema func(work.StateSchema), rows func(work.StateRows) error) error {
	schema(work.StateSchema{Version: SchemaVersion})
	for _, r := range f.rows {
		if err := rows(r); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) ImportDone(context.Context, audit.Actor, *Report) error {
	f.done++
	return f.finish
}

func (f *fake) ImportKnown(context.Context) (Known, error) {
	return Known{Plain: map[string]bool{"knowledge_items": true}}, f.known
}

func (f *fake) Import(_ context.Context, _ Order, batches []Batch) ([][]Outcome, error) {
	out := make([][]Outcome, len(batches))
	for i, b := range batches {
		f.tables = append(f.tables, b.Table)
		out[i] = slices.Repeat([]Outcome{f.outcome}, len(b.Rows))
	}
	return out, f.write
}

func TestImporter(t *testing.T) {
	t.Parallel()
	item := work.StateRows{Table: "knowledge_items", Rows: [][]*string{rowOf(t, "knowledge_items", "id=k1").row}, TooLarge: []string{"k2"}}
	banner := work.StateRows{Table: "setup_banner", Rows: [][]*string{rowOf(t, "setup_banner", "id=1").row}}
	views := work.StateRows{Table: "user_observability_views", Rows: [][]*string{rowOf(t, "user_observability_views", "id=1").row}}
	for _, outcome := range []Outcome{Added, Updated, Unchanged, Kept, Taken} {
		f := &fake{rows: []work.StateRows{item, banner, views, {Table: "usage_events", Absent: []string{"*"}}, {Table: "usage_tool_daily", Absent: []string{"day"}}}, outcome: outcome}
		r, err := Importer{Source: f, State: f}.Import(t.Context(), Order{By: audit.System("test"), Dry: true}, "f")
		if err != nil {
			t.Fatal(err)
		}
		c := *r.counts("knowledge_items")
		if c.Read != 2 || c.Added+c.Updated+c.Unchanged+c.Kept+c.Skipped != 2 || (outcome == Taken) != (c.Skipped == 2) {
			t.Errorf("outcome %d: %+v", outcome, c)
		}
		if len(r.Notes) != 4 || !strings.Contains(r.String(), "k2 (skipped, row_too_large)") {
			t.Errorf("notes %q, report %s", r.Notes, r)
		}
		if f.done != 0 {
			t.Error("a dry run counts as an import")
		}
		if last := f.tables[len(f.tables)-1]; last != "knowledge_items" || !slices.Contains(f.tables, "resource_grants") {
			t.Errorf("written: %v", f.tables)
		}
	}
	broken := errors.New("broken")
	for name, f := range map[string]*fake{
		"known": {known: broken}, "the end": {finish: broken}, "write": {write: broken}, "late write": {write: broken, rows: []work.StateRows{item}},
		"unknown table": {rows: []work.StateRows{{Table: "x"}}}, "short row": {rows: []work.StateRows{{Table: "users", Rows: [][]*string{{nil}}}}},
	} {
		if _, err := (Importer{Source: f, State: f}).Import(t.Context(), Order{By: audit.System("test")}, "f"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestImportOfAnIncompleteState(t *testing.T) {
	t.Parallel()
	for absent, want := range map[string]string{
		"users *": "state_incomplete", "users active": "state_incomplete", "users name": "", "resource_grants *": "state_incomplete", "personal_access_tokens revoked_at": "state_incomplete",
		"personal_access_tokens last_used_ip": "", "knowledge_items *": "", "table_registry where_filters": "state_incomplete",
	} {
		table, column, _ := strings.Cut(absent, " ")
		f := &fake{rows: []work.StateRows{{Table: table, Absent: []string{column}}}}
		_, err := Importer{Source: f, State: f}.Import(t.Context(), Order{By: audit.System("test")}, "f")
		if domain.CodeOf(err) != want || (err == nil) != (f.done == 1) {
			t.Errorf("without %s: %v, want %q", absent, err, want)
		}
	}
}

func TestReportKeepsTheTerminalCalm(t *testing.T) {
	t.Parallel()
	r := &Report{}
	r.counts("users").Read = 1
	r.skip("users", "\x1b[31mred", "code", "bell\a %s", "x")
	if text := r.String(); strings.ContainsAny(text, "\x1b\a") || !strings.Contains(text, "·[31mred") {
		t.Errorf("report %q", text)
	}
}
