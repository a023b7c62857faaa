package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ClaimRemote gives each wanted alias of an outside system, in any case, to the
// first source that asks for it, and returns their owners by the aliases as they
// were asked for. Aliases that the source had and does not name any more are
// free again.
func (s *Store) ClaimRemote(ctx context.Context, source string, named, wanted []string) (owners map[string]string, err error) {
	has, err := s.remoteAliases(ctx, s.reader())
	if err != nil {
		return nil, fmt.Errorf("claim aliases for %s: %w", source, explain(err))
	}
	if !settled(has, source, named, wanted) {
		err = s.tx(ctx, func(tx runner) error {
			if has, err = s.remoteAliases(ctx, tx); err != nil {
				return err
			}
			for alias, owner := range has {
				if owner == source && !containsFold(named, alias) {
					if _, err := tx.exec(ctx, `DELETE FROM remote_aliases WHERE alias = $1`, alias); err != nil {
						return err
					}
				}
			}
			for _, alias := range wanted {
				if _, err := tx.exec(ctx, `INSERT INTO remote_aliases (alias, source, claimed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
					strings.ToLower(alias), source, micros(s.now())); err != nil {
					return err
				}
			}
			has, err = s.remoteAliases(ctx, tx)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("claim aliases for %s: %w", source, err)
		}
	}
	owners = make(map[string]string, len(wanted))
	for _, alias := range wanted {
		owners[alias] = has[strings.ToLower(alias)]
	}
	return owners, nil
}

// remoteAliases returns the owners of all aliases.
func (s *Store) remoteAliases(ctx context.Context, r runner) (map[string]string, error) {
	owners := map[string]string{}
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var alias, source string
		err := row.Scan(&alias, &source)
		owners[alias] = source
		return struct{}{}, err
	}, `SELECT alias, source FROM remote_aliases ORDER BY alias`)
	return owners, err
}

// settled reports whether a claim would change nothing.
func settled(has map[string]string, source string, named, wanted []string) bool {
	for alias, owner := range has {
		if owner == source && !containsFold(named, alias) {
			return false
		}
	}
	for _, alias := range wanted {
		if has[strings.ToLower(alias)] == "" {
			return false
		}
	}
	return true
}

func containsFold(all []string, one string) bool {
	return slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, one) })
}
