package custom_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"agnes/connectors/custom"
	"agnes/domain"
	"agnes/domain/config"
	"agnes/domain/settings"
	"agnes/domain/syncs"
	"agnes/domain/work"
)

// shelf is a folder of extracts, of which those named bad cannot be opened.
type shelf struct {
	names []string
	err   error
}

func (s shelf) List(context.Context) ([]syncs.ExtractDir, error) {
	var all []syncs.ExtractDir
	for _, name := range s.names {
		all = append(all, syncs.ExtractDir{Name: name})
	}
	return all, s.err
}

func (shelf) InspectSource(_ context.Context, name string) (work.Inspected, error) {
	if name == "bad" {
		return work.Inspected{}, domain.E(domain.Invalid, "extract_broken", "This is no DuckDB file.")
	}
	return work.Inspected{Tables: make([]work.SourceTable, 3)}, nil
}

func TestCheckOfExtracts(t *testing.T) {
	t.Parallel()
	run := func(s shelf) string {
		var lines []string
		custom.Check{Dirs: s, Inspector: s, Now: time.Now}.Run(t.Context(), config.Config{}, func(s settings.Step) {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", s.Name, s.State, s.Detail))
		})
		return strings.Join(lines, "\n")
	}
	if got, want := run(shelf{names: []string{"bad", "crm"}}), "List the extracts: ok: 2 extracts.\nOpen bad: failed: This is no DuckDB file.\nOpen crm: ok: 3 tables."; got != want {
		t.Errorf("steps\n%s\nwant\n%s", got, want)
	}
	if got := run(shelf{err: errors.New("open /secret/place")}); got != "List the extracts: failed: The folder cannot be read." {
		t.Errorf("steps %s", got)
	}
	if got := run(shelf{names: make([]string, 25)}); !strings.HasSuffix(got, "Open 5 more: skipped: The page of sources shows how these stand.") {
		t.Errorf("steps %s", got)
	}
}
