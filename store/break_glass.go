package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
)

// OpenBeside opens a state that exists, also while a server has it open: then
// without the lock, without migrating it and without ending what runs. SQLite keeps
// the writes of both apart. It fails with NotFound without a state, and with
// Conflict when the server's schema is another one.
func OpenBeside(ctx context.Context, o Options) (*Store, error) {
	file := filepath.Join(o.Dir, fileName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, domain.E(domain.NotFound, "no_state", "There is no state yet: Agnes has not been started with this data directory. Its first start names the first administrator.").Because(err)
	}
	s, err := Open(ctx, o)
	if domain.CodeOf(err) != "state_in_use" {
		return s, err
	}
	s = &Store{dir: o.Dir, now: o.Now, newID: o.NewID, log: o.Log, writes: o.Writes}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.attach(ctx, file); err != nil {
		return nil, errors.Join(explain(err), s.Close())
	}
	return s, nil
}

func (s *Store) attach(ctx context.Context, file string) (err error) {
	if s.writer, err = openFile(file, url.Values{"_txlock": {"immediate"}, "_synchronous": {"FULL"}}, 1); err != nil {
		return err
	}
	if s.readers, err = openFile(file, url.Values{"_query_only": {"on"}}, 1); err != nil {
		return err
	}
	schema, err := schemaVersion(ctx, s.reader())
	if err != nil {
		return err
	}
	known, err := knownSchema()
	if err != nil {
		return err
	}
	if schema != known {
		return domain.E(domain.Conflict, "state_other_schema",
			"The server that runs has state of schema %d and this program knows %d, so nothing was changed. Use the server's own program, or stop the server first.", schema, known)
	}
	for name, id := range map[string]*people.GroupID{people.AdminGroup: &s.adminID, people.EveryoneGroup: &s.everyoneID} {
		if *id, err = one(ctx, s.reader(), value[people.GroupID], `SELECT id FROM user_groups WHERE name_key = $1`, nameKey(name)); err != nil {
			return err
		}
	}
	return nil
}

// passwordSetup is the purpose of links that set a first password.
const passwordSetup = "password_setup"

// BreakGlass makes sure that an address can administer: the person is made or
// reactivated, is in Admin by a membership that no directory takes away, and the
// link with that hash, alone, sets their password.
func (s *Store) BreakGlass(ctx context.Context, by audit.Actor, email string, linkHash []byte, expires time.Time) (people.Rescue, error) {
	var r people.Rescue
	err := s.tx(ctx, func(tx runner) (err error) {
		r = people.Rescue{}
		if r, err = s.rescue(ctx, tx, by, email); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM one_time_links WHERE user_id = $1 AND purpose = $2`, r.User.ID, passwordSetup); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `
			INSERT INTO one_time_links (hash, purpose, created_at, expires_at, user_id, email)
			VALUES ($1, $2, $3, $4, $5, $6)`, linkHash, passwordSetup, micros(s.now()), micros(expires), r.User.ID, r.User.Email); err != nil {
			return err
		}
		return s.note(ctx, tx, by, "break_glass.grant_admin", "user:"+string(r.User.ID),
			params{"email": r.User.Email, "created": r.Created, "reactivated": r.Reactivated, "made_admin": r.MadeAdmin, "source": people.ByBreakGlass}, nil)
	})
	if err != nil {
		return people.Rescue{}, fmt.Errorf("break glass: %w", err)
	}
	return r, nil
}

// rescue makes the person an active administrator.
func (s *Store) rescue(ctx context.Context, tx runner, by audit.Actor, email string) (r people.Rescue, err error) {
	u, err := getUser(ctx, tx, "email", identity(email))
	if domain.KindOf(err) == domain.NotFound {
		r.Created = true
		u, err = s.insertUser(ctx, tx, by, people.NewUser{Email: email, Invited: true})
	}
	if err != nil {
		return r, err
	}
	if r.Reactivated = !u.Active; r.Reactivated {
		active := u
		active.Active = true
		version, err := s.next(ctx, tx, by, edited{"user", string(u.ID), u.Version, u.Fields()}, active.Fields())
		if err != nil {
			return r, err
		}
		if _, err := tx.exec(ctx, `
			UPDATE users SET active = TRUE, deactivated_at = NULL, deactivated_by = NULL, updated_at = $1, version = $2 WHERE id = $3`,
			micros(s.now()), version, u.ID); err != nil {
			return r, err
		}
	}
	r.MadeAdmin = !u.Admin
	if _, err := tx.exec(ctx, `
		INSERT INTO user_group_members (user_id, group_id, source, added_at, added_by)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, group_id) DO UPDATE SET source = excluded.source
		WHERE user_group_members.source IN ('google_sync', 'oidc_sync')`, u.ID, s.adminID, people.ByBreakGlass, micros(s.now()), byline(by)); err != nil {
		return r, err
	}
	r.User, err = getUser(ctx, tx, "id", string(u.ID))
	return r, err
}
