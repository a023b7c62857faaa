package access

import (
	"strings"

	"agnes/domain"
)

// ResourceType is a kind of thing that can be granted.
type ResourceType string

// Resource describes a resource type. A new one is a file that makes one, and
// its line in Resources.
type Resource struct {
	Type        ResourceType
	DisplayName string
	Description string
	IDFormat    string
	Known       []string // every id there can be, in order; nil when ids come and go

	// check fails unless an id, which is not blank, has the type's form.
	check func(id string) error
}

// Resources lists the types that grants may name.
func Resources() []Resource {
	return []Resource{tableResource(), memoryDomainResource(), pluginResource()}
}

// ResourceTypes lists the types that grants may name, by their keys.
func ResourceTypes() []ResourceType {
	var keys []ResourceType
	for _, r := range Resources() {
		keys = append(keys, r.Type)
	}
	return keys
}

// FindResource returns the type of that key, or a FieldError.
func FindResource(key string) (Resource, error) {
	var known []string
	for _, r := range Resources() {
		if string(r.Type) == key {
			return r, nil
		}
		known = append(known, string(r.Type))
	}
	return Resource{}, domain.FieldError("resource_type", "Unknown resource type %q. Known: %s.", key, strings.Join(known, ", "))
}

// maxID is how long the id of a resource may be.
const maxID = 512

// CheckGrant returns the parsed resource of a new grant, or a FieldError for an
// unknown type or an id that is blank or has not the type's form. Whether the
// resource exists is not asked.
func CheckGrant(resourceType, resourceID string) (ResourceType, string, error) {
	r, err := FindResource(resourceType)
	if err != nil {
		return "", "", err
	}
	id := strings.TrimSpace(resourceID)
	switch {
	case id == "":
		return "", "", domain.FieldError("resource_id", "A grant names the resource that it opens, such as a table's id.")
	case len(id) > maxID:
		return "", "", domain.FieldError("resource_id", "An id has at most %d characters.", maxID)
	}
	if err := r.check(id); err != nil {
		return "", "", err
	}
	return r.Type, id, nil
}
