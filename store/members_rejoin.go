package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain/access"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// left is a membership that somebody took away, as its audit row has it.
type left struct {
	UserID  people.UserID       `json:"user_id"`
	Source  people.MemberSource `json:"source"`
	AddedAt time.Time           `json:"added_at"`
	AddedBy string              `json:"added_by"`
}

func scanLeft(row scanner) (left, error) {
	var l left
	err := row.Scan(&l.UserID, &l.Source, at{&l.AddedAt}, &l.AddedBy)
	return l, err
}

// Rejoin takes back that somebody was taken out of a group: within access.UndoFor
// they are a member as before, with who made them one. Later they become one anew,
// by an administrator. It fails as AddMember does.
func (s *Store) Rejoin(ctx context.Context, by audit.Actor, id people.GroupID, user people.UserID) (people.Member, error) {
	var m people.Member
	err := s.tx(ctx, func(tx runner) error {
		g, u, err := groupAndPerson(ctx, tx, id, "id", string(user))
		if err != nil {
			return err
		}
		m = people.Member{UserID: u.ID, Email: u.Email, Name: u.Name, Active: u.Active, Source: people.ByAdmin, AddedAt: s.now(), AddedBy: byline(by)}
		was, err := s.tookAway(ctx, tx, id, user)
		if err != nil {
			return err
		}
		if was.Source != "" {
			m.Source, m.AddedAt, m.AddedBy = was.Source, was.AddedAt, was.AddedBy
		} else if err := notManaged(s.mapped(g)); err != nil {
			return err
		}
		return s.enroll(ctx, tx, by, g, m)
	})
	if err != nil {
		return people.Member{}, fmt.Errorf("put back into group %s: %w", id, err)
	}
	return m, nil
}

// tookAway returns the membership that somebody has just lost; without a source
// there is none.
func (s *Store) tookAway(ctx context.Context, r runner, id people.GroupID, user people.UserID) (left, error) {
	all, err := collect(ctx, r, func(row scanner) (l left, err error) { return l, row.Scan(decoded{&l}) }, `
		SELECT params_before
		FROM audit_log
		WHERE resource = $1 AND action = 'user_group.member_removed' AND result = 'success' AND timestamp > $2
		ORDER BY timestamp DESC, id DESC`, "group:"+string(id), micros(s.now().Add(-access.UndoFor)))
	if err != nil {
		return left{}, fmt.Errorf("who was taken out of %s: %w", id, err)
	}
	for _, l := range all {
		if l.UserID == user && l.Source != "" {
			return l, nil
		}
	}
	return left{}, nil
}
