package store

import (
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/registry"
)

// CreateAccessRequest asks for something for p. What does not exist and what
// does not say that it exists fail alike, with NotFound; what p sees already, or
// has asked for already, with Conflict.
func (s *Store) CreateAccessRequest(ctx context.Context, p access.Principal, n access.NewRequest) (access.Request, error) {
	var q access.Request
	err := s.tx(ctx, func(tx runner) error {
		if p.Admin {
			return domain.E(domain.Conflict, "sees_everything", "You are an administrator and see everything, so there is nothing to ask for.")
		}
		if err := s.askable(ctx, tx, p, n); err != nil {
			return err
		}
		id := s.newID()
		_, err := tx.exec(ctx, `
			INSERT INTO access_requests (id, user_id, resource_type, resource_id, reason, origin, state, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'open', $7)`,
			id, p.UserID, n.ResourceType, n.ResourceID, n.Reason, n.Origin, micros(s.now()))
		if taken(err) {
			return domain.E(domain.Conflict, "request_open", "You asked for this already, and nobody has answered yet. Your request is on your list.").Because(err)
		} else if err != nil {
			return err
		}
		if q, err = requestFor(ctx, tx, p, id); err != nil {
			return err
		}
		return s.note(ctx, tx, p.Actor(), "access_request.created", requestResource(q),
			params{"request_id": id, "resource_type": q.ResourceType, "resource_id": q.ResourceID, "reason": q.Reason, "origin": q.Origin}, nil)
	})
	if err != nil {
		return access.Request{}, fmt.Errorf("ask for %s %s: %w", n.ResourceType, n.ResourceID, err)
	}
	return q, nil
}

// requestResource is what audit rows of a request are about: what is asked for.
func requestResource(q access.Request) string {
	return string(q.ResourceType) + ":" + q.ResourceID
}

// askable fails unless p may ask for the resource.
func (s *Store) askable(ctx context.Context, tx runner, p access.Principal, n access.NewRequest) error {
	seen, err := s.sees(ctx, tx, p, n.ResourceType, n.ResourceID)
	if err != nil {
		return err
	}
	table := registry.Published{}
	if n.ResourceType == access.TableResource {
		table, err = getTable(ctx, tx, registry.TableID(n.ResourceID))
		if err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		}
	}
	switch {
	case seen && (table.ID != "" || n.ResourceType != access.TableResource):
		return domain.E(domain.Conflict, "access_there", "You see this already, so there is nothing to ask for.")
	case !table.Discoverable:
		return domain.E(domain.NotFound, "resource_not_found", "There is nothing of this name that you may ask for.")
	}
	return nil
}

// sees reports whether a live grant lets p see a resource.
func (s *Store) sees(ctx context.Context, r runner, p access.Principal, kind access.ResourceType, id string) (bool, error) {
	args := []any{s.everyoneID}
	for _, g := range p.Groups {
		args = append(args, g)
	}
	in := places(len(args))
	n := len(args)
	args = append(args, kind, id, micros(s.now()))
	return one(ctx, r, value[bool], fmt.Sprintf(`
		SELECT EXISTS (
			SELECT 1 FROM resource_grants
			WHERE group_id IN (%s) AND resource_type = $%d AND resource_id = $%d AND (expires_at IS NULL OR expires_at > $%d))`, in, n+1, n+2, n+3), args...)
}
