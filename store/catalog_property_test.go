package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

// realm is who may read what, as plain lists.
type realm struct {
	active  map[people.UserID]bool
	members map[people.GroupID][]people.UserID
	tables  []string // ids
	grants  []access.Grant
}

// mayRead is what Catalog must say: the ids of the tables of a person, or that
// there is no such person any more.
func (r realm) mayRead(u people.UserID, admin, everyone people.GroupID, now time.Time) (ids []string, known bool) {
	for _, table := range r.tables {
		open := slices.Contains(r.members[admin], u)
		for _, g := range r.grants {
			in := g.GroupID == everyone || slices.Contains(r.members[g.GroupID], u)
			open = open || (in && g.ResourceType == "table" && g.ResourceID == table && (g.ExpiresAt == nil || g.ExpiresAt.After(now)))
		}
		if open {
			ids = append(ids, table)
		}
	}
	return ids, r.active[u]
}

// worlds is how many realms the test tries.
const worlds = 400

// TestCatalogOfAnyRealm makes realms at random and compares what people get,
// before and after the ends of grants, with the reference above. A run that
// fails names its seed, which AGNES_SEED repeats.
func TestCatalogOfAnyRealm(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("AGNES_SEED"); text != "" {
		seed = must[uint64](t)(strconv.ParseUint(text, 10, 64))
	}
	t.Logf("seed %d", seed)
	s, c := newStore(t)
	must[int64](t)(runner{on: s.writer, count: &s.queries}.exec(t.Context(), `PRAGMA synchronous = OFF`))
	random := rand.New(rand.NewPCG(seed, 1))
	opened, closed, ended, gone := 0, 0, 0, 0
	for world := range worlds {
		r := s.makeRealm(t, random)
		for hours := range 2 { // some grants end in between
			for u := range r.active {
				want, known := r.mayRead(u, s.adminID, s.everyoneID, c.Now())
				p, err := s.Principal(t.Context(), u)
				if !known {
					gone++
					wantError(t, fmt.Sprintf("world %d: the principal of %s", world, u), err, domain.Unauthenticated, "account_deactivated")
					continue
				}
				var got []string
				for _, table := range must[access.Catalog](t)(s.Catalog(t.Context(), must[access.Principal](t)(p, err))).Tables() {
					got = append(got, string(table.ID))
				}
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Fatalf("seed %d, world %d, %s after %d hours: the catalog has %v, the reference %v\n%+v", seed, world, u, hours, got, want, r)
				}
				opened, closed = opened+len(want), closed+len(r.tables)-len(want)
			}
			for _, g := range r.grants {
				if g.ExpiresAt != nil && !g.ExpiresAt.After(c.Now()) {
					ended++
				}
			}
			c.advance(time.Hour)
		}
	}
	if min(opened, closed, ended, gone) < worlds {
		t.Errorf("seed %d: %d tables open, %d closed, %d grants ended, %d people gone: too few to say anything", seed, opened, closed, ended, gone)
	}
}

// makeRealm replaces everything in the state by a realm made at random.
func (s *Store) makeRealm(t *testing.T, random *rand.Rand) realm {
	t.Helper()
	r := realm{active: map[people.UserID]bool{}, members: map[people.GroupID][]people.UserID{}}
	sources := []people.MemberSource{people.ByAdmin, people.BySeed, people.ByGoogleSync, people.ByOIDCSync, people.ByBreakGlass}
	now := s.now()
	ends := []*time.Time{nil, nil, ptr(now.Add(-time.Minute)), ptr(now.Add(time.Minute)), ptr(now.Add(2 * time.Hour))}
	groups := []people.GroupID{s.everyoneID, s.adminID}
	if err := s.tx(t.Context(), func(tx runner) error {
		do := func(query string, args ...any) { must[int64](t)(tx.exec(t.Context(), query, args...)) }
		do(`DELETE FROM resource_grants`)
		do(`DELETE FROM user_group_members`)
		do(`DELETE FROM users`)
		do(`DELETE FROM table_registry`)
		do(`DELETE FROM user_groups WHERE is_system = FALSE`)
		do(`UPDATE registry_revision SET changed = changed + 1, removed = removed + 1`)
		for i := range random.IntN(4) {
			id := people.GroupID(fmt.Sprintf("g%d", i))
			do(`INSERT INTO user_groups (id, name, name_key, created_at) VALUES ($1, $2, $3, 1)`, id, id, id)
			groups = append(groups, id)
		}
		for i := range 1 + random.IntN(4) {
			id := people.UserID(fmt.Sprintf("u%d", i))
			r.active[id] = random.IntN(4) > 0
			do(`INSERT INTO users (id, email, active, created_at, updated_at) VALUES ($1, $2, $3, 1, 1)`, id, id, r.active[id])
			for _, g := range groups {
				if random.IntN(3) == 0 && (g != s.adminID || random.IntN(2) == 0) {
					do(`INSERT INTO user_group_members (user_id, group_id, source, added_at) VALUES ($1, $2, $3, 1)`, id, g, sources[random.IntN(len(sources))])
					r.members[g] = append(r.members[g], id)
				}
			}
		}
		for i := range random.IntN(4) {
			id := fmt.Sprintf("t%d", i)
			do(`INSERT INTO table_registry (id, name, registered_at, rev) VALUES ($1, $2, 1, (SELECT changed FROM registry_revision))`, id, fmt.Sprintf("name_%d", 9-i))
			r.tables = append(r.tables, id)
		}
		kinds := []access.ResourceType{access.TableResource, access.TableResource, access.TableResource, access.PluginResource}
		for _, g := range groups {
			for i, kind := range kinds {
				grant := access.Grant{ID: fmt.Sprintf("%s-%d", g, i), GroupID: g, ResourceType: kind, ResourceID: fmt.Sprintf("t%d", i%3), ExpiresAt: ends[random.IntN(len(ends))]}
				if random.IntN(3) == 0 {
					r.grants = append(r.grants, grant)
					do(`INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, expires_at) VALUES ($1, $2, $3, $4, 1, $5)`,
						grant.ID, g, kind, grant.ResourceID, microsOrNull(grant.ExpiresAt))
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return r
}
