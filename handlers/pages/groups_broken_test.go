package pages

import (
	"context"

	"agnes/domain/access"
	"agnes/domain/people"
)

// brokenGroups fails to read what the pages of groups list.
type brokenGroups struct{ Groups }

func (brokenGroups) ListGroupsPage(context.Context, people.GroupFilter) ([]people.Group, int, error) {
	return nil, 0, errBroken
}

func (brokenGroups) ListMembersPage(context.Context, people.GroupID, people.MemberFilter) ([]people.Member, int, error) {
	return nil, 0, errBroken
}

func (brokenGroups) ListBin(context.Context, int) ([]access.Binned, error) { return nil, errBroken }
