package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/registry"
)

// Catalog is the set of tables, with their current versions, that one
// principal may read. It is the only way from a principal to data.
type Catalog struct {
	tables []registry.Published // by name
	byKey  map[string]int       // lower-case id or name → index
	offers []Offer              // by name: what may be asked for
}

// NewCatalog makes a catalog of tables; the store does so after resolving
// grants, tests to grant by hand.
func NewCatalog(tables []registry.Published) Catalog {
	c := Catalog{tables: slices.Clone(tables), byKey: make(map[string]int, 2*len(tables))}
	slices.SortFunc(c.tables, func(a, b registry.Published) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range c.tables { // names first: where an id equals another table's name, the name wins
		c.byKey[strings.ToLower(t.Name)] = i
	}
	for i, t := range c.tables {
		if _, taken := c.byKey[strings.ToLower(string(t.ID))]; !taken {
			c.byKey[strings.ToLower(string(t.ID))] = i
		}
	}
	return c
}

// WithOffers returns the catalog with what its principal may ask for.
func (c Catalog) WithOffers(offers []Offer) Catalog {
	c.offers = offers
	return c
}

// Offers returns the tables that are not in the catalog and say that they exist,
// in order of their names.
func (c Catalog) Offers() []Offer { return c.offers }

// Offer returns the offer of that id or name, ignoring case. A qualifier in
// front of the name does not count.
func (c Catalog) Offer(idOrName string) (Offer, bool) {
	name := idOrName[strings.LastIndexByte(idOrName, '.')+1:]
	for _, o := range c.offers {
		if strings.EqualFold(o.Name, name) || strings.EqualFold(o.ID, name) {
			return o, true
		}
	}
	return Offer{}, false
}

// Tables returns the tables in order of their names.
func (c Catalog) Tables() []registry.Published { return c.tables }

// Find returns the table of that id or name, ignoring case. A table that is
// absent and one that is not granted fail alike, with NotFound.
func (c Catalog) Find(idOrName string) (registry.Published, error) {
	i, ok := c.byKey[strings.ToLower(idOrName)]
	if !ok {
		return registry.Published{}, domain.E(domain.NotFound, "table_not_found", "Table not found")
	}
	return c.tables[i], nil
}

// Mentioned returns the tables whose names occur as words in a text, ignoring
// case, in order of their names. A statement can only read tables that it
// mentions, so an engine needs to open no others for it; what it may read is
// decided by the catalog alone.
func (c Catalog) Mentioned(text string) []registry.Published {
	seen := map[int]struct{}{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !nameRune(r) }) {
		i, known := c.byKey[strings.ToLower(word)]
		if known && strings.EqualFold(c.tables[i].Name, word) {
			seen[i] = struct{}{}
		}
	}
	found := make([]registry.Published, 0, len(seen))
	for _, i := range slices.Sorted(maps.Keys(seen)) {
		found = append(found, c.tables[i])
	}
	return found
}

// nameRune reports whether r may stand in a table's name, which is an
// identifier of ASCII letters, digits and _ (registry.CheckName).
func nameRune(r rune) bool {
	return r == '_' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
}

// Fingerprint is equal for two catalogs exactly when they hold the same
// versions under the same names, so that a child can be kept between queries.
func (c Catalog) Fingerprint() string {
	h := sha256.New()
	for _, t := range c.tables {
		if t.Version == nil {
			continue
		}
		h.Write([]byte(t.Name + "\x00" + string(t.Version.ID) + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Catalogs resolves principals to catalogs.
type Catalogs interface {
	// Catalog returns what p may read now: all tables for members of Admin,
	// else the union of the live grants of p's groups.
	Catalog(ctx context.Context, p Principal) (Catalog, error)
}
