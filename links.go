package main

import (
	"context"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// noLinks stands where the links by mail are plugged in.
type noLinks struct{}

func (noLinks) Invite(context.Context, audit.Actor, people.User) (people.Invitation, error) {
	return people.Invitation{}, errNoLinks()
}

func (noLinks) Reset(context.Context, audit.Actor, people.User) (people.Invitation, error) {
	return people.Invitation{}, errNoLinks()
}

func errNoLinks() error {
	return domain.E(domain.Unavailable, "links_off", "This server makes no links to set a password. Set one with: agnes admin set-password")
}
