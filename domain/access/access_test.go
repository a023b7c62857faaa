package access

import (
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/registry"
)

func TestCheck(t *testing.T) {
	person, admin := &Principal{UserID: "u"}, &Principal{UserID: "a", Admin: true}
	const fine = domain.Kind(255)
	cases := []struct {
		name string
		p    *Principal
		need Need
		want domain.Kind
	}{
		{"public, nobody", nil, Public, fine},
		{"signed in, nobody", nil, SignedIn, domain.Unauthenticated},
		{"table, nobody", nil, NeedTable, domain.Unauthenticated},
		{"admin, nobody", nil, Admin, domain.Unauthenticated},
		{"signed in, person", person, SignedIn, fine},
		{"table, person", person, NeedTable, fine},
		{"admin, person", person, Admin, domain.Forbidden},
		{"admin, admin", admin, Admin, fine},
		{"undeclared, admin", admin, Undeclared, domain.Internal},
		{"undeclared, nobody", nil, Undeclared, domain.Internal},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := fine
			if err := Check(c.p, c.need); err != nil {
				got = domain.KindOf(err)
			}
			if got != c.want {
				t.Errorf("Check = kind %d, want %d", got, c.want)
			}
		})
	}
}

func table(id, name, version string) registry.Published {
	p := registry.Published{Table: registry.Table{ID: registry.TableID(id), Name: name}}
	if version != "" {
		p.Version = &registry.Version{ID: registry.VersionID(version)}
	}
	return p
}

func TestCatalogFind(t *testing.T) {
	c := NewCatalog([]registry.Published{table("orders_2", "Orders", "1"), table("orders", "archive", "2"), table("web sessions", "web", "")})
	cases := map[string]string{"Orders": "Orders", "orders": "Orders", "ORDERS_2": "Orders", "archive": "archive", "web": "web"}
	for ask, want := range cases {
		got, err := c.Find(ask)
		if err != nil || got.Name != want {
			t.Errorf("Find(%q) = %q, %v; want %q", ask, got.Name, err, want)
		}
	}
	if _, err := c.Find("salaries"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("Find(salaries) = %v, want NotFound", err)
	}
	if got := c.Tables()[0].Name; got != "Orders" {
		t.Errorf("first table %q, want Orders: tables come in order of their names", got)
	}
}

func TestCatalogFingerprint(t *testing.T) {
	base := NewCatalog([]registry.Published{table("a", "a", "1"), table("b", "b", "2")}).Fingerprint()
	same := NewCatalog([]registry.Published{table("b", "b", "2"), table("a", "a", "1"), table("c", "c", "")}).Fingerprint()
	if base != same {
		t.Error("order, and tables without a version, change the fingerprint")
	}
	for name, other := range map[string][]registry.Published{
		"a newer version": {table("a", "a", "9"), table("b", "b", "2")},
		"a table less":    {table("a", "a", "1")},
		"another name":    {table("a", "x", "1"), table("b", "b", "2")},
		"shifted borders": {table("a", "a\x001", ""), table("b", "b", "2")},
	} {
		if NewCatalog(other).Fingerprint() == base {
			t.Errorf("%s has the same fingerprint", name)
		}
	}
}

func TestCheckGrant(t *testing.T) {
	kind, id, err := CheckGrant("table", " orders ")
	if kind != TableResource || id != "orders" || err != nil {
		t.Errorf("CheckGrant(table, orders) = %q, %q, %v", kind, id, err)
	}
	for _, good := range [][2]string{{"table", "in.c-main.orders"}, {"memory_domain", "finance"}, {"marketplace_plugin", "company/reports"}} {
		if _, _, err := CheckGrant(good[0], good[1]); err != nil {
			t.Errorf("CheckGrant(%q, %q) = %v", good[0], good[1], err)
		}
	}
	for _, bad := range [][2]string{
		{"table", " "},
		{"", "orders"},
		{"role", "orders"},
		{"table", strings.Repeat("x", 513)},
		{"memory_domain", "Finance"},
		{"memory_domain", "sports"},
		{"marketplace_plugin", "reports"},
		{"marketplace_plugin", "/reports"},
		{"marketplace_plugin", "company/"},
		{"marketplace_plugin", "a/b/c"},
	} {
		if _, _, err := CheckGrant(bad[0], bad[1]); domain.KindOf(err) != domain.Invalid {
			t.Errorf("CheckGrant(%q, %q) = %v, want Invalid", bad[0], bad[1], err)
		}
	}
}

func TestPrincipalActor(t *testing.T) {
	p := Principal{UserID: "u", Email: "a@b.c", Client: audit.Actor{ClientKind: "cli", ClientIP: "127.0.0.1", RequestID: "r"}}
	if got := p.Actor(); got.UserID != "u" || got.Email != "a@b.c" || got.RequestID != "r" || !got.Valid() {
		t.Errorf("Actor = %+v", got)
	}
}

func TestResources(t *testing.T) {
	seen := map[ResourceType]bool{}
	for _, r := range Resources() {
		if r.Type == "" || r.DisplayName == "" || r.Description == "" || r.IDFormat == "" || r.check == nil || seen[r.Type] {
			t.Errorf("incomplete or twice: %+v", r)
		}
		seen[r.Type] = true
		for _, id := range r.Known {
			if _, _, err := CheckGrant(string(r.Type), id); err != nil {
				t.Errorf("%s does not take %q, which it knows: %v", r.Type, id, err)
			}
		}
	}
	if len(ResourceTypes()) != len(seen) {
		t.Errorf("ResourceTypes lists %v", ResourceTypes())
	}
}

func TestCellGrantSame(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	soon, later, past := now.Add(time.Hour), now.Add(2*time.Hour), now.Add(-time.Hour)
	none, ended, endless := (*CellGrant)(nil), &CellGrant{ExpiresAt: &past, Reason: "old"}, &CellGrant{}
	cases := []struct {
		name string
		a, b *CellGrant
		want bool
	}{
		{"none and none", none, none, true},
		{"none and ended", none, ended, true},
		{"ended and ends now", ended, &CellGrant{ExpiresAt: &now}, true},
		{"none and endless", none, endless, false},
		{"ended and endless", ended, endless, false},
		{"endless and endless", endless, &CellGrant{}, true},
		{"another reason", endless, &CellGrant{Reason: "x"}, false},
		{"another end", &CellGrant{ExpiresAt: &soon}, &CellGrant{ExpiresAt: &later}, false},
		{"an end and none", &CellGrant{ExpiresAt: &soon}, endless, false},
		{"the same end but for nanoseconds", &CellGrant{ExpiresAt: &soon}, &CellGrant{ExpiresAt: new(soon.Add(5))}, true},
	}
	for _, c := range cases {
		if got, back := c.a.Same(c.b, now), c.b.Same(c.a, now); got != c.want || back != c.want {
			t.Errorf("%s: Same is %v and %v, want %v", c.name, got, back, c.want)
		}
	}
}
