//go:build duckdb_arrow

package attacks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the plain DuckDB that answers are compared with
)

// The canaries: text that nobody but its owner may ever be shown.
const (
	placeCanary    = "pl4ce-c4n4ry"            // in the data directory's path
	valueCanary    = "CANARY-VALUE-7261"       // in each row of the forbidden table
	columnCanary   = "canary_col_x9k"          // a column of it
	numberCanary   = "733551133"               // a number in each row of it
	countCanary    = "74611"                   // how many rows it has
	quietCanary    = "quiet_ledger_q7"         // a forbidden table that no attack names
	otherSQLCanary = "CANARY-OTHER-SQL-5512"   // in another person's statement
	otherCanary    = "CANARY-OTHER-ROWS-9920"  // in another person's result, put together there
	adminEmail     = "petra@example.com"       // the administrator
	adminPassword  = "canary-secret-admin-01!" // of the administrator
	otherPassword  = "canary-secret-other-02!" // of another person
)

// secretEnvironment is what the server is given and nobody may be shown.
func secretEnvironment() []string {
	return []string{
		"JWT_SECRET_KEY=" + jwtKey, "SCHEDULER_API_TOKEN=canary-secret-scheduler-04-0123456789abcdef",
		"KBC_TOKEN=canary-secret-keboola-05", "KBC_STORAGE_TOKEN=canary-secret-keboola-06", "GOOGLE_APPLICATION_CREDENTIALS=/canary-secret-google-07.json",
		"AWS_SECRET_ACCESS_KEY=canary-secret-aws-08", "DATABASE_URL=postgres://canary-secret-database-09", "CANARY=canary-secret-plain-10",
		"MOTHERDUCK_TOKEN=canary-secret-duck-11", "HTTP_PROXY_PASSWORD=canary-secret-proxy-12",
		"SMTP_PASSWORD=canary-secret-smtp-13", "OIDC_CLIENT_SECRET=canary-secret-oidc-14", "GOOGLE_CLIENT_SECRET=canary-secret-google-15",
	}
}

// secretCanary starts every planted secret.
const secretCanary = "canary-secret-"

// leaks looks at every answer of the campaign.
type leaks struct {
	mu      sync.Mutex
	answers int64
	bytes   int64
	found   []string
	secrets map[string]string // made in the campaign: no answer after the first may hold them
}

// mustNot names secrets that no answer holds from now on.
func (l *leaks) mustNot(secrets map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = secrets
}

// look fails when an answer holds a canary that its reader may not see and did
// not type. Secrets are for nobody; the rest is not for those who are barred.
func (l *leaks) look(a *answer, barred bool, typed string) error {
	words := []string{secretCanary}
	if barred {
		words = append(words, valueCanary, columnCanary, numberCanary, countCanary, quietCanary, otherSQLCanary, otherCanary, placeCanary)
	}
	var head strings.Builder
	_ = a.header.Write(&head) // a Builder cannot fail
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers++
	l.bytes += int64(len(a.body))
	for _, word := range l.secrets {
		words = append(words, word)
	}
	for _, word := range words {
		if strings.Contains(typed, word) {
			continue
		}
		if at := bytes.Index(a.body, []byte(word)); at >= 0 || strings.Contains(head.String(), word) {
			what := fmt.Sprintf("%s in an answer: …%s…", word, a.body[max(0, at-60):min(len(a.body), max(at, 0)+80)])
			l.found = append(l.found, what)
			return fmt.Errorf("LEAK of %s", what)
		}
	}
	return nil
}

// world is a server with granted tables, forbidden ones, and three people.
type world struct {
	*server
	admin, analyst, other *client
	files                 map[string]string // Parquet of the granted tables, for plain DuckDB
	plain                 *sql.DB
}

// tablesSQL are the rows of all tables. The last two are granted to nobody but
// the other person, and hold the canaries.
func tablesSQL() [][2]string {
	return [][2]string{
		{"orders", `SELECT range::INTEGER AS id, 'customer ' || range % 40 AS customer, ['web', 'shop', 'phone'][range % 3 + 1] AS kind,
			(range * 7 % 1000 / 10)::DECIMAL(18, 2) AS amount, DATE '2024-01-01' + (range % 366)::INTEGER AS placed,
			TIMESTAMP '2024-01-01 08:00:00' + range * INTERVAL 17 MINUTE AS ts, CASE WHEN range % 7 = 0 THEN NULL ELSE 'note ' || range END AS note FROM range(3000)`},
		{"towns", `SELECT range::INTEGER AS id, 'Town ' || range AS town, ['AK', 'TX', 'WY', 'ÉÑ'][range % 4 + 1] AS state, range * 1.25 AS lat, range % 2 = 0 AS open FROM range(200)`},
		{"items", `SELECT range::INTEGER AS order_id, range % 5 AS line, 'sku-' || range % 90 AS sku, (range % 9 + 1)::SMALLINT AS pieces, [range % 3, range % 4] AS tags,
			{'w': range % 10, 'h': 'x' || range % 2} AS box FROM range(6000)`},
		{"million", `SELECT range AS id, (range % 50)::INTEGER AS kind, (range * 31 % 10000) / 100.0 AS amount, 'label ' || range % 1000 AS label,
			TIMESTAMP '2024-01-01' + range * INTERVAL 1 SECOND AS ts, range % 3 = 0 AS flag FROM range(1000000)`},
		{"salaries", fmt.Sprintf(`SELECT range AS id, '%s-' || range AS employee, '%s' AS %s, %s AS salary FROM range(%s)`,
			valueCanary, valueCanary, columnCanary, numberCanary, countCanary)},
		{quietCanary, fmt.Sprintf(`SELECT '%s' AS %s, %s AS n FROM range(3)`, valueCanary, columnCanary, numberCanary)},
	}
}

// theWorld makes the world once.
func (c *campaign) theWorld() *world {
	if c.w == nil {
		c.w = c.newWorld("main", "AGNES_QUERY_TIMEOUT_SECONDS=10", "AGNES_QUERY_MEMORY_MB=512", "AGNES_QUERY_CHILDREN=2")
	}
	return c.w
}

func (c *campaign) newWorld(name string, extra ...string) *world {
	w := &world{server: c.launch(name, extra...), files: map[string]string{}}
	db, err := sql.Open("duckdb", "")
	must(err)
	w.plain = db
	// As a query child is set: the zone of time, nothing else.
	must(run(c.ctx, db, "SET TimeZone = 'UTC'"))
	w.admin = w.signIn(adminEmail, adminPassword)
	granted := []string{"orders", "towns", "items", "million"}
	for i, t := range tablesSQL() {
		file := filepath.Join(c.dir, name+"-"+t[0]+".parquet")
		must(run(c.ctx, db, "COPY ("+t[1]+") TO '"+file+"'"))
		data, err := os.ReadFile(file)
		must(err)
		w.admin.table(t[0], t[0]+".parquet", data)
		if i < len(granted) {
			w.files[t[0]] = file
			must(run(c.ctx, db, "CREATE VIEW "+t[0]+" AS SELECT * FROM read_parquet('"+file+"')"))
		}
	}
	w.analyst = w.admin.person("anna@example.com", "a password with seven words", w.admin.group("analysts", granted...))
	w.analyst.barred = true
	must(w.rested())
	w.other = w.admin.person("otto@example.com", otherPassword, w.admin.group("owners", "orders", "salaries", quietCanary))
	return w
}

// rested waits until no sync, rebuild or profile changes files any more.
func (w *world) rested() error {
	last := ""
	return eventually(w.c.ctx, 60*time.Second, func() error {
		var syncs struct{ Locked bool }
		must(w.admin.call("GET", "/api/sync/status", nil, &syncs))
		for _, pid := range childrenOf(w.pid) {
			if !strings.HasSuffix(readProc(pid, "cmdline"), "\x00query\x00") {
				syncs.Locked = true
			}
		}
		now := w.filesHash()
		if syncs.Locked || now != last {
			last = now
			time.Sleep(200 * time.Millisecond)
			return fmt.Errorf("files still change")
		}
		return nil
	})
}

func run(ctx context.Context, db *sql.DB, text string) error {
	_, err := db.ExecContext(ctx, text)
	if err != nil {
		return fmt.Errorf("%.80s: %w", text, err)
	}
	return nil
}

// hash is the state of everything that no query may change: files, rows,
// people, grants, and what the engine of an analyst answers about itself.
func (w *world) hash() string {
	var b strings.Builder
	b.WriteString(w.filesHash())
	for _, path := range []string{"/api/admin/groups", "/api/admin/grants", "/api/users", "/api/catalog/tables"} {
		got, err := w.admin.send("GET", path, "", nil)
		if err != nil {
			fmt.Fprintf(&b, "%s %v\n", path, err)
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", path, got.body)
	}
	for _, c := range []*client{w.analyst, w.other} {
		for _, text := range []string{
			"SHOW TABLES", "SELECT count(*), bit_xor(hash(orders)) FROM orders", "SELECT 1 AS one, TIMESTAMPTZ '2024-06-01 12:00:00+02'::VARCHAR AS noon, 7 / 2 AS q",
			"SELECT x FROM (VALUES (2), (NULL), (1)) t(x) ORDER BY x",
		} {
			got, err := c.ask(text)
			must(err)
			fmt.Fprintf(&b, "%s %v\n", text, got.Rows)
		}
	}
	return b.String()
}

// changed says what differs between two states of the world.
func changed(before, after string) error {
	if before == after {
		return nil
	}
	old := strings.Split(before, "\n")
	for i, l := range strings.Split(after, "\n") {
		if i >= len(old) || old[i] != l {
			was := ""
			if i < len(old) {
				was = old[i]
			}
			return fmt.Errorf("the world changed: %.300s became %.300s", was, l)
		}
	}
	return fmt.Errorf("the world changed: lines are gone")
}

// filesHash lists every file with its content's hash, those excepted that
// running queries write; results are looked at by their canaries.
func (w *world) filesHash() string {
	var b strings.Builder
	must(filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.dir, path)
		switch {
		case err != nil && os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case d.IsDir() && (name == "scratch" || name == "results" || name == "state" || name == "uploads"):
			return fs.SkipDir
		case d.IsDir():
			fmt.Fprintln(&b, name)
			return nil
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", name, sha256.Sum256(data))
		return err
	}))
	return b.String()
}
