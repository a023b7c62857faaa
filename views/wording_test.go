package views

import (
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

func TestFreshness(t *testing.T) {
	t.Parallel()
	version := &registry.Version{CreatedAt: *before(2 * time.Hour)}
	custom := registry.Table{SourceType: registry.SourceCustom, Bucket: "crm"}
	local := registry.Table{SourceType: registry.SourceLocal}
	for name, tc := range map[string]struct {
		table        registry.Published
		word, detail string
		class        string
	}{
		"fresh":          {registry.Published{Table: custom, Version: version, Status: registry.SyncStatus{State: "ok", LastSync: before(14 * time.Minute)}}, "On time", "14 min ago", "st-ok"},
		"uploaded":       {registry.Published{Table: local, Version: version, Status: registry.SyncStatus{State: "ok"}}, "As uploaded", "2 h ago", "st-idle"},
		"never":          {registry.Published{Table: custom, Status: registry.SyncStatus{State: "never"}}, "Never ran", "no rows yet", "st-idle"},
		"failing, rows":  {registry.Published{Table: custom, Version: version, Status: registry.SyncStatus{State: "error", LastSync: before(11 * time.Hour)}}, "Failing", "rows 11 h old", "st-fail"},
		"failing, none":  {registry.Published{Table: custom, Status: registry.SyncStatus{State: "error"}}, "Failing", "no rows yet", "st-fail"},
		"running":        {registry.Published{Table: local, Version: version, Status: registry.SyncStatus{State: "running", LastSync: before(49 * time.Hour)}}, "Running", "rows of 20 Nov", "st-run"},
		"queued":         {registry.Published{Table: local, Status: registry.SyncStatus{State: "queued"}}, "Queued", "no rows yet", "st-idle"},
		"no status, yet": {registry.Published{Table: custom, Version: version}, "On time", "2 h ago", "st-ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Freshness(tc.table, noon())
			if got.Word != tc.word || got.Detail != tc.detail || got.Class != tc.class || got.Icon == "" {
				t.Errorf("Freshness() = %+v, want %s, %s, %s", got, tc.word, tc.detail, tc.class)
			}
		})
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for want, table := range map[string]registry.Table{
		"Files budget.csv":         {SourceType: registry.SourceLocal, SourceTable: "budget.csv"},
		"Sample data airports.csv": {SourceType: registry.SourceLocal, SourceTable: "airports.csv", Sample: true},
		"Extractor crm":            {SourceType: registry.SourceCustom, Bucket: "crm", SourceTable: "people"},
		"Keboola out.c-sales":      {SourceType: "keboola", Bucket: "out.c-sales"},
		"BigQuery mart":            {SourceType: "bigquery", Bucket: "mart"},
		"Jira hollis":              {SourceType: "jira", Bucket: "hollis"},
	} {
		if got := SourceOf(table); got.Name+" "+got.Item != want || got.Icon == "" {
			t.Errorf("SourceOf(%+v) = %+v, want %s", table, got, want)
		}
	}
}

func TestHabit(t *testing.T) {
	t.Parallel()
	for want, table := range map[string]registry.Table{
		"On upload":        {SourceType: registry.SourceLocal},
		"Comes with Agnes": {SourceType: registry.SourceLocal, Sample: true},
		"When it changes":  {SourceType: registry.SourceCustom},
		"Copied hourly":    {SourceType: registry.SourceCustom, SyncSchedule: "every 60m"},
		"Every 15 min":     {SourceType: registry.SourceLocal, SyncSchedule: "every 15m"},
		"Daily at 05:30":   {SourceType: registry.SourceCustom, SyncSchedule: "daily 05:30"},
		"2 times a day":    {SourceType: registry.SourceCustom, SyncSchedule: "daily 05:30,17:00"},
		"Asked live":       {SourceType: "bigquery", QueryMode: registry.ModeRemote},
		"On request":       {SourceType: "bigquery", SyncSchedule: "sometimes"},
	} {
		if got, detail := Habit(table); got != want || detail == "" {
			t.Errorf("Habit(%+v) = %q, %q, want %q", table, got, detail, want)
		}
	}
}

func TestEveryStateHasWords(t *testing.T) {
	t.Parallel()
	for _, state := range []syncs.State{syncs.Queued, syncs.Running, syncs.OK, syncs.Failed, syncs.Cancelled} {
		if got := runStatus(state); got.Word == string(state) || got.Icon == "circle-dashed" {
			t.Errorf("runStatus(%s) = %+v, which is not worded", state, got)
		}
	}
	for _, phase := range syncs.Phases() {
		if got := phaseWord(phase); got == string(phase) {
			t.Errorf("phaseWord(%s) is not worded", phase)
		}
	}
	for _, trigger := range []syncs.Trigger{syncs.ByPerson, syncs.ByUpload, syncs.BySchedule, syncs.ByWatch, syncs.ByRestart} {
		if got := triggerWord(trigger); got == "" || got == string(trigger) && trigger != syncs.ByUpload && trigger != syncs.BySchedule {
			t.Errorf("triggerWord(%s) = %q is not worded", trigger, got)
		}
	}
}

func TestTypeIcon(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"BIGINT": "hash", "UTINYINT": "hash", "HUGEINT": "hash", "INTEGER": "hash", "DECIMAL(18,2)": "decimals-arrow-right", "DOUBLE": "decimals-arrow-right",
		"DATE": "calendar", "TIMESTAMP WITH TIME ZONE": "calendar", "TIME": "clock", "INTERVAL": "clock", "BOOLEAN": "check", "VARCHAR": "type",
		"VARCHAR[]": "layers", "STRUCT(a INTEGER)": "layers", "MAP(VARCHAR, INTEGER)": "layers", "JSON": "layers", "UUID": "type", "BLOB": "type",
	} {
		if got := typeIcon(kind); got != want {
			t.Errorf("typeIcon(%s) = %q, want %q", kind, got, want)
		}
	}
}
