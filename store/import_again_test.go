package store

import (
	"fmt"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/imports"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// forget removes rows that no page removes yet, as a later one will.
func forget(t *testing.T, s *Store, statement string) {
	t.Helper()
	if err := s.tx(t.Context(), func(tx runner) error {
		n, err := tx.exec(t.Context(), statement)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s removes nothing", statement)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// byHand is somebody's state without a directory, so that administrators may
// remove everything.
func byHand() old {
	from := somebodys()
	delete(from["user_groups"][2], "created_by")
	delete(from["user_group_members"][1], "source")
	from["user_group_members"] = append(from["user_group_members"], map[string]string{"user_id": "u1", "group_id": "gs", "source": "admin"})
	from["column_metadata"] = []map[string]string{{"table_id": "a/b", "column_name": "c"}, {"table_id": "a", "column_name": "b/c"}}
	return from
}

func TestImportLeavesAwayWhatWasRemoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remove  func(t *testing.T, s *Store) error
		removed string // rows that stay away, by table
		says    string
	}{
		"a grant": {
			func(t *testing.T, s *Store) error { t.Helper(); return s.DeleteGrant(t.Context(), admin, "r1") },
			"resource_grants:1", "The grant of table in.c.orders to Sales was taken over before and removed here.",
		},
		"a member": {
			func(t *testing.T, s *Store) error { t.Helper(); return s.RemoveMember(t.Context(), admin, "gs", "u1") },
			"user_group_members:1", "The membership of ada@example.com in Sales was taken over before and removed here.",
		},
		"a group with its members and grants": {
			func(t *testing.T, s *Store) error {
				t.Helper()
				_, err := s.DeleteGroup(t.Context(), admin, "gs")
				return err
			},
			"user_group_members:2 resource_grants:1 user_groups:1", "The group gs that it belongs to was removed here.",
		},
		"a person with their memberships": {
			func(t *testing.T, s *Store) error { t.Helper(); return s.DeleteUser(t.Context(), admin, "u2") },
			"users:1 user_group_members:1 personal_access_tokens:1", "eva@example.com was taken over before and removed here.",
		},
		"a table with its grants": {
			func(t *testing.T, s *Store) error {
				t.Helper()
				_, err := s.Unregister(t.Context(), admin, []registry.TableID{"in.c.orders"})
				return err
			},
			"table_registry:1 resource_grants:1 sync_state:1 view_ownership:1 table_profiles:1", "Orders was taken over before and removed here.",
		},
		"a token": {
			func(t *testing.T, s *Store) error {
				t.Helper()
				forget(t, s, `DELETE FROM personal_access_tokens`)
				return nil
			},
			"personal_access_tokens:1", "It was taken over before",
		},
		"knowledge": {
			func(t *testing.T, s *Store) error {
				t.Helper()
				forget(t, s, `DELETE FROM knowledge_items`)
				return nil
			},
			"knowledge_items:1", "It was taken over before",
		},
		"one of two keys that read alike": {
			func(t *testing.T, s *Store) error {
				t.Helper()
				forget(t, s, `DELETE FROM column_metadata WHERE table_id = 'a'`)
				return nil
			},
			"column_metadata:1", "It was taken over before",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _ := options(t)
			s := mustOpen(t, o)
			whole := mustImport(t, s, byHand(), false)
			if err := c.remove(t, s); err != nil {
				t.Fatal(err)
			}
			left := dump(t, o.Dir+"/"+fileName)
			dry, again := mustImport(t, s, byHand(), true), mustImport(t, s, byHand(), false)
			if got := dump(t, o.Dir+"/"+fileName); got != left {
				t.Error("a second import changed the state")
			}
			want := map[string]int{}
			for _, part := range strings.Fields(c.removed) {
				table, n, _ := strings.Cut(part, ":")
				want[table] = int(n[0] - '0')
			}
			for i, counts := range again.Tables {
				if counts.Removed != want[counts.Table] || dry.Tables[i] != counts || counts.Added+counts.Skipped > 0 {
					t.Errorf("%+v, in the dry run %+v; want %d removed", counts, dry.Tables[i], want[counts.Table])
				}
			}
			if text := again.String(); !strings.Contains(text, "(removed here since): ") || !strings.Contains(text, "--again brings them back") || !strings.Contains(text, c.says) {
				t.Errorf("the report says\n%s", text)
			}

			order := imports.Order{By: admin, Again: true}
			back := must[*imports.Report](t)(imports.Importer{Source: byHand(), State: s}.Import(t.Context(), order, "old.duckdb"))
			if back.Left() > 0 || !strings.Contains(back.String(), " (back): ") {
				t.Errorf("brought back: %s", back)
			}
			for _, counts := range back.Tables {
				if w := want[counts.Table]; counts.Removed > 0 || counts.Back != w && (name != "a person with their memberships" || counts.Table != "personal_access_tokens") {
					t.Errorf("brought back: %+v, want %d", counts, w)
				}
			}
			last := mustImport(t, s, byHand(), false)
			for i, counts := range last.Tables {
				if first := whole.Tables[i]; counts.Unchanged+counts.Kept != first.Added || counts.Removed+counts.Added > 0 {
					t.Errorf("after it %+v, of %d", counts, first.Added)
				}
			}
		})
	}
}

func TestImportOfSomebodyMadeAnew(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	from := byHand()
	mustImport(t, s, from, false)
	if err := s.DeleteUser(t.Context(), admin, "u2"); err != nil {
		t.Fatal(err)
	}
	must[string](t)(s.DeleteGroup(t.Context(), admin, "gs"))
	eva, sales := mustUser(t, s, "eva@example.com"), mustGroup(t, s, "Sales")
	from["user_group_members"] = append(from["user_group_members"], map[string]string{"user_id": "u2", "group_id": "ga", "source": "admin"})
	r := mustImport(t, s, from, false)
	if got := must[people.User](t)(s.GetUserByEmail(t.Context(), "eva@example.com")); got.ID != eva.ID || !got.Admin || len(got.Groups) != 1 {
		t.Errorf("eva is %+v: what she got there since is hers, what was taken from her here is not", got)
	}
	if m := must[[]people.Member](t)(s.ListMembers(t.Context(), sales.ID)); len(m) != 0 {
		t.Errorf("members came back: %+v", m)
	}
	if g := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{GroupID: sales.ID})); len(g) != 0 {
		t.Errorf("grants came back: %+v", g)
	}
	if r.Left() > 0 {
		t.Errorf("report %s", r)
	}
}

func TestImportOfARemovedDouble(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	from := byHand()
	from["users"] = append(from["users"], map[string]string{"id": "u3", "email": "EVA@example.com", "active": "true"})
	mustImport(t, s, from, false)
	if err := s.DeleteUser(t.Context(), admin, "u2"); err != nil {
		t.Fatal(err)
	}
	from["users"] = append(from["users"][:1], from["users"][2]) // the account that was kept is gone there too
	from["user_group_members"] = append(from["user_group_members"], map[string]string{"user_id": "u3", "group_id": "ga"})
	r := mustImport(t, s, from, false)
	if _, err := s.GetUserByEmail(t.Context(), "eva@example.com"); err == nil {
		t.Error("a removed person came back as their double")
	}
	for _, table := range []string{"users", "user_group_members"} {
		for _, c := range r.Tables {
			if c.Table == table && c.Removed == 0 {
				t.Errorf("%+v, want one removed", c)
			}
		}
	}
}

func TestDeletedPeopleLeaveNoHash(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	from := byHand()
	from["users"][1]["password_hash"] = "$2b$12$canary"
	mustImport(t, s, from, false)
	hashes := func() int {
		return must[int](t)(one(t.Context(), s.reader(), value[int], `SELECT count(*) FROM imported_password_hashes`))
	}
	if n := hashes(); n != 1 {
		t.Fatalf("%d hashes were put aside", n)
	}
	if err := s.DeleteUser(t.Context(), admin, "u2"); err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, from, false)
	if n := hashes(); n != 0 {
		t.Errorf("%d hashes are left of a person who is not here", n)
	}
}

func TestImportKeepsSomebodyOut(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	from := somebodys()
	mustImport(t, s, from, false)
	no := false
	if _, err := s.UpdateUser(t.Context(), admin, "u2", people.UserChange{Active: &no}); err != nil {
		t.Fatal(err)
	}
	from["users"][1]["updated_at"] = fmt.Sprint(c.Now().AddDate(1, 0, 0).UnixMicro())
	r := mustImport(t, s, from, false)
	if got := must[people.User](t)(s.GetUserByEmail(t.Context(), "eva@example.com")); got.Active {
		t.Error("an account that was deactivated here is active again, because it changed in the old server")
	}
	if got := r.Tables[0]; got.Kept != 1 {
		t.Errorf("report %+v", got)
	}
}

func TestImportThatRemembersNothing(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustImport(t, s, somebodys(), false)
	forget(t, s, `DELETE FROM imported_rows`) // as after an import by an Agnes that kept none
	if err := s.DeleteGrant(t.Context(), admin, "r1"); err != nil {
		t.Fatal(err)
	}
	if r := mustImport(t, s, somebodys(), true); !strings.Contains(r.String(), "counts as new this once") || r.Changes() != 1 {
		t.Errorf("nobody is warned: %s", r)
	}
	mustImport(t, s, somebodys(), false)
	if err := s.DeleteGrant(t.Context(), audit.System("test"), "r1"); err != nil {
		t.Fatal(err)
	}
	if r := mustImport(t, s, somebodys(), false); strings.Contains(r.String(), "counts as new this once") || r.Changes() != 0 {
		t.Errorf("the second time: %s", r)
	}
}

// Without an index, a second import reads every row of a kind for each of them.
func TestImportsAreRecalledByAnIndex(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	for _, column := range []string{"old_id", "here"} {
		plan := must[[]string](t)(collect(t.Context(), s.reader(), func(row scanner) (detail string, err error) {
			var id, parent, unused int
			return detail, row.Scan(&id, &parent, &unused, &detail)
		}, "EXPLAIN QUERY PLAN "+recallBy(column, 3), "kind", "a", "b", "c"))
		if got := strings.Join(plan, " "); !strings.Contains(got, "kind=? AND "+column+"=?") {
			t.Errorf("by %s: %s", column, got)
		}
	}
}
