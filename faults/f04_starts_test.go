package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// oddStart is one way in which a data directory may look after an accident.
type oddStart struct {
	name  string
	file  string
	spoil func(file string) error
	state bool // what is in the state cannot be expected to be there
}

// The ways to spoil a file.
func emptied(f string) error { return remade(f, nil) }

func garbage(f string) error {
	return remade(f, []byte(strings.Repeat("this is no such file ", 400)))
}

func halved(f string) error {
	data, err := os.ReadFile(f)
	if err != nil {
		return err
	}
	return remade(f, data[:len(data)/2])
}

func folder(f string) error { return errors.Join(os.RemoveAll(f), os.MkdirAll(f, 0o750)) }

func absent(f string) error { return os.RemoveAll(f) }

func remade(f string, data []byte) error {
	return errors.Join(os.RemoveAll(f), os.MkdirAll(filepath.Dir(f), 0o750), os.WriteFile(f, data, 0o640))
}

// oddStates are the cases of F4.
func oddStates() []oddStart {
	var out []oddStart
	add := func(file string, state bool, ways ...func(string) error) {
		for _, way := range ways {
			out = append(out, oddStart{name: fmt.Sprintf("%s %d", file, len(out)+1), file: file, spoil: way, state: state})
		}
	}
	add("analytics/server.duckdb", false, emptied, halved, garbage, folder, absent)
	add("analytics/server.duckdb.wal", false, emptied, garbage, folder)
	add("analytics/.tmp-12345", false, garbage, folder)
	add("analytics/.tmp-12345.wal", false, garbage)
	add("analytics", false, absent, emptied)
	add("extracts/files/extract.duckdb", false, emptied, halved, folder, absent)
	add("extracts/files/extract.duckdb.wal", false, garbage)
	add("extracts/files/data/orders.parquet", false, emptied, halved, folder, absent)
	add("extracts/files/data/.tmp-999", false, garbage)
	add("extracts/crm/extract.duckdb", false, emptied, garbage, folder)
	add("extracts/crm/extract.duckdb.wal", false, garbage)
	add("versions/files/orders/.tmp-77", false, garbage)
	add("versions/files/orders/01ORPHAN.parquet", false, garbage)
	add("uploads", false, emptied)
	add("scratch", false, emptied)
	add("scratch/01OLD/duckdb_temp_storage.tmp", false, garbage)
	add("state/system.lock", false, garbage, folder)
	add("state/system.db-journal", false, garbage)
	add("state/system.db-shm", false, garbage)
	add("state/system.db", true, emptied, halved, garbage, folder)
	add("state/.jwt_secret", false, emptied, garbage, folder)
	return out
}

// oddStarts is F4: the server starts from odd files, and serves, or refuses
// with one clear line.
func oddStarts(t *trials) {
	base, l := t.newDir("odd"), newLedger()
	s := t.serve(base, nil)
	must((&load{server: s, ledger: l}).bring("orders", l.next("orders", usual(t.Rand))))
	must(s.stop())
	cases := oddStates()
	refusals := 0
	var wg sync.WaitGroup
	free := make(chan struct{}, 2)
	for _, c := range cases {
		free <- struct{}{}
		dir := t.newDir("odd")
		wg.Go(func() {
			defer func() { <-free }()
			t.one(c.name, func() error {
				if out, err := exec.Command("cp", "-a", base+"/.", dir).CombinedOutput(); err != nil {
					return fmt.Errorf("copy: %w: %s", err, out)
				}
				if err := c.spoil(filepath.Join(dir, c.file)); err != nil {
					return err
				}
				started, err := t.startOdd(dir, c, l.snapshot()["orders"])
				if err == nil && !started {
					t.mu.Lock()
					refusals++
					t.mu.Unlock()
				}
				return err
			})
		})
	}
	wg.Wait()
	t.note("%d start, %d refuse with one line", t.survived-refusals, refusals)
}

// startOdd starts a server and says whether it served.
func (t *trials) startOdd(dir string, c oddStart, orders tableFacts) (started bool, err error) {
	s := t.launch(dir)
	defer s.kill()
	if err := guarded(func() error { return s.readyWithin(readyLimit) }); err != nil {
		if !s.gone() {
			return false, fmt.Errorf("neither ready nor ended after %s: %w", readyLimit, err)
		}
		return false, oneLine(s.log)
	}
	s.signIn(nil)
	if c.state {
		return true, nil // the state was spoilt, so nothing is left to compare
	}
	if err := s.checkRows("orders", orders); err != nil {
		return true, err
	}
	var again struct{ Message string }
	err = s.call("POST", "/api/sync/trigger", []string{"orders"}, &again)
	var no *refused
	if errors.As(err, &no) && no.status == http.StatusConflict { // the watch of files takes a copy of a file for a new one
		err = nil
	}
	if err != nil {
		return true, err
	}
	last, err := s.awaitRun("orders", 20*time.Second)
	if err != nil {
		return true, err
	}
	if last.State != "ok" {
		return true, excusable(&runFailed{last})
	}
	if err := s.checkRows("orders", orders); err != nil {
		return true, err
	}
	if info, err := os.Lstat(filepath.Join(dir, "analytics", "server.duckdb.wal")); !errors.Is(err, fs.ErrNotExist) {
		return true, fmt.Errorf("the log is still beside server.duckdb: %v %w", info, err)
	}
	return true, checkAnalytics(s, map[string]tableFacts{"orders": orders})
}

var trace = regexp.MustCompile(`(?m)^(goroutine \d+|panic:|SIGSEGV|\s+/.*\.go:\d+)`)

// oneLine fails unless a server that refused to start said why in one line.
func oneLine(log string) error {
	data, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	if trace.Match(data) {
		return fmt.Errorf("it ended with a trace: %s", lastLines(string(data), 3))
	}
	var said []string
	for text := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
		if text != "" && !strings.HasPrefix(text, "{") {
			said = append(said, text)
		}
	}
	if len(said) != 1 || len(said[0]) < 20 {
		return fmt.Errorf("it ended with %d lines instead of one: %q", len(said), said)
	}
	return nil
}
