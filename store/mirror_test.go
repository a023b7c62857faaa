package store

import (
	"os"
	"path/filepath"
	"testing"

	"agnes/domain"
)

func mustWriteFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(path), got, want)
	}
}

func TestPlaceMirror(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	made, final := filepath.Join(t.TempDir(), "made"), filepath.Join(o.Dir, mirrorFile)
	changes := s.Changes()
	for _, content := range []string{"one", "two", "three"} {
		mustWriteFile(t, made, content)
		if err := s.PlaceMirror(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		wantFile(t, final, content)
		if _, err := os.Stat(made); !os.IsNotExist(err) {
			t.Errorf("the child's file stays: %v", err)
		}
	}
	if s.Changes() != changes {
		t.Error("a mirror makes itself old")
	}
	if err := s.PlaceMirror(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was placed")
	}
	wantFile(t, final, "three")
}

// A state that is restored, or lost, knows nothing of the mirror that was made last.
func TestMirrorOfAnotherStateIsReplaced(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	backup, made := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "made")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	mustWriteFile(t, made, "of the state before")
	if err := s.PlaceMirror(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	must[string](t)(Restore(t.Context(), backup, o))
	s = mustOpen(t, o)
	mustWriteFile(t, made, "of the restored state")
	if err := s.PlaceMirror(t.Context(), made); err != nil {
		t.Errorf("after a restore: %v", err)
	}
	wantFile(t, filepath.Join(o.Dir, mirrorFile), "of the restored state")
}

func TestMirrorSparesAPredecessor(t *testing.T) {
	t.Parallel()
	o, _ := options(t)
	s := mustOpen(t, o)
	made, final := filepath.Join(t.TempDir(), "made"), filepath.Join(o.Dir, mirrorFile)
	mustWriteFile(t, final, "old state")
	mustWriteFile(t, final+".wal", "old log")
	mustWriteFile(t, final+".wal.checkpoint", "newest log")
	mustWriteFile(t, made, "mirror")
	wantError(t, "over an old state", s.PlaceMirror(t.Context(), made), domain.Conflict, "mirror_blocked")
	wantError(t, "look", s.MirrorFree(t.Context()), domain.Conflict, "mirror_blocked")
	wantFile(t, final, "old state")
	wantFile(t, final+".wal", "old log")

	mustImport(t, s, old{}, false)
	if err := s.PlaceMirror(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	wantFile(t, final, "mirror")
	wantFile(t, filepath.Join(o.Dir, importedFile), "old state")
	wantFile(t, filepath.Join(o.Dir, importedFile+".wal"), "old log")
	wantFile(t, filepath.Join(o.Dir, importedFile+".wal.checkpoint"), "newest log")

	mustWriteFile(t, final, "restored by somebody")
	mustWriteFile(t, made, "mirror 2")
	wantError(t, "over a second old state", s.PlaceMirror(t.Context(), made), domain.Conflict, "mirror_blocked")
	wantFile(t, final, "restored by somebody")
}

func TestCarryFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	mustWriteFile(t, from, "new")
	mustWriteFile(t, to, "old")
	if err := carryFile(from, to); err != nil {
		t.Fatal(err)
	}
	wantFile(t, to, "new")
	if err := carryFile(from, to); err == nil {
		t.Error("a missing file was carried")
	}
	wantFile(t, to, "new")
}
