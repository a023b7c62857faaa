package access

import (
	"slices"
	"strings"

	"agnes/domain"
)

// MemoryDomainResource is a domain of the corporate memory.
const MemoryDomainResource ResourceType = "memory_domain"

func memoryDomainResource() Resource {
	domains := []string{"finance", "engineering", "product", "data", "operations", "infrastructure"}
	return Resource{
		Type: MemoryDomainResource, DisplayName: "Memory domains", Description: "Domains of the corporate memory.", IDFormat: "<domain>",
		Known: domains,
		check: func(id string) error {
			if slices.Contains(domains, id) {
				return nil
			}
			return domain.FieldError("resource_id", "There is no memory domain %q. Known: %s.", id, strings.Join(domains, ", "))
		},
	}
}
