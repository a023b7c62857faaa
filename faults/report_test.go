package faults

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// verdict says how a row of the table ended.
func (t *trials) verdict() string {
	switch {
	case len(t.faults) > 0 || t.survived < t.tried:
		return "FAILED"
	case t.skipped != "":
		return "skipped"
	case t.tried < t.n:
		return "cut short"
	}
	return "ok"
}

// report prints the table; it returns 0 only when every line was shown whole.
func report(w io.Writer, rows []*trials, wanted int, took time.Duration, seed uint64) int {
	fmt.Fprintf(w, "\n%-4s %-45s %6s %6s %6s  %-9s %8s %8s  %s\n", "line", "fault", "of", "tried", "held", "", "slowest", "time", "notes")
	bad := wanted - len(rows)
	for _, t := range rows {
		v := t.verdict()
		if v != "ok" {
			bad++
		}
		notes := t.notes
		if t.skipped != "" {
			notes = append([]string{"not shown: " + t.skipped}, notes...)
		}
		fmt.Fprintf(w, "%-4s %-45s %6d %6d %6d  %-9s %8s %8s  %s\n",
			t.line.id, t.line.fault, t.n, t.tried, t.survived, v, t.slowest.Round(10*time.Millisecond), t.took.Round(100*time.Millisecond), strings.Join(notes, "; "))
		for i, f := range t.faults {
			if i == 5 {
				fmt.Fprintf(w, "       and %d more\n", len(t.faults)-i)
				break
			}
			fmt.Fprintf(w, "       %s\n", f)
		}
	}
	fmt.Fprintf(w, "\nseed %d, %s in all", seed, took.Round(time.Second))
	if bad > 0 {
		fmt.Fprintf(w, "; %d of %d lines are not shown to hold\n", bad, wanted)
		return 1
	}
	fmt.Fprintf(w, "; all %d lines hold\n", wanted)
	return 0
}
