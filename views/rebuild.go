package views

import (
	"time"

	"agnes/domain/syncs"
	"agnes/domain/work"
)

// RebuildView is what the last rebuild published and what is served from
// earlier versions.
type RebuildView struct {
	Last    *syncs.Rebuild // nil before the first
	Damaged []syncs.Damage
}

// sentence is the state of what is published, in one line.
func (v RebuildView) sentence(now time.Time) string {
	r := v.Last
	if r == nil {
		return "Nothing has been published yet."
	}
	at := " at " + sinceWords(now, r.FinishedAt)
	if r.State != syncs.OK {
		return "The rebuild" + at + " failed. What was published before is served."
	}
	words := "Published " + Plural(r.Views, "table") + at
	if n := r.LeftOut(); n > 0 {
		words += "; " + Count(int64(n)) + " left out"
	}
	if n := len(v.Damaged); n > 0 {
		words += "; " + Count(int64(n)) + " from an earlier version"
	}
	return words + "."
}

// open reports whether there is more to say than the sentence.
func (v RebuildView) open() bool {
	return len(v.Damaged) > 0 || v.Last != nil && (v.Last.State != syncs.OK || v.Last.LeftOut() > 0)
}

// detail is how the last rebuild went.
func (v RebuildView) detail() string {
	r := v.Last
	if r == nil {
		return ""
	}
	if r.Unchanged {
		return "Nothing had to be written; it took " + Duration(r.FinishedAt.Sub(r.StartedAt)) + "."
	}
	return "It took " + Duration(r.FinishedAt.Sub(r.StartedAt)) + "."
}

// leftOut are the problems of what is not served.
func (v RebuildView) leftOut() []work.Problem {
	if v.Last == nil {
		return nil
	}
	var all []work.Problem
	for _, p := range v.Last.Problems {
		if !p.Served {
			all = append(all, p)
		}
	}
	return all
}

func problemPlace(p work.Problem) string {
	if p.Table == "" {
		return p.Source
	}
	return p.Source + "." + p.Table
}
