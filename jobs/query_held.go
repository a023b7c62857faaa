package jobs

import (
	"slices"
	"strings"

	"agnes/domain/access"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// What a child is given beside the tables that its first statement mentions,
// so that it serves the next ones too.
const (
	maxHeld      = 16  // tables; each costs a quarter of a millisecond
	maxHeldFiles = 256 // of them together
	maxRecent    = 256 // names that the pool remembers
)

// held says which files a child holds under which names.
type held map[string]string

// contents tells one version of a table from every other.
func contents(v *registry.Version) string {
	var b strings.Builder
	b.WriteString(string(v.ID))
	for _, f := range v.Files {
		b.WriteByte(0)
		b.WriteString(f.Key)
	}
	return b.String()
}

// covers reports whether a child that holds h serves a statement that mentions
// these tables.
func (h held) covers(mentioned []registry.Published) bool {
	for _, t := range mentioned {
		if t.Version != nil && h[t.Name] != contents(t.Version) {
			return false
		}
	}
	return true
}

// within reports whether all that a child holds is in a catalog: a statement
// may use it only then, whatever it mentions.
func (h held) within(c access.Catalog) bool {
	for name, files := range h {
		t, err := c.Find(name)
		if err != nil || t.Name != name || t.Version == nil || contents(t.Version) != files {
			return false
		}
	}
	return true
}

// holdings chooses what a new child holds: the mentioned tables, and of those
// that were used lately the ones in the same catalog.
func holdings(c access.Catalog, mentioned []registry.Published, recent []string) (held, []work.QueryTable) {
	h, tables, files := held{}, []work.QueryTable{}, 0
	add := func(t registry.Published) {
		if _, there := h[t.Name]; there || t.Version == nil {
			return
		}
		keys := make([]string, len(t.Version.Files))
		for i, f := range t.Version.Files {
			keys[i] = f.Key
		}
		h[t.Name] = contents(t.Version)
		tables = append(tables, work.QueryTable{Name: t.Name, Keys: keys})
		files += len(keys)
	}
	for _, t := range mentioned {
		add(t)
	}
	for _, name := range slices.Backward(recent) {
		t, err := c.Find(name)
		if err != nil || t.Name != name || t.Version == nil {
			continue
		}
		if len(h) >= maxHeld || files+len(t.Version.Files) > maxHeldFiles {
			break
		}
		add(t)
	}
	return h, tables
}

// remember puts names behind the others, and forgets the oldest.
func remember(recent []string, used []registry.Published) []string {
	for _, t := range used {
		if i := slices.Index(recent, t.Name); i >= 0 {
			recent = slices.Delete(recent, i, i+1)
		}
		recent = append(recent, t.Name)
	}
	if over := len(recent) - maxRecent; over > 0 {
		recent = slices.Delete(recent, 0, over)
	}
	return recent
}

// listing is what a catalog tells about its tables without opening a file.
func listing(c access.Catalog) []work.ListedTable {
	all := make([]work.ListedTable, 0, len(c.Tables()))
	for _, t := range c.Tables() {
		if t.Version == nil {
			continue
		}
		all = append(all, work.ListedTable{Name: t.Name, Comment: t.Description, Rows: t.Version.Rows, Columns: t.Version.Columns})
	}
	return all
}
