package warehouse

import (
	"context"
	"os"
	"testing"

	"agnes/domain/registry"
	"agnes/domain/work"
)

func mustFile(t *testing.T, s *Store, table string) registry.File {
	t.Helper()
	v := mustVersion(t, s, "files", table, "v1", "SELECT i AS id, 'row ' || i AS name FROM range(5000) AS r(i)")
	sums, err := hashFile(mustPath(t, s, v.Keys[0]))
	if err != nil {
		t.Fatal(err)
	}
	return registry.File{Key: v.Keys[0], Bytes: sums.bytes, SHA256: sums.sha256}
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	flip := func(at func(size int) int) func(t *testing.T, file string) {
		return func(t *testing.T, file string) {
			t.Helper()
			all, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[at(len(all))] ^= 1
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, all, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		harm  func(t *testing.T, file string)
		code  string
		quick bool // a glance is enough
	}{
		"whole": {harm: func(t *testing.T, _ string) { t.Helper() }},
		"gone": {code: work.FileMissing, quick: true, harm: func(t *testing.T, file string) {
			t.Helper()
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}},
		"a folder": {code: work.FileUnreadable, quick: true, harm: func(t *testing.T, file string) {
			t.Helper()
			if os.Remove(file) != nil || os.Mkdir(file, 0o750) != nil {
				t.Fatal("no folder")
			}
		}},
		"cut": {code: work.FileChanged, quick: true, harm: func(t *testing.T, file string) {
			t.Helper()
			if err := os.Truncate(file, 4096); err != nil {
				t.Fatal(err)
			}
		}},
		"empty":         {code: work.FileChanged, quick: true, harm: func(t *testing.T, file string) { t.Helper(); must0(t, os.Truncate(file, 0)) }},
		"first byte":    {code: work.FileChanged, quick: true, harm: flip(func(int) int { return 0 })},
		"last byte":     {code: work.FileChanged, quick: true, harm: flip(func(n int) int { return n - 1 })},
		"in the middle": {code: work.FileChanged, harm: flip(func(n int) int { return n / 2 })},
		"in the footer": {code: work.FileChanged, harm: flip(func(n int) int { return n - 20 })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			f := mustFile(t, s, "orders")
			c.harm(t, mustPath(t, s, f.Key))
			found, err := s.Verify(t.Context(), []registry.File{f, mustFile(t, s, "other")})
			if err != nil {
				t.Fatal(err)
			}
			if c.code == "" && len(found) != 0 {
				t.Errorf("found %+v", found)
			}
			if c.code != "" && (len(found) != 1 || found[0].Code != c.code || found[0].Key != f.Key || found[0].Message == "") {
				t.Errorf("found %+v, want %s of the one file", found, c.code)
			}
			if got := s.glance(f); (got != "") != c.quick {
				t.Errorf("at a glance: %q, want anything: %t", got, c.quick)
			}
		})
	}
}

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerifyEdges(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	f := mustFile(t, s, "orders")
	if found, err := s.Verify(t.Context(), []registry.File{{Key: "../../etc/passwd"}}); err != nil || len(found) != 1 || found[0].Code != work.FileUnreadable {
		t.Errorf("a key that leads out: %+v, %v", found, err)
	}
	if found, err := s.Verify(t.Context(), []registry.File{{Key: f.Key, Bytes: f.Bytes}}); err != nil || len(found) != 0 {
		t.Errorf("without a sum only the glance counts: %+v, %v", found, err)
	}
	if found, err := s.verifyPaced(t.Context(), []registry.File{f}, 1<<30); err != nil || len(found) != 0 {
		t.Errorf("paced: %+v, %v", found, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.verifyPaced(stopped, []registry.File{f}, 1); err == nil {
		t.Error("a check that was stopped says that all is well")
	}
}

func TestRebuildLeavesOutDamagedVersions(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	good := mustVersion(t, s, "files", "good", "v1", "SELECT 1 AS id")
	bad := mustVersion(t, s, "files", "bad", "v1", "SELECT 1 AS id")
	info, err := os.Stat(mustPath(t, s, bad.Keys[0]))
	must0(t, err)
	bad.Sizes = []int64{info.Size()}
	source := work.RebuildSource{Name: "files", Owned: true, Tables: []work.RebuildTable{good, bad}}
	if out := mustRebuild(t, s, source); out.Views != 2 {
		t.Fatalf("rebuilt %+v", out)
	}
	must0(t, os.Chmod(mustPath(t, s, bad.Keys[0]), 0o600))
	must0(t, os.Truncate(mustPath(t, s, bad.Keys[0]), info.Size()-1))
	out := mustRebuild(t, s, source)
	if out.Views != 1 || len(out.Problems) != 1 || out.Problems[0].Code != work.VersionDamaged || out.Problems[0].Table != "bad" {
		t.Errorf("rebuilt %+v, want bad left out as damaged", out)
	}
}
