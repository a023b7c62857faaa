package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

// deed is what a pull did with a table.
type deed uint8

const (
	didNothing deed = iota // the copy was current
	didUpdate
	didRemove
	wasGone // a copy that is not wanted, and was not there
	wouldUpdate
	wouldRemove
)

// outcome is how one table fared; with err nothing was done.
type outcome struct {
	table string
	did   deed
	local localTable
	err   error
}

// pullFailure is one entry of errors in the JSON output.
type pullFailure struct {
	Table string `json:"table,omitempty"`
	Stage string `json:"stage,omitempty"`
	Error string `json:"error"`
}

// pullReport collects outcomes, and tells people of each as it comes.
type pullReport struct {
	flags     pullFlags
	out, errs io.Writer

	mu       sync.Mutex
	outcomes []outcome // without failed ones
	failed   []pullFailure
	unknown  []string
	total    int
}

// pullJSON is the output of pull --json; the first five keys are what scripts
// of older clients read.
type pullJSON struct {
	TablesUpdated int           `json:"tables_updated"`
	ParquetsTotal int           `json:"parquets_total"`
	RulesCount    int           `json:"rules_count"`
	DurationS     float64       `json:"duration_s"`
	Errors        []pullFailure `json:"errors"`
	DryRun        bool          `json:"dry_run"`
	Updated       []string      `json:"updated"`
	Removed       []string      `json:"removed"`
	WouldUpdate   []string      `json:"would_update"`
	WouldRemove   []string      `json:"would_remove"`
	Unknown       []string      `json:"unknown"`
}

// add records one table's outcome; it may be called by several goroutines.
func (r *pullReport) add(o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.err != nil {
		r.failed = append(r.failed, pullFailure{Table: o.table, Error: o.err.Error()})
		if !r.flags.json {
			fmt.Fprintf(r.errs, "%s: %s\n", clean(o.table), o.err)
		}
		return
	}
	r.outcomes = append(r.outcomes, o)
	switch o.did {
	case didUpdate:
		r.say("%s: updated, %s rows, %s", o.table, humanize.Comma(o.local.Rows), size(o.local.SizeBytes))
	case didRemove:
		r.say("%s: removed, because it is not among the tables that you may copy any more", o.table)
	case wouldUpdate:
		r.say("%s: would be updated", o.table)
	case wouldRemove:
		r.say("%s: would be removed, because it is not among the tables that you may copy any more", o.table)
	case didNothing, wasGone:
	}
}

// stage records a failure that is no single table's.
func (r *pullReport) stage(name string, err error) {
	r.failed = append(r.failed, pullFailure{Stage: name, Error: err.Error()})
	if !r.flags.json {
		fmt.Fprintln(r.errs, err)
	}
}

// strange records a file that no pull made.
func (r *pullReport) strange(name string) {
	r.unknown = append(r.unknown, name)
	r.say("%s: is not a table of the server's, and no pull made it; kept", name)
}

func (r *pullReport) say(format string, args ...any) {
	if !r.flags.quiet && !r.flags.json {
		fmt.Fprintln(r.out, clean(fmt.Sprintf(format, args...)))
	}
}

// refused ends a pull that could not begin.
func (r *pullReport) refused(stage string, err error) error {
	if !r.flags.json {
		return err
	}
	r.failed = append(r.failed, pullFailure{Stage: stage, Error: err.Error()})
	return errors.Join(r.writeJSON(0), err)
}

// finish sums up, and fails when anything failed.
func (r *pullReport) finish(took time.Duration) error {
	if r.flags.json {
		if err := r.writeJSON(took); err != nil {
			return err
		}
	}
	verb, removed := "updated", len(r.names(didRemove))
	updated := len(r.names(didUpdate))
	if r.flags.dryRun {
		verb, updated, removed = "to update", len(r.names(wouldUpdate)), len(r.names(wouldRemove))
	}
	r.say("%s %s, %d current, %d removed, in %.1f s", count(updated, "table"), verb, len(r.names(didNothing)), removed, took.Seconds())
	if len(r.failed) == 0 {
		return nil
	}
	var names []string
	for _, f := range r.failed {
		names = append(names, f.Table+f.Stage)
	}
	slices.Sort(names)
	return fmt.Errorf("the pull is incomplete: %s failed (%s). Copies from before are unchanged", count(len(names), "item"), clean(strings.Join(names, ", ")))
}

func (r *pullReport) names(did deed) []string {
	names := []string{}
	for _, o := range r.outcomes {
		if o.did == did {
			names = append(names, o.table)
		}
	}
	slices.Sort(names)
	return names
}

func (r *pullReport) writeJSON(took time.Duration) error {
	slices.SortFunc(r.failed, func(a, b pullFailure) int { return strings.Compare(a.Table+a.Stage, b.Table+b.Stage) })
	updated := r.names(didUpdate)
	return writeJSON(r.out, pullJSON{
		TablesUpdated: len(updated), ParquetsTotal: r.total, DurationS: math.Round(took.Seconds()*1000) / 1000,
		Errors: append([]pullFailure{}, r.failed...), DryRun: r.flags.dryRun,
		Updated: updated, Removed: r.names(didRemove), WouldUpdate: r.names(wouldUpdate), WouldRemove: r.names(wouldRemove),
		Unknown: append([]string{}, r.unknown...),
	})
}
