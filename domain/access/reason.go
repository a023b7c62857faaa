package access

import "agnes/domain/people"

// Reason is one way by which a person may read one resource: a group, why they
// are in it, and the grant that the group holds.
type Reason struct {
	ResourceType ResourceType
	ResourceID   string
	Group        people.Group      // id, name, system and person
	Member       people.Membership // source, since when and by whom; of Everyone the seed's
	Grant        Grant
}
