package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// served is a server in a process of its own, which a test may kill.
type served struct {
	person
	data string
	cmd  *exec.Cmd
}

func mustServe(t *testing.T, data string) *served {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--addr", "127.0.0.1:0")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "TMPDIR=" + os.TempDir(), "DATA_DIR=" + data,
		"SEED_ADMIN_EMAIL=" + adminEmail, "SEED_ADMIN_PASSWORD=" + password, "AGNES_METRICS_ADDR=off",
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = testLog{t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{data: data, cmd: cmd}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "Agnes serves http") {
		t.Fatalf("the server said %q, %v", lines.Text(), lines.Err())
	}
	i := &instance{t: t, url: strings.TrimPrefix(lines.Text(), "Agnes serves ")}
	s.person = i.admin()
	return s
}

// kill ends the server as a power cut would, as far as a process can tell.
func (s *served) kill() {
	if s.cmd.ProcessState != nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Errorf("kill: %v", err)
	}
	if err := s.cmd.Wait(); err == nil {
		s.t.Error("the server ended by itself")
	}
}

// tus sends one request of the protocol and returns the answer, or an error
// when the server died meanwhile.
func (s *served) tus(method, path string, body io.Reader, length int64, headers ...string) (*http.Response, error) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.ContentLength = length; length == 0 {
		r.Body = http.NoBody
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Tus-Resumable", "1.0.0")
	r.Header.Set("Content-Type", "application/offset+octet-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	return answer, answer.Body.Close()
}

func (s *served) mustTus(method, path string, body io.Reader, length int64, status int, headers ...string) http.Header {
	s.t.Helper()
	answer, err := s.tus(method, path, body, length, headers...)
	if err != nil || answer.StatusCode != status {
		s.t.Fatalf("%s %s = %+v, %v, want %d", method, path, answer, err, status)
	}
	return answer.Header
}

func (s *served) mustBegin(name string, size int64) (at string) {
	s.t.Helper()
	// "Y3N2" and the like are base64, as the protocol has it.
	return s.mustTus(http.MethodPost, "/api/uploads", nil, 0, http.StatusCreated,
		"Upload-Length", strconv.FormatInt(size, 10), "Upload-Metadata", "filename "+name).Get("Location")
}

func (s *served) offset(at string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(s.mustTus(http.MethodHead, at, nil, 0, http.StatusOK).Get("Upload-Offset"), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

const (
	csvName   = "Y2xpY2tzLmNzdg==" // clicks.csv
	csvHeader = "id,amount,city,happened_at,note\n"
	rowBytes  = 64
)

// rows is a generated CSV that can be read from any byte: each row is as long
// as the others. stop is called once, after that many bytes were read.
type rows struct {
	at, end int64
	stop    func()
	stopAt  int64
}

func csvBytes(n int64) int64 { return int64(len(csvHeader)) + n*rowBytes }

// Read implements io.Reader.
func (r *rows) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.at < r.end {
		line, from := csvHeader, r.at
		if from >= int64(len(csvHeader)) {
			i := (r.at - int64(len(csvHeader))) / rowBytes
			from = (r.at - int64(len(csvHeader))) % rowBytes
			line = row(i)
		}
		took := copy(p[n:min(int64(len(p)), int64(n)+r.end-r.at)], line[from:])
		n, r.at = n+took, r.at+int64(took)
	}
	if r.stop != nil && r.at >= r.stopAt {
		r.stop()
		r.stop = nil
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// row is one row of exactly rowBytes.
func row(i int64) string {
	return fmt.Sprintf("%010d,%08.2f,%s,2026-%02d-%02d 10:00:00,note %012d\n", i, float64(i%100000)/7, [...]string{"Praha", "Wiens", "Paris", "Tokyo"}[i%4], i%12+1, i%28+1, i%1000)
}

func TestRowsAreOfOneLength(t *testing.T) {
	t.Parallel()
	for _, i := range []int64{0, 1, 999_999_999, 1_234_567_890} {
		if got := len(row(i)); got != rowBytes {
			t.Errorf("row %d has %d bytes, want %d: %q", i, got, rowBytes, row(i))
		}
	}
}

// TestUploadSurvivesKills kills the server in the midst of an upload, again and
// again: what it said has arrived has arrived, and the file comes whole.
func TestUploadSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server five times")
	}
	const n = 1 << 20
	size, data := csvBytes(n), t.TempDir()
	s := mustServe(t, data)
	at := s.mustBegin(csvName, size)
	offset := int64(0)
	for round, sent := range []int64{40 << 20, 1 << 20, 20 << 20, 5} {
		body := &rows{at: offset, end: size, stop: s.kill, stopAt: min(offset+sent, size)}
		if answer, err := s.tus(http.MethodPatch, at, body, size-offset, "Upload-Offset", strconv.FormatInt(offset, 10)); err == nil {
			t.Fatalf("round %d: a killed server answered %s", round, answer.Status)
		}
		s = mustServe(t, data)
		now := s.offset(at)
		if now < offset || now > offset+sent+(1<<20) || (sent > 32<<20 && now == offset) {
			t.Errorf("round %d: at %d after %d more bytes were sent from %d", round, now, sent, offset)
		}
		offset = now
	}
	s.mustTus(http.MethodPatch, at, &rows{at: offset, end: size}, size-offset, http.StatusNoContent, "Upload-Offset", strconv.FormatInt(offset, 10))
	staged, err := os.Open(filepath.Join(data, "uploads", filepath.Base(at), "clicks.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	if got, want := mustSum(t, staged), mustSum(t, &rows{end: size}); got != want {
		t.Error("the file is not what was sent")
	}
	s.mustMakeTable(at, "clicks", n)
}

func mustSum(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// mustMakeTable previews an upload, makes it a table and waits for its rows.
func (s *served) mustMakeTable(at, name string, n int64) {
	s.t.Helper()
	page := "/uploads/" + filepath.Base(at)
	if resp, data := s.send(http.MethodGet, page, "", nil); resp.StatusCode != http.StatusOK || !strings.Contains(string(data), "happened_at") {
		s.t.Fatalf("preview = %s without the column", resp.Status)
	}
	form := url.Values{"name": {name}, "description": {"One row a click"}}
	if resp, data := s.send(http.MethodPost, page, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); resp.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("make a table = %s: %.500s", resp.Status, data)
	}
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		var got struct {
			Runs []struct {
				Name, State, Message string
				Rows                 int64
			}
		}
		s.call(http.MethodGet, "/api/sync/runs", nil, http.StatusOK, &got)
		if len(got.Runs) > 0 && got.Runs[0].State != "queued" && got.Runs[0].State != "running" {
			if r := got.Runs[0]; r.State != "ok" || r.Rows != n {
				s.t.Fatalf("the sync ended %+v, want %d rows", r, n)
			}
			break
		}
		select {
		case <-every.C:
		case <-s.t.Context().Done():
			s.t.Fatal("the sync did not end")
		}
	}
	if got := fmt.Sprint(s.query("SELECT count(*), sum(id::BIGINT)::VARCHAR, count(DISTINCT city) FROM " + name).Rows); got != fmt.Sprintf("[[%d %d 4]]", n, n*(n-1)/2) {
		s.t.Errorf("the rows are %s", got)
	}
}

// memory samples the resident memory of a server.
type memory struct {
	sync.Mutex
	most map[string]int64
	now  string
	done chan struct{}
}

// watch samples until the returned function is called; phase names what comes next.
func (s *served) watch() (phase func(name string), stop func() map[string]int64) {
	m := &memory{most: map[string]int64{}, done: make(chan struct{})}
	every := time.NewTicker(50 * time.Millisecond)
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			m.Lock()
			m.most[m.now] = max(m.most[m.now], s.resident())
			m.Unlock()
			select {
			case <-every.C:
			case <-m.done:
				return
			}
		}
	})
	return func(name string) {
			m.Lock()
			defer m.Unlock()
			m.now = name
		}, func() map[string]int64 {
			every.Stop()
			close(m.done)
			ended.Wait()
			return m.most
		}
}

// resident is VmRSS in KiB.
func (s *served) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Errorf("read the server's memory: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		s.t.Error(err)
	}
	return n
}

// wantSmall fails when a phase took more than 50 MiB above idle.
func wantSmall(t *testing.T, idle int64, most map[string]int64) {
	t.Helper()
	for name, kib := range most {
		t.Logf("%-8s %6.1f MiB, %+.1f above idle", name, float64(kib)/1024, float64(kib-idle)/1024)
		if kib-idle > 50<<10 {
			t.Errorf("%s: more than 50 MiB above idle", name)
		}
	}
}

func skipUnlessLong(t *testing.T) {
	t.Helper()
	if os.Getenv("AGNES_LONG") != "1" {
		t.Skip("takes minutes and gigabytes of disk; set AGNES_LONG=1")
	}
}

// TestUploadOneGigabyte uploads a CSV of 1 GiB as the browser does, makes it a
// table, and watches the server's memory.
func TestUploadOneGigabyte(t *testing.T) {
	skipUnlessLong(t)
	const n, piece = 1 << 24, 32 << 20
	size := csvBytes(n)
	s := mustServe(t, t.TempDir())
	idle := s.resident()
	phase, stop := s.watch()
	phase("upload")
	began := time.Now()
	at := s.mustBegin(csvName, size)
	for offset := int64(0); offset < size; {
		length := min(piece, size-offset)
		s.mustTus(http.MethodPatch, at, &rows{at: offset, end: offset + length}, length, http.StatusNoContent, "Upload-Offset", strconv.FormatInt(offset, 10))
		offset += length
	}
	took := time.Since(began)
	phase("sync")
	began = time.Now()
	s.mustMakeTable(at, "clicks", n)
	most := stop()
	t.Logf("%d bytes: upload %.1f s (%.0f MiB/s), preview and sync %.1f s; idle %.1f MiB, after %.1f MiB",
		size, took.Seconds(), float64(size)/(1<<20)/took.Seconds(), time.Since(began).Seconds(), float64(idle)/1024, float64(s.resident())/1024)
	wantSmall(t, idle, most)
}

// TestManyUploadsAtOnce sends twenty files of 100 MiB side by side.
func TestManyUploadsAtOnce(t *testing.T) {
	skipUnlessLong(t)
	const files, size = 20, 100 << 20
	s := mustServe(t, t.TempDir())
	idle := s.resident()
	phase, stop := s.watch()
	phase("uploads")
	began := time.Now()
	var all sync.WaitGroup
	for range files {
		all.Go(func() {
			at := s.mustBegin(csvName, size)
			s.mustTus(http.MethodPatch, at, &rows{end: size}, size, http.StatusNoContent, "Upload-Offset", "0")
		})
	}
	all.Wait()
	t.Logf("%d uploads of %d bytes in %.1f s", files, size, time.Since(began).Seconds())
	wantSmall(t, idle, stop())
}
