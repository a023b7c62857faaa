package views

import (
	"fmt"
	"strings"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// Status is a state in words, always with an icon.
type Status struct {
	Class  string // st-ok, st-late, st-fail, st-run or st-idle
	Icon   string
	Word   string
	Detail string // since when, or how much
	Spin   bool
}

// Freshness says how a table stands.
func Freshness(t registry.Published, now time.Time) Status {
	switch {
	case t.Status.State == "running":
		return Status{Class: "st-run", Icon: "refresh-cw", Word: "Running", Detail: lastGood(t, now), Spin: true}
	case t.Status.State == "queued":
		return Status{Class: "st-idle", Icon: "hourglass", Word: "Queued", Detail: lastGood(t, now)}
	case asksLive(t) && t.Version != nil:
		return Status{Class: "st-idle", Icon: "cloud", Word: "Asked live", Detail: lastGood(t, now)}
	case asksLive(t):
		return Status{Class: "st-idle", Icon: "cloud", Word: "Asked live", Detail: "not served yet"}
	case t.Status.State == registry.StatusHeld:
		return Status{Class: "st-late", Icon: "hand", Word: "Held", Detail: lastGood(t, now)}
	case t.Status.State == "error":
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failing", Detail: lastGood(t, now)}
	case t.Version == nil:
		return Status{Class: "st-idle", Icon: "circle-dashed", Word: "Never ran", Detail: "no rows yet"}
	case t.Source() == "files":
		return Status{Class: "st-idle", Icon: "file-text", Word: "As uploaded", Detail: Ago(now, arrived(t))}
	}
	return Status{Class: "st-ok", Icon: "circle-check", Word: "On time", Detail: Ago(now, arrived(t))}
}

// asksLive reports whether a table's rows stay in an outside system that its
// source still offers it from.
func asksLive(t registry.Published) bool {
	return t.QueryMode == registry.ModeRemote && t.Status.ErrorCode != syncs.GoneUpstream
}

// arrived is when the rows that people read now came; the table has a version.
func arrived(t registry.Published) time.Time {
	if v := t.Version; v.Again() {
		return v.CreatedAt // somebody went back to it, or let it pass
	}
	if t.Status.LastSync != nil {
		return *t.Status.LastSync
	}
	return t.Version.CreatedAt
}

func lastGood(t registry.Published, now time.Time) string {
	if t.Version == nil {
		return noRowsWord(t)
	}
	return "rows " + age(now, arrived(t))
}

// noRowsWord tells a table that waits for its first rows from one that lost them.
func noRowsWord(t registry.Published) string {
	if t.Status.LastSync != nil {
		return "no rows now"
	}
	return "no rows yet"
}

// age says how old rows are: within a day by hours, after by their date.
func age(now, t time.Time) string {
	if d := now.Sub(t); d < 24*time.Hour {
		return coarse(d) + " old"
	}
	return "of " + Date(now, t)
}

// mark is the class that boxes a status alone in a header.
func (s Status) mark() string {
	switch s.Class {
	case "st-ok":
		return "mark-teal"
	case "st-late":
		return "mark-amber"
	case "st-fail":
		return "mark-red"
	case "st-run":
		return "mark-blue"
	}
	return ""
}

// Source is where a table comes from, in words.
type Source struct {
	Icon string
	Name string
	Item string // in the source: a file's name, a folder, a bucket
	Code bool   // Item is a name of data
}

// SourceOf words a table's source.
func SourceOf(t registry.Table) Source {
	switch {
	case t.Sample:
		return Source{Icon: "flask-conical", Name: "Sample data", Item: t.SourceTable}
	case t.SourceType == registry.SourceCustom:
		return Source{Icon: "plug", Name: "Extractor", Item: t.Bucket, Code: true}
	case t.SourceType == "keboola":
		return Source{Icon: "blocks", Name: "Keboola", Item: t.Bucket, Code: true}
	case t.SourceType == "bigquery":
		return Source{Icon: "cloud", Name: "BigQuery", Item: t.Bucket, Code: true}
	case t.SourceType == "jira":
		return Source{Icon: "ticket-check", Name: "Jira", Item: t.Bucket, Code: true}
	}
	return Source{Icon: "file-spreadsheet", Name: "Files", Item: t.SourceTable}
}

// Habit says how a table's rows get here, and a detail.
func Habit(t registry.Table) (habit, detail string) {
	if t.QueryMode == registry.ModeRemote {
		return "Asked live", "not served yet"
	}
	if schedule, ok := registry.ParseSchedule(t.SyncSchedule); ok {
		return scheduleWords(schedule), "whole table"
	}
	switch {
	case t.Sample:
		return "Comes with Agnes", "never changes"
	case t.SourceType == registry.SourceCustom:
		return "When it changes", "whole table"
	case t.Source() == "files":
		return "On upload", "replaces the last"
	}
	return "On request", "whole table"
}

func scheduleWords(s registry.Schedule) string {
	switch {
	case s.Every == time.Hour:
		return "Copied hourly"
	case s.Every > 0:
		return "Every " + Duration(s.Every)
	case len(s.Daily) == 1:
		return "Daily at " + clockOf(s.Daily[0])
	}
	return fmt.Sprintf("%d times a day", len(s.Daily))
}

func clockOf(offset time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(offset.Hours()), int(offset.Minutes())%60)
}

// canUpload reports whether new rows of a table come by upload.
func canUpload(t registry.Table) bool { return t.Source() == "files" && !t.Sample }

// runStatus says how a run stands.
func runStatus(s syncs.State) Status {
	switch s {
	case syncs.Queued:
		return Status{Class: "st-idle", Icon: "hourglass", Word: "Queued"}
	case syncs.Running:
		return Status{Class: "st-run", Icon: "refresh-cw", Word: "Running", Spin: true}
	case syncs.OK:
		return Status{Class: "st-ok", Icon: "circle-check", Word: "Done"}
	case syncs.Held:
		return Status{Class: "st-late", Icon: "hand", Word: "Held"}
	case syncs.Failed:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failed"}
	case syncs.Cancelled:
		return Status{Class: "st-idle", Icon: "circle-stop", Word: "Cancelled"}
	}
	return Status{Class: "st-idle", Icon: "circle-dashed", Word: string(s)}
}

// phaseWord names a phase as people read it.
func phaseWord(p syncs.Phase) string {
	switch p {
	case syncs.Extract:
		return "Extract"
	case syncs.Convert:
		return "Convert"
	case syncs.Publish:
		return "Publish"
	case syncs.ReadBack:
		return "Read back"
	}
	return string(p)
}

// triggerWord says why a run began.
func triggerWord(t syncs.Trigger) string {
	switch t {
	case syncs.ByPerson:
		return "asked for"
	case syncs.ByUpload:
		return "upload"
	case syncs.BySchedule:
		return "schedule"
	case syncs.ByWatch:
		return "source changed"
	case syncs.ByRestart:
		return "after a restart"
	case syncs.ByRestore:
		return "going back"
	case syncs.ByCheck:
		return "a check found damage"
	}
	return string(t)
}

// typeIcon is the icon of a DuckDB type.
func typeIcon(duckType string) string {
	kind, _, _ := strings.Cut(strings.ToUpper(duckType), "(")
	switch {
	case strings.HasSuffix(kind, "[]"), strings.HasPrefix(kind, "STRUCT"), strings.HasPrefix(kind, "MAP"), kind == "JSON":
		return "layers"
	case kind == "DECIMAL", kind == "DOUBLE", kind == "FLOAT":
		return "decimals-arrow-right"
	case strings.HasSuffix(kind, "INT"), strings.HasSuffix(kind, "INTEGER"):
		return "hash"
	case kind == "DATE", strings.HasPrefix(kind, "TIMESTAMP"):
		return "calendar"
	case strings.HasPrefix(kind, "TIME"), kind == "INTERVAL":
		return "clock"
	case kind == "BOOLEAN":
		return "check"
	}
	return "type"
}

// numeric reports whether values of a DuckDB type stand in columns, right-aligned.
func numeric(duckType string) bool {
	icon := typeIcon(duckType)
	return icon == "hash" || icon == "decimals-arrow-right"
}
