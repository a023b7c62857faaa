package registry

import (
	"strings"

	"agnes/domain"
)

// Renameable fails with a FieldError for "name" when a table cannot have
// another name: the extract of a predecessor's connector knows the table by the
// name in the registry, so that under another one its rows would not be found.
func (p Published) Renameable(name string) error {
	if name == p.Name || p.Version == nil || !p.Foreign() || p.SourceType == SourceCustom || strings.EqualFold(name, p.Name) {
		return nil
	}
	return domain.FieldError("name",
		"%s is called so in the extract of %s, and is found there by that name, so it cannot have another one. Register it anew under the other name, with its own entry in that extract.",
		p.Name, p.SourceType)
}
