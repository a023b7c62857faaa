package people

// GroupOrigin says who keeps a group.
type GroupOrigin string

// The origins; AnyOrigin, as a filter, is all but the groups of one person.
const (
	AnyOrigin    GroupOrigin = ""
	OriginSystem GroupOrigin = "system"      // Agnes itself
	OriginGoogle GroupOrigin = "google_sync" // Google Workspace
	OriginOIDC   GroupOrigin = "oidc_sync"   // the sign-in service
	OriginCustom GroupOrigin = "custom"      // administrators
	OriginPerson GroupOrigin = "person"      // made for one person alone
)

// Who creates the groups that follow those of another service.
const (
	googleSyncs = "system:google-sync"
	oidcSyncs   = "system:oidc-sync"
)

// Origin says who keeps the group.
func (g Group) Origin() GroupOrigin {
	switch {
	case g.System:
		return OriginSystem
	case g.CreatedBy == googleSyncs:
		return OriginGoogle
	case g.CreatedBy == oidcSyncs:
		return OriginOIDC
	case g.Person != "":
		return OriginPerson
	}
	return OriginCustom
}

// Everyone reports whether it is the group of all active people.
func (g Group) Everyone() bool { return g.System && g.Name == EveryoneGroup }

// Admins reports whether it is the group of administrators.
func (g Group) Admins() bool { return g.System && g.Name == AdminGroup }

// GroupOrder sorts a list of groups; ties go by name.
type GroupOrder string

// The orders; GroupsByName is the usual one.
const (
	GroupsByName    GroupOrder = ""
	GroupsByMembers GroupOrder = "members"
	GroupsByGrants  GroupOrder = "grants"
)

// GroupFilter narrows, sorts and pages a list of groups. Search is a part of the
// name or description, ignoring case; Limit 0 means all.
type GroupFilter struct {
	Search        string
	Origin        GroupOrigin
	Order         GroupOrder
	Desc          bool
	Limit, Offset int
}

// GroupCounts are how many groups there are of each origin.
type GroupCounts struct {
	All                                   int // without those of one person
	System, Google, OIDC, Custom, Persons int
}

// MemberFilter narrows and pages the members of a group. Search is a part of the
// address or the name, ignoring case; Limit 0 means all.
type MemberFilter struct {
	Search        string
	Limit, Offset int
}

// Joined is what adding many addresses to a group came to.
type Joined struct {
	Added   []User
	Already []User
	Unknown []string // addresses without an account
}
