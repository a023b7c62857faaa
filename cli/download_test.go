package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain"
)

// cutShort sends the first n bytes of what was asked for, and breaks off.
func cutShort(file string, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+md5Of(file)+`"`)
		rest := file
		if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			at, err := strconv.Atoi(strings.TrimSuffix(from, "-"))
			if err != nil {
				panic(err)
			}
			rest = file[at:]
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(file)-1, len(file)))
			w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
		fmt.Fprint(w, rest[:min(n, len(rest))])
	}
}

// inTurn answers the first request with the first handler, and so on; the last
// one answers the rest.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		h := handlers[min(n, len(handlers)-1)]
		n++
		h(w, r)
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func whole(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+md5Of(file)+`"`)
		http.ServeContent(w, r, "x.parquet", testTime, strings.NewReader(file))
	}
}

// A fault of the server's or the network's either goes by, or costs the new
// version; the copy from before stays in any case.
func TestPullFaults(t *testing.T) {
	old, fresh := parquet("old"), parquet(strings.Repeat("fresh", 200))
	other := parquet(strings.Repeat("other", 200))
	cases := []struct {
		name  string
		serve http.HandlerFunc
		hash  any    // nil: the right one
		want  string // of the message; "" when the new version arrives
		tries int
	}{
		{"cut once", inTurn(cutShort(fresh, 100), whole(fresh)), nil, "", 2},
		{"cut twice", inTurn(cutShort(fresh, 100), cutShort(fresh, 300), whole(fresh)), nil, "", 3},
		{"cut for ever", cutShort(fresh, 100), nil, "The download broke off", 3},
		{"cut, then another version", inTurn(cutShort(other, 100), whole(fresh)), nil, "", 2},
		{"cut, no checksum", inTurn(cutShort(fresh, 100), whole(fresh)), "", "", 2},
		{"cut, no checksum, another version", inTurn(cutShort(other, 100), whole(fresh)), "", "", 2},
		{"500, then well", inTurn(status(500, ""), whole(fresh)), nil, "", 2},
		{"cut, 503, then the rest", inTurn(cutShort(fresh, 100), status(503, ""), whole(fresh)), nil, "", 3},
		{"500 for ever", status(500, `{"detail":"Internal server error","request_id":"r7"}`), nil, "request r7", 3},
		{"cut, then 416", inTurn(cutShort(fresh, 100), status(416, ""), whole(fresh)), nil, "", 3},
		{"cut, then the wrong part", inTurn(cutShort(fresh, 100), wrongPart(fresh), whole(fresh)), nil, "", 3},
		{"a part nobody asked for", inTurn(wrongPart(fresh)), nil, "another part of the file", 3},
		{"403", status(403, `{"detail":"No access to table orders"}`), nil, "HTTP 403: No access to table orders", 1},
		{"404", status(404, `{"detail":"Table not found"}`), nil, "HTTP 404", 1},
		{"wrong bytes", whole(other), nil, "does not match the server's checksum", 1},
		{"no Parquet, no checksum", whole("<html>Please sign in to the proxy</html>"), "", "not a whole Parquet file", 1},
		{"nothing, no checksum", whole(""), "", "not a whole Parquet file", 1},
		{"a whole file, no checksum", whole(fresh), "", "", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			o := b.publish(map[string]string{"orders": old, "other": parquet("2")})
			b.mustRun("pull")
			b.log = nil
			o.tables["orders"] = entry(fresh)
			if c.hash != nil {
				o.tables["orders"]["hash"] = c.hash
			}
			o.serve["orders"] = c.serve
			_, stderr, err := b.run("pull")
			if got := len(b.downloads()); got != c.tries {
				t.Errorf("%d tries, want %d: %v", got, c.tries, b.downloads())
			}
			if c.want == "" {
				if err != nil {
					t.Fatalf("pull: %v\n%s", err, stderr)
				}
				b.wantCopies(map[string]string{"orders": fresh, "other": parquet("2")})
				return
			}
			if ExitCode(err) != 1 {
				t.Errorf("exit code %d, want 1", ExitCode(err))
			}
			wantIn(t, stderr, "orders: ", c.want)
			wantIn(t, err.Error(), "1 item failed (orders)", "Copies from before are unchanged")
			b.wantCopies(map[string]string{"orders": old, "other": parquet("2")})
		})
	}
}

func wrongPart(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(file)-1, len(file)))
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, file[5:])
	}
}

func TestPullGoesOnWhereItBrokeOff(t *testing.T) {
	file := parquet(strings.Repeat("x", 1000))
	b := newBench(t)
	o := b.publish(map[string]string{"orders": file})
	var ranges, conditions []string
	serve := inTurn(cutShort(file, 100), whole(file))
	o.serve["orders"] = func(w http.ResponseWriter, r *http.Request) {
		ranges, conditions = append(ranges, r.Header.Get("Range")), append(conditions, r.Header.Get("If-Range"))
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding = %q", got)
		}
		serve(w, r)
	}
	b.mustRun("pull")
	if strings.Join(ranges, ",") != ",bytes=100-" || conditions[1] != `"`+md5Of(file)+`"` {
		t.Errorf("ranges %q, conditions %q", ranges, conditions)
	}
	if len(b.waits) != 1 || b.waits[0] != 300*time.Millisecond {
		t.Errorf("waited %v", b.waits)
	}
}

// A version published between manifest and download is no damage.
func TestPullWhileANewVersionIsPublished(t *testing.T) {
	b := newBench(t)
	first, second := parquet("1"), parquet("22")
	o := b.publish(map[string]string{"orders": second})
	o.tables["orders"] = entry(first)
	reads := 0
	o.onManifest = func() {
		if reads++; reads == 2 {
			o.tables["orders"] = entry(second)
		}
	}
	b.mustRun("pull")
	b.wantCopies(map[string]string{"orders": second})
}

func TestPullRefusesNamesThatLeaveTheFolder(t *testing.T) {
	for _, name := range []string{"../evil", "a/b", ".hidden", `a\b`, "", strings.Repeat("x", 200)} {
		b := newBench(t)
		o := b.publish(map[string]string{"orders": parquet("1")})
		o.tables[name] = entry(parquet("2"))
		_, stderr, err := b.run("pull")
		if ExitCode(err) != 1 {
			t.Errorf("%q: %v", name, err)
		}
		wantIn(t, stderr, "The name cannot be a file's name here")
		b.wantCopies(map[string]string{"orders": parquet("1")})
		if len(b.downloads()) != 1 {
			t.Errorf("%q was fetched", name)
		}
	}
}

func TestPullBoundsFiles(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1")})
	o.serve["orders"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", int(sizeSlack)+1000))
	}
	_, stderr, err := b.run("pull")
	if ExitCode(err) != 1 {
		t.Errorf("pull = %v", err)
	}
	wantIn(t, stderr, "orders: The server sends more than")
	b.wantCopies(nil)
}

func TestPullIntoAFolderThatCannotBeWritten(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	mustWrite(t, filepath.Join(b.workspace, "server", "parquet"), "a file in the way")
	wantIn(t, b.mustFail(1, "pull"), "The folder server/parquet of this workspace cannot be used: not a directory.")

	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only to root")
	}
	b = newBench(t)
	o := b.publish(map[string]string{"orders": parquet("1"), "gone": parquet("2")})
	b.mustRun("pull")
	o.tables["orders"] = entry(parquet("new"))
	delete(o.tables, "gone")
	dir := filepath.Dir(b.copyPath("orders"))
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Error(err)
		}
	})
	_, stderr, err := b.run("pull")
	if ExitCode(err) != 1 {
		t.Errorf("pull = %v", err)
	}
	wantIn(t, stderr, "orders: The folder server/parquet of this workspace cannot be used: permission denied.", "gone: You may not read this table any more, and its copy cannot be removed")
	b.wantCopies(map[string]string{"orders": parquet("1"), "gone": parquet("2")})
}

func TestPullOverAFolderOfThatName(t *testing.T) {
	b := newBench(t)
	b.publish(map[string]string{"orders": parquet("1")})
	mustWrite(t, filepath.Join(b.copyPath("orders"), "inside"), "x")
	_, stderr, err := b.run("pull")
	if ExitCode(err) != 1 {
		t.Errorf("pull = %v", err)
	}
	wantIn(t, stderr, "orders: The new copy cannot be put in place")
}

func TestPullStopped(t *testing.T) {
	b := newBench(t)
	o := b.publish(map[string]string{"orders": parquet("old")})
	b.mustRun("pull")
	o.tables["orders"] = entry(parquet("new"))
	ctx, cancel := context.WithCancel(t.Context())
	o.serve["orders"] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "PAR1")
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}
	b.log = nil
	_, stderr, err := b.runIn(ctx, "pull")
	if ExitCode(err) != 1 {
		t.Errorf("pull = %v", err)
	}
	wantIn(t, stderr, "orders: Stopped before")
	if n := len(b.downloads()); n != 1 {
		t.Errorf("%d tries after it was stopped", n)
	}
	b.wantCopies(map[string]string{"orders": parquet("old")})
}

func TestStalledDownloadIsTriedAgain(t *testing.T) {
	stalled := domain.E(domain.Unavailable, "stalled", "The download stood still for 1m0s.")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stalled)
	c := &client{server: "http://x"}
	if got := c.brokenOff(ctx, io.ErrUnexpectedEOF); got.Error() != stalled.Error() {
		t.Errorf("brokenOff = %v", got)
	}
	var again *transient
	if err := retryUnlessStopped(c.brokenOff(ctx, io.ErrUnexpectedEOF)); !errors.As(err, &again) {
		t.Errorf("%v is not tried again", err)
	}
}

func TestReplaceFileKeepsTheOldOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	if err := replaceFile(path, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(path, []byte("2")); err != nil || mustRead(t, path) != "2" {
		t.Errorf("replaceFile: %v", err)
	}
	if err := replaceFile(filepath.Join(dir, "none", "a.json"), []byte("1")); err == nil {
		t.Error("a folder that is not there took a file")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
