//go:build duckdb_arrow

package jobs

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"agnes/domain/files"
	"agnes/domain/profile"
	"agnes/domain/registry"
	"agnes/domain/work"
	"agnes/store/warehouse"
)

// TestMain makes the test binary its own child, as the program is its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		os.Exit(beChild(os.Args[2]))
	}
	os.Exit(m.Run())
}

func beChild(kind string) int {
	channel := os.NewFile(3, "parent")
	if kind == "query" {
		conn, err := net.FileConn(channel)
		if err != nil {
			return 3
		}
		script := filepath.Base(os.Args[0])
		again := script == "lost once" && os.Mkdir(os.Args[0]+".lost", 0o700) != nil
		if !strings.HasSuffix(script, ".test") && !again {
			return misbehave(script, conn)
		}
		if err := warehouse.RunQuery(context.Background(), conn, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if kind == "prove" {
		if err := warehouse.RunProve(context.Background(), channel, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if kind == "import" || kind == "mirror" {
		return actState(kind, channel)
	}
	return actJob(kind, channel)
}

// misbehave plays a query child that breaks the rules in the way that the name of
// its program says.
func misbehave(script string, conn net.Conn) int {
	say := func(t work.FrameType, text string) {
		if err := work.WriteFrame(conn, t, []byte(text)); err != nil {
			os.Exit(4)
		}
	}
	hear := func() {
		if _, _, err := work.ReadFrame(conn); err != nil {
			os.Exit(5)
		}
	}
	hear()
	switch script {
	case "mute":
		return 1
	case "sick":
		say(work.FrameError, `{"code":"query_child_setup","message":"x","cause":"no scratch"}`)
		return 1
	case "starved":
		fmt.Fprintln(os.Stderr, "fatal error: runtime: cannot allocate memory")
		return 2
	case "odd":
		say(work.FrameEnd, "{}")
		select {}
	}
	say(work.FrameReady, "")
	hear()
	switch script {
	case "rowless":
		say(work.FrameBatch, "no rows")
	case "unspoken":
		say(work.FrameSchema, "{")
	case "garbled":
		say(work.FrameSchema, "{}")
		say(work.FrameBatch, "no rows")
	case "miscounting":
		say(work.FrameSchema, "{}")
		say(work.FrameEnd, `{"rows":5}`)
	case "endless":
		say(work.FrameSchema, "{}")
		if _, err := conn.Write([]byte{byte(work.FrameBatch), 0xff, 0xff, 0xff, 0xff}); err != nil {
			return 4
		}
	case "lost", "lost once":
		say(work.FrameError, `{"code":"child_lost","message":"The engine stopped."}`)
	case "broken":
		say(work.FrameError, `{"code":"query_internal","message":"The engine stopped."}`)
	}
	select {} // until it is killed
}

// actJob plays an extract or rebuild child: the job's item, key or source says how.
func actJob(kind string, channel *os.File) int {
	var extract work.ExtractJob
	var rebuild work.RebuildJob
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err != nil {
		return 2
	}
	events := json.NewEncoder(channel)
	tell := func(e work.Event) {
		if err := events.Encode(e); err != nil {
			os.Exit(4)
		}
	}
	if kind == "rebuild" {
		if err := json.Unmarshal(line, &rebuild); err != nil {
			return 2
		}
		tell(work.Event{Rebuilt: &work.Rebuilt{Views: len(rebuild.Sources)}, Done: true})
		return 0
	}
	if kind == "profile" {
		var job work.ProfileJob
		if err := json.Unmarshal(line, &job); err != nil {
			return 2
		}
		tell(work.Event{Profile: &profile.Profile{RowCount: int64(job.Budget.Threads)}, Done: true})
		return 0
	}
	if err := json.Unmarshal(line, &extract); err != nil {
		return 2
	}
	fmt.Println("a line on standard output is no event")
	tell(work.Event{Phase: "extract", Fraction: 0.5})
	switch script := extract.Item + extract.Key + strings.TrimPrefix(extract.Source, "files"); script {
	case "fine":
		tell(work.Event{Extracted: &work.Extracted{Rows: 7, Bytes: extract.Budget.MemoryBytes, MD5: extract.Budget.ScratchKey}, Done: true})
	case "environment":
		tell(work.Event{Extracted: &work.Extracted{Warnings: os.Environ()}, Done: true})
	case "preview":
		tell(work.Event{Preview: &files.Preview{Format: files.CSV, TotalRows: 3}, Done: true})
	case "shop":
		if extract.VersionID == "none" {
			tell(work.Event{Done: true})
			break
		}
		tell(work.Event{Extracted: &work.Extracted{Files: []registry.File{{Key: "scratch/joined/" + string(extract.VersionID) + ".parquet"}}}, Done: true})
	case "crm":
		if extract.Inspect == work.InspectRemote {
			tell(work.Event{Attached: []work.Attached{{Alias: extract.Attach[0].Alias, Code: "extension_missing"}}, Done: true})
			break
		}
		tell(work.Event{Source: &work.Inspected{Tables: []work.SourceTable{{Name: "orders"}, {Name: "people"}}}, Done: true})
	case "refused":
		tell(work.Event{Failure: &work.Failure{Code: "not_csv", Message: "This is not a CSV file.", NextStep: "Upload another file."}})
		return 1
	case "full":
		tell(work.Event{Failure: &work.Failure{Code: "disk_full", Message: "The disk is full."}})
		return 1
	case "memory":
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'std::bad_alloc'")
		return 2
	case "crash":
		panic("on purpose")
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "silent":
		return 0
	case "nonsense":
		fmt.Fprintln(channel, "{not json")
		select {}
	case "polite":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		tell(work.Event{Phase: "convert"})
		<-ctx.Done()
		tell(work.Event{Failure: &work.Failure{Code: "cancelled", Message: "The work was stopped."}})
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		tell(work.Event{Phase: "convert"})
		select {}
	}
	return 0
}
