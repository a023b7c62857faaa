package access

import "agnes/domain/people"

// Overview is everything about access at one moment: groups, live grants and
// what can be granted.
type Overview struct {
	Groups    []people.Group
	Grants    []Grant
	Resources []ResourceBlocks // in the order of Resources
}

// ResourceBlocks are the resources of one type, in blocks.
type ResourceBlocks struct {
	Type   Resource
	Blocks []Block
}

// Block is a part of the resources of a type that belong together, such as the
// tables of one bucket.
type Block struct {
	ID    string
	Name  string
	Items []Item
}

// Item is one thing that can be granted.
type Item struct {
	ID          string
	Name        string
	Description string
}

// Permission is one way by which an active person may read a resource.
type Permission struct {
	UserID       people.UserID
	Email        string
	ResourceType ResourceType
	ResourceID   string
	Group        people.Group // id, name, system
	Source       people.MemberSource
	GrantID      string
}

// PermissionFilter narrows a list of permissions; empty fields do not narrow.
type PermissionFilter struct {
	User         people.UserID
	Email        string
	ResourceType ResourceType
	ResourceID   string
	Group        people.GroupID
	After        *Permission // the last one of the page before; nil: from the start
	Limit        int         // of one page
}
