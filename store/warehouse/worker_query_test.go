//go:build duckdb_arrow

package warehouse

import (
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"agnes/domain/work"
)

// connected returns the two ends of a socket, as a child and its server have.
func connected(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "end")
		if ends[i], err = net.FileConn(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return ends[0], ends[1]
}

// served is a queryServer at the other end of a socket, without the sandbox.
func served(t *testing.T) (net.Conn, <-chan error) {
	t.Helper()
	e := queryWorld(t)
	ours, theirs := connected(t)
	ended := make(chan error, 1)
	s := &queryServer{engine: e, conn: theirs}
	go func() { ended <- s.serve(t.Context()) }()
	t.Cleanup(func() { _ = ours.Close() }) // some tests have closed it
	return ours, ended
}

func send(t *testing.T, conn net.Conn, job work.QueryJob) {
	t.Helper()
	if err := work.WriteJSONFrame(conn, work.FrameQuery, job); err != nil {
		t.Fatal(err)
	}
}

// frames reads an answer: the types of its frames, and the last payload.
func frames(t *testing.T, conn net.Conn) (types string, last []byte) {
	t.Helper()
	for {
		kind, payload, err := work.ReadFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		types += string(rune(kind))
		if kind == work.FrameEnd || kind == work.FrameError {
			return types, payload
		}
	}
}

func TestServerAnswersInFrames(t *testing.T) {
	conn, _ := served(t)
	tests := []struct{ sql, types, last string }{
		{"SELECT * FROM people", "SBZ", `{"rows":1,"more":false}`},
		{"SELECT * FROM people WHERE false", "SZ", `{"rows":0,"more":false}`},
		{"SELECT id FROM orders", "SBBZ", `{"rows":3000,"more":true}`},
		{"SELECT nosuch FROM orders", "E", `"code":"query_error"`},
		{"SELECT 1/0, error('late') FROM orders", "E", `late`},
		{"DROP VIEW orders", "E", `"code":"not_a_reading_statement"`},
		{"EXPLAIN SELECT 1", "SBZ", `"rows":1`},
	}
	for _, test := range tests {
		send(t, conn, work.QueryJob{SQL: test.sql, MaxRows: 3000})
		if types, last := frames(t, conn); types != test.types || !strings.Contains(string(last), test.last) {
			t.Errorf("%s: frames %s ending in %s, want %s ending in %s", test.sql, types, last, test.types, test.last)
		}
	}
}

func TestServerHearsInterrupts(t *testing.T) {
	conn, _ := served(t)
	for range 3 {
		send(t, conn, work.QueryJob{SQL: "SELECT * FROM range(1000000000000)"})
		if err := work.WriteFrame(conn, work.FrameInterrupt, nil); err != nil {
			t.Fatal(err)
		}
		_, last := frames(t, conn)
		var f work.Failure
		if err := json.Unmarshal(last, &f); err != nil || f.Code != codeQueryCancelled {
			t.Errorf("interrupted: %s, want %s", last, codeQueryCancelled)
		}
		// One that comes late, for a statement that has ended, stops nothing.
		if err := work.WriteFrame(conn, work.FrameInterrupt, nil); err != nil {
			t.Fatal(err)
		}
		send(t, conn, work.QueryJob{SQL: "SELECT 1"})
		if types, last := frames(t, conn); types != "SBZ" {
			t.Errorf("after an interrupt: frames %s, %s", types, last)
		}
	}
}

func TestServerEndsWithTheConnection(t *testing.T) {
	conn, ended := served(t)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server hung up: %v, want no error", err)
	}
}

func TestServerRefusesOddFrames(t *testing.T) {
	for _, kind := range []work.FrameType{work.FrameConfigure, work.FrameBatch, 'q'} {
		conn, ended := served(t)
		if err := work.WriteFrame(conn, kind, nil); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Errorf("frame %q was taken", kind)
		}
	}
}

func TestConfigurationThatCannotBe(t *testing.T) {
	ours, theirs := connected(t)
	defer ours.Close()
	ended := make(chan error, 1)
	go func() { ended <- RunQuery(t.Context(), theirs, slog.New(slog.DiscardHandler)) }()
	if err := work.WriteJSONFrame(ours, work.FrameConfigure, work.QueryConfig{DataDir: t.TempDir() + "/missing"}); err != nil {
		t.Fatal(err)
	}
	kind, payload, err := work.ReadFrame(ours)
	var f work.Failure
	if jerr := json.Unmarshal(payload, &f); err != nil || jerr != nil || kind != work.FrameError || f.Code != "query_child_setup" || strings.Contains(f.Message, "missing") {
		t.Errorf("frame %q %s, %v; want an error without the path", kind, payload, err)
	}
	if err := <-ended; err == nil {
		t.Error("RunQuery ended without an error")
	}
}
