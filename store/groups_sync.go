package store

import (
	"context"
	"fmt"
	"slices"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// HasSynced reports whether somebody has a membership of a source.
func (s *Store) HasSynced(ctx context.Context, id people.UserID, source people.MemberSource) (bool, error) {
	n, err := one(ctx, s.reader(), value[int], `SELECT count(*) FROM user_group_members WHERE user_id = $1 AND source = $2`, id, source)
	if err != nil {
		return false, fmt.Errorf("look for memberships by %s: %w", source, explain(err))
	}
	return n > 0, nil
}

// SyncGroups replaces somebody's memberships of one source; NotFound.
func (s *Store) SyncGroups(ctx context.Context, by audit.Actor, id people.UserID, sync people.GroupSync) error {
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "id", string(id))
		if err != nil {
			return err
		}
		return s.syncGroups(ctx, tx, by, u, sync)
	})
	if err != nil {
		return fmt.Errorf("sync groups of %s: %w", id, err)
	}
	return nil
}

// notManaged fails with Conflict for a group that follows one of another
// service (contract 5.3): what was changed here would be lost there.
func notManaged(g people.Group) error {
	switch {
	case g.GoogleManaged():
		return domain.E(domain.Conflict, "google_managed_readonly", "The group %s follows one of Google Workspace. Change it there.", g.Name)
	case g.CreatedBy == people.MadeByOIDC:
		return domain.E(domain.Conflict, "oidc_managed_readonly", "The group %s follows one of the sign-in service. Change it there.", g.Name)
	}
	return nil
}

// membership is one of a person's, as a sync sees it.
type membership struct {
	group  people.GroupID
	name   string
	source people.MemberSource
}

// syncGroups makes the memberships of one source those that sync names. Rows
// of other sources stay, and so does the last active administrator.
func (s *Store) syncGroups(ctx context.Context, tx runner, by audit.Actor, u people.User, sync people.GroupSync) error {
	system := audit.System(string(sync.Source))
	system.RequestID, system.ClientIP = by.RequestID, by.ClientIP
	had, err := memberships(ctx, tx, u.ID)
	if err != nil {
		return err
	}
	wanted, skipped, err := s.syncedGroups(ctx, tx, system, sync)
	if err != nil {
		return err
	}
	var before []string
	kept := ""
	for _, m := range had {
		if m.source != sync.Source {
			continue
		}
		before = append(before, m.name)
		if slices.Contains(wanted, m.group) {
			continue
		}
		if m.group == s.adminID {
			err := s.keepsAdmin(ctx, tx, u)
			if domain.CodeOf(err) == "last_admin" {
				kept = m.name
				continue
			} else if err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, `DELETE FROM user_group_members WHERE user_id = $1 AND group_id = $2 AND source = $3`, u.ID, m.group, sync.Source); err != nil {
			return fmt.Errorf("leave a group: %w", err)
		}
	}
	for _, id := range wanted {
		if _, err := s.join(ctx, tx, system, u.ID, id, sync.Source); err != nil {
			return fmt.Errorf("join a group: %w", err)
		}
	}
	return s.noteSync(ctx, tx, system, u, sync, before, kept, skipped)
}

// noteSync writes the audit row of a sync that changed something.
func (s *Store) noteSync(ctx context.Context, tx runner, by audit.Actor, u people.User, sync people.GroupSync, before []string, kept string, skipped []string) error {
	now, err := memberships(ctx, tx, u.ID)
	if err != nil {
		return err
	}
	var after []string
	for _, m := range now {
		if m.source == sync.Source {
			after = append(after, m.name)
		}
	}
	if slices.Equal(before, after) {
		return nil
	}
	asked := params{"email": u.Email, "source": sync.Source, "groups": after}
	if kept != "" {
		asked["kept_last_admin"] = true
	}
	if len(skipped) > 0 {
		asked["skipped"] = skipped
	}
	return s.note(ctx, tx, by, "user_group.synced", "user:"+string(u.ID), asked, params{"groups": before})
}

func memberships(ctx context.Context, r runner, id people.UserID) ([]membership, error) {
	list, err := collect(ctx, r, func(row scanner) (membership, error) {
		var m membership
		err := row.Scan(&m.group, &m.name, &m.source)
		return m, err
	}, `
		SELECT g.id, g.name, m.source
		FROM user_group_members m
		JOIN user_groups g ON g.id = m.group_id
		WHERE m.user_id = $1
		ORDER BY g.name_key`, id)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	return list, nil
}

// syncedGroups returns the groups that sync names, made where they are missing.
// Only groups that the same sync made are joined: one of the same name that a
// person made may open more than the service's group should. The two of Agnes's
// own are reached by their mapping alone.
func (s *Store) syncedGroups(ctx context.Context, tx runner, by audit.Actor, sync people.GroupSync) (ids []people.GroupID, skipped []string, err error) {
	if sync.Admin {
		ids = append(ids, s.adminID)
	}
	for _, name := range sync.Names {
		g, err := getGroup(ctx, tx, "name_key", nameKey(name))
		switch {
		case domain.KindOf(err) == domain.NotFound:
			id := people.GroupID(s.newID())
			if _, err := tx.exec(ctx, `
				INSERT INTO user_groups (id, name, name_key, description, created_at, created_by)
				VALUES ($1, $2, $3, '', $4, $5)`, id, name, nameKey(name), micros(s.now()), sync.CreatedBy); err != nil {
				return nil, nil, fmt.Errorf("make a group: %w", err)
			}
			if err := s.note(ctx, tx, by, "user_group.created", "group:"+string(id), params{"name": name, "created_by": sync.CreatedBy}, nil); err != nil {
				return nil, nil, err
			}
			ids = append(ids, id)
		case err != nil:
			return nil, nil, err
		case g.CreatedBy != sync.CreatedBy || g.System:
			skipped = append(skipped, name)
		default:
			ids = append(ids, g.ID)
		}
	}
	return ids, skipped, nil
}
