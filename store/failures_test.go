package store

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// change is a call that writes in somebody's name.
type change struct {
	name string
	call func(ctx context.Context, by audit.Actor) error
}

// changes are all of them, each one that would succeed on a store prepared by
// prepare. None depends on another.
func changes(s *Store, ids prepared) []change {
	return []change{
		{"CreateUser", func(ctx context.Context, by audit.Actor) error {
			return second(s.CreateUser(ctx, by, people.NewUser{Email: "new@example.com"}))
		}},
		{"UpdateUser", func(ctx context.Context, by audit.Actor) error {
			return second(s.UpdateUser(ctx, by, ids.user, people.UserChange{Name: ptr("New")}))
		}},
		{"UpdateUser password", func(ctx context.Context, by audit.Actor) error {
			return second(s.UpdateUser(ctx, by, ids.user, people.UserChange{PasswordHash: ptr("h")}))
		}},
		{"DeleteUser", func(ctx context.Context, by audit.Actor) error { return s.DeleteUser(ctx, by, ids.user) }},
		{"CreateGroup", func(ctx context.Context, by audit.Actor) error { return second(s.CreateGroup(ctx, by, "New", "")) }},
		{"UpdateGroup", func(ctx context.Context, by audit.Actor) error {
			return second(s.UpdateGroup(ctx, by, ids.group, people.GroupChange{Name: ptr("Newer")}))
		}},
		{"DeleteGroup", func(ctx context.Context, by audit.Actor) error { return second(s.DeleteGroup(ctx, by, ids.group)) }},
		{"AddMember", func(ctx context.Context, by audit.Actor) error {
			return second(s.AddMember(ctx, by, s.adminID, "ada@example.com", people.ByAdmin))
		}},
		{"RemoveMember", func(ctx context.Context, by audit.Actor) error { return s.RemoveMember(ctx, by, ids.group, ids.user) }},
		{"Rejoin", func(ctx context.Context, by audit.Actor) error { return second(s.Rejoin(ctx, by, s.adminID, ids.user)) }},
		{"CreateGrant", func(ctx context.Context, by audit.Actor) error {
			return second(s.CreateGrant(ctx, by, access.NewGrant{Group: ids.group, ResourceType: access.TableResource, ResourceID: "new"}))
		}},
		{"UpdateGrant", func(ctx context.Context, by audit.Actor) error {
			return second(s.UpdateGrant(ctx, by, ids.grant, access.GrantChange{Reason: ptr("new")}))
		}},
		{"ApplyAccess", func(ctx context.Context, by audit.Actor) error {
			return second(s.ApplyAccess(ctx, by, "", []access.Edit{{Cell: access.Cell{Group: ids.group, ResourceType: access.TableResource, ResourceID: "deals"}, Want: &access.CellGrant{}}}))
		}},
		{"UndoAccess", func(ctx context.Context, by audit.Actor) error { return second(s.UndoAccess(ctx, by, ids.change)) }},
		{"PersonGroup", func(ctx context.Context, by audit.Actor) error { return second(s.PersonGroup(ctx, by, ids.user)) }},
		{"Restore", func(ctx context.Context, by audit.Actor) error { return s.Restore(ctx, by, ids.bin) }},
		{"DeleteGrant", func(ctx context.Context, by audit.Actor) error { return s.DeleteGrant(ctx, by, ids.grant) }},
		{"RegisterTables", func(ctx context.Context, by audit.Actor) error {
			return second(s.RegisterTables(ctx, by, []registry.Registration{{Table: registry.Table{Name: "new"}}}))
		}},
		{"UpdateTable", func(ctx context.Context, by audit.Actor) error {
			return second(s.UpdateTable(ctx, by, "deals", registry.TableChange{Description: ptr("New")}))
		}},
		{"Unregister", func(ctx context.Context, by audit.Actor) error {
			return second(s.Unregister(ctx, by, []registry.TableID{"deals"}))
		}},
		{"QueueRuns", func(ctx context.Context, by audit.Actor) error {
			return second(s.QueueRuns(ctx, by, syncs.ByPerson, []registry.TableID{"deals"}))
		}},
		{"CancelRun", func(ctx context.Context, by audit.Actor) error { return second(s.CancelRun(ctx, by, ids.run)) }},
		{"FinishQuery", func(ctx context.Context, by audit.Actor) error {
			p := access.Principal{UserID: people.UserID(by.UserID), Client: by}
			return s.FinishQuery(ctx, query.Record{ID: "q", By: p, State: query.OK})
		}},
		{"TouchPull", func(ctx context.Context, by audit.Actor) error { return s.TouchPull(ctx, by, ids.user) }},
		{"EndSession", func(ctx context.Context, by audit.Actor) error { return s.EndSession(ctx, by, ids.user, ids.session) }},
		{"EndSessions", func(ctx context.Context, by audit.Actor) error { return second(s.EndSessions(ctx, by, ids.user, "")) }},
		{"CreateToken", func(ctx context.Context, by audit.Actor) error {
			return s.CreateToken(ctx, by, access.Token{ID: "new", UserID: ids.user}, "h")
		}},
		{"RotateToken", func(ctx context.Context, by audit.Actor) error {
			return s.RotateToken(ctx, by, "t", s.now(), access.Token{ID: "new", UserID: ids.user}, "h")
		}},
		{"RevokeToken", func(ctx context.Context, by audit.Actor) error { return s.RevokeToken(ctx, by, ids.user, "t") }},
		{"Audit", func(ctx context.Context, by audit.Actor) error {
			return s.Audit(ctx, audit.Entry{Actor: by, Action: "catalog.list"})
		}},
	}
}

type prepared struct {
	user       people.UserID
	group      people.GroupID
	grant, run string
	session    people.SessionID
	change     string // of access
	bin        string
}

// prepare makes one of everything.
func prepare(tb testing.TB, s *Store) prepared {
	tb.Helper()
	g := mustGroup(tb, s, "Finance")
	u := mustUser(tb, s, "ada@example.com", g.ID)
	mustTables(tb, s, "orders", "deals")
	grant := must[access.Grant](tb)(s.CreateGrant(tb.Context(), admin, access.NewGrant{Group: g.ID, ResourceType: access.TableResource, ResourceID: "orders"}))
	run := must[[]syncs.Run](tb)(s.QueueRuns(tb.Context(), admin, syncs.ByPerson, []registry.TableID{"orders"}))[0]
	if err := s.StartQuery(tb.Context(), query.Record{ID: "q", State: query.Running, StartedAt: s.now()}, query.PersonLimits{}); err != nil {
		tb.Fatal(err)
	}
	session := mustSession(tb, s, u.ID, people.BrowserSession)
	mustToken(tb, s, "t", u.ID, nil)
	change := must[access.Change](tb)(s.ApplyAccess(tb.Context(), admin, "", []access.Edit{{
		Cell: access.Cell{Group: s.everyoneID, ResourceType: access.TableResource, ResourceID: "deals"}, Want: &access.CellGrant{},
	}}))
	bin := must[string](tb)(s.DeleteGroup(tb.Context(), admin, mustGroup(tb, s, "Gone").ID))
	return prepared{change: change.ID, bin: bin, session: session.ID, user: u.ID, group: g.ID, grant: grant.ID, run: run.ID}
}

// TestEveryChangeIsAudited: a change and its audit row are there together or
// not at all.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ids := prepare(t, s)
	file := filepath.Join(s.dir, fileName)
	before := dump(t, file)
	for _, c := range changes(s, ids) {
		if err := c.call(t.Context(), audit.Actor{ClientKind: "web"}); err == nil {
			t.Errorf("%s by nobody succeeded", c.name)
		}
	}
	if after := dump(t, file); after != before {
		t.Errorf("changes by nobody left something:\n%s", after)
	}
	for i := range changes(s, ids) {
		s, _ := newStore(t)
		c := changes(s, prepare(t, s))[i]
		rows := len(actions(t, s, 0))
		if err := c.call(t.Context(), admin); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		entries := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 0))
		if len(entries) != rows+1 || entries[0].Actor.UserID != admin.UserID {
			t.Errorf("%s wrote %d audit rows, want 1 by the actor", c.name, len(entries)-rows)
		}
	}
}

// TestWithoutAuditNoChange: when the audit row cannot be written, neither can
// the change.
func TestWithoutAuditNoChange(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ids := prepare(t, s)
	if err := s.tx(t.Context(), func(tx runner) error {
		return second(tx.exec(t.Context(), `CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'no audit'); END`))
	}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, fileName)
	before := dump(t, file)
	for _, c := range changes(s, ids) {
		if err := c.call(t.Context(), admin); err == nil {
			t.Errorf("%s succeeded without its audit row", c.name)
		}
	}
	if after := dump(t, file); after != before {
		t.Errorf("changes without audit rows left something:\n%s", after)
	}
}

// TestBrokenStore: a store that fails says so everywhere, never "not found"
// and never with an empty answer.
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	ids := prepare(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	reads := map[string]error{
		"CountUsers":         second(s.CountUsers(ctx)),
		"ListUsers":          third(s.ListUsers(ctx, people.UserFilter{})),
		"GetUser":            second(s.GetUser(ctx, ids.user)),
		"GetUserByEmail":     second(s.GetUserByEmail(ctx, "ada@example.com")),
		"Memberships":        second(s.Memberships(ctx, ids.user)),
		"ListGroups":         second(s.ListGroups(ctx)),
		"GetGroup":           second(s.GetGroup(ctx, ids.group)),
		"GetGroupByName":     second(s.GetGroupByName(ctx, "Finance")),
		"ListMembers":        second(s.ListMembers(ctx, ids.group)),
		"Principal":          second(s.Principal(ctx, ids.user)),
		"PrincipalBySession": third(s.PrincipalBySession(ctx, ids.session)),
		"StartSession":       second(s.StartSession(ctx, people.NewSession{UserID: ids.user})),
		"PrincipalByToken":   third(s.PrincipalByToken(ctx, "t", "h")),
		"UseSession":         s.UseSession(ctx, people.Session{ID: ids.session}, "", s.now()),
		"UseToken":           s.UseToken(ctx, admin, access.Token{ID: "t"}),
		"ListSessions":       second(s.ListSessions(ctx, ids.user, s.now())),
		"ListIdentities":     second(s.ListIdentities(ctx, ids.user)),
		"ListTokens":         second(s.ListTokens(ctx, ids.user)),
		"ListAllTokens":      third(s.ListAllTokens(ctx, 0, 0)),
		"GetToken":           second(s.GetToken(ctx, ids.user, "t")),
		"Prove":              s.Prove(ctx, admin, ids.session, people.ByPassword),
		"BootstrapAdmin":     second(s.BootstrapAdmin(ctx, admin, people.NewUser{})),
		"ListGrants":         second(s.ListGrants(ctx, access.GrantFilter{})),
		"EffectiveAccess":    second(s.EffectiveAccess(ctx, ids.user)),
		"Catalog":            second(s.Catalog(ctx, access.Principal{Admin: true})),
		"ListTables":         second(s.ListTables(ctx)),
		"GetTable":           second(s.GetTable(ctx, "orders")),
		"ListVersions":       second(s.ListVersions(ctx, "orders")),
		"PruneVersions":      second(s.PruneVersions(ctx, Retention{Keep: 1})),
		"VersionKeys":        second(s.VersionKeys(ctx)),
		"GetRun":             second(s.GetRun(ctx, ids.run)),
		"ListRuns":           third(s.ListRuns(ctx, syncs.RunFilter{})),
		"LiveRuns":           second(s.LiveRuns(ctx)),
		"LiveRun":            second(s.LiveRun(ctx, "orders")),
		"NoteRead":           s.NoteRead(ctx, "orders", "x"),
		"FilesRead":          second(s.FilesRead(ctx)),
		"ListSteps":          second(s.ListSteps(ctx, ids.run)),
		"ClaimRun":           second(s.ClaimRun(ctx)),
		"RecoverRuns":        second(s.RecoverRuns(ctx)),
		"SaveRun":            s.SaveRun(ctx, syncs.Run{ID: ids.run}),
		"FinishRun":          s.FinishRun(ctx, syncs.Run{ID: ids.run, State: syncs.OK}),
		"ListSources":        second(s.ListSources(ctx)),
		"SaveSource":         s.SaveSource(ctx, syncs.Source{Name: "shop"}),
		"DeleteSource":       s.DeleteSource(ctx, "shop"),
		"ClaimView":          second(s.ClaimView(ctx, "orders", "shop")),
		"ListQueryRuns":      second(s.ListQueryRuns(ctx, ids.user, 0)),
		"StartQuery":         s.StartQuery(ctx, query.Record{ID: "q2"}, query.PersonLimits{}),
		"ListAudit":          second(s.ListAudit(ctx, 0)),
		"FirstRunOpen":       s.FirstRunOpen(ctx, nil),
		"ReplaceLink":        s.ReplaceFirstRunLink(ctx, []byte("h"), c.Now()),
		"EnsureSeedAdmin":    s.EnsureSeedAdmin(ctx, "a@example.com", "h"),
		"SweepSessions":      s.SweepSessions(ctx),
		"Commit":             s.Sessions().Commit("h", []byte("x"), c.Now()),
		"Find":               third(s.Sessions().Find("h")),
		"SchemaVersion":      second(s.SchemaVersion(ctx)),
		"Backup":             s.Backup(ctx, filepath.Join(t.TempDir(), "b.db")),
		"RenewPasswordHash":  s.RenewPasswordHash(ctx, ids.user, "", "x"),
		"PasswordHash":       func() error { _, _, _, err := s.PasswordHash(ctx, "ada@example.com"); return err }(),
	}
	for _, c := range changes(s, ids) {
		reads[c.name] = c.call(ctx, admin)
	}
	for name, err := range reads {
		if err == nil || domain.KindOf(err) != domain.Internal || messageOf(err) != "" {
			t.Errorf("%s on a broken store: kind %d, %v; want an internal error without a sentence", name, domain.KindOf(err), err)
		}
	}
}

func third[T, U any](_ T, _ U, err error) error { return err }

// TestBusy: while another program holds the file, a change fails with a
// sentence; it succeeds as soon as the file is free, without being asked again.
func TestBusy(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	pragma(t, s, `PRAGMA busy_timeout = 1`)
	other, err := openFile(filepath.Join(s.dir, fileName), url.Values{"_txlock": {"immediate"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	hold, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateGroup(t.Context(), admin, "Finance", "")
	wantError(t, "a change while the file is held", err, domain.Unavailable, "state_busy")
	if _, err := s.ListGroups(t.Context()); err != nil {
		t.Errorf("readers wait for another program: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.CreateGroup(t.Context(), admin, "Finance", "")
		done <- err
	}()
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("a change while the file becomes free: %v", err)
	}
	if hold, err = other.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.CreateGroup(ctx, admin, "Sales", ""); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("a change whose time is over while it waits: %v", err)
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// pragma sets something on the writing connection.
func pragma(tb testing.TB, s *Store, statement string) {
	tb.Helper()
	must[int64](tb)(runner{on: s.writer, count: &s.queries}.exec(tb.Context(), statement))
}

// TestDiskFull: nothing is half written, and the sentence says what to do.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	pages := must[int64](t)(one(t.Context(), s.reader(), value[int64], `PRAGMA page_count`))
	pragma(t, s, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+2))
	var full error
	n := 0
	for ; full == nil && n < 500; n++ {
		_, full = s.CreateGroup(t.Context(), admin, fmt.Sprintf("Group %d %s", n, strings.Repeat("x", 500)), "")
	}
	wantError(t, "a change on a full disk", full, domain.Unavailable, "disk_full")
	groups := len(must[[]people.Group](t)(s.ListGroups(t.Context()))) - 2
	if rows := len(actions(t, s, 0)); groups != n-1 || rows != groups {
		t.Errorf("%d groups and %d audit rows after %d changes", groups, rows, n-1)
	}
	pragma(t, s, `PRAGMA max_page_count = 100000`)
	if _, err := s.CreateGroup(t.Context(), admin, "Finance", ""); err != nil {
		t.Errorf("a change after space was freed: %v", err)
	}
}
