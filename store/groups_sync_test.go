package store

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// directory answers with the same groups for everybody.
type directory struct {
	groups []string
	err    error
}

func (d directory) Groups(context.Context, string) ([]string, error) { return d.groups, d.err }

func googleRules() people.GroupRules {
	return people.GroupRules{
		Source: people.ByGoogleSync, CreatedBy: "system:google-sync",
		Prefix: "grp_", Admin: "grp_admins@example.com", Everyone: "grp_all@example.com",
	}
}

// synced lists somebody's memberships as "name source".
func synced(t *testing.T, s *Store, id people.UserID) []string {
	t.Helper()
	var list []string
	for _, m := range must[[]people.Membership](t)(s.Memberships(t.Context(), id)) {
		if m.GroupName != people.EveryoneGroup {
			list = append(list, m.GroupName+" "+string(m.Source))
		}
	}
	slices.Sort(list)
	return list
}

// TestGoogleGroups walks contract 9.3 over the real state. Everybody begins with
// a membership by an administrator and one by an earlier sync.
func TestGoogleGroups(t *testing.T) {
	t.Parallel()
	const before, byAdmin = "grp_old@example.com google_sync", "Finance admin"
	for _, c := range []struct {
		name   string
		groups []string
		err    error
		rules  func(*people.GroupRules)
		code   string
		want   []string
	}{
		{name: "replaced", groups: []string{"grp_new@example.com", "other@example.com"}, want: []string{byAdmin, "grp_new@example.com google_sync"}},
		{name: "the same", groups: []string{"grp_old@example.com", "grp_old@example.com"}, want: []string{byAdmin, before}},
		{name: "the whole company is Everyone", groups: []string{"grp_all@example.com", "grp_old@example.com"}, want: []string{byAdmin, before}},
		{name: "administrators", groups: []string{"grp_admins@example.com"}, want: []string{"Admin google_sync", byAdmin}},
		{name: "none that counts", groups: []string{"other@example.com"}, code: "not_in_allowed_group", want: []string{byAdmin}},
		{name: "none at all", code: "not_in_allowed_group", want: []string{byAdmin, before}},
		{name: "Google does not say", err: errors.New("status 403"), want: []string{byAdmin, before}},
		{name: "no prefix, none at all", rules: func(r *people.GroupRules) { r.Prefix = "" }, want: []string{byAdmin, before}},
		{name: "no prefix, Google does not say", rules: func(r *people.GroupRules) { r.Prefix = "" }, err: errors.New("status 500"), want: []string{byAdmin, before}},
		{name: "no prefix", rules: func(r *people.GroupRules) { r.Prefix = "" }, groups: []string{"any@example.com"}, want: []string{byAdmin, "any@example.com google_sync"}},
		{name: "our own groups are reached by mapping only", rules: func(r *people.GroupRules) { r.Prefix = "" }, groups: []string{"Admin", " admin", "Everyone", "any@example.com"}, want: []string{byAdmin, "any@example.com google_sync"}},
		{name: "a group that people made stays theirs", rules: func(r *people.GroupRules) { r.Prefix = "" }, groups: []string{"payroll", "finance"}, want: []string{byAdmin}},
		{name: "names that are none", rules: func(r *people.GroupRules) { r.Prefix = "" }, groups: []string{" ", strings.Repeat("g", 200), "a\x00b", "ok@example.com"}, want: []string{byAdmin, "ok@example.com google_sync"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t)
			mustUser(t, s, "root@example.com", s.adminID)
			finance := mustGroup(t, s, "Finance")
			mustGroup(t, s, "Payroll")
			u := mustUser(t, s, "ada@example.com", finance.ID)
			rules := googleRules()
			if err := s.SyncGroups(t.Context(), admin, u.ID, people.GroupSync{Source: rules.Source, CreatedBy: rules.CreatedBy, Names: []string{"grp_old@example.com"}}); err != nil {
				t.Fatal(err)
			}
			if c.rules != nil {
				c.rules(&rules)
			}
			f := &people.Federation{Store: s, Log: slog.New(slog.DiscardHandler), Services: map[people.Method]people.Service{
				people.ByGoogle: {Rules: &rules, Directory: directory{c.groups, c.err}},
			}}
			_, err := f.SignIn(t.Context(), visitor, claims("ada@example.com", "g1"))
			if domain.CodeOf(err) != c.code {
				t.Fatalf("SignIn: %v, want code %q", err, c.code)
			}
			if got := synced(t, s, u.ID); !slices.Equal(got, c.want) {
				t.Errorf("memberships %v, want %v", got, c.want)
			}
			changed := slices.Contains(actions(t, s, 0)[6:], "user_group.synced")
			if unchanged := slices.Contains(c.want, before); changed == unchanged {
				t.Errorf("audit: %v", actions(t, s, 0))
			}
		})
	}
}

func TestOIDCGroups(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustUser(t, s, "root@example.com", s.adminID)
	u := mustUser(t, s, "ada@example.com")
	var log strings.Builder
	f := &people.Federation{Store: s, Log: slog.New(slog.NewTextHandler(&log, nil)), Services: map[people.Method]people.Service{
		people.ByOIDC: {Rules: &people.GroupRules{Source: people.ByOIDCSync, CreatedBy: "system:oidc-sync", Admin: "agnes-admins"}},
	}}
	many := make([]string, 1001)
	for i := range many {
		many[i] = strings.Repeat("x", i%100+1)
	}
	for _, c := range []struct {
		name   string
		groups []string
		known  bool
		err    error
		want   []string
		log    string
	}{
		{"first", []string{"Sales", "agnes-admins"}, true, nil, []string{"Admin oidc_sync", "Sales oidc_sync"}, ""},
		{"not said", nil, false, nil, []string{"Admin oidc_sync", "Sales oidc_sync"}, "said nothing of groups"},
		{"not to be asked", nil, false, errors.New("status 503"), []string{"Admin oidc_sync", "Sales oidc_sync"}, "status 503"},
		{"too many", many, true, nil, []string{"Admin oidc_sync", "Sales oidc_sync"}, "named 1001 groups"},
		{"a mapping is letter by letter", []string{"AGNES-ADMINS", "Admin"}, true, nil, []string{"AGNES-ADMINS oidc_sync"}, ""},
		{"none", nil, true, nil, nil, ""},
	} {
		log.Reset()
		said := people.Claims{Provider: people.ByOIDC, Subject: "o1", Email: "ada@example.com", EmailVerified: true, Groups: c.groups, GroupsKnown: c.known, GroupsErr: c.err}
		must[people.User](t)(f.SignIn(t.Context(), visitor, said))
		if got := synced(t, s, u.ID); !slices.Equal(got, c.want) {
			t.Errorf("%s: memberships %v, want %v", c.name, got, c.want)
		}
		if got := log.String(); !strings.Contains(got, c.log) || c.log == "" && got != "" {
			t.Errorf("%s: the log has %q, want %q", c.name, got, c.log)
		}
	}
	made := must[people.Group](t)(s.GetGroupByName(t.Context(), "Sales"))
	if made.CreatedBy != "system:oidc-sync" || made.System {
		t.Errorf("group: %+v", made)
	}
	// Google does not touch what the other service made, nor joins its groups.
	if err := s.SyncGroups(t.Context(), admin, u.ID, people.GroupSync{Source: people.ByGoogleSync, CreatedBy: "system:google-sync", Names: []string{"sales"}}); err != nil {
		t.Fatal(err)
	}
	if got := synced(t, s, u.ID); got != nil {
		t.Errorf("Google joined a group of another service: %v", got)
	}
}

// TestManagedGroups: what another service decides is not changed here.
func TestManagedGroups(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u, bob := mustUser(t, s, "ada@example.com"), mustUser(t, s, "bob@example.com")
	for source, by := range map[people.MemberSource]string{people.ByGoogleSync: "google", people.ByOIDCSync: "oidc"} {
		name := by + "@example.com"
		if err := s.SyncGroups(t.Context(), admin, u.ID, people.GroupSync{Source: source, CreatedBy: "system:" + by + "-sync", Names: []string{name}}); err != nil {
			t.Fatal(err)
		}
		g := must[people.Group](t)(s.GetGroupByName(t.Context(), name))
		code := by + "_managed_readonly"
		_, err := s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Name: ptr("other")})
		wantError(t, "rename", err, domain.Conflict, code)
		_, err = s.AddMember(t.Context(), admin, g.ID, bob.Email, people.ByAdmin)
		wantError(t, "add", err, domain.Conflict, code)
		wantError(t, "delete", second(s.DeleteGroup(t.Context(), admin, g.ID)), domain.Conflict, code)
		wantError(t, "remove", s.RemoveMember(t.Context(), admin, g.ID, u.ID), domain.Conflict, code)
		_, err = s.SetGroups(t.Context(), admin, bob.ID, people.GroupsChange{Want: []people.GroupID{g.ID}})
		wantError(t, "put into", err, domain.Conflict, code)
		_, err = s.CreateUser(t.Context(), admin, people.NewUser{Email: "new@example.com", Groups: []people.GroupID{g.ID}, Source: people.ByAdmin})
		wantError(t, "made in", err, domain.Conflict, code)
		if got := must[people.Group](t)(s.UpdateGroup(t.Context(), admin, g.ID, people.GroupChange{Description: ptr("about it")})); got.Description != "about it" {
			t.Errorf("described as %q", got.Description)
		}
	}
}

// TestMappedGroups: the two groups of Agnes's own that follow one of Google
// Workspace are not changed here either, but what people made by hand goes.
func TestMappedGroups(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	o.Mapped = people.Mapping{Admin: "admins@example.com", Everyone: "all@example.com"}
	s := mustOpen(t, o)
	const code = "google_managed_readonly"
	root := must[people.User](t)(s.CreateUser(t.Context(), admin, people.NewUser{Email: "root@example.com", Groups: []people.GroupID{s.adminID}, Source: people.BySeed}))
	bob := mustUser(t, s, "bob@example.com")
	for id, address := range map[people.GroupID]string{s.adminID: o.Mapped.Admin, s.everyoneID: o.Mapped.Everyone} {
		g := must[people.Group](t)(s.GetGroup(t.Context(), id))
		if g.Mapped != address || !g.GoogleManaged() {
			t.Errorf("%s follows %q", g.Name, g.Mapped)
		}
		_, err := s.UpdateGroup(t.Context(), admin, id, people.GroupChange{Name: ptr("other")})
		wantError(t, "rename", err, domain.Conflict, code)
		wantError(t, "delete", second(s.DeleteGroup(t.Context(), admin, id)), domain.Conflict, code)
		_, err = s.AddMember(t.Context(), admin, id, bob.Email, people.ByAdmin)
		wantError(t, "add", err, domain.Conflict, code)
		wantError(t, "remove", s.RemoveMember(t.Context(), admin, id, bob.ID), domain.Conflict, code)
	}
	if err := s.SyncGroups(t.Context(), admin, bob.ID, people.GroupSync{Source: people.ByGoogleSync, CreatedBy: people.MadeByGoogle, Admin: true}); err != nil {
		t.Fatal(err)
	}
	wantError(t, "remove who follows", s.RemoveMember(t.Context(), admin, s.adminID, bob.ID), domain.Conflict, code)
	if err := s.RemoveMember(t.Context(), admin, s.adminID, root.ID); err != nil {
		t.Errorf("remove who was put there by hand: %v", err)
	}
	for _, g := range must[[]people.Group](t)(s.ListGroups(t.Context())) {
		if g.Mapped == "" {
			t.Errorf("%s follows nothing in the list", g.Name)
		}
	}
}

// TestSyncKeepsTheLastAdmin: a directory that forgets somebody locks nobody out.
func TestSyncKeepsTheLastAdmin(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	u := mustUser(t, s, "ada@example.com")
	sync := people.GroupSync{Source: people.ByGoogleSync, CreatedBy: "system:google-sync", Admin: true, Names: []string{"a@example.com"}}
	empty := people.GroupSync{Source: sync.Source, CreatedBy: sync.CreatedBy}
	for _, step := range []people.GroupSync{sync, empty} {
		if err := s.SyncGroups(t.Context(), admin, u.ID, step); err != nil {
			t.Fatal(err)
		}
	}
	if got := synced(t, s, u.ID); !slices.Equal(got, []string{"Admin google_sync"}) {
		t.Errorf("the last administrator is in %v", got)
	}
	last := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
	if last.Action != "user_group.synced" || last.Params["kept_last_admin"] != true || last.Before["groups"] == nil || last.Actor.UserID != "system:google_sync" {
		t.Errorf("audit row: %+v", last)
	}
	mustUser(t, s, "bob@example.com", s.adminID)
	if err := s.SyncGroups(t.Context(), admin, u.ID, empty); err != nil {
		t.Fatal(err)
	}
	if got := synced(t, s, u.ID); got != nil {
		t.Errorf("one of two administrators stays in %v", got)
	}
	wantError(t, "nobody", s.SyncGroups(t.Context(), admin, "nobody", sync), domain.NotFound, "user_not_found")
}

// TestFederation walks the refusals of contract 9.1 over the real state.
func TestFederation(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustUser(t, s, "ada@example.com")
	off := mustUser(t, s, "off@example.com")
	must[people.User](t)(s.UpdateUser(t.Context(), admin, off.ID, people.UserChange{Active: ptr(false)}))
	rules := people.GroupRules{Source: people.ByOIDCSync, CreatedBy: "system:oidc-sync"}
	services := map[people.Method]people.Service{people.ByGoogle: {Hosted: true}, people.ByOIDC: {Rules: &rules}}
	invited := &people.Federation{Store: s, Services: services, Log: slog.New(slog.DiscardHandler)}
	company := &people.Federation{Store: s, Services: services, Log: slog.New(slog.DiscardHandler), AllowedDomains: []string{"Example.COM", "example.org"}}
	hosted := func(c people.Claims, domain string) people.Claims { c.HostedDomain = domain; return c }
	byOIDC := func(email, subject string, groups ...string) people.Claims {
		c := claims(email, subject)
		c.Provider, c.Groups, c.GroupsKnown = people.ByOIDC, groups, groups != nil
		return c
	}
	unverified := claims("off@evil.example", "x")
	unverified.EmailVerified = false
	for _, c := range []struct {
		name  string
		in    *people.Federation
		c     people.Claims
		code  string
		email string
	}{
		{"no subject", invited, claims("ada@example.com", ""), "oauth_failed", ""},
		{"no address", invited, claims("", "g1"), "no_email", ""},
		{"two addresses", invited, claims("ada@example.com, b@example.com", "g1"), "no_email", ""},
		{"a look-alike of a letter", invited, claims("ada@example.com\u212a", "g1"), "no_email", ""},
		{"not verified, before all that follows", company, unverified, "email_not_verified", ""},
		{"deactivated", invited, claims("off@example.com", "g7"), "deactivated", ""},
		{"unknown, no allowed domains", invited, claims("new@example.com", "g2"), "not_invited", ""},
		{"known", invited, claims(" ADA@Example.com", "g1"), "", "ada@example.com"},
		{"another domain", company, hosted(claims("eve@evil.example", "g3"), "example.com"), "domain_not_allowed", ""},
		{"a domain that ends alike", company, hosted(claims("eve@notexample.com", "g3"), "example.com"), "domain_not_allowed", ""},
		{"a domain below", company, hosted(claims("eve@evil.example.com", "g3"), "example.com"), "domain_not_allowed", ""},
		{"a private account with an allowed address", company, claims("eve@example.com", "g3"), "domain_not_allowed", ""},
		{"hosted elsewhere", company, hosted(claims("eve@example.com", "g3"), "evil.example"), "domain_not_allowed", ""},
		{"allowed, in another case", company, hosted(claims("Bob@EXAMPLE.org", "g4"), "Example.com"), "", "bob@example.org"},
		{"the same, in yet another case", company, hosted(claims("bOB@example.ORG", "g4"), "example.com"), "", "bob@example.org"},
		{"another provider needs no hosted domain", company, byOIDC("cy@example.com", "o1"), "", "cy@example.com"},
		{"the same person by another service", company, byOIDC("BOB@example.org", "o2"), "", "bob@example.org"},
		{"groups let in", invited, byOIDC("dee@example.net", "o3", "sales"), "", "dee@example.net"},
		{"no groups let nobody in", invited, byOIDC("fay@example.net", "o4", []string{}...), "not_invited", ""},
	} {
		u, err := c.in.SignIn(t.Context(), visitor, c.c)
		if domain.CodeOf(err) != c.code || u.Email != c.email {
			t.Errorf("%s: %q, %v; want %q, code %q", c.name, u.Email, err, c.email, c.code)
			continue
		}
		last := must[[]audit.Entry](t)(s.ListAudit(t.Context(), 1))[0]
		if c.code != "" && (last.Action != "login_failed" || last.Params["reason"] != c.code || last.Params["method"] != string(c.c.Provider) || last.Actor.UserID != "anonymous") {
			t.Errorf("%s: audit row %+v", c.name, last)
		}
	}
	if n := must[int](t)(s.CountUsers(t.Context())); n != 5 {
		t.Errorf("%d people, want 5", n)
	}
}
