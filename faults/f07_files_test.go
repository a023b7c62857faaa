package faults

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// brokenFiles is F7: uploads cut at every kilobyte, extracts with flipped
// bytes, a published version with a flipped bit.
func brokenFiles(t *trials) {
	dir, l := t.newDir("files"), newLedger()
	s := t.serve(dir, nil)
	defer s.kill()
	must((&load{server: s, ledger: l}).bring("orders", l.next("orders", usual(t.Rand))))
	whole := parquetBytes(t, wholeRows)
	cuts := len(whole)/1024 + 1
	flips, bits := 20, 10
	if t.long {
		flips, bits = 100, 30
	}
	t.n = cuts + 1 + flips + bits
	for i := range cuts {
		t.one(fmt.Sprintf("cut at %d KiB", i), func() error { return t.cut(s, whole[:min(i*1024, len(whole)-1)], fmt.Sprintf("cut%d", i)) })
	}
	t.one("whole", func() error { return wholeUpload(s, whole) })
	t.flipExtracts(s, l, flips)
	for i := range bits {
		t.one(fmt.Sprintf("bit %d of a published version", i+1), func() error { return t.flipVersion(s, l) })
	}
	t.also("check", func() error { return check(s, l) })
	t.note("%d cuts, %d flipped extracts, %d flipped versions", cuts, flips, bits)
}

// wholeRows is how many rows the file has that is cut.
const wholeRows = 1500

// parquetBytes is a Parquet file of a few dozen kilobytes.
func parquetBytes(t *trials, rows int) []byte {
	file := filepath.Join(t.newDir("seed"), "seed.parquet")
	duck(t.ctx, "", fmt.Sprintf("COPY (SELECT i AS id, 1 AS gen, (i * 7) %% 1009 AS val, hash(i)::VARCHAR AS label FROM range(%d) t(i)) TO '%s' (FORMAT parquet, ROW_GROUP_SIZE 512)", rows, file))
	data, err := os.ReadFile(file)
	must(err)
	return data
}

// duck runs statements in a DuckDB of ours.
func duck(ctx context.Context, file string, statements ...string) {
	db, err := sql.Open("duckdb", file)
	must(err)
	defer func() { must(db.Close()) }()
	for _, s := range statements {
		_, err := db.ExecContext(ctx, s)
		must(err)
	}
}

// cut uploads half a file: it is refused in words, and no table shows its rows.
func (t *trials) cut(s *server, data []byte, name string) error {
	next, err := s.stage(name+".parquet", data, "")
	if err == nil {
		_, err = s.send(http.MethodGet, next, "", nil)
	}
	if err == nil {
		return errors.New("half a file is previewed as if it were whole")
	}
	if err := inWords(err); err != nil || next == "" || t.IntN(3) > 0 {
		return err
	}
	if err := s.form(next, url.Values{"name": {name}}); err != nil {
		return inWords(err)
	}
	last, err := s.awaitRun(name, 20*time.Second)
	if err != nil {
		return err
	}
	if last.State == "ok" {
		return errors.New("half a file became a table")
	}
	if err := excusable(&runFailed{last}); err != nil {
		return err
	}
	return s.form("/tables/"+name+"/remove", url.Values{})
}

func wholeUpload(s *server, data []byte) error {
	next, err := s.stage("whole.parquet", data, "")
	if err != nil {
		return err
	}
	if err := s.form(next, url.Values{"name": {"whole"}}); err != nil {
		return err
	}
	last, err := s.awaitRun("whole", 20*time.Second)
	if err != nil || last.State != "ok" {
		return fmt.Errorf("the whole file is refused: %s %w", last.Message, err)
	}
	rows, err := s.query("SELECT count(*) FROM whole")
	if err != nil || rows[0][0] != fmt.Sprint(wholeRows) {
		return fmt.Errorf("the whole file has %v rows: %w", rows, err)
	}
	return nil
}

// inWords fails unless a refusal is the sender's to mend and says how.
func inWords(err error) error {
	var no *refused
	if !errors.As(err, &no) {
		return err
	}
	if no.status >= 500 || len(no.text) < 20 {
		return fmt.Errorf("refused without words: %w", err)
	}
	return nil
}

// flipExtracts writes extracts with flipped bytes beside: each is named as
// broken, or its rows are the ones that were written.
func (t *trials) flipExtracts(s *server, l *ledger, n int) {
	g := newGeneration(7, 3000)
	for i := range n {
		mutant := t.extract(fmt.Sprintf("flipped%d", i))
		for range 1 + t.IntN(6) {
			mutant[t.IntN(len(mutant))] ^= byte(1 + t.IntN(255))
		}
		to := filepath.Join(s.dir, "extracts", fmt.Sprintf("bad%d", i))
		must(os.MkdirAll(to, 0o750))
		must(os.WriteFile(filepath.Join(to, "extract.duckdb.new"), mutant, 0o640))
		must(os.Rename(filepath.Join(to, "extract.duckdb.new"), filepath.Join(to, "extract.duckdb")))
	}
	facts := tableFacts{confirmed: 7, sent: []generation{g}}
	whole, broken := 0, 0
	for i := range n {
		t.one(fmt.Sprintf("flipped extract %d", i+1), func() error {
			source := fmt.Sprintf("bad%d", i)
			var found string
			if err := eventually(t.ctx, settleLimit, func() (err error) { found, err = looked(s.dir, source); return err }); err != nil {
				return err
			}
			if found != "ok" {
				broken++
				return nil // nothing was published of it
			}
			last, err := s.awaitRun(fmt.Sprintf("flipped%d", i), 5*time.Second)
			if err != nil {
				return err
			}
			if last.State != "ok" {
				broken++
				return excusable(&runFailed{last})
			}
			whole++
			return s.checkRows(fmt.Sprintf("flipped%d", i), facts)
		})
	}
	for i := range n {
		must(os.RemoveAll(filepath.Join(s.dir, "extracts", fmt.Sprintf("bad%d", i))))
	}
	t.note("%d whole, %d refused", whole, broken)
}

// extract is an extract.duckdb with one table.
func (t *trials) extract(table string) []byte {
	file := filepath.Join(t.newDir("extract"), "extract.duckdb")
	duck(t.ctx, file,
		`CREATE TABLE _meta (table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')`,
		`CREATE TABLE `+table+` AS SELECT i AS id, 7 AS gen, ((i * 7 + 91) % 1009)::BIGINT AS val, hash(i)::VARCHAR AS label FROM range(3000) t(i)`,
		`INSERT INTO _meta VALUES ('`+table+`', '', 3000, 1, now()::TIMESTAMP, 'local')`)
	data, err := os.ReadFile(file)
	must(err)
	return data
}

// looked returns what the server found when it looked at a source: ok, broken,
// or ok with problems, which is no table either.
func looked(dir, source string) (found string, err error) {
	db, err := openState(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var problems string
	if err := db.QueryRow("SELECT state, problems FROM sources WHERE name = ?", source).Scan(&found, &problems); err != nil {
		return "", fmt.Errorf("source %s was not looked at: %w", source, err)
	}
	if len(problems) > 2 && problems != "null" {
		return "problems", nil
	}
	return found, nil
}

// flipVersion flips one bit of a published file: who downloads it must be able
// to tell, and a query answers right or not at all. Then a sync heals it.
func (t *trials) flipVersion(s *server, l *ledger) error {
	facts := l.snapshot()["orders"]
	found, err := filepath.Glob(filepath.Join(s.dir, "versions", "files", "orders", "*.parquet"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("no version to spoil: %w", err)
	}
	file := found[len(found)-1]
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at, bit := t.IntN(len(data)), byte(1)<<t.IntN(8)
	if err := poke(file, at, data[at]^bit); err != nil {
		return err
	}
	if err := checkManifest(s, map[string]tableFacts{"orders": facts}); err == nil {
		return errors.New("the manifest's hash agrees with a file that was changed")
	}
	if err := poke(file, at, data[at]); err != nil { // queries read it too: never leave it for the next trial
		return err
	}
	return (&load{server: s, ledger: l}).bring("orders", l.next("orders", usual(t.Rand)))
}

// poke writes one byte into a file in place.
func poke(file string, at int, b byte) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteAt([]byte{b}, int64(at))
	return err
}
