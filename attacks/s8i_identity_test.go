//go:build duckdb_arrow

package attacks

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // moves a link's end, which nobody waits for
)

// attempt is one attack, said in a sentence that holds when it fails.
type attempt struct {
	what string
	try  func() error
}

// overHTTP is S8i: what somebody who can send requests tries to be somebody
// else. Each trial is a sentence; it holds when the sentence is true.
func overHTTP(t *trials) {
	v, l := t.theIdentity(), t.theLimited()
	for _, list := range [][]attempt{
		v.linkAttacks(), v.codeAttacks(), v.sessionAttacks(), v.redirectAttacks(), v.jwtAttacks(), v.tokenAttacks(), v.mailAttacks(), v.glassAttacks(),
		l.cookieAttacks(), l.guesses(),
	} {
		for _, a := range list {
			t.one(a.what, a.try)
		}
	}
	t.also("the servers", func() error {
		if v.gone() || l.gone() {
			return fmt.Errorf("one ended")
		}
		return nil
	})
	t.note("%d mails arrived", len(v.post.all()))
}

// person makes somebody new with a password, for one attack.
func (v *identity) person(name string) (email, password, id string) {
	// Passwords that hold their address are refused, so the name is in it turned round.
	turned := []rune(name)
	slices.Reverse(turned)
	email, password = name+"@example.com", "canary-secret-"+string(turned)+"-pass"
	return email, password, v.admin.account(email, password)
}

// spends uses up the link that a browser has opened.
func (b *browser) opens(l letter) *browser {
	page := strings.SplitN(l.path, "?", 2)[0]
	got := b.must(http.StatusSeeOther, http.MethodGet, l.path, nil)
	if got.location() != page {
		must(fmt.Errorf("the opened link leads to %q", got.location()))
	}
	return b
}

// dead fails unless a link does nothing.
func (v *identity) dead(l letter) error {
	b := v.browser()
	page := strings.SplitN(l.path, "?", 2)[0]
	if got := b.ask(http.MethodGet, l.path, nil); got.status != http.StatusNotFound {
		return fmt.Errorf("it opens: %d to %q", got.status, got.location())
	}
	form := map[string][]string{}
	if page != "/login/link/open" {
		form = map[string][]string{"password": {"canary-secret-taken-18"}}
	}
	got := b.ask(http.MethodPost, page, form)
	if got.status < 400 {
		return fmt.Errorf("IT WORKS: %d to %q", got.status, got.location())
	}
	return b.isOut()
}

// alter changes the state past the server's back.
func (s *server) alter(statement string, args ...any) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "state", "system.db")+"?_pragma=busy_timeout(5000)")
	must(err)
	defer db.Close()
	done, err := db.ExecContext(s.c.ctx, statement, args...)
	must(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		must(fmt.Errorf("%.60s changed nothing: %w", statement, err))
	}
}

// readState reads one column of the state.
func (s *server) readState(question string, each func(string), args ...any) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "state", "system.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	must(err)
	defer db.Close()
	rows, err := db.QueryContext(s.c.ctx, question, args...)
	must(err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(rows.Scan(&text))
		each(text)
	}
	must(rows.Err())
}

// notInState fails when a text stands in a file of the state.
func (s *server) notInState(text string) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "state", "*"))
	must(err)
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		if err := notIn(file, text); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

// atOnce sends the same from many browsers and counts those who got in.
func atOnce(n int, try func(i int) bool) (in int) {
	results := make(chan bool, n)
	for i := range n {
		go func() {
			ok := false
			_ = guarded(func() error { ok = try(i); return nil })
			results <- ok
		}()
	}
	for range n {
		if <-results {
			in++
		}
	}
	return in
}

func exactly(want, got int, what string) error {
	if want != got {
		return fmt.Errorf("%d %s, want %d", got, what, want)
	}
	return nil
}

// minute is a time from now in the state's microseconds.
func minute(d time.Duration) int64 { return time.Now().Add(d).UnixMicro() }
