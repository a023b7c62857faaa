package faults

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLedgerKnowsWhatATableMayShow(t *testing.T) {
	l := newLedger()
	first, second := l.next("orders", 10), l.next("orders", 12)
	l.confirm("orders", first.number)
	tests := []struct {
		name            string
		rows, low, high int
		sum             int64
		ok              bool
	}{
		{"the confirmed one", 10, 1, 1, first.sum, true},
		{"a newer one that was sent", 12, 2, 2, second.sum, true},
		{"both at once", 22, 1, 2, first.sum + second.sum, false},
		{"a row too few", 9, 1, 1, first.sum, false},
		{"another value", 10, 1, 1, first.sum + 1, false},
		{"one that was never sent", 10, 3, 3, first.sum, false},
	}
	for _, tt := range tests {
		if err := l.snapshot()["orders"].held(tt.rows, tt.low, tt.high, tt.sum); (err == nil) != tt.ok {
			t.Errorf("%s: held = %v, want ok %t", tt.name, err, tt.ok)
		}
	}
	l.confirm("orders", second.number)
	if err := l.snapshot()["orders"].held(10, 1, 1, first.sum); err == nil {
		t.Error("older rows pass after newer ones were confirmed")
	}
}

func TestFactsThatAreLostOrComeBack(t *testing.T) {
	known := map[string]fact{"ada": there, "ben": gone}
	for want, present := range map[string]map[string]bool{"": {"ada": true}, "lost": {}, "back": {"ada": true, "ben": true}} {
		err := missing("person", known, present)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("missing(%v) = %v, want %q", present, err, want)
		}
	}
}

func TestHalfFilesAndLogsAreSeen(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := remade(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("versions/files/orders/1.parquet", "PAR1 and its rows PAR1")
	put("versions/files/orders/.tmp-1", "half")
	if err := checkFiles(dir); err != nil {
		t.Errorf("a whole file and a hidden one: %v", err)
	}
	put("versions/files/orders/2.parquet", "PAR1 and no end")
	if err := checkFiles(dir); err == nil {
		t.Error("half a file passes")
	}
	if err := os.Remove(filepath.Join(dir, "versions/files/orders/2.parquet")); err != nil {
		t.Fatal(err)
	}
	put("analytics/server.duckdb.wal", "")
	if err := checkFiles(dir); err == nil {
		t.Error("a log beside the published database passes")
	}
}

func TestReportCountsWhatIsNotShown(t *testing.T) {
	row := func(tried, survived int, skipped string, faults ...string) *trials {
		return &trials{line: line{id: "F0", fault: "x"}, n: 3, tried: tried, survived: survived, skipped: skipped, faults: faults}
	}
	tests := []struct {
		name string
		row  *trials
		code int
		word string
	}{
		{"all held", row(3, 3, ""), 0, "ok"},
		{"one did not", row(3, 2, "", "#1: lost"), 1, "FAILED"},
		{"a check beside them did not", row(3, 3, "", "check: lost"), 1, "FAILED"},
		{"no root", row(0, 0, "needs root"), 1, "skipped"},
		{"no time", row(2, 2, ""), 1, "cut short"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if got := report(&out, []*trials{tt.row}, 1, time.Second, 1); got != tt.code || !strings.Contains(out.String(), tt.word) {
			t.Errorf("%s: report = %d, want %d and %q in:\n%s", tt.name, got, tt.code, tt.word, out.String())
		}
	}
}

func TestExcusesAreInWords(t *testing.T) {
	tests := []struct {
		name string
		err  error
		ok   bool
	}{
		{"unavailable with a sentence", &refused{503, "The server's disk is full. Free some space."}, true},
		{"unavailable without", &refused{503, ""}, false},
		{"a fault of the server", &refused{500, "Internal server error, and no more"}, false},
		{"a sync that says why", &runFailed{syncRun{State: "failed", Code: "disk_full", Message: "Full."}}, true},
		{"a sync that does not", &runFailed{syncRun{State: "failed", Code: "internal", Message: "?"}}, false},
		{"wrong rows", &wrongRows{"orders", errors.New("mixed")}, false},
	}
	for _, tt := range tests {
		if err := excusable(tt.err); (err == nil) != tt.ok {
			t.Errorf("%s: excusable = %v, want ok %t", tt.name, err, tt.ok)
		}
	}
}
