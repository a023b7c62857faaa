package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	registryBody = `{"tables":[
	  {"id":"orders","name":"orders","source_type":"local","bucket":null,"source_table":"orders.csv","query_mode":"local","sync_schedule":null,"last_sync_error":null},
	  {"id":"web_visits","name":"Web visits","source_type":null,"bucket":null,"source_table":null,"query_mode":null,"sync_schedule":"every 6h","last_sync_error":"The file is gone."}],"count":2}`
	usersBody = `[{"id":"aaaa1111-0000","email":"ana@example.com","name":"Ana","role":"admin","active":true,"groups":[{"id":"g1","name":"Admin"},{"id":"g2","name":"Analysts"}]},
	  {"id":"bbbb2222-0000","email":"bob@example.com","name":null,"role":"user","active":false,"groups":[]}]`
	groupsBody = `[{"id":"cccc3333-0000","name":"Analysts","description":null,"origin":"custom","member_count":2,"grant_count":1},
	  {"id":"dddd4444-0000","name":"Admin","description":"May do all","origin":"system","member_count":1,"grant_count":0}]`
	membersBody = `[{"user_id":"aaaa1111-0000","email":"ana@example.com","name":"Ana","active":true,"source":"admin"}]`
	grantsBody  = `[{"id":"eeee5555-0000","group_id":"cccc3333-0000","group_name":"Analysts","resource_type":"table","resource_id":"orders"}]`
	accessBody  = `{"is_admin":true,"items":[{"resource_type":"table","resource_id":"orders","via_groups":[{"group_id":"g","group_name":"Analysts","source":"google_sync","added_by":null,"grant_id":"eeee5555-0000","granted_by":"bob@example.com","expires_at":"2027-01-01","reason":"audit"}]}]}`
	typesBody   = `[{"key":"table","display_name":"Table","description":"","id_format":"<table_id>"}]`
)

// newAdminBench has a server that knows two tables, people and groups.
func newAdminBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.answer("GET /api/admin/registry", 200, registryBody)
	b.answer("GET /api/users", 200, usersBody)
	b.answer("GET /api/admin/groups", 200, groupsBody)
	b.answer("GET /api/admin/groups/cccc3333-0000/members", 200, membersBody)
	b.answer("GET /api/admin/grants", 200, grantsBody)
	b.answer("GET /api/admin/resource-types", 200, typesBody)
	b.answer("GET /api/admin/users/aaaa1111-0000/effective-access", 200, accessBody)
	return b
}

func TestAdminLists(t *testing.T) {
	cases := []struct {
		line string
		want []string
		raw  string
	}{
		{"list-tables", []string{"ID ", "orders ", "local:  orders.csv", "web_visits", "every 6h", "The file is gone."}, registryBody},
		{"list-users", []string{"aaaa1111-0000", "ana@example.com", "Admin, Analysts", "bbbb2222-0000", "no "}, usersBody},
		{"group list", []string{"cccc3333-0000", "Analysts", "custom", "May do all"}, groupsBody},
		{"group members Analysts", []string{"aaaa1111-0000", "ana@example.com", "admin"}, membersBody},
		{"group members cccc", []string{"aaaa1111-0000"}, membersBody},
		{"grant list", []string{"eeee5555-0000", "Analysts", "table", "orders"}, grantsBody},
		{"access ana@example.com", []string{"reads everything", "table", "orders", "Analysts", "google_sync", "eeee5555-0000", "bob@example.com", "2027-01-01", "audit"}, accessBody},
		{"grant resource-types", []string{"table", "<table_id>"}, typesBody},
	}
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			b := newAdminBench(t)
			args := append([]string{"admin"}, strings.Fields(c.line)...)
			wantIn(t, b.mustRun(args...), c.want...)
			var got, want any
			mustParse(t, b.mustRun(append(args, "--json")...), &got)
			mustParse(t, c.raw, &want)
			if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
				t.Errorf("--json = %s, want %s", g, w)
			}
		})
	}
}

func TestAdminListsOfNothing(t *testing.T) {
	b := newBench(t)
	b.answer("GET /api/admin/registry", 200, `{"tables":[],"count":0}`)
	b.answer("GET /api/admin/grants", 200, `[]`)
	wantIn(t, b.mustRun("admin", "list-tables"), "agnes admin register-table NAME")
	wantIn(t, b.mustRun("admin", "grant", "list"), "There is no such grant.")
	if got := b.mustRun("admin", "grant", "list", "--json"); got != "[]\n" {
		t.Errorf("grant list --json = %q", got)
	}
}

func TestGrantListFilters(t *testing.T) {
	b := newAdminBench(t)
	b.mustRun("admin", "grant", "list", "--type", "table", "--group", "analysts")
	got := b.requests("GET")
	if want := "GET /api/admin/grants?group_id=cccc3333-0000&resource_type=table"; got[len(got)-1] != want {
		t.Errorf("asked %q, want %q", got[len(got)-1], want)
	}
}

// writes are commands that change something: what they send, and what they say.
var writes = []struct {
	line  string
	stdin string
	route string
	code  int
	reply string
	send  string
	say   string
}{
	{
		"add-user cyd@example.com", "", "POST /api/users", 201, `{"id":"u9","email":"cyd@example.com"}`,
		`{"email":"cyd@example.com","name":"cyd"}`, "Added cyd@example.com (id u9). Set a password with: agnes admin set-password cyd@example.com",
	},
	{
		"add-user cyd@example.com --name Cyd", "", "POST /api/users", 201, `{"id":"u9","email":"cyd@example.com"}`,
		`{"email":"cyd@example.com","name":"Cyd"}`, "(id u9)",
	},
	{
		"add-user cyd@example.com --invite", "", "POST /api/users", 201, `{"id":"u9","email":"cyd@example.com","invite_url":null,"invite_email_sent":true}`,
		`{"email":"cyd@example.com","name":"cyd","send_invite":true}`, "A link to set a password was mailed.",
	},
	{
		"add-user cyd@example.com --invite --name Cyd", "", "POST /api/users", 201, `{"id":"u9","email":"cyd@example.com","invite_url":"https://a.example/x","invite_email_sent":false}`,
		`{"email":"cyd@example.com","name":"Cyd","send_invite":true}`, "shown once: https://a.example/x",
	},
	{"remove-user bbbb", "", "DELETE /api/users/bbbb2222-0000", 204, "", "", "Deleted bob@example.com (id bbbb2222-0000)."},
	{"deactivate ana@example.com", "", "POST /api/users/aaaa1111-0000/deactivate", 200, `{}`, "", "is deactivated and signed out everywhere."},
	{"activate BOB@example.com", "", "POST /api/users/bbbb2222-0000/activate", 200, `{}`, "", "bob@example.com (id bbbb2222-0000) can sign in again."},
	{
		"reset-password bob@example.com", "", "POST /api/users/bbbb2222-0000/reset-password", 200, `{"reset_url":null,"email_sent":true}`,
		"", "was mailed to bob@example.com",
	},
	{
		"reset-password bbbb", "", "POST /api/users/bbbb2222-0000/reset-password", 200, `{"reset_url":"https://a.example/y","email_sent":false}`,
		"", "shown once: https://a.example/y",
	},
	{
		"set-password bob@example.com --password-stdin", "correct horse\n", "POST /api/users/bbbb2222-0000/set-password", 204, "",
		`{"password":"correct horse"}`, "The password of bob@example.com (id bbbb2222-0000) is set.",
	},
	{
		"set-password bbbb", "correct horse\n", "POST /api/users/bbbb2222-0000/set-password", 204, "",
		`{"password":"correct horse"}`, "bob@example.com",
	},
	{"unregister-table web_visits -y", "", "DELETE /api/admin/registry/web_visits", 204, "", "", "Unregistered Web visits (id web_visits)."},
	{"unregister-table orders", "y\n", "DELETE /api/admin/registry/orders", 204, "", "", "Unregistered orders"},
	{"sync", "", "POST /api/sync/trigger", 200, `{"status":"triggered","tables":"all","message":"Sync started."}`, "", "Sync started."},
	{"sync orders WEB_visits", "", "POST /api/sync/trigger", 200, `{"status":"triggered"}`, `{"tables":["orders","web_visits"]}`, "The sync was started."},
	{
		"group create Buyers --description Purchasing", "", "POST /api/admin/groups", 201, `{"id":"g9","name":"Buyers"}`,
		`{"description":"Purchasing","name":"Buyers"}`, "Made the group Buyers (id g9).",
	},
	{"group delete analysts", "", "DELETE /api/admin/groups/cccc3333-0000", 204, "", "", "Deleted the group Analysts (id cccc3333-0000)."},
	{
		"group add-member Analysts bob@example.com", "", "POST /api/admin/groups/cccc3333-0000/members", 201, `{}`,
		`{"email":"bob@example.com"}`, "bob@example.com (id bbbb2222-0000) is now a member of Analysts",
	},
	{"group remove-member Analysts ANA@example.com", "", "DELETE /api/admin/groups/cccc3333-0000/members/aaaa1111-0000", 204, "", "", "is no member of Analysts"},
	{
		"grant create Analysts table Orders", "", "POST /api/admin/grants", 201, `{"id":"gr9"}`,
		`{"group_id":"cccc3333-0000","resource_id":"orders","resource_type":"table"}`, "Members of Analysts may now read table orders (grant id gr9).",
	},
	{
		"grant create Analysts memory_domain finance", "", "POST /api/admin/grants", 201, `{"id":"gr9"}`,
		`{"group_id":"cccc3333-0000","resource_id":"finance","resource_type":"memory_domain"}`, "(grant id gr9)",
	},
	{
		"grant create Analysts table orders --expires 2027-03-31 --reason audit", "", "POST /api/admin/grants", 201, `{"id":"gr9"}`,
		`{"expires_at":"2027-04-01T00:00:00Z","group_id":"cccc3333-0000","reason":"audit","resource_id":"orders","resource_type":"table"}`, "table orders until 2027-04-01T00:00:00Z (grant id gr9).",
	},
	{"grant delete eeee", "", "DELETE /api/admin/grants/eeee5555-0000", 204, "", "", "Took back the grant Analysts table orders (id eeee5555-0000)."},
	{
		"register-table orders --source-type local --source-table orders.csv --sync-schedule daily+07:00 --primary-key a,b --max-history-days 30", "",
		"POST /api/admin/register-table", 201, `{"id":"orders","name":"orders","status":"registered"}`,
		`{"max_history_days":30,"name":"orders","primary_key":["a","b"],"source_table":"orders.csv","source_type":"local","sync_schedule":"daily 07:00"}`, "Registered orders (id orders).",
	},
	{
		"register-table orders --query SELECT+1 --where-filters-json []", "", "POST /api/admin/register-table", 202, `{"id":"orders","name":"orders","status":"accepted","message":"Another rebuild is queued."}`,
		`{"name":"orders","source_query":"SELECT 1","where_filters":[]}`, "Registered orders (id orders). Another rebuild is queued.",
	},
	{"register-table orders", "", "POST /api/admin/register-table", 409, `{"detail":"Table orders exists"}`, `{"name":"orders"}`, "orders was not registered anew. HTTP 409: Table orders exists"},
	{"register-table orders --dry-run", "", "POST /api/admin/register-table/precheck", 200, `{"ok":true}`, `{"name":"orders"}`, `"ok": true`},
}

func TestAdminWrites(t *testing.T) {
	for _, c := range writes {
		t.Run(c.line, func(t *testing.T) {
			b := newAdminBench(t)
			b.stdin = c.stdin
			b.answer(c.route, c.code, c.reply)
			args := []string{"admin"}
			for word := range strings.FieldsSeq(c.line) {
				args = append(args, strings.ReplaceAll(word, "+", " "))
			}
			wantIn(t, b.mustRun(args...), c.say)
			sent := slices.DeleteFunc(b.requests(""), func(s string) bool { return strings.HasPrefix(s, "GET") })
			if want := strings.TrimSpace(c.route + " " + c.send); len(sent) != 1 || sent[0] != want {
				t.Errorf("sent %q, want %q", sent, want)
			}
		})
	}
}

// A write that the server refuses is said, with exit code 1, and never tried again.
func TestAdminWritesRefused(t *testing.T) {
	for _, c := range writes {
		if c.code == http.StatusConflict {
			continue
		}
		t.Run(c.line, func(t *testing.T) {
			b := newAdminBench(t)
			b.stdin = c.stdin
			b.answer(c.route, 503, `{"detail":{"code":"busy","message":"Agnes is busy."}}`)
			message := b.mustFail(1, append([]string{"admin"}, strings.Fields(c.line)...)...)
			wantIn(t, message, "Error: Agnes is busy. (HTTP 503)", "code: busy")
			wantNotIn(t, message, "correct horse")
			if sent := slices.DeleteFunc(b.requests(""), func(s string) bool { return strings.HasPrefix(s, "GET") }); len(sent) != 1 {
				t.Errorf("sent %q", sent)
			}
		})
	}
}

func TestAdminUnknownThings(t *testing.T) {
	cases := []struct{ line, want string }{
		{"unregister-table order -y", `There is no table "order". Did you mean orders?`},
		{"sync orders vists", `There is no table "vists"`},
		{"set-password bobby@example.com", "Did you mean bob@example.com"},
		{"group members Analyst", `There is no group "Analyst". Did you mean Analysts?`},
		{"group remove-member Analysts bob@example.com", `There is no member of Analysts "bob@example.com"`},
		{"group add-member Analysts zed@nowhere.example", `There is no person "zed@nowhere.example"`},
		{"grant create Analysts table ordrs", "Did you mean orders?"},
		{"grant create Analysts table orders --expires soon", `and got "soon"`},
		{"access zed@nowhere.example", `There is no person "zed@nowhere.example"`},
		{"grant delete ffff", `There is no grant "ffff"`},
	}
	for _, c := range cases {
		b := newAdminBench(t)
		wantIn(t, b.mustFail(1, append([]string{"admin"}, strings.Fields(c.line)...)...), c.want)
		if got := len(b.requests("")) - len(b.requests("GET")); got != 0 {
			t.Errorf("%s changed something: %v", c.line, b.requests(""))
		}
	}
}

func TestAdminIsForAdmins(t *testing.T) {
	b := newBench(t)
	b.answer("GET /", 403, `{"detail":"Admin access required"}`)
	b.answer("POST /", 403, `{"detail":"Admin access required"}`)
	for _, line := range []string{"list-tables", "list-users", "group list", "grant list", "sync", "unregister-table orders -y", "add-user a@example.com"} {
		wantIn(t, b.mustFail(1, append([]string{"admin"}, strings.Fields(line)...)...), "HTTP 403: Admin access required")
	}
}

func TestUnregisterAsks(t *testing.T) {
	for _, answer := range []string{"", "n\n", "maybe\n"} {
		b := newAdminBench(t)
		b.stdin = answer
		stdout, stderr, err := b.run("admin", "unregister-table", "orders")
		if ExitCode(err) != 1 || stdout != "" {
			t.Errorf("answer %q: %v, %q", answer, err, stdout)
		}
		wantIn(t, stderr, "Unregister orders (id orders)?")
		if got := b.requests("DELETE"); len(got) != 0 {
			t.Errorf("answer %q: %v", answer, got)
		}
	}
}

func TestListUsersReadsAllPages(t *testing.T) {
	b := newBench(t)
	all := make([]map[string]any, userPage+1)
	for i := range all {
		all[i] = map[string]any{"id": fmt.Sprintf("id-%04d", i), "email": fmt.Sprintf("p%d@example.com", i), "active": true}
	}
	b.mux.HandleFunc("GET /api/users", func(w http.ResponseWriter, r *http.Request) {
		offset, err := strconv.Atoi(r.URL.Query().Get("offset"))
		if err != nil {
			t.Error(err)
		}
		if err := json.NewEncoder(w).Encode(all[offset:min(len(all), offset+userPage)]); err != nil {
			t.Error(err)
		}
	})
	var got []person
	mustParse(t, b.mustRun("admin", "list-users", "--json"), &got)
	if len(got) != userPage+1 || len(b.requests("GET")) != 2 {
		t.Errorf("%d people by %d requests, want %d by 2", len(got), len(b.requests("GET")), userPage+1)
	}
}

func TestRegisterReadsFiles(t *testing.T) {
	b := newBench(t)
	b.answer("POST /api/admin/register-table", 201, `{"id":"big","name":"big","status":"registered"}`)
	sql, filters := filepath.Join(t.TempDir(), "q.sql"), filepath.Join(t.TempDir(), "f.json")
	mustWrite(t, sql, "SELECT 1")
	mustWrite(t, filters, `[{"column":"a"}]`)
	b.mustRun("admin", "register-table", "big", "--query", "@"+sql, "--where-filters-json", "@"+filters)
	if got, want := b.requests("POST")[0], `POST /api/admin/register-table {"name":"big","source_query":"SELECT 1","where_filters":[{"column":"a"}]}`; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	os.Remove(sql)
	wantIn(t, b.mustFail(2, "admin", "register-table", "big", "--query", "@"+sql), "cannot be read: no such file")
	wantIn(t, b.mustFail(2, "admin", "register-table", "big", "--where-filters-json", "{"), "--where-filters-json is not JSON")
	wantIn(t, b.mustFail(2, "admin", "register-table", "big", "--max-history-days", "many"), "max-history-days")
}

func TestRegisterRefused(t *testing.T) {
	b := newBench(t)
	b.answer("POST /api/admin/register-table", 422, `{"detail":[{"loc":["body","name"],"msg":"A table name has letters, digits and _.","input":"x y"}]}`)
	wantIn(t, b.mustFail(1, "admin", "register-table", "x y"), "HTTP 422", "name: A table name has letters, digits and _.")
	b = newBench(t)
	b.answer("POST /api/admin/register-table", 200, `{}`)
	wantIn(t, b.mustFail(1, "admin", "register-table", "x"), "does not say which id x has")
}

func TestAnswersOfAnotherRelease(t *testing.T) {
	for _, line := range []string{"list-users", "group list", "grant list", "list-tables"} {
		b := newBench(t)
		b.answer("GET /", 200, `["x"]`)
		if line == "list-tables" {
			b = newBench(t)
			b.answer("GET /", 200, `{"tables":[1]}`)
		}
		wantIn(t, b.mustFail(1, append([]string{"admin"}, strings.Fields(line)...)...), "may be of different releases")
	}
}

func TestSetRoleIsGone(t *testing.T) {
	b := newAdminBench(t)
	wantIn(t, b.mustFail(2, "admin", "set-role", "bob@example.com", "admin"), "group add-member Admin EMAIL")
	if sent := b.requests(""); len(sent) != 0 {
		t.Errorf("sent %q", sent)
	}
}

func TestEndOf(t *testing.T) {
	for text, want := range map[string]time.Time{
		"30d": testTime.AddDate(0, 0, 30), "12h": testTime.Add(12 * time.Hour), "2027-03-31": time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC),
		"2027-03-31T18:00:00+02:00": time.Date(2027, 3, 31, 16, 0, 0, 0, time.UTC),
	} {
		if got, err := endOf(text, testTime); err != nil || !got.Equal(want) {
			t.Errorf("endOf(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0d", "-3d", "-1h", "tomorrow", "31.3.2027", "d"} {
		if got, err := endOf(text, testTime); err == nil {
			t.Errorf("endOf(%q) = %v", text, got)
		}
	}
}
