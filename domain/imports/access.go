package imports

import (
	"fmt"
	"slices"

	"agnes/domain/access"
)

// planGrants maps grants. One for a resource that is not there is left out:
// kept, it would open a later table of that id to people whom nobody chose.
func (p *plan) planGrants(rows []cells, members []cells) Batch {
	b := Batch{Target: Target{
		Table: "resource_grants", From: "resource_grants", Key: []string{"group_id", "resource_type", "resource_id"},
		Columns: []string{"id", "group_id", "resource_type", "resource_id", "assigned_at", "assigned_by"},
	}}
	everyone := 0
	seen := map[string]bool{}
	for _, c := range rows {
		group, known := p.groups[c.text("group_id")]
		kind, resource := c.text("resource_type"), c.text("resource_id")
		of := []thing{{"user_groups", c.text("group_id")}}
		if kind == string(access.TableResource) {
			of = append(of, thing{"table_registry", resource})
		}
		switch code, reason := p.dangling(kind, resource); {
		case p.removedHere("resource_grants", c.id(), of...):
		case !known:
			p.report.skip("resource_grants", c.id(), "group_missing", "There is no group %s here to hold the grant of %s %s.", c.text("group_id"), kind, resource)
		case kind == string(access.TableResource) && internalTable(resource):
			p.report.counts("resource_grants").Needless++
		case code != "":
			p.report.skip("resource_grants", c.id(), code, "%s", reason)
		case seen[group+"\x00"+kind+"\x00"+resource]:
			p.report.counts("resource_grants").Merged++
		default:
			seen[group+"\x00"+kind+"\x00"+resource] = true
			if group == p.known.All {
				everyone++
			}
			row := c.as(c.id(), group, kind, resource, c.time("assigned_at", p.otherwise), c.text("assigned_by"))
			row.What = fmt.Sprintf("The grant of %s %s to %s", kind, resource, p.groupName(group))
			b.Rows = append(b.Rows, row)
		}
	}
	if outside := p.outsideEveryone(members); everyone > 0 && outside > 0 {
		p.report.note("Everyone means everybody here. Look at its grants (%d): accounts that were not members of it in the old server (%d) have them too now.", everyone, outside)
	}
	return b
}

// dangling says why a grant opens nothing, or "".
func (p *plan) dangling(kind, resource string) (code, reason string) {
	switch {
	case !slices.Contains(access.ResourceTypes(), access.ResourceType(kind)):
		return "resource_type_unknown", "Nothing of the type " + kind + " can be granted."
	case resource == "":
		return "resource_missing", "The grant names nothing that it opens."
	case kind == string(access.TableResource) && p.tables[resource] == "":
		return "table_missing", "No table has the id " + resource + ". Register it and grant it anew."
	case kind == string(access.PluginResource) && !p.plugins[resource]:
		return "plugin_missing", "No plugin has the id " + resource + "."
	}
	return "", ""
}

// internalTable reports whether a table is one that the old server made of its
// own state; everybody saw their rows of it.
func internalTable(id string) bool {
	return id == "agnes_sessions" || id == "agnes_telemetry" || id == "agnes_audit"
}

// outsideEveryone counts the accounts that were not members of Everyone.
func (p *plan) outsideEveryone(members []cells) int {
	in := map[string]bool{}
	for _, m := range members {
		if p.groups[m.text("group_id")] == p.known.All {
			in[p.users[m.text("user_id")]] = true
		}
	}
	out := map[string]bool{}
	for _, here := range p.users {
		if !in[here] {
			out[here] = true
		}
	}
	return len(out)
}
