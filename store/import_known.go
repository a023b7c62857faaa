package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"agnes/domain/imports"
)

// ImportKnown returns what an import must know of the state before it.
func (s *Store) ImportKnown(ctx context.Context) (imports.Known, error) {
	k := imports.Known{
		Run: s.newID(), Users: map[string]string{}, IDs: map[string]string{}, Groups: map[string]string{}, Names: map[string]string{},
		Admin: string(s.adminID), All: string(s.everyoneID), Tables: map[string]string{}, Plain: map[string]bool{},
	}
	err := s.view(ctx, func(r runner) error {
		for statement, keep := range map[string]func(a, b string){
			`SELECT email, id FROM users`:          func(email, id string) { k.Users[email], k.IDs[id] = id, email },
			`SELECT id, name FROM user_groups`:     func(id, name string) { k.Groups[id] = name },
			`SELECT name_key, id FROM user_groups`: func(key, id string) { k.Names[key] = id },
			`SELECT id, name FROM table_registry`:  func(id, name string) { k.Tables[id] = name },
		} {
			if err := pairs(ctx, r, statement, keep); err != nil {
				return err
			}
		}
		columns, err := stateColumns(ctx, r)
		if err != nil {
			return err
		}
		if err := s.knowBefore(ctx, r, &k); err != nil {
			return err
		}
		for _, t := range imports.Schema() {
			k.Plain[t.Name] = !slices.ContainsFunc(t.Names(), func(c string) bool { return !columns[t.Name][c] })
		}
		return nil
	})
	if err != nil {
		return imports.Known{}, fmt.Errorf("read what the state holds: %w", err)
	}
	return k, nil
}

// knowBefore adds what earlier imports took over.
func (s *Store) knowBefore(ctx context.Context, r runner, k *imports.Known) (err error) {
	users, errUsers := goneSince(ctx, r, "users", k.IDs)
	groups, errGroups := goneSince(ctx, r, "user_groups", k.Groups)
	tables, errTables := goneSince(ctx, r, "table_registry", k.Tables)
	if err := errors.Join(errUsers, errGroups, errTables); err != nil {
		return err
	}
	k.Gone = map[string]map[string]bool{"users": users, "user_groups": groups, "table_registry": tables}
	k.Forgotten, err = one(ctx, r, value[bool], `
		SELECT EXISTS (SELECT 1 FROM settings WHERE key = $1) AND NOT EXISTS (SELECT 1 FROM imported_rows)`, importedKey)
	return err
}

// pairs hands over the rows of a query of two texts.
func pairs(ctx context.Context, r runner, statement string, keep func(a, b string)) error {
	_, err := collect(ctx, r, func(row scanner) (struct{}, error) {
		var a, b string
		err := row.Scan(&a, &b)
		keep(a, b)
		return struct{}{}, err
	}, statement)
	return err
}

// stateColumns returns the columns of each table of the state.
func stateColumns(ctx context.Context, r runner) (map[string]map[string]bool, error) {
	columns := map[string]map[string]bool{}
	err := pairs(ctx, r, `
		SELECT t.name, c.name
		FROM sqlite_master t
		JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table'`, func(table, column string) {
		if columns[table] == nil {
			columns[table] = map[string]bool{}
		}
		columns[table][column] = true
	})
	return columns, err
}
