package conformance_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"agnes/connectors/conformance"
	"agnes/connectors/custom"
	"agnes/domain/work"
	"agnes/store/warehouse"
	"agnes/store/warehouse/warehousetest"
)

// faultVariable names the fault that a run of this test binary has.
const faultVariable = "AGNES_TEST_FAULT"

// A suite that nothing fails proves nothing: each way to break the contract is
// found by the check that is there for it, and a sound connector passes all.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for fault, check := range map[string]string{
		"none":                             "",
		"a table that is not there":        "identifiers",
		"a refusal with a path":            "failure",
		"a refusal without a code":         "identifiers",
		"litter of what failed":            "failure",
		"rows from before":                 "again",
		"a version that is written over":   "again",
		"work that goes on":                "cancel",
		"no word of progress":              "progress",
		"a wrong sum":                      "manifest",
		"a wrong count":                    "manifest",
		"a file that is elsewhere":         "manifest",
		"columns that are not there":       "columns",
		"no rows instead of an empty name": "empty",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOfAFault$/^"+check+"$")
			if check == "" {
				run.Args[1] = "-test.run=^TestOfAFault$"
			}
			run.Env = append(os.Environ(), faultVariable+"="+fault)
			said, err := run.CombinedOutput()
			switch {
			case check == "" && err != nil:
				t.Errorf("a sound connector fails: %s", said)
			case check != "" && (err == nil || !strings.Contains(string(said), "--- FAIL: TestOfAFault/"+check)):
				t.Errorf("%v; nothing of it in %s: %s", err, check, said)
			}
		})
	}
}

// TestOfAFault is the suite over a connector with a fault.
func TestOfAFault(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		t.Skip("is run by TestFaultsAreFound")
	}
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		t.Helper()
		return subject(t, fault)
	})
}

// faulty is a sound connector with one fault.
type faulty struct {
	custom.Connector
	dir, fault string
}

func (f faulty) Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error) {
	if f.fault == "work that goes on" {
		ctx = context.WithoutCancel(ctx)
	}
	out, err := f.Connector.Extract(ctx, job, sink)
	switch {
	case f.fault == "a table that is not there", f.fault == "a version that is written over" && err != nil:
		return out, nil //nolint:nilerr // that is the fault
	case f.fault == "litter of what failed" && err != nil:
		return out, errors.Join(err, os.WriteFile(filepath.Join(f.dir, "versions", "shop", "half"), nil, 0o600))
	case f.fault == "a wrong count":
		out.Rows++
	case f.fault == "a wrong sum" && err == nil:
		out.Files[0].SHA256 = strings.Repeat("0", 64)
	case f.fault == "a file that is elsewhere" && err == nil:
		out.Files[0].Key = "extracts/shop/extract.duckdb"
	case f.fault == "columns that are not there" && err == nil:
		out.Columns = out.Columns[1:]
	case f.fault == "no rows instead of an empty name" && err == nil && out.Rows == 0:
		out.Columns = nil
	}
	return out, err
}

// subject is the connector of custom extracts over a real warehouse.
func subject(t *testing.T, fault string) conformance.Subject {
	t.Helper()
	dir := t.TempDir()
	store, err := warehouse.NewStore(dir, work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/conformance"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	extract := filepath.Join(dir, "extracts", "shop", "extract.duckdb")
	if err := os.MkdirAll(filepath.Dir(extract), 0o750); err != nil {
		t.Fatal(err)
	}
	return conformance.Subject{
		Connector: faulty{dir: dir, fault: fault}, Name: "custom", Dir: dir, Source: "shop", Query: warehousetest.Query,
		Failure: func(err error) work.Failure {
			f := warehouse.FailureOf(err)
			switch fault {
			case "a refusal with a path":
				f.Message += " It is in " + dir + "."
			case "a refusal without a code":
				f.Code = ""
			}
			return f
		},
		Sink: func(job work.ExtractJob, tell func(work.Event)) work.Sink {
			if fault == "no word of progress" {
				tell = func(work.Event) {}
			}
			return store.Sink(job, tell)
		},
		Put: func(t *testing.T, table, rows string) {
			t.Helper()
			if _, err := os.Stat(extract); fault == "rows from before" && err == nil {
				return
			}
			if err := os.Remove(extract); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			warehousetest.Exec(t, "ATTACH '"+extract+"' AS x", "CREATE TABLE x._meta (table_name VARCHAR NOT NULL)",
				"CREATE TABLE x.main."+table+" AS "+rows, "INSERT INTO x._meta VALUES ('"+table+"')", "CHECKPOINT x", "DETACH x")
		},
		Break: func(t *testing.T, _ string) {
			t.Helper()
			if err := os.WriteFile(extract, []byte("no DuckDB file"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}
