package profile

import (
	"slices"
	"strings"

	"agnes/domain/registry"
)

// MaxRelated bounds how many tables are called related.
const MaxRelated = 20

// Related names the tables of a catalog that a table can be joined with by a
// declared primary key: one of the two has columns of the names that the other's
// key has. A key that is called just "id" is looked for under the name of its
// table, as customer_id of customers. The names are sorted.
func Related(t registry.Published, catalog []registry.Published) []string {
	names := []string{}
	for _, other := range catalog {
		if other.ID != t.ID && (refers(t, other) || refers(other, t)) {
			names = append(names, other.Name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), MaxRelated)]
}

// refers reports whether a table has columns for another one's primary key.
func refers(from, to registry.Published) bool {
	if from.Version == nil || len(to.PrimaryKey) == 0 {
		return false
	}
	for _, key := range to.PrimaryKey {
		named := slices.Contains([]string{"id", "key", "code", "uuid", "name"}, strings.ToLower(key))
		if named && len(to.PrimaryKey) > 1 {
			return false
		}
		there := slices.ContainsFunc(from.Version.Columns, func(c registry.Column) bool {
			if !named {
				return sameName(c.Name, key)
			}
			return sameName(c.Name, to.Name+"_"+key) || sameName(c.Name, strings.TrimSuffix(to.Name, "s")+"_"+key)
		})
		if !there {
			return false
		}
	}
	return true
}
