package faults

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// settleLimit is how soon interrupted runs must have been taken up and ended.
const settleLimit = 60 * time.Second

// check looks at a quiet server and its directory: everything in the ledger is
// there, whole, and the same by every way in.
func check(s *server, l *ledger) error {
	if err := s.settle(settleLimit); err != nil {
		return err
	}
	if err := checkPeople(s, l); err != nil {
		return err
	}
	if err := checkSessions(s, l); err != nil {
		return err
	}
	if err := checkPieces(s, l); err != nil {
		return err
	}
	tables := l.snapshot()
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := tables[name]
		if t.confirmed == 0 {
			if err := checkUnconfirmed(s, name, t); err != nil {
				return err
			}
			continue
		}
		if err := s.checkRows(name, t); err != nil {
			return err
		}
	}
	if err := checkManifest(s, tables); err != nil {
		return err
	}
	if err := checkRuns(s); err != nil {
		return err
	}
	if _, err := s.send(http.MethodGet, "/catalog", "", nil); err != nil {
		return fmt.Errorf("the catalog page: %w", err)
	}
	if err := checkFiles(s.dir); err != nil {
		return err
	}
	if err := checkState(s.dir); err != nil {
		return err
	}
	return checkAnalytics(s, tables)
}

// checkUnconfirmed: a table that was made but whose rows were never confirmed
// shows a whole generation or nothing, and is synced.
func checkUnconfirmed(s *server, name string, t tableFacts) error {
	var listed struct {
		Tables map[string]struct{ Rows *int64 }
	}
	if err := s.call(http.MethodGet, "/api/sync/manifest", nil, &listed); err != nil {
		return err
	}
	if entry, shown := listed.Tables[name]; shown && entry.Rows != nil {
		return s.checkRows(name, t)
	}
	if t.exists != there {
		return nil
	}
	// Killed between the table and its first sync, the server finds its file when it
	// looks for changed ones.
	var last syncRun
	err := eventually(s.c.ctx, 15*time.Second, func() (err error) {
		last, err = s.lastRun(name)
		return err
	})
	if err != nil {
		return fmt.Errorf("table %s was made, which was confirmed, and is lost: %w", name, err)
	}
	if last.State == "failed" && last.Message == "" {
		return fmt.Errorf("the sync of %s failed without a sentence", name)
	}
	return nil
}

// checkRows asks for a table's rows through the analysts' path.
func (s *server) checkRows(name string, t tableFacts) error {
	rows, err := s.query(`SELECT count(*), coalesce(min(gen), 0), coalesce(max(gen), 0), coalesce(sum(val), 0)::BIGINT FROM "` + name + `"`)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	n := numbers(rows[0])
	if err := t.held(int(n[0]), int(n[1]), int(n[2]), n[3]); err != nil {
		return &wrongRows{name, err}
	}
	return nil
}

// checkAccepted: once all is quiet, the newest file that was taken is served.
func checkAccepted(s *server, l *ledger) error {
	for name, t := range l.snapshot() {
		if t.confirmed == 0 || t.accepted <= t.confirmed {
			continue
		}
		t.confirmed = t.accepted
		last, err := s.awaitRun(name, settleLimit)
		if err != nil {
			return err
		}
		if last.State != "ok" {
			continue // it says why
		}
		if err := eventually(s.c.ctx, 15*time.Second, func() error { return s.checkRows(name, t) }); err != nil {
			return fmt.Errorf("a file that was taken is never served: %w", err)
		}
	}
	return nil
}

// wrongRows is the worst that can happen: an answer that is not true.
type wrongRows struct {
	table string
	err   error
}

func (w *wrongRows) Error() string { return fmt.Sprintf("table %s %v", w.table, w.err) }

func numbers(row []string) []int64 {
	out := make([]int64, len(row))
	for i, text := range row {
		n, err := strconv.ParseInt(text, 10, 64)
		must(err)
		out[i] = n
	}
	return out
}

// checkPeople compares people, groups and grants with the ledger.
func checkPeople(s *server, l *ledger) error {
	var users []struct{ Email string }
	if err := s.call(http.MethodGet, "/api/users?limit=10000", nil, &users); err != nil {
		return err
	}
	present := map[string]bool{}
	for _, u := range users {
		present[u.Email] = true
	}
	if err := missing("person", l.sure(l.users), present); err != nil {
		return err
	}
	var groups []struct{ Name string }
	if err := s.call(http.MethodGet, "/api/admin/groups", nil, &groups); err != nil {
		return err
	}
	present = map[string]bool{}
	for _, g := range groups {
		present[g.Name] = true
	}
	if err := missing("group", l.sure(l.groups), present); err != nil {
		return err
	}
	var grants []struct {
		Group    string `json:"group_name"`
		Resource string `json:"resource_id"`
	}
	if err := s.call(http.MethodGet, "/api/admin/grants", nil, &grants); err != nil {
		return err
	}
	present = map[string]bool{}
	for _, g := range grants {
		present[g.Group+"/"+g.Resource] = true
	}
	return missing("grant", l.sure(l.grants), present)
}

// manifestEntry is what the manifest promises of one table.
type manifestEntry struct {
	Hash *string
	Size *int64 `json:"size_bytes"`
	Rows *int64
}

func (s *server) manifest() (map[string]manifestEntry, error) {
	var manifest struct{ Tables map[string]manifestEntry }
	err := s.call(http.MethodGet, "/api/sync/manifest", nil, &manifest)
	return manifest.Tables, err
}

// checkManifest compares what the manifest promises with what is downloaded.
func checkManifest(s *server, tables map[string]tableFacts) error {
	promised, err := s.manifest()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if tables[name].confirmed == 0 {
			continue
		}
		err := checkDownload(s, name, promised[name])
		var wrong *wrongRows
		if errors.As(err, &wrong) { // unless a sync that the watch of files began published between the two
			again, merr := s.manifest()
			if merr != nil || again[name].Hash == nil || promised[name].Hash == nil || *again[name].Hash == *promised[name].Hash {
				return errors.Join(err, merr)
			}
			err = errors.Join(s.settle(settleLimit), checkDownload(s, name, again[name]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkDownload(s *server, name string, entry manifestEntry) error {
	if entry.Hash == nil || entry.Rows == nil || entry.Size == nil {
		return fmt.Errorf("table %s is not in the manifest", name)
	}
	got, err := s.send(http.MethodGet, "/api/data/"+name+"/download", "", nil)
	if err != nil {
		return fmt.Errorf("download %s: %w", name, err)
	}
	sum := md5.Sum(got.body)
	if int64(len(got.body)) != *entry.Size || hex.EncodeToString(sum[:]) != *entry.Hash {
		return &wrongRows{name, fmt.Errorf("is downloaded as %d bytes with another hash than the manifest's of %d bytes", len(got.body), *entry.Size)}
	}
	return nil
}

// checkRuns: no run says that it runs, and what was interrupted says so and was
// taken up again.
func checkRuns(s *server) error {
	// The watch of files may have begun one meanwhile: it must end as well.
	if err := s.settle(settleLimit); err != nil {
		return fmt.Errorf("a sync says that it runs and never ends: %w", err)
	}
	all, err := s.runs("limit=1000")
	if err != nil {
		return err
	}
	newest := map[string]time.Time{}
	for _, r := range all {
		if r.QueuedAt.After(newest[r.TableID]) {
			newest[r.TableID] = r.QueuedAt
		}
		if r.State == "failed" && (r.Code == "" || r.Code == "internal" || r.Message == "") {
			return fmt.Errorf("a sync of %s failed with the code %q and the sentence %q", r.TableID, r.Code, r.Message)
		}
	}
	for _, r := range all {
		if r.Code == "interrupted" && !newest[r.TableID].After(r.QueuedAt) {
			return fmt.Errorf("the interrupted sync of %s was not taken up again", r.TableID)
		}
	}
	return nil
}
