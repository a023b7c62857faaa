package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// System plugins belong to every group that administrators make, for as long as
// they are marked so (contract 5.3, 5.4).

// grantSystemPlugins grants the system plugins to a new group.
func (s *Store) grantSystemPlugins(ctx context.Context, tx runner, by audit.Actor, group people.GroupID) error {
	ids, err := collect(ctx, tx, value[string], `
		SELECT marketplace_id || '/' || name
		FROM marketplace_plugins
		WHERE is_system = TRUE
		ORDER BY 1`)
	if err != nil {
		return fmt.Errorf("list system plugins: %w", err)
	}
	for _, id := range ids {
		if _, err := s.insertGrant(ctx, tx, by, access.NewGrant{Group: group, ResourceType: access.PluginResource, ResourceID: id}, nil); err != nil {
			return err
		}
	}
	return nil
}

// mayRevoke fails with Conflict for a grant on a system plugin.
func mayRevoke(ctx context.Context, r runner, g access.Grant) error {
	if g.ResourceType != access.PluginResource {
		return nil
	}
	n, err := one(ctx, r, value[int], `
		SELECT count(*) FROM marketplace_plugins WHERE is_system = TRUE AND marketplace_id || '/' || name = $1`, g.ResourceID)
	if err != nil {
		return fmt.Errorf("look at plugin %s: %w", g.ResourceID, err)
	}
	if n > 0 {
		return domain.E(domain.Conflict, access.CodeSystemGrant, "%s is a system plugin, which every group has. Its mark has to go before a grant on it can.", g.ResourceID)
	}
	return nil
}
