//go:build duckdb_arrow

package attacks

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// plant has the identity server use secrets in all ways there are, and returns
// by name what nobody may find of them afterwards.
func (v *identity) plant() map[string]string {
	email, password, _ := v.person("zita")
	b := v.browser().signs(email, password)
	asking := v.browser()
	link, reset := v.asks(asking, signInForm, email), v.asks(v.browser(), forgotForm, email)
	spent := v.browser().opens(link)
	spent.must(http.StatusSeeOther, http.MethodPost, "/login/link/open", url.Values{})
	coded := v.browser()
	code := v.asks(coded, signInForm, email)
	coded.must(http.StatusSeeOther, http.MethodPost, "/login/code", url.Values{"code": {code.code}})
	// An old reset link, a mistyped password, a rejected one, and one that an attacker guessed.
	v.browser().opens(reset).ask(http.MethodPost, "/login/reset", url.Values{"password": {"canary-secret-typo-21"}, "confirm_password": {"canary-secret-typo-22"}})
	v.tries(email, "canary-secret-guess-23")
	v.browser().ask(http.MethodPost, "/login", url.Values{"email": {email}, "password": {"canary-secret-guess-23"}})
	v.browser().ask(http.MethodGet, "/auth/me", nil, "Authorization", "Bearer canary-secret-bearer-24")
	v.browser().ask(http.MethodGet, "/nowhere?password=canary-secret-query-25", nil)
	seen := len(v.post.all())
	v.browser().signs(adminEmail, adminPassword).must(http.StatusOK, http.MethodPost, "/admin/people/invite", url.Values{"emails": {"yara@example.com"}, "do": {"invite"}})
	invited := v.read(v.post.next(v.c, "yara@example.com", seen))
	service := v.browser() // the provider answers with what it was told
	there, err := url.Parse(service.must(http.StatusFound, http.MethodGet, "/auth/oidc/login", nil).location())
	must(err)
	service.must(http.StatusFound, http.MethodGet, "/auth/oidc/callback?"+url.Values{"state": {there.Query().Get("state")}, "code": {"canary-secret-code-26"}}.Encode(), nil)
	v.browser().signs(adminEmail, adminPassword).ask(http.MethodPost, "/admin/mail/test", url.Values{})
	c := v.signIn(email, password)
	m := c.makes("read")
	must(exactly(http.StatusOK, v.bears(m.Token), "is the new token's answer"))
	glass := v.breakGlass("xeni@example.com")
	at, err := url.Parse(glass)
	must(err)
	return map[string]string{
		"a person's password": password, "a wrong password": "canary-secret-guess-23", "a refused password": "canary-secret-typo-21", "a rejected token": "canary-secret-bearer-24", "a question's text": "canary-secret-query-25",
		"a provider's code": "canary-secret-code-26", "a spent link": link.token, "a link by code": code.token, "a code": code.code, "a link to reset": reset.token, "an invitation": invited.token, "a break-glass link": at.Query().Get("token"),
		"a personal token": m.Token, "an access token": c.token, "a browser's cookie": b.cookies[sessionCookie], "the seed's password": adminPassword,
		"the mail server's password": "canary-secret-smtp-13", "SendGrid's key": "canary-secret-sendgrid-16", "the provider's secret": "canary-secret-oidc-14", "Google's secret": "canary-secret-google-15", "the key of tokens": jwtKey,
	}
}

// keeps is the second half of S13: what identity uses stands in no log, no
// answer, no file of the state, its mirror or its backup, and in nothing that
// the operator's commands print.
func (v *identity) keeps(t *trials) {
	planted := v.plant()
	t.seen.mustNot(planted)
	v.everyPage()
	l := v.c.theLimited() // SendGrid
	l.fresh().ask(http.MethodPost, signInForm, url.Values{"email": {annaEmail}})
	heard := v.said(t)
	for what, secret := range planted {
		t.one(what+" is nowhere", func() error {
			var errs []error
			for where, text := range heard {
				if at := strings.Index(text, secret); at >= 0 {
					errs = append(errs, fmt.Errorf("in %s: …%q…", where, text[max(0, at-100):at]))
				}
			}
			return errors.Join(errs...)
		})
	}
	t.note("%d texts of identity, %d KB", len(heard), size(heard)>>10)
}

func size(texts map[string]string) (n int) {
	for _, text := range texts {
		n += len(text)
	}
	return n
}

// everyPage has an administrator read whatever there is; leaks are seen by all answers.
func (v *identity) everyPage() {
	b := v.browser().signs(adminEmail, adminPassword)
	for _, path := range []string{
		"/admin/people", "/admin/people?q=zita", "/admin/mail", "/profile", "/catalog", "/syncs", "/sources", "/auth/me", "/auth/tokens", "/auth/admin/tokens", "/api/users", "/api/health/detailed",
		"/api/admin/groups", "/api/admin/grants", "/openapi.json", "/console/history", "/login", "/login/forgot",
	} {
		b.ask(http.MethodGet, path, nil)
	}
	for _, id := range []string{v.anna, v.adminID()} {
		b.ask(http.MethodGet, "/admin/people/"+id, nil)
	}
}

// said collects all that the server and its commands leave behind. It ends the
// server in peace and starts it again, because that publishes the mirror.
func (v *identity) said(t *trials) map[string]string {
	heard := map[string]string{}
	child := func() {
		_, err := v.signIn(adminEmail, adminPassword).ask("SELECT 1") // starts children
		must(err)
		if len(childrenOf(v.pid)) == 0 {
			must(errors.New("there are no children to look at"))
		}
		for _, pid := range childrenOf(v.pid) {
			for _, file := range []string{"environ", "cmdline"} {
				heard[fmt.Sprintf("%s of child %d", file, pid)] = readProc(pid, file)
			}
		}
		heard["the server's arguments"] = readProc(v.pid, "cmdline")
	}
	child()
	backup := filepath.Join(v.c.dir, "identity.backup")
	command := func(args ...string) {
		out, err := v.agnes(v.extra, args...)
		name := "agnes " + strings.Join(args[:1], " ")
		if heard[name] += string(out); err != nil && args[0] != "doctor" {
			must(fmt.Errorf("%s: %w: %s", name, err, out))
		}
	}
	command("config")
	command("config", "--json")
	command("backup", backup)
	must(syscall.Kill(v.pid, syscall.SIGTERM))
	select {
	case <-v.ended:
	case <-time.After(20 * time.Second):
		must(errors.New("the server does not stop"))
	}
	command("doctor")
	command("doctor", "--json")
	v.server = v.c.launch("identity", v.extra...)
	mirror := filepath.Join(v.dir, "state", "system.duckdb")
	must(eventually(v.c.ctx, 20*time.Second, func() error {
		if heard["the mirror's rows"] = v.rowsOf(mirror); !strings.Contains(heard["the mirror's rows"], "zita@example.com") {
			return errors.New("the mirror does not hold the people")
		}
		return nil
	}))
	child()
	v.files(heard, v.dir)
	v.files(heard, backup)
	logs, err := filepath.Glob(filepath.Join(t.dir, "*.log"))
	must(err)
	for _, log := range logs {
		v.files(heard, log)
	}
	for _, where := range []string{"the file system.db", "the file identity.backup"} {
		if !strings.Contains(heard[where], "zita@example.com") {
			must(fmt.Errorf("%s does not hold the people: nothing would be found there", where))
		}
	}
	return heard
}

// files reads a file, or all below a directory.
func (v *identity) files(heard map[string]string, root string) {
	must(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		} else if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		heard["the file "+d.Name()] += string(data)
		return err
	}))
}

// rowsOf writes all rows of a DuckDB file as text: the file itself may squeeze them.
func (v *identity) rowsOf(file string) string {
	db, err := sql.Open("duckdb", file+"?access_mode=read_only")
	must(err)
	defer db.Close()
	var all strings.Builder
	for _, table := range v.texts(db, "SELECT table_name FROM duckdb_tables()") {
		for _, row := range v.texts(db, `SELECT t::VARCHAR FROM "`+table+`" t`) {
			all.WriteString(table + " " + row + "\n")
		}
	}
	return all.String()
}

// texts reads one column.
func (v *identity) texts(db *sql.DB, question string, args ...any) (all []string) {
	rows, err := db.QueryContext(v.c.ctx, question, args...)
	must(err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(rows.Scan(&text))
		all = append(all, text)
	}
	must(rows.Err())
	return all
}
