package store

import (
	"context"
	"fmt"
	"maps"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
)

// CreateGrant lets a group read a resource. Whether the resource exists is not
// asked. A grant that ended makes way. It fails with Invalid for an end that is
// not in the future, with NotFound for an unknown group and with Conflict for a
// grant that exists.
func (s *Store) CreateGrant(ctx context.Context, by audit.Actor, n access.NewGrant) (access.Grant, error) {
	var grant access.Grant
	err := s.tx(ctx, func(tx runner) (err error) {
		if err := access.CheckTerms(n.ExpiresAt, n.Reason, s.now()); err != nil {
			return err
		}
		grant, err = s.insertGrant(ctx, tx, by, n, nil)
		return err
	})
	if err != nil {
		return access.Grant{}, fmt.Errorf("grant %s %s: %w", n.ResourceType, n.ResourceID, err)
	}
	return grant, nil
}

// insertGrant makes a grant; about is what the audit row says besides.
func (s *Store) insertGrant(ctx context.Context, tx runner, by audit.Actor, n access.NewGrant, about params) (access.Grant, error) {
	return s.writeGrant(ctx, tx, by, access.KeptGrant{
		ID: s.newID(), GroupID: n.Group, ResourceType: n.ResourceType, ResourceID: n.ResourceID,
		AssignedAt: s.now(), AssignedBy: byline(by), ExpiresAt: n.ExpiresAt, Reason: n.Reason, Version: 1,
	}, about)
}

// regrant makes a grant again as it was.
func (s *Store) regrant(ctx context.Context, tx runner, by audit.Actor, k access.KeptGrant, about params) error {
	_, err := s.writeGrant(ctx, tx, by, k, about)
	return err
}

func (s *Store) writeGrant(ctx context.Context, tx runner, by audit.Actor, k access.KeptGrant, about params) (access.Grant, error) {
	g, err := getGroup(ctx, tx, "id", string(k.GroupID))
	if err != nil {
		return access.Grant{}, err
	}
	if _, err := tx.exec(ctx, `
		DELETE FROM resource_grants
		WHERE group_id = $1 AND resource_type = $2 AND resource_id = $3 AND expires_at <= $4`,
		k.GroupID, k.ResourceType, k.ResourceID, micros(s.now())); err != nil {
		return access.Grant{}, err
	}
	_, err = tx.exec(ctx, `
		INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, assigned_by, expires_at, reason, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		k.ID, k.GroupID, k.ResourceType, k.ResourceID, micros(k.AssignedAt), k.AssignedBy, microsOrNull(k.ExpiresAt), k.Reason, k.Version)
	if taken(err) {
		return access.Grant{}, domain.E(domain.Conflict, "grant_exists", "%s has this grant already.", g.Name).Because(err)
	} else if err != nil {
		return access.Grant{}, err
	}
	grant := access.Grant{
		ID: k.ID, GroupID: k.GroupID, GroupName: g.Name, ResourceType: k.ResourceType, ResourceID: k.ResourceID,
		AssignedAt: k.AssignedAt, AssignedBy: k.AssignedBy, ExpiresAt: k.ExpiresAt, Reason: k.Reason, Version: k.Version,
	}
	return grant, s.noteGrant(ctx, tx, by, "resource_grant.created", grant, grantParams(grant, about), nil)
}

// UpdateGrant gives a grant another end or reason. It fails with NotFound, with
// Invalid for an end that is not in the future and with Stale when the grant
// changed since c.Seen.
func (s *Store) UpdateGrant(ctx context.Context, by audit.Actor, id string, c access.GrantChange) (access.Grant, error) {
	var after access.Grant
	err := s.tx(ctx, func(tx runner) error {
		g, err := getGrant(ctx, tx, id)
		if err != nil {
			return err
		}
		want := *g.Cell()
		if c.ExpiresAt != nil {
			want.ExpiresAt = *c.ExpiresAt
			if err := access.CheckTerms(want.ExpiresAt, "", s.now()); err != nil {
				return err
			}
		}
		if c.Reason != nil {
			want.Reason = *c.Reason
			if err := access.CheckTerms(nil, want.Reason, s.now()); err != nil {
				return err
			}
		}
		yours := access.Grant{ExpiresAt: want.ExpiresAt, Reason: want.Reason}
		if err := (edited{"grant", g.ID, g.Version, g.Fields()}).unchanged(ctx, tx, c.Seen, yours.Fields()); err != nil {
			return err
		}
		after, err = s.changeGrant(ctx, tx, by, g, want, nil)
		return err
	})
	if err != nil {
		return access.Grant{}, fmt.Errorf("change grant %s: %w", id, err)
	}
	return after, nil
}

// changeGrant gives a grant another end and reason.
func (s *Store) changeGrant(ctx context.Context, tx runner, by audit.Actor, g access.Grant, want access.CellGrant, about params) (access.Grant, error) {
	if want.ExpiresAt != nil { // which takes it back, later
		if err := mayRevoke(ctx, tx, g); err != nil {
			return g, err
		}
	}
	before := g
	g.ExpiresAt, g.Reason, g.Version = want.ExpiresAt, want.Reason, g.Version+1
	if _, err := tx.exec(ctx, `UPDATE resource_grants SET expires_at = $1, reason = $2, version = $3 WHERE id = $4`,
		microsOrNull(g.ExpiresAt), g.Reason, g.Version, g.ID); err != nil {
		return g, err
	}
	if err := s.changed(ctx, tx, by, edited{"grant", g.ID, before.Version, before.Fields()}, g.Fields()); err != nil {
		return g, err
	}
	return g, s.noteGrant(ctx, tx, by, "resource_grant.updated", g, grantParams(g, about), grantParams(before, about))
}

// DeleteGrant takes a grant back, for the very next question that anybody asks.
// It fails with NotFound, and with Conflict for a system plugin.
func (s *Store) DeleteGrant(ctx context.Context, by audit.Actor, id string) error {
	err := s.tx(ctx, func(tx runner) error {
		g, err := getGrant(ctx, tx, id)
		if err != nil {
			return err
		}
		return s.dropGrant(ctx, tx, by, g, nil)
	})
	if err != nil {
		return fmt.Errorf("delete grant %s: %w", id, err)
	}
	return nil
}

func getGrant(ctx context.Context, r runner, id string) (access.Grant, error) {
	g, err := one(ctx, r, scanGrant, `SELECT`+grantColumns+` WHERE r.id = $1`, id)
	if absent(err) {
		return g, domain.E(domain.NotFound, "grant_not_found", "Grant not found")
	}
	return g, err
}

func (s *Store) dropGrant(ctx context.Context, tx runner, by audit.Actor, g access.Grant, about params) error {
	if err := mayRevoke(ctx, tx, g); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM resource_grants WHERE id = $1`, g.ID); err != nil {
		return err
	}
	return s.noteGrant(ctx, tx, by, "resource_grant.deleted", g, about, grantParams(g, nil))
}

func (s *Store) noteGrant(ctx context.Context, tx runner, by audit.Actor, action string, g access.Grant, asked, before params) error {
	return s.note(ctx, tx, by, action, string(g.ResourceType)+":"+g.ResourceID, asked, before)
}

// grantParams is a grant as audit rows show it.
func grantParams(g access.Grant, about params) params {
	p := params{
		"grant_id": g.ID, "group_id": g.GroupID, "group": g.GroupName, "resource_type": g.ResourceType, "resource_id": g.ResourceID,
		"expires_at": g.ExpiresAt, "reason": g.Reason,
	}
	maps.Copy(p, about)
	return p
}
