package imports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alexedwards/argon2id"

	"agnes/domain/people"
)

func usersTarget() Target {
	return Target{
		Table: "users", From: "users", Key: []string{"id"}, Newer: "updated_at",
		Columns: []string{
			"id", "email", "name", "password_hash", "active", "deactivated_at", "deactivated_by",
			"created_at", "updated_at", "onboarded", "last_pull_at",
		},
	}
}

// account is one row of users with what decides which of several is kept.
type account struct {
	cells
	address string
	admin   bool
}

// planUsers maps people. Accounts whose addresses differ in case only are one
// person here: the active administrator's, else the active one, stays, and the
// others' memberships and tokens go to it.
func (p *plan) planUsers(rows []cells, members []cells, adminGroup string) (users, aside Batch) {
	admins := map[string]bool{}
	for _, m := range members {
		if m.text("group_id") == adminGroup {
			admins[m.text("user_id")] = true
		}
	}
	byAddress := map[string][]account{}
	var order []string
	for _, c := range rows {
		address, err := people.NormalEmail(c.text("email"))
		if err != nil {
			p.report.skip("users", c.id(), "invalid_email", "%s", noAddress(c.text("email")))
			continue
		}
		if _, again := byAddress[address]; !again {
			order = append(order, address)
		}
		byAddress[address] = append(byAddress[address], account{cells: c, address: address, admin: admins[c.text("id")]})
	}
	users, aside = Batch{Target: usersTarget()}, Batch{Target: Target{
		Table: "imported_password_hashes", From: "imported_password_hashes", Columns: []string{"user_id", "hash"}, Key: []string{"user_id"},
	}}
	for _, address := range order {
		accounts := byAddress[address]
		if p.removedUser(address, accounts) {
			continue
		}
		kept := p.chooseAccount(accounts)
		row, hash := p.userRow(kept)
		users.Rows = append(users.Rows, row)
		for _, a := range accounts {
			if here := p.users[a.id()]; here != "" && a.id() != kept.id() {
				users.Merged = append(users.Merged, Merged{Old: a.key(), Here: []any{here}})
			}
		}
		if hash != "" {
			aside.Rows = append(aside.Rows, kept.as(p.users[kept.id()], hash))
		}
	}
	p.noteLinks(rows)
	return users, aside
}

func noAddress(text string) string {
	if text == "" {
		return "The account has no e-mail address. Give it one in the old server, or create the account here."
	}
	return fmt.Sprintf("%q is not an e-mail address. Give the account one in the old server, or create it here.", shorten(text))
}

// removedUser reports the accounts of an address that nobody has here, when one
// of them was taken over before: their person was removed.
func (p *plan) removedUser(address string, accounts []account) bool {
	_, here := p.known.Users[address]
	if here || !slices.ContainsFunc(accounts, func(a account) bool { return p.gone["users"][a.id()] }) {
		return false
	}
	for _, a := range accounts {
		p.gone["users"][a.id()] = true // and so is what belongs to the others
		p.report.removed("users", a.id(), "%s was taken over before and removed here.", address)
	}
	return true
}

// chooseAccount decides which of the accounts of one address is kept, and maps
// all of them to it.
func (p *plan) chooseAccount(accounts []account) account {
	slices.SortStableFunc(accounts, func(a, b account) int {
		return cmp.Or(
			-compareBool(a.flag("active", true), b.flag("active", true)), -compareBool(a.admin, b.admin),
			-compareBool(a.text("password_hash") != "", b.text("password_hash") != ""),
			-cmp.Compare(a.text("updated_at"), b.text("updated_at")), cmp.Compare(a.id(), b.id()))
	})
	kept := accounts[0]
	here, known := p.known.Users[kept.address]
	if !known {
		here = kept.id()
	}
	for i, a := range accounts {
		p.addresses[a.id()] = a.address
		delete(p.gone["users"], a.id()) // where somebody has the address, the account was made anew
		switch {
		case i == 0:
			p.users[a.id()] = here
		case a.flag("active", true) || !kept.flag("active", true):
			p.users[a.id()] = here
			p.report.counts("users").Merged++
			p.report.remark("users", a.id(), "duplicate_email", "%q and %q are one address here; the account %s is kept, with the memberships and tokens of both.",
				a.text("email"), kept.text("email"), kept.id())
		default: // what a closed account could read must not open to another one
			p.report.skip("users", a.id(), "duplicate_email", "%q is deactivated, and the same address as the active account %s (%q). Its memberships are not taken over.",
				a.text("email"), kept.id(), kept.text("email"))
		}
	}
	return kept
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// userRow maps one account; hash is a password hash to put aside.
func (p *plan) userRow(a account) (_ Row, hash string) {
	created := a.time("created_at", a.time("updated_at", p.otherwise))
	active := a.flag("active", true)
	var closed, by any
	if !active {
		closed = a.time("deactivated_at", a.time("updated_at", created))
		by = a.text("deactivated_by")
	}
	password := a.text("password_hash")
	if password != "" && !usable(password) {
		hash, password = password, ""
		p.report.remark("users", a.id(), "password_unusable",
			"The password of %s is kept in a form that Agnes cannot check. The hash is put aside; set a new password.", a.address)
	}
	return a.as(
		p.users[a.id()], a.address, a.text("name"), password, active, closed, by,
		created, a.time("updated_at", created), a.flag("onboarded", false), a.time("last_pull_at", nil),
	), hash
}

// usable reports whether signing in can check a password against a hash, at a
// bearable cost.
func usable(hash string) bool {
	params, _, _, err := argon2id.DecodeHash(hash)
	return err == nil && params.Memory <= 1<<20 && params.Iterations > 0 && params.Iterations <= 20 && params.Parallelism > 0
}

func (p *plan) noteLinks(rows []cells) {
	open := 0
	for _, c := range rows {
		if c.text("setup_token") != "" || c.text("reset_token") != "" {
			open++
		}
	}
	if open > 0 {
		p.report.note("Invitations and password links that were still open and are void now: %d. Send new ones.", open)
	}
}

// planGroups maps groups. Names that differ in case only stay two groups: one
// of them gets another name, because merging them would merge what they open.
func (p *plan) planGroups(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "user_groups", From: "user_groups", Key: []string{"id"},
		Columns: []string{"id", "name", "name_key", "description", "is_system", "created_at", "created_by"},
	}}
	taken := map[string]string{}
	for name, id := range p.known.Names {
		taken[name] = id
	}
	for _, c := range rows {
		id := c.id()
		name, err := people.GroupName(c.text("name"))
		if err != nil {
			p.report.skip("user_groups", id, "invalid_name", "A group needs a name of 1 to 128 characters. Its members and grants are not taken over.")
			continue
		}
		key := strings.ToLower(name)
		here, there := taken[key]
		switch {
		case p.known.Groups[id] != "":
			p.groups[id] = id
			name, key = p.known.Groups[id], strings.ToLower(p.known.Groups[id])
		case p.gone["user_groups"][id] && p.known.Groups[here] != name:
			p.report.removed("user_groups", id, "%s was taken over before and removed here.", name)
			continue
		case there && (here == p.known.Admin || here == p.known.All) && c.flag("is_system", false):
			p.groups[id] = here
			p.report.counts("user_groups").Merged++
			continue
		case there && p.known.Groups[here] == name:
			p.groups[id] = here
			delete(p.gone["user_groups"], id) // it was made anew
			p.report.counts("user_groups").Merged++
			b.Merged = append(b.Merged, Merged{Old: c.key(), Here: []any{here}})
			p.report.remark("user_groups", id, "group_exists", "A group named %q is here already; members and grants go to it.", name)
			continue
		case there:
			old := name
			name = freeName(name, taken)
			key = strings.ToLower(name)
			p.report.remark("user_groups", id, "name_taken", "%q is named as another group is but for case, and becomes %q.", old, name)
		}
		taken[key], p.groups[id], p.names[id] = id, id, name
		b.Rows = append(b.Rows, c.as(id, name, key, c.text("description"), false, c.time("created_at", p.otherwise), c.text("created_by")))
	}
	return b
}

// groupName is the name of a group here, or its id.
func (p *plan) groupName(id string) string { return cmp.Or(p.known.Groups[id], p.names[id], id) }

func freeName(name string, taken map[string]string) string {
	for n := 2; ; n++ {
		if next := name + " (" + strconv.Itoa(n) + ")"; taken[strings.ToLower(next)] == "" {
			return next
		}
	}
}

// planMembers maps memberships. Everyone has none here: everybody is in it.
func (p *plan) planMembers(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "user_group_members", From: "user_group_members", Key: []string{"user_id", "group_id"},
		Columns: []string{"user_id", "group_id", "source", "added_at", "added_by"},
	}}
	seen := map[string]bool{}
	everyone := 0
	for _, c := range rows {
		user, known := p.users[c.text("user_id")]
		group, there := p.groups[c.text("group_id")]
		pair := user + "\x00" + group
		switch {
		case p.removedHere("user_group_members", c.id(), thing{"users", c.text("user_id")}, thing{"user_groups", c.text("group_id")}):
		case !known:
			p.report.skip("user_group_members", c.id(), "user_missing", "There is no account %s here that could be a member.", c.text("user_id"))
		case !there:
			p.report.skip("user_group_members", c.id(), "group_missing", "There is no group %s here to be a member of.", c.text("group_id"))
		case group == p.known.All:
			everyone++
			p.report.counts("user_group_members").Needless++
		case seen[pair]:
			p.report.counts("user_group_members").Merged++
		default:
			seen[pair] = true
			row := c.as(user, group, p.source(c), c.time("added_at", p.otherwise), c.text("added_by"))
			row.What = fmt.Sprintf("The membership of %s in %s", p.addresses[c.text("user_id")], p.groupName(group))
			b.Rows = append(b.Rows, row)
		}
	}
	if everyone > 0 {
		p.report.note("Memberships of Everyone that are not taken over, because everybody is in it here: %d.", everyone)
	}
	return b
}

// source is who made a membership.
func (p *plan) source(c cells) string {
	switch s := people.MemberSource(c.text("source")); s {
	case people.ByAdmin, people.BySeed, people.ByGoogleSync, people.ByBreakGlass:
		return string(s)
	default:
		if s != "" {
			p.report.remark("user_group_members", c.id(), "source_unknown", "%q made this membership, which is not known; it counts as made by an administrator.", string(s))
		}
		return string(people.ByAdmin)
	}
}
