package cli

import (
	"crypto/md5"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPullThatCannotBeRecordedIsNoSuccess(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1")})
	o.serve["orders"] = func(w http.ResponseWriter, r *http.Request) {
		if err := os.RemoveAll(b.config); err != nil {
			t.Error(err)
		}
		mustWrite(t, b.config, "a file in the way")
		whole(parquet("1"))(w, r)
	}
	_, stderr, err := b.run("pull")
	if ExitCode(err) != 1 {
		t.Errorf("pull = %v", err)
	}
	wantIn(t, err.Error(), "1 item failed (sync_state)")
	wantIn(t, stderr, "read sync_state.json")
	b.wantCopies(map[string]string{"orders": parquet("1")})
}

func TestPullBeginsOnlyWhenItsRecordCanBeRead(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	mustWrite(t, filepath.Join(b.config, "sync_state.json", "inside"), "a folder in the way")
	wantIn(t, b.mustFail(1, "pull"), "read sync_state.json")
	b.wantCopies(nil)
}

func TestPullSaysThatItsRecordWasDamaged(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	b.mustRun("pull")
	mustWrite(t, filepath.Join(b.config, "sync_state.json"), "{")
	mustWrite(t, b.copyPath("salaries"), "from before")
	stdout, stderr, err := b.run("pull")
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, stderr, "The record of earlier pulls was damaged")
	wantIn(t, stdout, "salaries: is not a table of the server's", "0 tables updated, 1 current")
	_, stderr, err = b.run("pull", "--quiet")
	if err != nil || stderr != "" {
		t.Errorf("the next pull: %v, %q", err, stderr)
	}
}

func TestPullSaysWhatItCannotRemove(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1"), "salaries": parquet("2")})
	b.mustRun("pull")
	if err := os.Remove(b.copyPath("salaries")); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(b.copyPath("salaries"), "inside"), "x")
	delete(o.tables, "salaries")
	for range 2 { // it is not forgotten after the first time
		_, stderr, err := b.run("pull")
		if ExitCode(err) != 1 {
			t.Errorf("pull = %v", err)
		}
		wantIn(t, stderr, "salaries: You may not read this table any more, and its copy cannot be removed")
	}
}

// A file system that ignores case holds Orders and orders as one file, which a
// second link to it stands for here.
func TestPullDoesNotRemoveARenamedTable(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"Orders": parquet("1")})
	b.mustRun("pull")
	o.tables["orders"], o.files["orders"] = entry(parquet("1")), parquet("1")
	delete(o.tables, "Orders")
	if err := os.Link(b.copyPath("Orders"), b.copyPath("orders")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	wantIn(t, b.mustRun("pull"), "1 current, 0 removed")
	if got := mustRead(t, b.copyPath("orders")); got != parquet("1") {
		t.Errorf("orders holds %q", got)
	}
	if strings.Contains(mustRead(t, filepath.Join(b.config, "sync_state.json")), "Orders") {
		t.Error("the old name is still recorded")
	}
}

func TestPartsAreDiscarded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	part, err := newPart(path)
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(part.Name()); !strings.HasPrefix(name, ".a.parquet.") || !strings.HasSuffix(name, partSuffix) {
		t.Errorf("the part is called %s", name)
	}
	for range 2 {
		if err := discard(part); err != nil {
			t.Errorf("discard = %v", err)
		}
	}
	if err := publish(part, path); err == nil {
		t.Error("a discarded part was published")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file")
	}
}

func TestDownloadSaysWhatCannotBeWritten(t *testing.T) {
	part, err := newPart(filepath.Join(t.TempDir(), "a.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if err := discard(part); err != nil {
		t.Fatal(err)
	}
	d := &download{part: part, sum: md5.New()}
	if err := d.restart(); err == nil || !strings.Contains(err.Error(), "The copy cannot be written: file already closed") {
		t.Errorf("restart = %v", err)
	}
}
