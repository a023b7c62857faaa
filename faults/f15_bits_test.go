package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// flippedBits is F15: one bit of something published is flipped. A damaged
// version is found by its hash before anything of it is published again, a
// damaged server.duckdb by the next rebuild; nobody reads a wrong row.
func flippedBits(t *trials) {
	s, l := t.serve(t.newDir("bits"), nil), newLedger()
	defer s.kill()
	work := &load{server: s, ledger: l}
	must(work.bring("orders", l.next("orders", usual(t.Rand))))
	older := currentVersion(s.dir)
	must(work.bring("orders", l.next("orders", usual(t.Rand))))
	parquet, duckdb := 0, 0
	t.each(t.n, func(i int) error {
		if i%3 < 2 {
			parquet++
			return t.flipOlder(work, older)
		}
		duckdb++
		return t.flipPublished(work)
	})
	t.also("check", func() error { return check(s, l) })
	t.note("%d in Parquet, %d in server.duckdb", parquet, duckdb)
}

// currentVersion is the id of the version of orders that is served.
func currentVersion(dir string) (id string) {
	db, err := openState(dir)
	must(err)
	defer db.Close()
	must(db.QueryRow("SELECT current_version FROM table_registry WHERE id = 'orders'").Scan(&id))
	return id
}

// flipOlder flips a bit of a version that is kept and asks for its rows back.
func (t *trials) flipOlder(work *load, version string) (err error) {
	undo, what, err := t.flip(filepath.Join(work.dir, "versions", "files", "orders", version+".parquet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, undo()) }()
	before, err := work.runIDs("orders")
	if err != nil {
		return err
	}
	if err := work.call("POST", "/api/admin/registry/orders/versions/"+version+"/restore", nil, nil); err != nil {
		return err
	}
	last, err := work.awaitNew("orders", before, 30*time.Second)
	if err != nil {
		return err
	}
	if last.State != "failed" || last.Code != "version_damaged" {
		return fmt.Errorf("with %s the version was published again: %s %s", what, last.State, last.Code)
	}
	return work.checkRows("orders", work.snapshot()["orders"])
}

// flipPublished flips a bit of server.duckdb; the next rebuild writes it anew.
func (t *trials) flipPublished(work *load) error {
	file := filepath.Join(work.dir, "analytics", "server.duckdb")
	_, what, err := t.flip(file)
	if err != nil {
		return err
	}
	if err := work.call("POST", "/api/admin/rebuild", nil, nil); err != nil {
		return err
	}
	var note struct {
		SHA256 string `json:"sha256"`
	}
	text, err := os.ReadFile(filepath.Join(work.dir, "analytics", "published.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &note); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != note.SHA256 {
		return fmt.Errorf("with %s server.duckdb is still another file than the one that was published", what)
	}
	tables := work.snapshot()
	if err := checkAnalytics(work.server, tables); err != nil {
		return err
	}
	return work.checkRows("orders", tables["orders"])
}

// flip flips one bit of a file in place.
func (t *trials) flip(file string) (undo func() error, what string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	at, bit := t.IntN(len(data)), t.IntN(8)
	what = fmt.Sprintf("bit %d of byte %d of %d flipped in %s", bit, at, len(data), strings.TrimPrefix(filepath.Ext(file), "."))
	return func() error { return poke(file, at, data[at]) }, what, poke(file, at, data[at]^byte(1)<<bit)
}
