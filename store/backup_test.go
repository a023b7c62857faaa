package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/people"
)

// dump is everything in a database file, as text.
func dump(t *testing.T, file string) string {
	t.Helper()
	db, err := openFile(file, url.Values{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := runner{on: db, count: new(atomic.Int64)}
	var b strings.Builder
	for _, table := range must[[]string](t)(collect(t.Context(), r, value[string], `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)) {
		columns := must[[]string](t)(collect(t.Context(), r, value[string], `SELECT name FROM pragma_table_info($1) ORDER BY cid`, table))
		for i, c := range columns {
			columns[i] = `quote("` + c + `")`
		}
		rows := must[[]string](t)(collect(t.Context(), r, value[string], `SELECT `+strings.Join(columns, ` || ',' || `)+` FROM `+quoteIdent(table)+` ORDER BY 1`))
		fmt.Fprintf(&b, "%s\n%s\n", table, strings.Join(rows, "\n"))
	}
	return b.String()
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	mustUser(t, s, "ada@example.com", s.adminID)
	mustTables(t, s, "orders")
	publish(t, s, "orders", "v1")
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	wantError(t, "backup over a file", s.Backup(t.Context(), backup), domain.Conflict, "backup_exists")
	if info := must[os.FileInfo](t)(os.Stat(backup)); info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %o", info.Mode().Perm())
	}
	other := filepath.Join(t.TempDir(), "other.db")
	if err := Backup(t.Context(), o.Dir, other); err != nil {
		t.Errorf("backup beside a server: %v", err)
	}
	want := dump(t, backup)
	if diff := cmp.Diff(want, dump(t, other)); diff != "" {
		t.Errorf("two backups of one state differ:\n%s", diff)
	}
	_, err := Restore(t.Context(), backup, o)
	wantError(t, "restore under a server", err, domain.Conflict, "state_in_use")

	mustUser(t, s, "late@example.com")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	later := dump(t, filepath.Join(o.Dir, fileName))
	kept, err := Restore(t.Context(), backup, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, dump(t, filepath.Join(o.Dir, fileName))); diff != "" {
		t.Errorf("restored: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(later, dump(t, kept)); diff != "" {
		t.Errorf("kept aside: -want +got\n%s", diff)
	}
	s = mustOpen(t, o)
	if _, err := s.GetUserByEmail(t.Context(), "late@example.com"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("somebody who came after the backup is still there: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), kept, o); err != nil {
		t.Fatalf("go back to what was kept: %v", err)
	}
	litter(t, o.Dir)
}

// litter fails when temporary files are left.
func litter(t *testing.T, dir string) {
	t.Helper()
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

func TestRestoreElsewhere(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	mustUser(t, s, "ada@example.com")
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	o, _ := options(t)
	kept, err := Restore(t.Context(), backup, o)
	if err != nil || kept != "" {
		t.Fatalf("Restore: kept %q, %v", kept, err)
	}
	if n := must[int](t)(mustOpen(t, o).CountUsers(t.Context())); n != 1 {
		t.Errorf("%d people were restored, want 1", n)
	}
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	for i := range 200 {
		mustUser(t, s, fmt.Sprintf("u%d@example.com", i))
	}
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	if err := s.Backup(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := dump(t, filepath.Join(o.Dir, fileName))
	whole := must[[]byte](t)(os.ReadFile(good))
	torn := append([]byte{}, whole...)
	for i := len(torn) / 2; i < len(torn)*3/4; i++ {
		torn[i] ^= 0x5a
	}
	for _, c := range []struct {
		name, code string
		content    []byte
	}{
		{"empty.db", "not_a_backup", nil},
		{"text.db", "not_a_backup", []byte(strings.Repeat("hello ", 1000))},
		{"torn.db", "backup_damaged", torn},
		{"short.db", "backup_damaged", whole[:len(whole)*2/3]},
	} {
		file := filepath.Join(dir, c.name)
		if err := os.WriteFile(file, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), file, o)
		wantError(t, c.name, err, domain.Invalid, c.code)
	}
	_, err := Restore(t.Context(), filepath.Join(dir, "none.db"), o)
	wantError(t, "restore a missing file", err, domain.NotFound, "no_backup")
	wantError(t, "back up a missing state", Backup(t.Context(), dir, filepath.Join(dir, "b.db")), domain.NotFound, "no_state")
	if diff := cmp.Diff(before, dump(t, filepath.Join(o.Dir, fileName))); diff != "" {
		t.Errorf("a refused restore changed the state:\n%s", diff)
	}
	litter(t, o.Dir)
}

// TestBackupDuringWrites: each backup holds one moment of the state. A person
// and their audit row are written together, so that their numbers agree in it.
func TestBackupDuringWrites(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := s.CreateUser(ctx, admin, people.NewUser{Email: fmt.Sprintf("u%d.%d@example.com", w, i)}); err != nil && ctx.Err() == nil {
					t.Errorf("write during a backup: %v", err)
				}
			}
		})
	}
	dir := t.TempDir()
	seen := int64(-1)
	for i := range 20 {
		file := filepath.Join(dir, fmt.Sprintf("b%d.db", i))
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatalf("backup %d: %v", i, err)
		}
		facts := must[copyFacts](t)(inspect(t.Context(), file))
		if facts.rows["users"] != facts.rows["audit_log"] || facts.rows["users"] < seen {
			t.Errorf("backup %d: %d people, %d audit rows, %d people before", i, facts.rows["users"], facts.rows["audit_log"], seen)
		}
		seen = facts.rows["users"]
	}
	stop()
	wg.Wait()
	last := filepath.Join(dir, "last.db")
	if err := s.Backup(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	o, _ := options(t)
	if _, err := Restore(t.Context(), last, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(t, filepath.Join(s.dir, fileName)), dump(t, filepath.Join(o.Dir, fileName))); diff != "" {
		t.Error("the restored state differs from the one that was backed up")
	}
	litter(t, dir)
}

func TestBackupIsCancelled(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := s.Backup(ctx, filepath.Join(dir, "b.db")); domain.KindOf(err) != domain.Cancelled {
		t.Errorf("a cancelled backup: %v", err)
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 0 {
		t.Errorf("a cancelled backup left %v", left)
	}
}
