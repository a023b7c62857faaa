package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"agnes/domain/work"
)

// readAttached reads the generation that two tables carry, as a program outside
// does that opens server.duckdb anew.
func readAttached(t *testing.T, file string) string {
	t.Helper()
	got, err := generationRead(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func generationRead(ctx context.Context, file string) (got string, err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "SET threads = 1; ATTACH "+quoteLiteral(file)+" AS server (READ_ONLY); USE server"); err != nil {
		return "", err
	}
	err = db.QueryRowContext(ctx, "SELECT concat_ws('|', (SELECT g FROM a), (SELECT g FROM b))").Scan(&got)
	return got, err
}

// publishes is how often the state is published under readers: 40, and 500 with
// AGNES_LONG=1.
func publishes(t *testing.T) int {
	t.Helper()
	if os.Getenv("AGNES_LONG") == "1" {
		return 500
	}
	if testing.Short() {
		return 10
	}
	return 40
}

// TestReadersUnderPublishes is R3: no query of sixteen readers fails, and none
// sees two generations at once or an older one than it has seen.
func TestReadersUnderPublishes(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	n := publishes(t)
	publish := func(g int) {
		version := func(table string) work.RebuildTable {
			return mustVersion(t, s, "files", table, fmt.Sprintf("v%d", g), fmt.Sprintf("SELECT %d AS g", g))
		}
		out, err := s.Rebuild(t.Context(), []work.RebuildSource{{Name: "files", Owned: true, Tables: []work.RebuildTable{version("a"), version("b")}}}, nil)
		if err != nil || out.Views != 2 || out.Generation != int64(g) {
			t.Errorf("publish %d: %+v, %v", g, out, err)
		}
	}
	publish(1)
	var queries atomic.Int64
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			newest := 0
			for {
				select {
				case <-done:
					return
				default:
				}
				seen, err := oneGeneration(t.Context(), mustPath(t, s, analyticsKey))
				if err != nil || seen < newest {
					t.Errorf("a reader that has seen generation %d: %d, %v", newest, seen, err)
					return
				}
				newest = seen
				queries.Add(1)
			}
		})
	}
	for g := 2; g <= n; g++ {
		publish(g)
	}
	close(done)
	readers.Wait()
	if got := readAttached(t, mustPath(t, s, analyticsKey)); got != fmt.Sprintf("%d|%d", n, n) {
		t.Errorf("in the end readers see %q, want %d", got, n)
	}
	t.Logf("%d publishes, %d queries, each on a file opened anew", n, queries.Load())
}

func oneGeneration(ctx context.Context, file string) (int, error) {
	got, err := generationRead(ctx, file)
	if err != nil {
		return 0, err
	}
	var a, b int
	if _, err := fmt.Sscanf(strings.ReplaceAll(got, "|", " "), "%d %d", &a, &b); err != nil || a != b {
		return 0, fmt.Errorf("%s shows %q: two generations (%w)", filepath.Base(file), got, err)
	}
	return a, nil
}
