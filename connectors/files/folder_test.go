package files

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
)

func newFolder(t *testing.T) Folder {
	t.Helper()
	return Folder{Root: t.TempDir(), MaxBytes: 2048}
}

func mustStage(t *testing.T, f Folder, name, content string) files.Upload {
	t.Helper()
	up, err := f.Stage(t.Context(), "", name, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return up
}

// mustTree returns the files under the root, as slash paths.
func mustTree(t *testing.T, f Folder) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(f.Root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(f.Root, p)
		found = append(found, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}

func wantError(t *testing.T, err error, kind domain.Kind, code string) {
	t.Helper()
	if domain.KindOf(err) != kind || domain.CodeOf(err) != code {
		t.Errorf("error %v (kind %d, code %q), want kind %d, code %q", err, domain.KindOf(err), domain.CodeOf(err), kind, code)
	}
}

func TestStageThenCommit(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	up := mustStage(t, f, `C:\data\Orders 2026.CSV`, "id\n1\n")
	if up.Name != "Orders 2026.CSV" || up.Format != files.CSV || up.Bytes != 5 || up.Key != "uploads/"+string(up.ID)+"/Orders 2026.CSV" {
		t.Errorf("upload %+v", up)
	}
	if again, err := f.Staged(t.Context(), up.ID); err != nil || again != up {
		t.Errorf("Staged = %+v, %v, want %+v", again, err, up)
	}
	item, err := f.Commit(t.Context(), up.ID, "orders")
	if err != nil || item != "orders.csv" {
		t.Errorf("Commit = %q, %v", item, err)
	}
	if key, err := f.Key(t.Context(), item); err != nil || key != "files/orders.csv" {
		t.Errorf("Key = %q, %v", key, err)
	}
	if again, err := f.Staged(t.Context(), up.ID); err != nil || again != up {
		t.Errorf("before it is discarded: Staged = %+v, %v, want %+v", again, err, up)
	}
	if err := f.Discard(t.Context(), up.ID); err != nil {
		t.Fatal(err)
	}
	if got := mustTree(t, f); got != "files/.uploaded/orders.csv files/orders.csv" {
		t.Errorf("files %q", got)
	}
	_, err = f.Commit(t.Context(), up.ID, "orders")
	wantError(t, err, domain.NotFound, "upload_not_found")
}

func TestCommitTouchesNoOtherFile(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.MkdirAll(f.files(), 0o750); err != nil {
		t.Fatal(err)
	}
	before := []string{"orders.csv", "orders-2.csv", "orders.parquet"}
	for _, item := range before {
		if err := os.WriteFile(filepath.Join(f.files(), item), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"orders-3.csv", "orders-4.csv"} {
		up := mustStage(t, f, "new.csv", "id\n1\n")
		if item, err := f.Commit(t.Context(), up.ID, "orders"); err != nil || item != want {
			t.Errorf("Commit = %q, %v, want %q", item, err, want)
		}
	}
	for _, item := range before {
		if data, err := os.ReadFile(filepath.Join(f.files(), item)); err != nil || string(data) != "old" {
			t.Errorf("%s holds %q, %v after uploads of the same name", item, data, err)
		}
	}
}

// TestOnlyUploadsAreRemovedForNewOnes holds that a file which an administrator
// placed stays when the table that reads it gets an upload, whatever its name.
func TestOnlyUploadsAreRemovedForNewOnes(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	write := func(item, content string) {
		t.Helper()
		place := filepath.Join(f.files(), item)
		if err := os.MkdirAll(filepath.Dir(place), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("orders.csv", "placed")
	write("sales/2024.csv", "placed")
	var items []string
	for range 2 {
		up := mustStage(t, f, "new.csv", "id\n1\n")
		item, err := f.Commit(t.Context(), up.ID, "orders")
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	write(items[1], "written over by hand")
	for _, item := range []string{"orders.csv", "sales", "sales/2024.csv", "sales/*.csv", "gone.csv", "../x", items[0], items[0], items[1]} {
		if err := f.RemoveUploaded(t.Context(), item); err != nil {
			t.Errorf("remove upload %s: %v", item, err)
		}
	}
	for item, stays := range map[string]bool{"orders.csv": true, "sales/2024.csv": true, items[0]: false, items[1]: true} {
		if _, err := os.Stat(filepath.Join(f.files(), item)); (err == nil) != stays {
			t.Errorf("%s: %v, stays %t", item, err, stays)
		}
	}
}

func TestStageRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		test, name string
		body       io.Reader
		kind       domain.Kind
		code, says string
	}{
		{"unknown format", "a.doc", strings.NewReader("x"), domain.Invalid, "file_format_unknown", ".parquet"},
		{"no ending", "a", strings.NewReader("x"), domain.Invalid, "file_format_unknown", ".csv"},
		{"empty", "a.csv", strings.NewReader(""), domain.Invalid, "file_empty", "empty"},
		{"too large", "a.csv", strings.NewReader(strings.Repeat("x", 2049)), domain.TooLarge, "upload_too_large", "2.0 KiB"},
		{"disk full", "a.csv", errReader{syscall.ENOSPC}, domain.Unavailable, "disk_full", "disk is full"},
		{"sender gone", "a.csv", errReader{io.ErrUnexpectedEOF}, domain.Internal, "", ""},
	} {
		t.Run(c.test, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			_, err := f.Stage(t.Context(), "", c.name, c.body)
			wantError(t, err, c.kind, c.code)
			var told *domain.Error
			if errors.As(err, &told) && (!strings.Contains(told.Message, c.says) || strings.Contains(told.Message, f.Root)) {
				t.Errorf("message %q, want it to say %q", told.Message, c.says)
			}
			if left := mustTree(t, f); left != "" {
				t.Errorf("left %q", left)
			}
			if entries, err := os.ReadDir(filepath.Join(f.Root, "uploads")); err == nil && len(entries) > 0 {
				t.Errorf("left folder %s", entries[0].Name())
			}
		})
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestStageStopsWithItsRequest(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Stage(ctx, "", "a.csv", strings.NewReader("x"))
	wantError(t, err, domain.Cancelled, "")
	if left := mustTree(t, f); left != "" {
		t.Errorf("left %q", left)
	}
}

func TestLargestUploadFits(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if up := mustStage(t, f, "a.csv", strings.Repeat("x", 2048)); up.Bytes != 2048 {
		t.Errorf("upload %+v", up)
	}
}

func TestIDsCannotLeadOut(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := f.Add(t.Context(), "keep.csv", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []files.UploadID{"", ".", "..", "../files", "a/b", files.UploadID(uuid.NewString() + "/..")} {
		_, err := f.Staged(t.Context(), id)
		wantError(t, err, domain.NotFound, "upload_not_found")
		wantError(t, f.Discard(t.Context(), id), domain.NotFound, "upload_not_found")
	}
	up := mustStage(t, f, "a.csv", "x")
	for _, id := range []registry.TableID{"", "..", "../x", "a/b"} {
		_, err := f.Commit(t.Context(), up.ID, id)
		wantError(t, err, domain.Invalid, "table_id_invalid")
	}
	if got := mustTree(t, f); !strings.Contains(got, "files/keep.csv") {
		t.Errorf("files %q", got)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	up := mustStage(t, f, "a.csv", "x")
	for range 2 {
		if err := f.Discard(t.Context(), up.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := mustTree(t, f); got != "" {
		t.Errorf("left %q", got)
	}
}

func TestSweepUploads(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if n, err := f.SweepUploads(t.Context(), time.Unix(1, 0)); n != 0 || err != nil {
		t.Errorf("sweep of nothing: %d, %v", n, err)
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old, young := mustStage(t, f, "old.csv", "x"), mustStage(t, f, "young.csv", "x")
	if err := os.Chtimes(f.staged(old.ID), at.Add(-time.Hour), at.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(f.staged(young.ID), at, at); err != nil {
		t.Fatal(err)
	}
	if n, err := f.SweepUploads(t.Context(), at); n != 1 || err != nil {
		t.Errorf("removed %d, %v, want 1", n, err)
	}
	if got := mustTree(t, f); got != young.Key {
		t.Errorf("left %q, want %q", got, young.Key)
	}
}

// TestSweepOfUnfinishedFiles: what a kill left goes, once it is old; nothing that is
// not Agnes's own does.
func TestSweepOfUnfinishedFiles(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	stays := []string{"files/.tmp-notes", "files/.uploaded/" + tempPrefix + uuid.NewString(), "files/orders.csv"}
	goes := []string{"files/" + tempPrefix + uuid.NewString(), "files/.uploaded/" + tempPrefix + uuid.NewString()}
	for i, file := range append(stays, goes...) {
		file, touched := filepath.Join(f.Root, file), at.Add(-time.Hour)
		if i == 1 {
			touched = at // one that is being written
		}
		if err := errors.Join(makeDir(filepath.Dir(file)), os.WriteFile(file, []byte("x"), 0o600), os.Chtimes(file, touched, touched)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.SweepUploads(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if got, want := mustTree(t, f), strings.Join(stays, " "); got != want {
		t.Errorf("left %q, want %q", got, want)
	}
}

// TestCommitThatFailsChangesNothing: an upload whose file or note the disk does not
// take stays an upload, and can be committed later.
func TestCommitThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	for name, blocked := range map[string]string{
		"no room for the note":      "files/.uploaded",
		"the note cannot be placed": "files/.uploaded/orders.csv/x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			up := mustStage(t, f, "orders.csv", "id\n1\n")
			place := filepath.Join(f.Root, blocked)
			if err := errors.Join(makeDir(filepath.Dir(place)), os.WriteFile(place, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if item, err := f.Commit(t.Context(), up.ID, "orders"); err == nil {
				t.Fatalf("committed as %q without a note", item)
			}
			if got, want := mustTree(t, f), blocked+" "+up.Key; got != want {
				t.Errorf("after a commit that failed there is %q, want %q", got, want)
			}
			if err := os.RemoveAll(filepath.Join(f.files(), uploadedDir)); err != nil {
				t.Fatal(err)
			}
			item, err := f.Commit(t.Context(), up.ID, "orders")
			if err := errors.Join(err, f.Discard(t.Context(), up.ID)); err != nil {
				t.Fatal(err)
			}
			if got, want := mustTree(t, f), "files/.uploaded/"+item+" files/"+item; got != want {
				t.Errorf("after the commit there is %q, want %q", got, want)
			}
			if err := f.RemoveUploaded(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			if got := mustTree(t, f); got != "" {
				t.Errorf("the upload was not known as one: left %q", got)
			}
		})
	}
}

// TestACopyIsKnownAsAnUpload: where a file cannot have two names it is copied, with
// the time that its note tells.
func TestACopyIsKnownAsAnUpload(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	up := mustStage(t, f, "orders.csv", "id\n1\n")
	staged := filepath.Join(f.Root, up.Key)
	long := time.Date(2024, 2, 3, 4, 5, 6, 789, time.UTC)
	if err := errors.Join(makeDir(f.files()), os.Chtimes(staged, long, long)); err != nil {
		t.Fatal(err)
	}
	note, err := f.noteUploaded(staged)
	if err := errors.Join(err, f.copyIn(t.Context(), staged, "orders.csv"), f.keepNote(note, "orders.csv"), f.Discard(t.Context(), up.ID)); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(f.files(), "orders.csv")); err != nil || string(data) != "id\n1\n" {
		t.Errorf("the copy holds %q, %v", data, err)
	}
	if err := f.RemoveUploaded(t.Context(), "orders.csv"); err != nil {
		t.Fatal(err)
	}
	if got := mustTree(t, f); got != "" {
		t.Errorf("the copy was not known as an upload: left %q", got)
	}
}

func TestAddAndList(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if list, err := f.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("list of nothing: %v, %v", list, err)
	}
	for _, content := range []string{"first", "second!"} {
		if err := f.Add(t.Context(), "cars.json", strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, item := range []string{".hidden.csv", "notes.docx", "README"} {
		if err := os.WriteFile(filepath.Join(f.files(), item), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(f.files(), "folder.csv"), 0o750); err != nil {
		t.Fatal(err)
	}
	list, err := f.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "cars.json" || list[0].Format != files.JSON || list[0].Bytes != 7 || list[0].ModTime.IsZero() {
		t.Errorf("list %+v, %v", list, err)
	}
	wantError(t, f.Add(t.Context(), "../cars.json", strings.NewReader("x")), domain.Invalid, "file_name_invalid")
	wantError(t, f.Add(t.Context(), "cars.doc", strings.NewReader("x")), domain.Invalid, "file_format_unknown")
	wantError(t, f.Add(t.Context(), "cars.json", strings.NewReader("")), domain.Invalid, "file_empty")
	if got := mustTree(t, f); !strings.Contains(got, "files/cars.json") || strings.Contains(got, ".tmp-") {
		t.Errorf("files %q", got)
	}
}

func TestListOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.WriteFile(f.files(), []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := f.List(t.Context()); err == nil {
		t.Errorf("list %v: a folder that cannot be read passed for an empty one", list)
	}
}

func TestRemoveAndKey(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := f.Remove(t.Context(), "cars.csv"); err != nil {
		t.Errorf("remove before anything was there: %v", err)
	}
	if err := f.Add(t.Context(), "cars.csv", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if key, err := f.Key(t.Context(), "cars.csv"); err != nil || key != "files/cars.csv" {
		t.Errorf("Key = %q, %v", key, err)
	}
	for _, item := range []string{"", "..", "../files/cars.csv", "gone.csv"} {
		_, err := f.Key(t.Context(), item)
		wantError(t, err, domain.NotFound, "file_missing")
	}
	wantError(t, f.Remove(t.Context(), "../files/cars.csv"), domain.Invalid, "file_name_invalid")
	for range 2 {
		if err := f.Remove(t.Context(), "cars.csv"); err != nil {
			t.Fatal(err)
		}
	}
	if got := mustTree(t, f); got != "" {
		t.Errorf("left %q", got)
	}
}

func TestSafeNameKeepsTheEnding(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)
	for sent, ending := range map[string]string{
		long + ".csv.gz":                               ".csv.gz",
		long + ".NDJSON.zst":                           ".NDJSON.zst",
		long + ".csv":                                  ".csv",
		strings.Repeat("ž", 300) + ".csv.gz":           ".csv.gz",
		`C:\exports\` + long + ".Tsv.Gz":               ".Tsv.Gz",
		strings.Repeat("b.", 200) + ".jsonl.gz":        ".jsonl.gz",
		strings.Repeat("x", maxName-8) + "y.csv.gz":    "y.csv.gz",
		strings.Repeat("x", maxName-8) + "more.csv.gz": "m.csv.gz",
	} {
		name := safeName(sent)
		if !strings.HasSuffix(name, ending) || len(name) > maxName || !plainName(name) {
			t.Errorf("safeName(%.20q…%q) = %q of %d bytes, want it to end with %q", sent, ending, name, len(name), ending)
		}
	}
	if got := safeName(".csv.gz"); got != "csv.gz" && files.Ext(got) != ".csv.gz" {
		t.Errorf("a name of endings only becomes %q", got)
	}
}

func FuzzSafeName(f *testing.F) {
	for _, seed := range []string{"a.csv", "../../etc/passwd.csv", `C:\x\y.csv`, ".hidden.csv", "a\x00b.csv", strings.Repeat("ž", 300) + ".csv", "…", "a.csv/", " .csv", "con.csv", "a*?.csv"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		name := safeName(sent)
		if !plainName(name) && name != "" {
			t.Errorf("safeName(%q) = %q is not a plain name", sent, name)
		}
		if strings.ContainsAny(name, `/\*?"`) || len(name) > maxName {
			t.Errorf("safeName(%q) = %q", sent, name)
		}
		if _, known := files.FormatOf(name); known && filepath.Join("/r", name) != "/r/"+name {
			t.Errorf("safeName(%q) = %q is not one file", sent, name)
		}
	})
}
