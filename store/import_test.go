package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/imports"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// old is a predecessor's state in memory: rows of "column=value" pairs.
type old map[string][]map[string]string

// ImportSystem implements imports.Source.
func (o old) ImportSystem(_ context.Context, file string, schema func(work.StateSchema), rows func(work.StateRows) error) error {
	if file != "old.duckdb" {
		return errors.New("another file")
	}
	schema(work.StateSchema{Version: imports.SchemaVersion})
	for _, t := range imports.Schema() {
		for _, r := range o[t.Name] {
			row := make([]*string, len(t.Columns))
			for column, v := range r {
				row[t.Index(column)] = &v
			}
			if err := rows(work.StateRows{Table: t.Name, Rows: [][]*string{row}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// somebodys is a small state with one of most things.
func somebodys() old {
	return old{
		"users": {
			{"id": "u1", "email": "Ada@Example.com", "name": "Ada", "active": "true", "created_at": "1700000000000001", "updated_at": "1700000000000002"},
			{"id": "u2", "email": "eva@example.com", "active": "true", "updated_at": "5"},
		},
		"user_groups": {
			{"id": "ga", "name": "Admin", "is_system": "true"},
			{"id": "ge", "name": "Everyone", "is_system": "true"},
			{"id": "gs", "name": "Sales", "created_by": "system:google-sync"},
		},
		"user_group_members": {
			{"user_id": "u1", "group_id": "ga", "source": "system_seed"}, {"user_id": "u2", "group_id": "gs", "source": "google_sync", "added_at": "7"},
		},
		"table_registry":         {{"id": "in.c.orders", "name": "Orders", "source_type": "keboola", "primary_key": `["id"]`}},
		"resource_grants":        {{"id": "r1", "group_id": "gs", "resource_type": "table", "resource_id": "in.c.orders"}},
		"sync_state":             {{"table_id": "Orders", "last_sync": "9", "rows": "3", "status": "ok"}},
		"view_ownership":         {{"view_name": "Orders", "source_name": "keboola"}},
		"personal_access_tokens": {{"id": "p1", "user_id": "u2", "token_hash": "canary", "expires_at": "99"}},
		"knowledge_items":        {{"id": "k1", "title": "T", "confidence": "0.25", "is_personal": "true", "updated_at": "3"}},
		"table_profiles":         {{"table_id": "in.c.orders", "profile": `{"row_count":1}`}},
		"sync_history":           {{"id": "h1", "table_id": "Orders", "synced_at": "8", "status": "ok"}},
		"audit_log":              {{"id": "a1", "timestamp": "4", "user_id": "u2", "action": "query", "params": `[1]`}, {"id": "a2", "action": "x"}},
	}
}

func mustImport(t *testing.T, s *Store, from old, dry bool) *imports.Report {
	t.Helper()
	return must[*imports.Report](t)(imports.Importer{Source: from, State: s}.Import(t.Context(), imports.Order{By: admin, Dry: dry}, "old.duckdb"))
}

func TestImportTwice(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	file := o.Dir + "/" + fileName
	empty := dump(t, file)
	changes := s.Changes()
	dry := mustImport(t, s, somebodys(), true)
	if got := dump(t, file); got != empty {
		t.Error("a dry run changed the state")
	}
	if got := s.Changes() - changes; got != 0 {
		t.Errorf("a dry run counts as %d changes", got)
	}
	first := mustImport(t, s, somebodys(), false)
	if dry.Changes() != first.Changes() || first.Left() != 0 || len(first.Issues) != 0 {
		t.Errorf("dry run %d changes, import %d; issues %v", dry.Changes(), first.Changes(), first.Issues)
	}
	once := dump(t, file)
	again := mustImport(t, s, somebodys(), false)
	if got := dump(t, file); got != once {
		t.Error("a second import changed the state")
	}
	if again.Changes() != 0 || again.Left() != 0 {
		t.Errorf("a second import: %s", again)
	}

	ada := must[people.User](t)(s.GetUserByEmail(t.Context(), "ada@example.com"))
	if ada.ID != "u1" || !ada.Admin || ada.CreatedAt.UnixMicro() != 1700000000000001 {
		t.Errorf("ada is %+v", ada)
	}
	for id, want := range map[people.UserID]int{"u1": 1, "u2": 1} {
		catalog := must[access.Catalog](t)(s.Catalog(t.Context(), must[access.Principal](t)(s.Principal(t.Context(), id))))
		if len(catalog.Tables()) != want || catalog.Tables()[0].Name != "Orders" {
			t.Errorf("%s reads %v", id, catalog.Tables())
		}
	}
	if m := must[[]people.Member](t)(s.ListMembers(t.Context(), "gs")); len(m) != 1 || m[0].Source != people.ByGoogleSync || m[0].AddedAt.UnixMicro() != 7 {
		t.Errorf("members %+v", m)
	}
	if p := must[registry.Published](t)(s.GetTable(t.Context(), "in.c.orders")); p.Status.State != "never" || p.Source() != "keboola" {
		t.Errorf("table %+v", p)
	}
	if !must[bool](t)(s.Imported(t.Context())) {
		t.Error("nobody knows of the import")
	}
}

func TestImportMeetsWhatIsHere(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	sales := mustGroup(t, s, "Sales")
	mine := mustUser(t, s, "eva@example.com")
	mustTables(t, s, "orders") // the name that the old Orders would have
	from := somebodys()
	from["users"][0]["updated_at"] = strconv.FormatInt(c.Now().UnixMicro(), 10)
	r := mustImport(t, s, from, false)
	if got := must[people.User](t)(s.GetUserByEmail(t.Context(), "eva@example.com")); got.ID != mine.ID || len(got.Groups) != 1 || got.Groups[0].ID != sales.ID {
		t.Errorf("eva is %+v", got)
	}
	if !strings.Contains(r.String(), "name_taken") || !strings.Contains(r.String(), "table_missing") {
		t.Errorf("report: %s", r)
	}
	// What changed in the old server since comes along; what changed here stays.
	if _, err := s.UpdateUser(t.Context(), admin, mine.ID, people.UserChange{Name: ptr("Here")}); err != nil {
		t.Fatal(err)
	}
	from["users"][0]["name"], from["users"][0]["updated_at"] = "Ada N.", strconv.FormatInt(c.Now().UnixMicro(), 10)
	from["users"][1]["name"] = "There"
	r = mustImport(t, s, from, false)
	if got := r.Tables[0]; got.Table != "users" || got.Updated != 1 || got.Kept != 1 {
		t.Errorf("second import: %+v", got)
	}
	for email, want := range map[string]string{"ada@example.com": "Ada N.", "eva@example.com": "Here"} {
		if got := must[people.User](t)(s.GetUserByEmail(t.Context(), email)); got.Name != want {
			t.Errorf("%s is %q, want %q", email, got.Name, want)
		}
	}
}

// cut is a source that breaks off.
type cut struct {
	old
	after string
}

func (c cut) ImportSystem(ctx context.Context, file string, schema func(work.StateSchema), rows func(work.StateRows) error) error {
	broken := domain.E(domain.Unavailable, "child_died", "The process ended.")
	err := c.old.ImportSystem(ctx, file, schema, func(r work.StateRows) error {
		if r.Table == c.after {
			return broken
		}
		return rows(r)
	})
	return err
}

func TestImportThatBreaksOff(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	empty := dump(t, o.Dir+"/"+fileName)
	for _, table := range []string{"users", "resource_grants", "view_ownership"} {
		_, err := imports.Importer{Source: cut{somebodys(), table}, State: s}.Import(t.Context(), imports.Order{By: admin}, "old.duckdb")
		wantError(t, "cut at "+table, err, domain.Unavailable, "child_died")
		if got := dump(t, o.Dir+"/"+fileName); got != empty {
			t.Errorf("cut at %s: half of an import is there", table)
		}
	}
	_, err := imports.Importer{Source: cut{somebodys(), "audit_log"}, State: s}.Import(t.Context(), imports.Order{By: admin}, "old.duckdb")
	wantError(t, "cut at audit_log", err, domain.Unavailable, "child_died")
	if must[bool](t)(s.Imported(t.Context())) {
		t.Error("half an import counts as a whole one, so the mirror would take the place of what is still needed")
	}
	if r := mustImport(t, s, somebodys(), false); r.Changes() != 2 { // the two audit rows
		t.Errorf("taken up again: %s", r)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	from := somebodys()
	from["marketplace_registry"] = []map[string]string{{"id": "m1", "name": "Ours", "url": "https://bot:canary@p@git.example.com/team@home.git"}}
	mustImport(t, s, from, false)
	hash := "canary-hash"
	if _, err := s.UpdateUser(t.Context(), admin, "u1", people.UserChange{PasswordHash: &hash}); err != nil {
		t.Fatal(err)
	}
	for table, end := range map[string]*time.Time{"kept": nil, "over": ptr(s.now().Add(time.Hour))} {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: table, ExpiresAt: end}))
	}
	c.advance(time.Hour)
	rows := map[string][]map[string]string{}
	err := s.Export(t.Context(), func(r work.StateRows) error {
		shape, _ := imports.Find(r.Table)
		for _, row := range r.Rows {
			named := map[string]string{}
			for i, c := range shape.Columns {
				if row[i] != nil {
					named[c.Name] = *row[i]
				}
			}
			rows[r.Table] = append(rows[r.Table], named)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(rows); strings.Contains(text, "canary") {
		t.Error("a secret leaves the state")
	}
	for table, want := range map[string]string{
		"users": "map[active:true created_at:5 email:eva@example.com id:u2 onboarded:false updated_at:5]", "knowledge_items": "map[confidence:0.25 id:k1 is_personal:true title:T updated_at:3]",
		"sync_history": "map[id:h1 status:ok synced_at:8 table_id:Orders]", "personal_access_tokens": "map[expires_at:99 id:p1 user_id:u2]",
		"marketplace_registry": "url:https://git.example.com/team@home.git",
	} {
		if got := fmt.Sprint(rows[table]); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", table, got, want)
		}
	}
	if got := fmt.Sprint(rows["resource_grants"]); !strings.Contains(got, "resource_id:kept") || strings.Contains(got, "resource_id:over") {
		t.Errorf("grants: %s, want those that open something", got)
	}
	stop := errors.New("enough")
	if err := s.Export(t.Context(), func(work.StateRows) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Export = %v, want the receiver's error", err)
	}
}
