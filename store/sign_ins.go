package store

import (
	"context"
	"fmt"
	"time"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/people"
)

// maxUserAgent is how much of what a browser calls itself is kept.
const maxUserAgent = 512

// StartSession makes a sign-in of a person who proved who they are, and its
// audit row. It fails with Unauthenticated for somebody unknown or inactive.
func (s *Store) StartSession(ctx context.Context, n people.NewSession) (people.Session, error) {
	var made people.Session
	err := s.tx(ctx, func(tx runner) error {
		u, err := getUser(ctx, tx, "id", string(n.UserID))
		switch {
		case domain.KindOf(err) == domain.NotFound:
			return userUnknown()
		case err != nil:
			return err
		case !u.Active:
			return accountDeactivated()
		}
		now := s.now()
		made = people.Session{
			ID: people.SessionID(s.newID()), UserID: u.ID, Kind: n.Kind, Method: n.Method, CreatedAt: now, ProvedAt: now, UsedAt: now, ExpiresAt: n.ExpiresAt,
			FirstIP: n.Client.ClientIP, UsedIP: n.Client.ClientIP, UserAgent: clipped(n.UserAgent, maxUserAgent),
		}
		if _, err := tx.exec(ctx, `
			INSERT INTO sign_ins (id, user_id, kind, method, created_at, proved_at, used_at, expires_at, first_ip, used_ip, user_agent)
			VALUES ($1, $2, $3, $4, $5, $5, $5, $6, $7, $7, $8)`,
			made.ID, u.ID, n.Kind, n.Method, micros(now), micros(n.ExpiresAt), made.FirstIP, made.UserAgent); err != nil {
			return err
		}
		if err := seen(ctx, tx, u.ID, now); err != nil {
			return err
		}
		by := n.Client
		by.UserID, by.Email = string(u.ID), u.Email
		return s.note(ctx, tx, by, "login_succeeded", sessionResource(made.ID), params{"method": n.Method, "kind": n.Kind}, nil)
	})
	if err != nil {
		return people.Session{}, fmt.Errorf("start a sign-in: %w", err)
	}
	return made, nil
}

func sessionResource(id people.SessionID) string { return "session:" + string(id) }

// clipped is text of at most n bytes, cut between characters.
func clipped(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n]
}

// seen notes when a person was last here.
func seen(ctx context.Context, tx runner, id people.UserID, at time.Time) error {
	_, err := tx.exec(ctx, `UPDATE users SET last_seen_at = $1 WHERE id = $2 AND COALESCE(last_seen_at, 0) < $1`, micros(at), id)
	return err
}

// sessionColumns are read by sessionInto.
const sessionColumns = ` i.id, i.user_id, i.kind, i.method, i.created_at, i.proved_at, i.used_at, i.expires_at, i.ended_at, i.first_ip, i.used_ip, i.user_agent`

// sessionInto is where a row of sessionColumns goes.
func sessionInto(v *people.Session) []any {
	return []any{
		&v.ID, &v.UserID, &v.Kind, &v.Method,
		at{&v.CreatedAt},
		at{&v.ProvedAt},
		at{&v.UsedAt},
		at{&v.ExpiresAt},
		maybeAt{&v.EndedAt},
		&v.FirstIP, &v.UsedIP, &v.UserAgent,
	}
}

func scanSession(row scanner) (people.Session, error) {
	var v people.Session
	err := row.Scan(sessionInto(&v)...)
	return v, err
}

// PrincipalBySession reads, in one statement, who a sign-in stands for today,
// and the sign-in. It fails with Unauthenticated for one that is unknown, has
// ended or expired, and for a person who is inactive.
func (s *Store) PrincipalBySession(ctx context.Context, id people.SessionID) (access.Principal, people.Session, error) {
	var v people.Session
	found := account{all: s.everyoneID, admin: s.adminID}
	rows, err := collect(ctx, s.reader(), func(row scanner) (struct{}, error) {
		return struct{}{}, found.scan(row, sessionInto(&v)...)
	}, `
		SELECT`+sessionColumns+`,`+accountColumns+`
		FROM sign_ins i
		JOIN users u ON u.id = i.user_id
		LEFT JOIN user_group_members m ON m.user_id = u.id
		WHERE i.id = $1
		ORDER BY m.group_id`, id)
	switch {
	case err != nil:
		return access.Principal{}, v, fmt.Errorf("read a sign-in: %w", explain(err))
	case len(rows) == 0:
		return access.Principal{}, v, signInOver()
	case !found.active:
		return access.Principal{}, v, accountDeactivated()
	case v.EndedAt != nil, !s.now().Before(v.ExpiresAt), v.CreatedAt.Before(found.SessionsFrom):
		return access.Principal{}, v, signInOver()
	}
	p := found.Principal
	p.Session, p.ProvedAt, p.ExpiresAt = v.ID, v.ProvedAt, &v.ExpiresAt
	return p, v, nil
}

// account collects one person from rows of accountColumns, one row a group.
type account struct {
	access.Principal
	active     bool
	all, admin people.GroupID
}

const accountColumns = ` u.id, u.email, u.name, u.active, u.sessions_from, m.group_id`

func (a *account) scan(row scanner, before ...any) error {
	if a.Groups == nil {
		a.Groups = []people.GroupID{a.all}
	}
	var group *people.GroupID
	err := row.Scan(append(before, &a.UserID, &a.Email, &a.Name, &a.active, at{&a.SessionsFrom}, &group)...)
	if group != nil && *group != a.all {
		a.Groups = append(a.Groups, *group)
		a.Admin = a.Admin || *group == a.admin
	}
	return err
}

func userUnknown() error {
	return domain.E(domain.Unauthenticated, "user_not_found", "User not found")
}

func accountDeactivated() error {
	return domain.E(domain.Unauthenticated, "account_deactivated", "Account deactivated")
}

// signInOver is the refusal of a sign-in that proves nothing (contract 0.1).
func signInOver() error {
	return domain.E(domain.Unauthenticated, "invalid_token", "Invalid or expired token")
}

// UseSession notes that a sign-in was used, unless that was noted after since.
func (s *Store) UseSession(ctx context.Context, v people.Session, ip string, since time.Time) error {
	err := s.quietly(ctx, func(tx runner) error {
		now := s.now()
		changed, err := tx.exec(ctx, `
			UPDATE sign_ins
			SET used_at = $1, used_ip = $2
			WHERE id = $3 AND ended_at IS NULL AND used_at <= $4`, micros(now), ip, v.ID, micros(since))
		if err != nil || changed == 0 {
			return err
		}
		return seen(ctx, tx, v.UserID, now)
	})
	if err != nil {
		return fmt.Errorf("note the use of a sign-in: %w", err)
	}
	return nil
}

// ListSessions returns a person's live sign-ins, last used first. Browsers that
// were not used since idle count as gone.
func (s *Store) ListSessions(ctx context.Context, user people.UserID, idle time.Time) ([]people.Session, error) {
	list, err := collect(ctx, s.reader(), scanSession, `
		SELECT`+sessionColumns+`
		FROM sign_ins i
		JOIN users u ON u.id = i.user_id
		WHERE i.user_id = $1 AND i.ended_at IS NULL AND i.expires_at > $2 AND i.created_at >= u.sessions_from
			AND (i.kind <> 'browser' OR i.used_at > $3)
		ORDER BY i.used_at DESC, i.id`, user, micros(s.now()), micros(idle))
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", explain(err))
	}
	return list, nil
}
