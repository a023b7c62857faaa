package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func names(c access.Catalog) []string {
	list := []string{}
	for _, t := range c.Tables() {
		list = append(list, t.Name)
	}
	return list
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders", "deals", "calendar", "secrets")
	finance, sales := mustGroup(t, s, "Finance"), mustGroup(t, s, "Sales")
	for table, group := range map[string]people.GroupID{"orders": finance.ID, "deals": sales.ID, "calendar": s.everyoneID, "gone": finance.ID} {
		must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: group, ResourceType: access.TableResource, ResourceID: table}))
	}
	must[access.Grant](t)(s.CreateGrant(t.Context(), admin, access.NewGrant{Group: finance.ID, ResourceType: access.MemoryDomainResource, ResourceID: "secrets"}))
	ada := mustUser(t, s, "ada@example.com", finance.ID)
	catalog := func(u people.User) access.Catalog {
		p := must[access.Principal](t)(s.Principal(t.Context(), u.ID))
		return must[access.Catalog](t)(s.Catalog(t.Context(), p))
	}
	if got, want := names(catalog(ada)), []string{"calendar", "orders"}; !slices.Equal(got, want) {
		t.Errorf("ada sees %v, want %v", got, want)
	}
	_, err := catalog(ada).Find("deals")
	wantError(t, "a table of others", err, domain.NotFound, "table_not_found")
	root := mustUser(t, s, "root@example.com", s.adminID)
	if got, want := names(catalog(root)), []string{"calendar", "deals", "orders", "secrets"}; !slices.Equal(got, want) {
		t.Errorf("the administrator sees %v, want %v", got, want)
	}
	if orders := must[registry.Published](t)(catalog(root).Find("orders")); !slices.Equal(orders.GrantedTo, []string{"Finance"}) {
		t.Errorf("orders are granted to %v", orders.GrantedTo)
	}
	if orders := must[registry.Published](t)(catalog(ada).Find("ORDERS")); orders.GrantedTo != nil {
		t.Errorf("ada learns that orders are granted to %v", orders.GrantedTo)
	}
	if got := names(must[access.Catalog](t)(s.Catalog(t.Context(), access.Principal{}))); !slices.Equal(got, []string{"calendar"}) {
		t.Errorf("somebody without groups sees %v, want what Everyone sees", got)
	}
}

// reference is what Catalog must be: no kept registry, no SQL that decides.
func reference(t *testing.T, s *Store, p access.Principal) []registry.Published {
	t.Helper()
	var mine []registry.Published
	groups := append([]people.GroupID{s.everyoneID}, p.Groups...)
	grants := must[[]access.Grant](t)(s.ListGrants(t.Context(), access.GrantFilter{ResourceType: access.TableResource}))
	for _, table := range must[[]registry.Published](t)(collect(t.Context(), s.reader(), scanPublished, `SELECT`+publishedColumns+` ORDER BY t.name`)) {
		granted := false
		for _, g := range grants {
			if g.ResourceID == string(table.ID) {
				granted = granted || slices.Contains(groups, g.GroupID)
				table.GrantedTo = append(table.GrantedTo, g.GroupName)
			}
		}
		if p.Admin || granted {
			mine = append(mine, table)
		}
	}
	return mine
}

// TestCatalogIsWhatItMustBe changes everything at random and compares after
// each change what people get with the reference.
func TestCatalogIsWhatItMustBe(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		s, _ := newStore(t)
		w := &world{t: t, s: s, rand: rand.New(rand.NewPCG(seed, 7))}
		w.begin()
		for step := range 100 {
			did := w.step()
			for _, u := range w.users {
				p, err := s.Principal(t.Context(), u)
				if err != nil {
					continue
				}
				got, want := must[access.Catalog](t)(s.Catalog(t.Context(), p)).Tables(), reference(t, s, p)
				if !p.Admin {
					for i := range want {
						want[i].GrantedTo = nil
					}
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("seed %d, after step %d (%s), %s: -want +got\n%s", seed, step, did, p.Email, diff)
				}
			}
		}
	}
}

// world makes random changes.
type world struct {
	t      *testing.T
	s      *Store
	rand   *rand.Rand
	users  []people.UserID
	groups []people.GroupID
	n      int
}

func (w *world) begin() {
	w.groups = []people.GroupID{w.s.everyoneID, w.s.adminID}
	for i := range 3 {
		w.groups = append(w.groups, mustGroup(w.t, w.s, fmt.Sprintf("g%d", i)).ID)
	}
	for i := range 4 {
		w.users = append(w.users, mustUser(w.t, w.s, fmt.Sprintf("u%d@example.com", i)).ID)
	}
}

func pick[T any](w *world, from []T) T { return from[w.rand.IntN(len(from))] }

// step makes one change; a change that is refused is one too.
func (w *world) step() string {
	ctx, s := w.t.Context(), w.s
	tables := must[[]registry.Published](w.t)(s.ListTables(ctx))
	id := registry.TableID("none")
	if len(tables) > 0 {
		id = pick(w, tables).ID
	}
	w.n++
	switch kind := w.rand.IntN(11); kind {
	case 0, 1:
		name := fmt.Sprintf("t%d", w.rand.IntN(40))
		return fmt.Sprint("register ", name, second(s.RegisterTables(ctx, admin, []registry.Registration{{Table: registry.Table{Name: name}, GrantTo: []people.GroupID{pick(w, w.groups)}}})))
	case 2:
		return fmt.Sprint("unregister ", id, second(s.Unregister(ctx, admin, []registry.TableID{id})))
	case 3, 4:
		return fmt.Sprint("grant ", id, second(s.CreateGrant(ctx, admin, access.NewGrant{Group: pick(w, w.groups), ResourceType: access.TableResource, ResourceID: string(id)})))
	case 5:
		grants := must[[]access.Grant](w.t)(s.ListGrants(ctx, access.GrantFilter{}))
		if len(grants) == 0 {
			return "nothing"
		}
		return fmt.Sprint("revoke ", s.DeleteGrant(ctx, admin, pick(w, grants).ID))
	case 6:
		u := must[people.User](w.t)(s.GetUser(ctx, pick(w, w.users)))
		g := pick(w, w.groups)
		if w.rand.IntN(2) == 0 {
			return fmt.Sprint("leave ", s.RemoveMember(ctx, admin, g, u.ID))
		}
		return fmt.Sprint("join ", second(s.AddMember(ctx, admin, g, u.Email, people.ByAdmin)))
	case 7:
		return fmt.Sprint("rename ", id, second(s.UpdateTable(ctx, admin, id, registry.TableChange{Name: ptr(fmt.Sprintf("t%d", w.rand.IntN(40))), Description: ptr(fmt.Sprint(w.n))})))
	case 8:
		v := registry.Version{ID: registry.VersionID(fmt.Sprintf("v%d", w.n)), Table: id, Files: []registry.File{{Key: fmt.Sprint(w.n)}}, CreatedAt: s.now()}
		before, err := s.PublishVersion(ctx, v)
		if err == nil && w.rand.IntN(3) == 0 {
			err = s.RevertVersion(ctx, v, before)
		}
		return fmt.Sprint("publish ", id, err)
	case 9:
		return fmt.Sprint("queue ", id, second(s.QueueRuns(ctx, admin, syncs.ByPerson, []registry.TableID{id})))
	default:
		return fmt.Sprint("sync ", w.sync())
	}
}

func (w *world) sync() error {
	r, err := w.s.ClaimRun(w.t.Context())
	if err != nil {
		return err
	}
	if w.rand.IntN(4) == 0 {
		return second(w.s.RecoverRuns(w.t.Context()))
	}
	r.State = pick(w, []syncs.State{syncs.OK, syncs.Failed, syncs.Cancelled})
	return w.s.FinishRun(w.t.Context(), r)
}

func second[T any](_ T, err error) error { return err }

// TestCatalogUnderWriters: readers at different snapshots never disturb what
// later readers get.
func TestCatalogUnderWriters(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustTables(t, s, "orders")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 15 {
				mustTables(t, s, fmt.Sprintf("t%d_%d", w, i))
			}
		})
		wg.Go(func() {
			for range 40 {
				if got := must[access.Catalog](t)(s.Catalog(t.Context(), access.Principal{Admin: true})); len(got.Tables()) == 0 {
					t.Error("an administrator saw nothing")
				}
			}
		})
	}
	wg.Wait()
	if got := must[access.Catalog](t)(s.Catalog(t.Context(), access.Principal{Admin: true})); len(got.Tables()) != 61 {
		t.Errorf("%d tables, want 61", len(got.Tables()))
	}
}

// fill registers n tables with a version each, and grants half of them.
func fill(tb testing.TB, s *Store, n int, group people.GroupID) {
	tb.Helper()
	columns := make([]registry.Column, 12)
	for i := range columns {
		columns[i] = registry.Column{Name: fmt.Sprintf("column_%d", i), Type: "VARCHAR"}
	}
	regs := make([]registry.Registration, n)
	for i := range regs {
		regs[i].Table = registry.Table{Name: fmt.Sprintf("table_%05d", i), SourceType: registry.SourceLocal, Description: "One of many tables."}
		if i%2 == 0 {
			regs[i].GrantTo = []people.GroupID{group}
		}
	}
	for _, t := range must[[]registry.Table](tb)(s.RegisterTables(tb.Context(), admin, regs)) {
		id := registry.VersionID("v_" + t.Name)
		if err := s.tx(tb.Context(), func(tx runner) error {
			text := must[string](tb)(encoded(columns, len(columns)))
			_, err := tx.exec(tb.Context(), `
				INSERT INTO table_versions (id, table_id, run_id, files, columns, rows, bytes, md5, created_at)
				VALUES ($1, $2, 'r', '[{"key":"versions/files/t/v.parquet","bytes":1,"sha256":"00"}]', $3, 1, 1, '', 1)`, id, t.ID, text)
			if err == nil {
				err = setCurrent(tb.Context(), tx, t.ID, id)
			}
			return err
		}); err != nil {
			tb.Fatal(err)
		}
		if len(regs) > 1000 { // the disk is not what is measured
			must[int64](tb)(runner{on: s.writer, count: &s.queries}.exec(tb.Context(), `PRAGMA synchronous = OFF`))
		}
	}
}

// TestCatalogStatements: a catalog takes two statements however many tables
// there are, and one more when the registry has changed.
func TestCatalogStatements(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 60} {
		s, _ := newStore(t)
		g := mustGroup(t, s, "Finance")
		fill(t, s, n, g.ID)
		p := access.Principal{Groups: []people.GroupID{g.ID, s.everyoneID}}
		for i, want := range []int64{3, 2, 2} {
			before := s.Queries()
			if c := must[access.Catalog](t)(s.Catalog(t.Context(), p)); len(c.Tables()) != n/2 {
				t.Errorf("%d of %d tables", len(c.Tables()), n)
			}
			if used := s.Queries() - before; used != want {
				t.Errorf("catalog %d of %d tables took %d statements, want %d", i, n, used, want)
			}
		}
	}
}

func BenchmarkCatalog(b *testing.B) {
	s, _ := newStore(b)
	g := mustGroup(b, s, "Finance")
	fill(b, s, 10_000, g.ID)
	for name, p := range map[string]access.Principal{"granted": {Groups: []people.GroupID{g.ID}}, "admin": {Admin: true}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must[access.Catalog](b)(s.Catalog(b.Context(), p))
			}
		})
	}
	b.Run("after a change", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			must[registry.Published](b)(s.UpdateTable(b.Context(), admin, "table_00000", registry.TableChange{Description: ptr(fmt.Sprint(i))}))
			must[access.Catalog](b)(s.Catalog(b.Context(), access.Principal{Groups: []people.GroupID{g.ID}}))
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			s.registry.mu.Lock()
			s.registry.changed, s.registry.tables = 0, nil
			s.registry.mu.Unlock()
			must[access.Catalog](b)(s.Catalog(b.Context(), access.Principal{Groups: []people.GroupID{g.ID}}))
		}
	})
}
