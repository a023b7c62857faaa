package warehouse

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/work"
)

// testConnector converts a file, or takes a snapshot when the item has no
// ending.
type testConnector struct{}

func (testConnector) Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error) {
	if job.Item == "refused.csv" {
		return work.Extracted{}, domain.E(domain.NotFound, "file_missing", "The file is not there any more.").Because(fs.ErrNotExist)
	}
	if format, known := files.FormatOf(job.Item); known {
		return sink.Convert(ctx, "files/"+job.Item, format)
	}
	return sink.Snapshot(ctx, job.Source, job.Item)
}

// TestChildProcess is no test: the tests below start this binary again with a
// role behind "--", and it plays that child.
func TestChildProcess(t *testing.T) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	events := os.NewFile(3, "events")
	var err error
	switch flag.Arg(0) {
	case "extract":
		err = RunExtract(t.Context(), os.Stdin, events, map[string]Connector{"files": testConnector{}, "custom": testConnector{}}, log)
	case "rebuild":
		err = RunRebuild(t.Context(), os.Stdin, events, log)
	case "profile":
		err = RunProfile(t.Context(), os.Stdin, events, log)
	case "hold":
		err = holdOpen(flag.Arg(1))
	case "peek":
		err = peek(flag.Arg(1), events, log)
	default:
		t.Skip("not a child")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// holdOpen is an extractor that writes until its stdin closes.
func holdOpen(file string) error {
	db, err := sql.Open("duckdb", file)
	if err != nil {
		return err
	}
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS t AS SELECT 1"); err != nil {
		return err
	}
	fmt.Println("holding")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, db.Close())
}

// peek tries what a sandboxed child must not be able to do.
func peek(dir string, events io.Writer, log *slog.Logger) error {
	s, err := NewStore(dir, work.Budget{MemoryBytes: 64 << 20, ScratchKey: "scratch/peek"}, log)
	if err != nil {
		return err
	}
	if err := enterSandbox(s.budget, s.extractDoors(work.ExtractJob{Source: "shop"}), log); err != nil {
		return err
	}
	_, passwd := os.ReadFile("/etc/passwd")
	_, state := os.ReadFile(filepath.Join(dir, "state/system.db"))
	write := os.WriteFile(filepath.Join(dir, "extracts/shop/x"), nil, 0o600)
	own := os.WriteFile(filepath.Join(dir, "versions/shop/x"), nil, 0o600)
	_, err = fmt.Fprintln(events, errors.Is(passwd, os.ErrPermission), errors.Is(state, os.ErrPermission), errors.Is(write, os.ErrPermission), own == nil)
	return err
}

func childCommand(t *testing.T, role ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, append([]string{"-test.run=^TestChildProcess$", "--"}, role...)...)
	cmd.Env = []string{}
	return cmd
}

// mustRun runs a child to its end and returns what it wrote to descriptor 3.
func mustRun(t *testing.T, cmd *exec.Cmd, stdin string) []byte {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdin, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), []*os.File{write}, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	events, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("child: %v\n%s", err, out.String())
	}
	return events
}

func mustEvents(t *testing.T, role string, job any) []work.Event {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	var events []work.Event
	lines := bufio.NewScanner(bytes.NewReader(mustRun(t, childCommand(t, role), string(text))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e work.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("event %q: %v", lines.Text(), err)
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		t.Fatal("no events")
	}
	return events
}

func extractJob(s *Store, item string) work.ExtractJob {
	return work.ExtractJob{
		DataDir: s.dir, Connector: "files", Source: "files", Item: item, Table: "t", VersionID: "v1", RunID: "r1",
		Budget: work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/child"},
	}
}

func TestExtractChild(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "id\n1\n2\n")
	events := mustEvents(t, "extract", extractJob(s, "a.csv"))
	var phases []string
	var extracted *work.Extracted
	for _, e := range events {
		if e.Phase != "" && (len(phases) == 0 || phases[len(phases)-1] != e.Phase) {
			phases = append(phases, e.Phase)
		}
		if e.Extracted != nil {
			extracted = e.Extracted
		}
	}
	if !slices.Equal(phases, []string{"extract", "convert", "publish"}) || !events[len(events)-1].Done || extracted == nil {
		t.Fatalf("phases %q, events %+v", phases, events)
	}
	if got := mustRead(t, s, *extracted); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("rows %q", got)
	}
}

func TestExtractChildFailures(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/empty.csv", "")
	change := func(f func(*work.ExtractJob)) work.ExtractJob {
		job := extractJob(s, "empty.csv")
		f(&job)
		return job
	}
	for name, c := range map[string]struct {
		job  any
		code string
	}{
		"empty file":        {change(func(*work.ExtractJob) {}), "file_empty"},
		"connector refuses": {change(func(j *work.ExtractJob) { j.Item = "refused.csv" }), "file_missing"},
		"unknown connector": {change(func(j *work.ExtractJob) { j.Connector = "x" }), "job_invalid"},
		"unknown look":      {change(func(j *work.ExtractJob) { j.Inspect = "x" }), "job_invalid"},
		"bad source":        {change(func(j *work.ExtractJob) { j.Source = "../x" }), "job_invalid"},
		"bad data dir":      {change(func(j *work.ExtractJob) { j.DataDir = "x" }), "job_invalid"},
		"unknown field":     {map[string]string{"data_dri": s.dir}, "job_invalid"},
		"not a job":         {"hello", "job_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := mustEvents(t, "extract", c.job)
			last := events[len(events)-1]
			if last.Failure == nil || last.Failure.Code != c.code || last.Failure.Message == "" {
				t.Errorf("last event %+v, want failure %s", last, c.code)
			}
		})
	}
}

func TestInspectChild(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "uploads/1/a.csv", "id\n1\n")
	job := extractJob(s, "")
	job.Inspect, job.Key, job.Source = work.InspectFile, "uploads/1/a.csv", ""
	if events := mustEvents(t, "extract", job); events[0].Preview == nil || len(events[0].Preview.Rows) != 1 {
		t.Errorf("events %+v", events)
	}
	newShop(t, s, metaFor("shop", "('t','',1,1,now(),'local')"), "CREATE TABLE shop.t AS SELECT 1 AS i")
	job.Inspect, job.Source = work.InspectSource, "shop"
	if events := mustEvents(t, "extract", job); events[0].Source == nil || len(events[0].Source.Tables) != 1 || events[0].Source.Tables[0].Name != "t" {
		t.Errorf("events %+v %+v", events, events[0].Failure)
	}
}

func TestSnapshotChild(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	dir := filepath.Join(s.dir, "extracts/shop")
	newShop(t, s, metaFor("shop", "('orders','',1,1,now(),'local')"),
		"CREATE VIEW shop.orders AS SELECT * FROM read_parquet("+quoteLiteral(filepath.Join(dir, "data/orders.parquet"))+")")
	job := extractJob(s, "orders")
	job.Connector, job.Source, job.Table = "custom", "shop", "orders"
	if events := mustEvents(t, "extract", job); !events[len(events)-1].Done {
		t.Errorf("events %+v", events)
	}
}

func TestRebuildChild(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	table := mustVersion(t, s, "files", "orders", "v1", "SELECT 1 AS id")
	job := work.RebuildJob{
		DataDir: s.dir, Budget: work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/child"},
		Sources: []work.RebuildSource{{Name: "files", Owned: true, Tables: []work.RebuildTable{table}}},
	}
	events := mustEvents(t, "rebuild", job)
	if i := slices.IndexFunc(events, func(e work.Event) bool { return e.Rebuilt != nil }); i < 0 || events[i].Rebuilt.Views != 1 || !events[len(events)-1].Done {
		t.Fatalf("events %+v", events)
	}
	version, err := os.Stat(mustPath(t, s, table.Keys[0]))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.Stat(mustPath(t, s, dataKey("files", "orders")))
	if err != nil || !os.SameFile(version, data) {
		t.Errorf("the sandboxed child could not link: %v", err)
	}
}

func TestExtractLockedByItsWriter(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "extracts/shop/x", "")
	cmd := childCommand(t, "hold", mustPath(t, s, "extracts/shop/extract.duckdb"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	_, err = s.SourceTables(t.Context(), "shop")
	wantCode(t, err, "extract_locked")
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestSandboxShutsDoors(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "state/system.db", "secret")
	mustWrite(t, s, "extracts/shop/extract.duckdb", "")
	if _, err := landlocksys.LandlockGetABIVersion(); err != nil {
		t.Skip("this kernel has no Landlock")
	}
	if got := strings.TrimSpace(string(mustRun(t, childCommand(t, "peek", s.dir), ""))); got != "true true true true" {
		t.Errorf("denied passwd, state and extract, wrote versions: %s", got)
	}
}

func TestCancelledConvert(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/a.csv", "id\n1\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Convert(ctx, "files/a.csv", files.CSV, Target{"files", "t", "v1"}, nil)
	wantCode(t, err, "cancelled")
	wantClean(t, s)
}

func TestTellerReportsALostParent(t *testing.T) {
	t.Parallel()
	err := runChild(brokenPipe{}, slog.New(slog.DiscardHandler), func(Report) error { return nil })
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFraction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done, total int64
		want        float64
	}{{0, 10, 0}, {5, 10, 0.5}, {20, 10, 0.99}, {5, 0, 0}, {-1, 10, 0}} {
		if got := fraction(c.done, c.total); got != c.want {
			t.Errorf("fraction(%d, %d) = %v, want %v", c.done, c.total, got, c.want)
		}
	}
}
