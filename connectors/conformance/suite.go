// Package conformance is the suite that every connector passes: what it brings
// becomes versions of tables, whole and exactly, or the version before stays. A
// connector's test describes itself as a Subject and calls Run; the engine and
// the warehouse are the caller's, so this package knows neither.
package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Connector is what is tested.
type Connector interface {
	Extract(ctx context.Context, job work.ExtractJob, sink work.Sink) (work.Extracted, error)
}

// Subject is a connector in a data directory of its own.
type Subject struct {
	Connector Connector
	Name      string // as jobs call the connector: files, custom …
	Dir       string // the data directory
	Source    string // the folder under extracts/
	// Item is what the source calls a table; nil: as it is called in SQL.
	Item func(table string) string
	// Put makes the outside system hold the rows of a query as a table.
	Put func(t *testing.T, table, query string)
	// Break makes the outside system unable to give a table.
	Break func(t *testing.T, table string)
	// Sink is where a job's rows go.
	Sink func(job work.ExtractJob, tell func(work.Event)) work.Sink
	// Rebuild publishes; nil for a source whose extract is somebody else's.
	Rebuild func(ctx context.Context, sources []work.RebuildSource) (work.Rebuilt, error)
	// Query runs a statement in a plain DuckDB client and returns its rows, cells
	// as text joined by "|", NULL as ∅.
	Query func(t *testing.T, statement string) []string
	// Failure is what people are told of an error.
	Failure func(err error) work.Failure
	// Empty is the code that refuses a table without rows, "" when one is served.
	Empty string
	// BadItems are names that the outside system does not have or must not have.
	BadItems []string
}

// Run holds fresh subjects to the contract, one for each test.
func Run(t *testing.T, fresh func(t *testing.T) Subject) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Subject){
		"identifiers": identifiers, "columns": columns, "values": values, "empty": emptyTable, "again": again, "failure": failure,
		"cancel": cancelled, "progress": progress, "manifest": manifest, "published": published,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, fresh(t))
		})
	}
}

// job asks for one version of a table.
func (s Subject) job(table string, id registry.VersionID) work.ExtractJob {
	item := table
	if s.Item != nil {
		item = s.Item(table)
	}
	return work.ExtractJob{
		DataDir: s.Dir, Connector: s.Name, Source: s.Source, Item: item, Table: table, VersionID: id, RunID: "run-" + string(id),
		Budget: work.Budget{MemoryBytes: 256 << 20, Threads: 2, ScratchKey: "scratch/conformance"},
	}
}

func (s Subject) extract(ctx context.Context, job work.ExtractJob) (out work.Extracted, phases []string, err error) {
	out, err = s.Connector.Extract(ctx, job, s.Sink(job, func(e work.Event) {
		if e.Phase != "" && (len(phases) == 0 || phases[len(phases)-1] != e.Phase) {
			phases = append(phases, e.Phase)
		}
	}))
	return out, phases, err
}

func (s Subject) mustExtract(t *testing.T, table string, id registry.VersionID) work.Extracted {
	t.Helper()
	out, _, err := s.extract(t.Context(), s.job(table, id))
	if err != nil {
		t.Fatalf("extract %s: %v", table, err)
	}
	return out
}

// from is what reads a version, in a plain client.
func (s Subject) from(out work.Extracted) string {
	files := make([]string, len(out.Files))
	for i, f := range out.Files {
		files[i] = quote(filepath.Join(s.Dir, filepath.FromSlash(f.Key)))
	}
	return "read_parquet([" + strings.Join(files, ", ") + "], hive_partitioning = false)"
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// wantRows fails unless a version holds the rows of a query, in any order.
func (s Subject) wantRows(t *testing.T, out work.Extracted, query string) {
	t.Helper()
	want, got := s.Query(t, query), s.Query(t, "FROM "+s.from(out))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("rows of %s:\n got %.500q\nwant %.500q", query, got, want)
	}
}

// state is every file under the data directory with its content, but for what
// the outside system and the scratch folder hold.
func (s Subject) state(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join(s.Dir, "versions")
	err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		found[file] = sha(t, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func sha(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
