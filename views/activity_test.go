package views

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"agnes/domain/audit"
)

// asParams is a map as it comes out of the log.
func asParams(t *testing.T, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTell(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	tests := []struct{ action, resource, params, before, thing, want string }{
		{"resource_grant.created", "table:orders", `{"group":"Finance","expires_at":"2027-03-03T00:00:00Z"}`, "", "", "granted orders to Finance until 3 Mar 2027"},
		{"resource_grant.created", "table:orders", `{"group":"Finance","expires_at":null}`, "", "", "granted orders to Finance"},
		{"resource_grant.deleted", "table:orders", "", `{"group":"Finance","expires_at":"2027-03-03T00:00:00Z"}`, "", "revoked orders from Finance"},
		{"user_group.member_added", "group:g1", `{"group":"Finance","email":"ben@example.com"}`, "", "", "added ben@example.com to Finance"},
		{"user_group.member_removed", "group:g1", "", `{"group":"Finance","email":"ben@example.com"}`, "", "took ben@example.com out of Finance"},
		{"user_group.updated", "group:g1", `{"name":"Finance"}`, `{"name":"Money"}`, "", "changed the group Finance"},
		{"user.update", "user:u1", `{"active":false}`, `{"active":true}`, "ben@example.com", "changed ben@example.com"},
		{"user.update", "user:u1", `{"active":false}`, `{"active":true}`, "", "changed u1"},
		{"query.local", "table:orders", `{"tables":["orders","towns","x"],"rows_returned":1204}`, "", "", "queried orders and 2 more tables, 1,204 rows"},
		{"query.local", "adhoc", `{"rows_returned":1}`, "", "", "ran a query without tables, 1 row"},
		{"data.download", "table:orders", "", "", "", "downloaded orders"},
		{"activity.export", "audit_log", `{"format":"csv","rows":100000}`, "", "", "exported the activity as csv, 100,000 rows"},
		{"state.imported", "state", `{"users":3}`, "", "", "imported the state of another server"},
		{"state.imported", "state:users", `{"added":1200,"updated":3}`, "", "", "imported 1,203 rows of users from another server"},
		{"audit.pruned", "audit_log", `{"rows":4000}`, "", "", "deleted 4,000 old rows of the log"},
		{"something.new", "thing:x", `{"a":1}`, "", "", "something.new thing:x"},
	}
	for _, tt := range tests {
		l := audit.Listed{Entry: audit.Entry{Action: tt.action, Resource: tt.resource, Params: asParams(t, tt.params), Before: asParams(t, tt.before), Result: "success"}, Thing: tt.thing}
		if got := tell(tellers(), l, now).Text(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.action, got, tt.want)
		}
	}
}

func TestChangesOf(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, params, before, want, notes string }{
		{"an update", `{"name":"New","description":"same"}`, `{"name":"Old","description":"same"}`, "name: Old → New", ""},
		{"a note beside a change", `{"name":"b","table":"t"}`, `{"name":"a"}`, "name: a → b", "table=t"},
		{"set for the first time", `{"name":"b"}`, `{"name":""}`, "name:  → b", ""},
		{"taken away", `{"expires_at":null}`, `{"expires_at":"2027"}`, "expires_at: 2027 → ", ""},
		{"deleted", "", `{"name":"a","admin":true,"empty":""}`, "admin: yes → |name: a → ", ""},
		{"made", `{"name":"a","n":1.5,"list":["x"],"none":null}`, "", "", `list=["x"]|n=1.5|name=a`},
		{"nothing changed", `{"name":"a"}`, `{"name":"a"}`, "", ""},
	}
	for _, tt := range tests {
		e := audit.Entry{Params: asParams(t, tt.params), Before: asParams(t, tt.before)}
		var changes, notes []string
		for _, c := range changesOf(e) {
			changes = append(changes, c.Name+": "+c.Before+" → "+c.After)
		}
		for _, n := range notesOf(e) {
			notes = append(notes, n.Name+"="+n.Value)
		}
		if got := strings.Join(changes, "|"); got != tt.want {
			t.Errorf("%s: changes %q, want %q", tt.name, got, tt.want)
		}
		if got := strings.Join(notes, "|"); got != tt.notes {
			t.Errorf("%s: notes %q, want %q", tt.name, got, tt.notes)
		}
	}
}

func TestActivitySentence(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	from := now.Add(-3 * time.Hour)
	day := audit.Filter{}.Over("24h", now)
	tests := []struct {
		filter audit.Filter
		counts audit.Counts
		want   string
	}{
		{day, audit.Counts{Events: 1204, People: 31, Failed: 12}, "1,204 events in 24 h by 31 people; 12 failed."},
		{day, audit.Counts{Events: 1, People: 1}, "1 event in 24 h by 1 person; none failed."},
		{day, audit.Counts{}, "Nothing happened in 24 h."},
		{day, audit.Counts{Events: 20000, People: 3, From: &from}, "The newest 20,000 events since 22 Nov, 06:00 by 3 people; none failed."},
		{audit.Filter{Since: from}, audit.Counts{Events: 2}, "2 events from 22 Nov, 06:00; none failed."},
	}
	for _, tt := range tests {
		if got := (ActivityView{Filter: tt.filter, Counts: tt.counts, Now: now}).sentence(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
