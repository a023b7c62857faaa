package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// registryCache keeps the decoded registry. Decoding thousands of rows takes
// far longer than asking whether anything changed, which every use does in its
// own snapshot. Grants are never kept: what is taken back is gone at once.
type registryCache struct {
	mu      sync.Mutex
	changed int64
	removed int64
	tables  []registry.Published // by name; never written to, only replaced
}

// Catalog returns what p may read now: all tables for an administrator, with
// the groups that hold grants, else those granted to p's groups or Everyone.
// It takes two statements, and a third when the registry has changed.
func (s *Store) Catalog(ctx context.Context, p access.Principal) (access.Catalog, error) {
	var catalog access.Catalog
	err := s.view(ctx, func(r runner) error {
		tables, err := s.tables(ctx, r)
		if err != nil {
			return fmt.Errorf("read the registry: %w", err)
		}
		var offers []access.Offer
		if p.Admin {
			tables, err = withGroups(ctx, r, tables)
		} else {
			all := tables
			tables, err = s.granted(ctx, r, p.Groups, all)
			offers = offered(all, tables)
		}
		if err != nil {
			return fmt.Errorf("read the grants: %w", err)
		}
		catalog = access.NewCatalog(tables).WithOffers(offers)
		return nil
	})
	if err != nil {
		return access.Catalog{}, fmt.Errorf("catalog: %w", err)
	}
	return catalog, nil
}

// granted returns the tables that any of the groups, or Everyone, may read.
func (s *Store) granted(ctx context.Context, r runner, groups []people.GroupID, tables []registry.Published) ([]registry.Published, error) {
	args := []any{access.TableResource, s.everyoneID}
	places := "$2"
	for _, g := range groups {
		args = append(args, g)
		places += ", $" + strconv.Itoa(len(args))
	}
	args = append(args, micros(r.now()))
	ids, err := collect(ctx, r, value[registry.TableID], `
		SELECT resource_id FROM resource_grants WHERE resource_type = $1 AND group_id IN (`+places+`) AND (expires_at IS NULL OR expires_at > $`+strconv.Itoa(len(args))+`)`, args...)
	if err != nil {
		return nil, err
	}
	open := make(map[registry.TableID]struct{}, len(ids))
	for _, id := range ids {
		open[id] = struct{}{}
	}
	mine := make([]registry.Published, 0, len(ids))
	for _, t := range tables {
		if _, ok := open[t.ID]; ok {
			mine = append(mine, t)
		}
	}
	return mine, nil
}

// offered lists what is discoverable of all tables and not among those granted,
// which are in the same order.
func offered(all, granted []registry.Published) []access.Offer {
	var offers []access.Offer
	for i, next := 0, 0; i < len(all); i++ {
		t := &all[i]
		if next < len(granted) && granted[next].ID == t.ID {
			next++
			continue
		}
		if t.Discoverable {
			offers = append(offers, access.Offer{ID: string(t.ID), Name: t.Name, Description: t.Description})
		}
	}
	return offers
}

// withGroups returns a copy of tables with the names of the groups that hold a
// grant on each.
func withGroups(ctx context.Context, r runner, tables []registry.Published) ([]registry.Published, error) {
	holders := make(map[registry.TableID][]string, len(tables))
	if _, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var id registry.TableID
		var group string
		err := row.Scan(&id, &group)
		holders[id] = append(holders[id], group)
		return struct{}{}, err
	}, `
		SELECT r.resource_id, g.name
		FROM resource_grants r
		JOIN user_groups g ON g.id = r.group_id
		WHERE r.resource_type = $1 AND (r.expires_at IS NULL OR r.expires_at > $2)
		ORDER BY g.is_system DESC, g.name_key`, access.TableResource, micros(r.now())); err != nil {
		return nil, err
	}
	tables = slices.Clone(tables)
	for i := range tables {
		tables[i].GrantedTo = holders[tables[i].ID]
	}
	return tables, nil
}

// tables returns every table with its current version, by name, as of r's
// snapshot or a later one. Callers do not write to it.
func (s *Store) tables(ctx context.Context, r runner) ([]registry.Published, error) {
	var changed, removed int64
	if _, err := one(ctx, r, func(row scanner) (struct{}, error) {
		return struct{}{}, row.Scan(&changed, &removed)
	}, `SELECT changed, removed FROM registry_revision WHERE id = 1`); err != nil {
		return nil, err
	}
	c := &s.registry
	c.mu.Lock()
	kept, since, gone := c.tables, c.changed, c.removed
	c.mu.Unlock()
	if changed <= since {
		return kept, nil
	}
	if removed != gone {
		kept, since = nil, 0
	}
	news, err := collect(ctx, r, scanPublished, `SELECT`+publishedColumns+` WHERE t.rev > $1 ORDER BY t.name`, since)
	if err != nil {
		return nil, err
	}
	merged := merge(kept, news)
	c.mu.Lock()
	defer c.mu.Unlock()
	if changed > c.changed { // else another reader was faster, with a later snapshot
		c.tables, c.changed, c.removed = merged, changed, removed
	}
	return merged, nil
}

// merge returns the kept tables with the news in place of their older states.
func merge(kept, news []registry.Published) []registry.Published {
	replaced := make(map[registry.TableID]struct{}, len(news))
	for _, t := range news {
		replaced[t.ID] = struct{}{}
	}
	merged := make([]registry.Published, 0, len(kept)+len(news))
	for _, t := range kept {
		if _, ok := replaced[t.ID]; !ok {
			merged = append(merged, t)
		}
	}
	merged = append(merged, news...)
	slices.SortFunc(merged, func(a, b registry.Published) int { return strings.Compare(a.Name, b.Name) })
	return merged
}

// touch marks tables as changed for those who keep the registry. Every
// statement that changes what a registry.Published shows is followed by it, in
// the same transaction.
func touch(ctx context.Context, tx runner, ids ...registry.TableID) error {
	rev, err := one(ctx, tx, value[int64], `UPDATE registry_revision SET changed = changed + 1 WHERE id = 1 RETURNING changed`)
	if err != nil {
		return fmt.Errorf("count a change of the registry: %w", err)
	}
	for _, id := range ids {
		if _, err := tx.exec(ctx, `UPDATE table_registry SET rev = $1 WHERE id = $2`, rev, id); err != nil {
			return fmt.Errorf("mark table %s as changed: %w", id, err)
		}
	}
	return nil
}
