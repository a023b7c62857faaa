package faults

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"time"
)

// backups is F10: a backup is made under writes and restored elsewhere; what
// was confirmed before it began is there, and both agree by content.
func backups(t *trials) {
	t.each(t.n, func(int) error {
		dir, l := t.newDir("backed"), newLedger()
		s := t.serve(dir, nil)
		defer s.kill()
		work := &load{server: s, ledger: l, workers: 4, kinds: changes()}
		ctx, stop := context.WithCancel(t.ctx)
		defer stop()
		done := make(chan struct{})
		go func() { work.run(ctx, t.Rand); close(done) }()
		time.Sleep(time.Duration(300+t.IntN(900)) * time.Millisecond)

		before := l.copy()
		file := filepath.Join(t.newDir("backup"), "state.db")
		_, err := t.command(dir, "backup", file)
		after := l.copy()
		stop()
		<-done
		if err != nil {
			return err
		}
		return t.restoreElsewhere(s, file, before.both(after))
	})
}

// restoreElsewhere puts a backup into a new directory and checks it there.
func (t *trials) restoreElsewhere(s *server, file string, l *ledger) error {
	to := t.newDir("restored")
	for _, dir := range []string{"versions", "files"} {
		if out, err := exec.Command("cp", "-a", filepath.Join(s.dir, dir), to).CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s: %w: %s", dir, err, out)
		}
	}
	if _, err := t.command(to, "restore", file); err != nil {
		return err
	}
	if err := sameContent(file, filepath.Join(to, "state", "system.db")); err != nil {
		return err
	}
	if _, err := t.command(to, "rebuild"); err != nil {
		return err
	}
	again := t.serve(to, nil)
	defer again.kill()
	return check(again, l)
}

// sameContent compares the rows of two states, table by table.
func sameContent(a, b string) error {
	one, err := contents(a)
	if err != nil {
		return err
	}
	other, err := contents(b)
	if err != nil {
		return err
	}
	for table, sum := range one {
		if other[table] != sum {
			return fmt.Errorf("the restored %s differs from the backup's", table)
		}
	}
	if len(one) != len(other) || len(one) < 5 {
		return fmt.Errorf("%d tables in the backup, %d restored", len(one), len(other))
	}
	return nil
}

// contents hashes the rows of every table of a state file.
func contents(file string) (_ map[string]string, err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := texts(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, table := range tables {
		columns, err := texts(db, "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('"+table+"') ORDER BY cid")
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		joined := ""
		for i, c := range columns {
			if i > 0 {
				joined += " || ',' || "
			}
			joined += c
		}
		rows, err := texts(db, `SELECT `+joined+` FROM "`+table+`" ORDER BY 1`)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			fmt.Fprintln(sum, r)
		}
		out[table] = fmt.Sprintf("%d %x", len(rows), sum.Sum(nil))
	}
	return out, nil
}

func texts(db *sql.DB, query string) (out []string, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// copy is the ledger at this moment.
func (l *ledger) copy() *ledger {
	tables := l.snapshot()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &ledger{tables: map[string]*tableFacts{}, users: maps.Clone(l.users), groups: maps.Clone(l.groups), grants: maps.Clone(l.grants), sessions: map[string]fact{}, pieces: map[string]piece{}}
	for name, t := range tables {
		c.tables[name] = &t
	}
	return c
}

// both keeps what held at this moment and still held at a later one; between
// them either may be in a backup.
func (l *ledger) both(later *ledger) *ledger {
	for _, pair := range [][2]map[string]fact{{l.users, later.users}, {l.groups, later.groups}, {l.grants, later.grants}} {
		for name, f := range pair[0] {
			if pair[1][name] != f {
				pair[0][name] = unsure
			}
		}
	}
	for name, t := range later.tables {
		if before := l.tables[name]; before != nil {
			before.sent = append(before.sent, t.sent...)
		}
	}
	return l
}
