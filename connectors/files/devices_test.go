package files

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// otherDevice is a folder on another file system than dir; without one the test
// is skipped.
func otherDevice(t *testing.T, dir string) string {
	t.Helper()
	other, err := os.MkdirTemp("/dev/shm", "agnes-test-") //nolint:usetesting // on another file system than t.TempDir
	if err != nil {
		t.Skip("there is no second file system:", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(other); err != nil {
			t.Error(err)
		}
	})
	if deviceOf(t, dir) == deviceOf(t, other) {
		t.Skip("there is no second file system")
	}
	return other
}

func deviceOf(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(info.Sys().(*syscall.Stat_t).Dev) //nolint:unconvert // of another size on other systems
}

// An operator may keep uploads/ on a disk of its own. What is committed is
// copied then: whole, over no other file, and known as an upload afterwards.
func TestCommitFromAnotherFileSystem(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.Symlink(otherDevice(t, f.Root), filepath.Join(f.Root, uploadsDir)); err != nil {
		t.Fatal(err)
	}
	if err := makeDir(f.files()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.files(), "orders.csv"), []byte("placed"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := mustStage(t, f, "new.csv", "id\n1\n")
	item, err := f.Commit(t.Context(), up.ID, "orders")
	if err != nil || item != "orders-2.csv" {
		t.Fatalf("Commit = %q, %v", item, err)
	}
	for name, want := range map[string]string{"orders.csv": "placed", item: "id\n1\n"} {
		if got, err := os.ReadFile(filepath.Join(f.files(), name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
	if err := f.Discard(t.Context(), up.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{item, "orders.csv"} {
		if err := f.RemoveUploaded(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(f.files(), item)); err == nil {
		t.Error("what was copied is not known as an upload")
	}
	if _, err := os.Stat(filepath.Join(f.files(), "orders.csv")); err != nil {
		t.Error("a file that somebody placed went with an upload:", err)
	}
}

// A copy that is cut short leaves the upload and no half file.
func TestCommitFromAnotherFileSystemThatStops(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.Symlink(otherDevice(t, f.Root), filepath.Join(f.Root, uploadsDir)); err != nil {
		t.Fatal(err)
	}
	up := mustStage(t, f, "new.csv", "id\n1\n")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if item, err := f.Commit(ctx, up.ID, "orders"); err == nil {
		t.Fatalf("committed as %q", item)
	}
	if got, err := os.ReadDir(f.files()); err != nil || len(visible(got)) != 0 {
		t.Errorf("left in files: %v, %v", got, err)
	}
	if item, err := f.Commit(t.Context(), up.ID, "orders"); err != nil || item != "orders.csv" {
		t.Errorf("once more: %q, %v", item, err)
	}
}

// visible leaves out Agnes's own notes.
func visible(entries []os.DirEntry) (names []string) {
	for _, e := range entries {
		if e.Name() != uploadedDir {
			names = append(names, e.Name())
		}
	}
	return names
}
