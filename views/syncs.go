package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// SyncsView is how the tables get here, exceptions first.
type SyncsView struct {
	Tables  int // registered tables whose rows are copied here
	Fresh   int // tables whose last sync succeeded
	Never   int // tables that have not synced yet and are not failing
	Outside int // tables whose rows stay in an outside system; they never sync
	Failing []FailingTable
	Held    []HeldTable // tables whose newer rows wait for a person
	Stopped string      // why nothing is published any more; "" while all is well
	Live    []LiveRun   // running, then queued
	Recent  []syncs.Run
	Broken  []syncs.Source // sources with a State other than ok, or with Problems
	Rebuild RebuildView
	Now     time.Time
}

// FailingTable is a table whose last sync failed.
type FailingTable struct {
	registry.Published
	Since *time.Time // of the first failure after the last success
	Tries int        // failures since then; 0 when not counted
}

// HeldTable is a table whose newer rows wait, with the run that brought them.
type HeldTable struct {
	syncs.Run
	Guard registry.Guard
}

func (h HeldTable) title() string {
	if h.Code == registry.CodeSchemaChanged {
		return "came back with other columns"
	}
	return "came back smaller"
}

func (h HeldTable) guardWords() string {
	if h.Code == registry.CodeSchemaChanged {
		return " · columns: " + string(h.Guard.Schema)
	}
	return " · guard at " + strconv.Itoa(h.Guard.ShrinkPercent) + " %"
}

// one names one of the tables, which may be the only one.
func (v SyncsView) one() string {
	if v.Tables == 1 {
		return "It"
	}
	return "1"
}

// outsideWords says what is not counted with the rest.
func (v SyncsView) outsideWords() string {
	if v.Outside == 1 {
		return "1 more stays outside and is asked live."
	}
	return Count(int64(v.Outside)) + " more stay outside and are asked live."
}

func (v SyncsView) heldWords() string {
	if len(v.Held) == 1 {
		return v.one() + " is held."
	}
	return Count(int64(len(v.Held))) + " are held."
}

// LiveRun is a run under way, with how long such runs usually take.
type LiveRun struct {
	syncs.Run
	Expected time.Duration // 0 when unknown
}

// freshWords is the first half of the sentence on top.
func (v SyncsView) freshWords() string {
	if v.Fresh == v.Tables {
		if v.Tables == 1 {
			return "The one table is as fresh as promised."
		}
		return "All " + Count(int64(v.Tables)) + " tables are as fresh as promised."
	}
	if v.Tables == 1 {
		return "The one table is not as fresh as promised."
	}
	return Count(int64(v.Fresh)) + " of " + Plural(v.Tables, "table") + " are as fresh as promised."
}

func (v SyncsView) failingWords() string {
	words := Count(int64(len(v.Failing))) + " are failing"
	if len(v.Failing) == 1 {
		words = v.one() + " is failing"
	}
	var since *time.Time
	for _, f := range v.Failing {
		if f.Since != nil && (since == nil || f.Since.Before(*since)) {
			since = f.Since
		}
	}
	if since == nil {
		return words + "."
	}
	return words + " since " + sinceWords(v.Now, *since) + "."
}

func (v SyncsView) neverWords() string {
	if v.Never == 1 {
		return v.one() + " has not run yet."
	}
	return Count(int64(v.Never)) + " have not run yet."
}

// sinceWords names a moment by its time within a day, by its date after.
func sinceWords(now, t time.Time) string {
	if now.Sub(t) < 24*time.Hour {
		return Clock(t) + " UTC"
	}
	return Date(now, t)
}

func (v SyncsView) needsCount() string {
	var parts []string
	if n := len(v.Failing) + len(v.Held); n > 0 {
		parts = append(parts, Plural(n, "table"))
	}
	if n := len(v.Broken); n > 0 {
		parts = append(parts, Plural(n, "source"))
	}
	return strings.Join(parts, ", ")
}

func (v SyncsView) liveWords() string {
	running := 0
	for _, r := range v.Live {
		if r.State == syncs.Running {
			running++
		}
	}
	words := Count(int64(running)) + " now"
	if queued := len(v.Live) - running; queued > 0 {
		words += ", " + Count(int64(queued)) + " queued"
	}
	return words
}

// stillServes says what people read while the table fails.
func (f FailingTable) stillServes(now time.Time) string {
	if f.Version == nil {
		return "has " + noRowsWord(f.Published)
	}
	return "still serves " + lastGood(f.Published, now)
}

func (f FailingTable) history(now time.Time) string {
	var parts []string
	if f.Status.ErrorCode != "" {
		parts = append(parts, f.Status.ErrorCode)
	}
	if f.Since != nil {
		parts = append(parts, "first at "+sinceWords(now, *f.Since))
	}
	if f.Tries > 0 {
		parts = append(parts, tries(f.Tries))
	}
	if f.Status.LastTry != nil {
		parts = append(parts, "last "+Ago(now, *f.Status.LastTry))
	}
	return strings.Join(parts, " · ")
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return Count(int64(n)) + " tries"
}

func brokenWords(s syncs.Source) string {
	switch s.State {
	case syncs.SourceOK:
	case syncs.SourceGone:
		return "is gone"
	default:
		return "cannot be read"
	}
	if len(s.Problems) == 1 {
		return "has a table that is not served"
	}
	return "has " + Plural(len(s.Problems), "table") + " that are not served"
}

// segment is one phase on the progress of a run.
type segment struct {
	Label string
	Width int // of 100
	Fill  string
	Text  string
}

func (r LiveRun) segments() []segment {
	at := r.position()
	list := make([]segment, 0, len(syncs.Phases()))
	for i, p := range syncs.Phases() {
		switch {
		case i < at:
			list = append(list, segment{Label: phaseWord(p), Width: 100, Fill: "fill-s4", Text: "text-ink-2"})
		case i == at:
			list = append(list, segment{Label: r.phaseLabel(), Width: r.width(), Fill: "fill-blue", Text: "font-semibold text-blue"})
		default:
			list = append(list, segment{Label: phaseWord(p), Fill: "fill-blue", Text: "text-ink-3"})
		}
	}
	return list
}

// position is the index of the current phase; a run that has not said is in its first.
func (r LiveRun) position() int { return max(0, slices.Index(syncs.Phases(), r.Phase)) }

// width is the blue part of the current phase; a phase that cannot say how far
// it is shows a sliver.
func (r LiveRun) width() int {
	if r.Fraction <= 0 {
		return 8
	}
	return int(100 * min(1, r.Fraction))
}

func (r LiveRun) phaseLabel() string {
	label := phaseWord(syncs.Phases()[r.position()])
	if r.Fraction > 0 {
		label += " " + Percent(r.Fraction)
	}
	return label
}

// percentText is the progress over all phases, of 100.
func (r LiveRun) percentText() string {
	done := float64(r.position()) + min(1, max(0, r.Fraction))
	return strconv.Itoa(int(100 * done / float64(len(syncs.Phases()))))
}

// phaseText is the progress as it is read aloud.
func (r LiveRun) phaseText() string {
	if r.Fraction <= 0 {
		return r.phaseLabel()
	}
	return phaseWord(syncs.Phases()[r.position()]) + ", " + Percent(r.Fraction)
}

// amount is what has been moved so far, in the unit that is known.
func (r LiveRun) amount() string {
	switch {
	case r.Rows > 0:
		return rowsWord(r.Rows)
	case r.Bytes > 0:
		return Bytes(r.Bytes)
	}
	return ""
}

// overdue reports whether the run takes longer than such runs usually do.
func (r LiveRun) overdue(now time.Time) bool {
	return r.Expected > 0 && r.Elapsed(now) > r.Expected
}
