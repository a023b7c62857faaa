package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"agnes/domain/access"
)

// noBucket is the block of tables that lie in none (contract 5.2).
const noBucket = "(no bucket)"

// AccessOverview returns groups, live grants and all that can be granted, as
// of one moment. It takes four statements, and a fifth when the registry has changed.
func (s *Store) AccessOverview(ctx context.Context) (access.Overview, error) {
	var o access.Overview
	err := s.view(ctx, func(r runner) (err error) {
		o = access.Overview{}
		now := micros(s.now())
		if o.Groups, err = collect(ctx, r, scanGroup, `SELECT `+groupColumns+` FROM user_groups g ORDER BY g.is_system DESC, g.name_key`, now); err != nil {
			return err
		}
		for i := range o.Groups {
			o.Groups[i] = s.mapped(o.Groups[i])
		}
		if o.Grants, err = collect(ctx, r, scanGrant, `
			SELECT`+grantColumns+`
			WHERE r.expires_at IS NULL OR r.expires_at > $1
			ORDER BY g.is_system DESC, g.name_key, r.resource_type, r.resource_id`, now); err != nil {
			return err
		}
		for _, kind := range access.Resources() {
			blocks, err := s.blocks(ctx, r, kind)
			if err != nil {
				return err
			}
			o.Resources = append(o.Resources, access.ResourceBlocks{Type: kind, Blocks: blocks})
		}
		return nil
	})
	if err != nil {
		return access.Overview{}, fmt.Errorf("look over access: %w", err)
	}
	return o, nil
}

// blocks are the resources of one type. Those whose ids come and go are found
// in the state.
func (s *Store) blocks(ctx context.Context, r runner, kind access.Resource) ([]access.Block, error) {
	switch kind.Type {
	case access.TableResource:
		return s.tableBlocks(ctx, r)
	case access.PluginResource:
		return pluginBlocks(ctx, r)
	case access.MemoryDomainResource: // its ids are known
	}
	if len(kind.Known) == 0 {
		return nil, nil
	}
	block := access.Block{ID: string(kind.Type), Name: kind.DisplayName}
	for _, id := range kind.Known {
		block.Items = append(block.Items, access.Item{ID: id, Name: id})
	}
	return []access.Block{block}, nil
}

// tableBlocks are the tables by bucket.
func (s *Store) tableBlocks(ctx context.Context, r runner) ([]access.Block, error) {
	tables, err := s.tables(ctx, r)
	if err != nil {
		return nil, err
	}
	place := map[string]int{}
	var blocks []access.Block
	for _, t := range tables {
		bucket := cmp.Or(t.Bucket, noBucket)
		i, known := place[bucket]
		if !known {
			i = len(blocks)
			place[bucket] = i
			blocks = append(blocks, access.Block{ID: bucket, Name: bucket})
		}
		blocks[i].Items = append(blocks[i].Items, access.Item{ID: string(t.ID), Name: t.Name, Description: t.Description})
	}
	slices.SortStableFunc(blocks, func(a, b access.Block) int { return cmp.Compare(a.Name, b.Name) })
	return blocks, nil
}

// pluginBlocks are the plugins by marketplace.
func pluginBlocks(ctx context.Context, r runner) ([]access.Block, error) {
	var blocks []access.Block
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var market, name string
		var item access.Item
		if err := row.Scan(&market, &name, &item.Name, &item.Description); err != nil {
			return struct{}{}, err
		}
		if n := len(blocks); n == 0 || blocks[n-1].ID != market {
			blocks = append(blocks, access.Block{ID: market, Name: name})
		}
		item.ID = market + "/" + item.Name
		last := &blocks[len(blocks)-1]
		last.Items = append(last.Items, item)
		return struct{}{}, nil
	}, `
		SELECT p.marketplace_id, COALESCE(NULLIF(m.name, ''), p.marketplace_id), p.name, COALESCE(p.description, '')
		FROM marketplace_plugins p
		LEFT JOIN marketplace_registry m ON m.id = p.marketplace_id
		ORDER BY p.marketplace_id, p.name`)
	return blocks, err
}
