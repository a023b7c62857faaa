package access

import (
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/people"
)

// ResourceType is a kind of thing that can be granted.
type ResourceType string

// The resource types; a new one is added here.
const (
	TableResource        ResourceType = "table"
	MemoryDomainResource ResourceType = "memory_domain"
	PluginResource       ResourceType = "marketplace_plugin"
)

// ResourceTypes lists the types that grants may name.
func ResourceTypes() []ResourceType {
	return []ResourceType{TableResource, MemoryDomainResource, PluginResource}
}

// Grant lets the members of one group read one resource.
type Grant struct {
	ID           string
	GroupID      people.GroupID
	GroupName    string
	ResourceType ResourceType
	ResourceID   string
	AssignedAt   time.Time
	AssignedBy   string
	ExpiresAt    *time.Time // it opens nothing from then on; nil: it never ends
	Reason       string
}

// Live reports whether the grant opens anything at that time.
func (g Grant) Live(now time.Time) bool { return g.ExpiresAt == nil || now.Before(*g.ExpiresAt) }

// NewGrant is a grant that is asked for.
type NewGrant struct {
	Group        people.GroupID
	ResourceType ResourceType
	ResourceID   string
	ExpiresAt    *time.Time // nil: never ends
	Reason       string
}

// GrantFilter narrows a list of grants; empty fields do not narrow.
type GrantFilter struct {
	ResourceType ResourceType
	ResourceID   string
	GroupID      people.GroupID
	Live         bool // only those that open something now
}

// Effective is one resource that a person may read, and the groups that open it.
type Effective struct {
	ResourceType ResourceType
	ResourceID   string
	Groups       []people.Group
}

// maxText is how long a reason or note may be.
const maxText = 500

func checkText(field, text string) error {
	if len(text) > maxText {
		return domain.FieldError(field, "A %s has at most %d characters.", field, maxText)
	}
	return nil
}

// CheckTerms fails with a FieldError for an end that is not in the future and a
// reason that is too long.
func CheckTerms(expires *time.Time, reason string, now time.Time) error {
	if expires != nil && !now.Before(*expires) {
		return domain.FieldError("expires_at", "The grant would have ended already. Choose a time in the future, or none for a grant that never ends.")
	}
	return checkText("reason", reason)
}

// CheckGrant returns the parsed resource of a new grant, or a FieldError for an
// unknown type or a blank id.
func CheckGrant(resourceType, resourceID string) (ResourceType, string, error) {
	id := strings.TrimSpace(resourceID)
	if id == "" {
		return "", "", domain.FieldError("resource_id", "A grant names the resource that it opens, such as a table's id.")
	}
	for _, t := range ResourceTypes() {
		if string(t) == resourceType {
			return t, id, nil
		}
	}
	return "", "", domain.FieldError("resource_type", "Unknown resource type %q. Known: table, memory_domain, marketplace_plugin.", resourceType)
}
