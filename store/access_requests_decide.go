package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// ApproveRequest decides for a request, with the grant or the membership that
// it takes, all or none. It fails with NotFound, with Forbidden for who may not
// decide, with Stale when it changed since a.Seen, and with Conflict when it is
// over.
func (s *Store) ApproveRequest(ctx context.Context, p access.Principal, id string, a access.Approval) (access.Request, error) {
	return s.decide(ctx, p, id, a.Seen, access.RequestApproved, func(tx runner, q *access.Request) error {
		q.Answer = a.Answer
		if !q.By.Active {
			return domain.E(domain.Conflict, "asker_deactivated", "The account of %s is deactivated, so it would open nothing. Refuse the request, or reactivate the account first.", q.By.Email)
		}
		if err := stillThere(ctx, tx, *q); err != nil {
			return err
		}
		return s.give(ctx, tx, p, q, a)
	})
}

// stillThere fails with Conflict when what was asked for is gone.
func stillThere(ctx context.Context, tx runner, q access.Request) error {
	if q.ResourceType != access.TableResource {
		return nil
	}
	there, err := one(ctx, tx, value[bool], `SELECT EXISTS (SELECT 1 FROM table_registry WHERE id = $1)`, q.ResourceID)
	if err == nil && !there {
		err = domain.E(domain.Conflict, "table_gone", "%s was removed meanwhile, so there is nothing to open. Refuse the request.", q.ResourceName)
	}
	return err
}

// give makes the grant or the membership of an approval.
func (s *Store) give(ctx context.Context, tx runner, p access.Principal, q *access.Request, a access.Approval) error {
	by := p.Actor()
	g, err := s.approvedGroup(ctx, tx, by, q.By.ID, a)
	if err != nil {
		return err
	}
	q.Group, q.GroupName = g.ID, g.Name
	member, err := one(ctx, tx, value[bool], `SELECT EXISTS (SELECT 1 FROM user_group_members WHERE user_id = $1 AND group_id = $2)`, q.By.ID, g.ID)
	if err != nil {
		return err
	}
	grant, err := one(ctx, tx, scanGrant, `SELECT`+grantColumns+` WHERE r.group_id = $1 AND r.resource_type = $2 AND r.resource_id = $3`, g.ID, q.ResourceType, q.ResourceID)
	if err != nil && !absent(err) {
		return err
	}
	holds := err == nil && grant.Live(s.now())
	switch {
	case member && holds: // somebody was faster in the matrix
		q.ExpiresAt = grant.ExpiresAt
		return nil
	case holds:
		return s.joinFor(ctx, tx, p, q, g)
	case !member:
		return domain.FieldError("group_id", "%s is not a member of %s, and %s may not see this: that would open nothing. Choose a group of theirs, or one that has it.", q.By.Email, g.Name, g.Name)
	}
	reason := "Asked for by " + q.By.Email
	grant, err = s.insertGrant(ctx, tx, by, access.NewGrant{Group: g.ID, ResourceType: q.ResourceType, ResourceID: q.ResourceID, ExpiresAt: a.ExpiresAt, Reason: reason}, params{"request_id": q.ID})
	q.GrantID, q.ExpiresAt = grant.ID, a.ExpiresAt
	return err
}

// joinFor makes the asker a member of a group that has what they asked for. The
// group may open more than that, so an owner may not.
func (s *Store) joinFor(ctx context.Context, tx runner, p access.Principal, q *access.Request, g people.Group) error {
	if !p.Admin {
		return domain.E(domain.Forbidden, "admin_required", "%s opens more than this table, so only an administrator adds people to it. Choose a group of theirs, or only this person.", g.Name)
	}
	if err := notManaged(g); err != nil {
		return err
	}
	if _, err := s.join(ctx, tx, p.Actor(), q.By.ID, g.ID, people.ByAdmin); err != nil {
		return err
	}
	q.Joined = true
	return s.note(ctx, tx, p.Actor(), "user_group.member_added", "group:"+string(g.ID),
		params{"group": g.Name, "user_id": q.By.ID, "email": q.By.Email, "source": people.ByAdmin}, nil)
}

// RefuseRequest decides against a request; it fails as ApproveRequest does.
func (s *Store) RefuseRequest(ctx context.Context, p access.Principal, id string, f access.Refusal) (access.Request, error) {
	return s.decide(ctx, p, id, f.Seen, access.RequestRefused, func(_ runner, q *access.Request) error {
		q.Answer = f.Answer
		return nil
	})
}

// WithdrawRequest takes p's own request back; it fails as ApproveRequest does.
func (s *Store) WithdrawRequest(ctx context.Context, p access.Principal, id string, seen int64) (access.Request, error) {
	return s.decide(ctx, p, id, seen, access.RequestWithdrawn, func(runner, *access.Request) error { return nil })
}

// ReopenRequest takes p's approval back, within access.UndoFor: the grant or
// membership that it made goes, and the request waits again. It fails with
// Conflict for another decision, an older one or one of somebody else.
func (s *Store) ReopenRequest(ctx context.Context, p access.Principal, id string) (access.Request, error) {
	return s.decide(ctx, p, id, 0, access.RequestOpen, func(tx runner, q *access.Request) error {
		if q.State != access.RequestApproved || q.DecidedBy != p.Email || s.now().Sub(*q.DecidedAt) > access.UndoFor {
			return domain.E(domain.Conflict, "too_late", "Only whoever approved a request takes that back, within 10 minutes. Remove the grant in the matrix instead.")
		}
		return s.takeBack(ctx, tx, p, q)
	})
}

// takeBack removes what an approval made.
func (s *Store) takeBack(ctx context.Context, tx runner, p access.Principal, q *access.Request) error {
	by := p.Actor()
	if q.GrantID != "" {
		g, err := one(ctx, tx, scanGrant, `SELECT`+grantColumns+` WHERE r.id = $1`, q.GrantID)
		if err == nil {
			if _, err := tx.exec(ctx, `DELETE FROM resource_grants WHERE id = $1`, g.ID); err != nil {
				return err
			}
			err = s.note(ctx, tx, by, "resource_grant.deleted", requestResource(*q), nil, grantParams(g, params{"request_id": q.ID}))
		}
		if err != nil && !absent(err) { // else somebody removed it already
			return err
		}
	}
	if q.Joined {
		if _, err := tx.exec(ctx, `DELETE FROM user_group_members WHERE user_id = $1 AND group_id = $2 AND source = 'admin'`, q.By.ID, q.Group); err != nil {
			return err
		}
		if err := s.note(ctx, tx, by, "user_group.member_removed", "group:"+string(q.Group), nil,
			params{"group": q.GroupName, "user_id": q.By.ID, "email": q.By.Email}); err != nil {
			return err
		}
	}
	q.Group, q.GroupName, q.GrantID, q.Joined, q.ExpiresAt, q.Answer = "", "", "", false, nil, ""
	return nil
}

// decide moves a request to a state, with what that takes, its audit row and
// its next version, in one transaction.
func (s *Store) decide(ctx context.Context, p access.Principal, id string, seen int64, to access.RequestState, do func(runner, *access.Request) error) (access.Request, error) {
	var q access.Request
	err := s.tx(ctx, func(tx runner) error {
		before, err := requestFor(ctx, tx, p, id)
		if err != nil {
			return err
		}
		q = before
		if err := mayMove(p, before, seen, to); err != nil {
			return err
		}
		if err := do(tx, &q); err != nil {
			return err
		}
		q.State, q.DecidedAt, q.DecidedBy, q.SeenAt = to, nil, "", nil
		decider := people.UserID("")
		if to != access.RequestOpen {
			now := s.now()
			q.DecidedAt, q.DecidedBy, decider = &now, p.Email, p.UserID
		}
		q.Version++
		if err := writeDecision(ctx, tx, q, decider); err != nil {
			return err
		}
		return s.note(ctx, tx, p.Actor(), requestAction(to), requestResource(q), requestParams(q), requestParams(before))
	})
	if err != nil {
		return access.Request{}, fmt.Errorf("decide on request %s: %w", id, err)
	}
	return q, nil
}

func writeDecision(ctx context.Context, tx runner, q access.Request, by people.UserID) error {
	_, err := tx.exec(ctx, `
		UPDATE access_requests SET
			state = $1, decided_at = $2, decided_by = $3, answer = $4, group_id = $5, grant_id = $6, joined = $7,
			expires_at = $8, seen_at = NULL, version = $9
		WHERE id = $10`,
		q.State, microsOrNull(q.DecidedAt), by, q.Answer, q.Group, q.GrantID, q.Joined, microsOrNull(q.ExpiresAt), q.Version, q.ID)
	if taken(err) { // only by opening it again
		return domain.E(domain.Conflict, "request_open", "They have asked for it once more meanwhile. Decide on that request.").Because(err)
	}
	return err
}

// mayMove fails unless p may move a request that they saw to a state.
func mayMove(p access.Principal, q access.Request, seen int64, to access.RequestState) error {
	if to == access.RequestWithdrawn {
		if q.By.ID != p.UserID {
			return domain.E(domain.Forbidden, "not_yours", "Only whoever asked withdraws a request. Refuse it instead.")
		}
	} else if err := q.MayDecide(p); err != nil {
		return err
	}
	if seen != 0 && seen != q.Version {
		changed := time.Time{}
		if q.DecidedAt != nil {
			changed = *q.DecidedAt
		}
		return domain.NewStaleError(q.Version, changed, q.DecidedBy,
			domain.Fields{"state": string(access.RequestOpen)}, domain.Fields{"state": string(q.State), "answer": q.Answer}, domain.Fields{"state": string(to)})
	}
	if to == access.RequestOpen {
		return nil
	}
	return q.Open()
}

func requestAction(to access.RequestState) string {
	if to == access.RequestOpen {
		return "access_request.reopened"
	}
	return "access_request." + string(to)
}

func requestParams(q access.Request) params {
	return params{
		"request_id": q.ID, "email": q.By.Email, "state": q.State, "answer": q.Answer, "group": q.GroupName, "grant_id": q.GrantID,
		"joined": q.Joined, "expires_at": q.ExpiresAt,
	}
}

// approvedGroup is the group that an approval names.
func (s *Store) approvedGroup(ctx context.Context, tx runner, by audit.Actor, asker people.UserID, a access.Approval) (people.Group, error) {
	if a.OnlyPerson {
		return s.personGroup(ctx, tx, by, asker)
	}
	g, err := getGroup(ctx, tx, "id", string(a.Group))
	switch {
	case domain.KindOf(err) == domain.NotFound:
		return g, domain.FieldError("group_id", "There is no such group. Choose one of theirs, or one that has it.")
	case err != nil:
		return g, err
	case g.System:
		return g, domain.FieldError("group_id", "%s is not given anything by a request. Use the matrix of access for that.", g.Name)
	case g.Person != "" && g.Person != asker:
		return g, domain.FieldError("group_id", "This group is of somebody else alone. Choose one of theirs, or only this person.")
	}
	return g, nil
}
