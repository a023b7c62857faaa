package views

import (
	"net/url"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/query"
)

// ConsoleHistoryView is a page of a person's queries.
type ConsoleHistoryView struct {
	Runs      []ConsolePast
	Search    string
	State     string // "": all
	Next      string // id after which the next page begins; "" on the last one
	Later     bool   // this is not the first page
	Now       time.Time
	Simulated bool // through other eyes, to which forgetting is closed
}

// ConsolePast is a query in the list.
type ConsolePast struct {
	query.Record
	Place int // in the queue, while it waits
}

// Status is how a query ended or stands.
func (p ConsolePast) Status() Status { return RunStatus(p.Record, p.Place) }

// RunStatus is a query's state as people read it.
func RunStatus(r query.Record, place int) Status {
	switch r.State {
	case query.OK:
		return Status{Class: "st-ok", Icon: "circle-check", Word: "Done"}
	case query.Cancelled:
		return Status{Class: "st-idle", Icon: "circle-stop", Word: "Stopped"}
	case query.Failed:
		if r.Code == query.CodeSeveral && r.Origin == query.FromConsole {
			return Status{Class: "st-idle", Icon: "layers", Word: "Several"}
		}
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failed"}
	case query.Running:
	}
	return ConsoleRunView{Place: place}.state()
}

// rows says how many there were, and whether they are still there.
func (p ConsolePast) rows() string {
	if p.State != query.OK {
		return ""
	}
	return rowsWord(p.Rows)
}

func (p ConsolePast) kept() string {
	switch p.Kept {
	case query.KeptWhole:
		return "kept"
	case query.KeptTooLarge:
		return "not kept: too large"
	case query.KeptExpired, query.KeptEvicted, query.KeptLost:
		return "no longer kept"
	case query.KeptNot, query.KeptFailed:
	}
	return "not kept"
}

func (p ConsolePast) took(now time.Time) string {
	if p.State == query.Running {
		return Duration(now.Sub(p.StartedAt))
	}
	return Duration(p.Duration())
}

func (p ConsolePast) via() string {
	switch p.Origin {
	case query.FromAPI, query.FromBackground:
		return "API"
	case query.FromExport:
		return "Download"
	case query.FromSample:
		return "Sample"
	case query.FromConsole:
	}
	return "Console"
}

func (v ConsoleHistoryView) nextURL() templ.SafeURL {
	q := url.Values{"after": {v.Next}}
	if v.Search != "" {
		q.Set("q", v.Search)
	}
	if v.State != "" {
		q.Set("state", v.State)
	}
	return templ.SafeURL("/console/history?" + q.Encode())
}

func (v ConsoleHistoryView) filtered() bool { return v.Search != "" || v.State != "" }

func historyStates() [][2]string {
	return [][2]string{{"", "all"}, {"running", "running"}, {"ok", "done"}, {"failed", "failed"}, {"cancelled", "stopped"}}
}

func consoleTab(on bool) string {
	class := "-mb-px flex items-center border-r border-line-2 px-3 "
	if on {
		return class + "border-b border-b-paper bg-paper font-semibold shadow-[inset_0_2px_0_var(--color-primary)]"
	}
	return class + "text-ink-2 hover:text-ink"
}

func current(on bool) string {
	if on {
		return "page"
	}
	return "false"
}
