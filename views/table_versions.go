package views

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// VersionRow is one version of a table as its page lists it.
type VersionRow struct {
	registry.Version
	Current bool
	Held    bool   // it waits for a person
	Moved   string // rows more or less than the version made before
	Changes string // how its columns differ from those of the version made before
	First   bool   // nothing is kept from before it
}

// VersionRows lines a table's versions up, which come newest first.
func VersionRows(t registry.Published, versions []registry.Version, held *syncs.Run) []VersionRow {
	rows := make([]VersionRow, len(versions))
	for i, v := range versions {
		row := VersionRow{Version: v, First: i == len(versions)-1}
		row.Current = t.Version != nil && t.Version.ID == v.ID
		row.Held = held != nil && held.Version == v.ID
		if !row.First {
			before := versions[i+1]
			row.Moved = movedBy(v.Rows - before.Rows)
			row.Changes = registry.CompareColumns(before.Columns, v.Columns).Words()
		}
		rows[i] = row
	}
	return rows
}

func movedBy(n int64) string {
	switch {
	case n > 0:
		return "+" + Count(n)
	case n < 0:
		return "−" + Count(-n)
	}
	return "the same"
}

func (r VersionRow) status() Status {
	switch {
	case r.Current:
		return Status{Class: "st-ok", Icon: "circle-check", Word: "Current"}
	case r.Held:
		return Status{Class: "st-late", Icon: "hand", Word: "Held"}
	case r.PublishedAt == nil:
		return Status{Class: "st-idle", Icon: "circle-dashed", Word: "Never served"}
	}
	return Status{Class: "st-idle", Icon: "history", Word: "Kept"}
}

// schemaWords says how the columns differ.
func (r VersionRow) schemaWords() string {
	switch {
	case r.First:
		return "none before it is kept"
	case r.Changes == "":
		return "the same columns"
	}
	return r.Changes
}

// phoneWords are the rows and size where there is no room for their columns.
func (r VersionRow) phoneWords() string {
	words := rowsWord(r.Rows)
	if r.Moved != "" && r.Moved != "the same" {
		words += ", " + r.Moved
	}
	return words + " · " + Bytes(r.Bytes)
}

// cause says why the version was made and, to administrators, who asked.
func (r VersionRow) cause(admin bool) string {
	words := triggerWord(syncs.Trigger(r.Cause))
	if admin && r.Maker != "" {
		words = strings.TrimSpace(words + " by " + r.Maker)
	}
	return words
}

func restoreURL(v registry.Version) templ.SafeURL {
	return tableAction(v.Table, "versions/"+url.PathEscape(string(v.ID))+"/restore")
}

// GuardForm is the form that sets which new rows wait for a person.
type GuardForm struct {
	Shrink  string // per cent, as typed
	Schema  string
	Version int64       // of the registration that the form was made from
	Errors  FieldErrors // shrink_guard_pct, schema_policy
}

// GuardFormOf shows a table's guard.
func GuardFormOf(g registry.Guard) GuardForm {
	return GuardForm{Shrink: strconv.Itoa(g.ShrinkPercent), Schema: string(g.Schema)}
}

// TableFieldWord is how the value of a registration's field is shown.
func TableFieldWord(field, value string) string {
	switch {
	case field == "shrink_guard_pct" && value != "":
		return value + " %"
	case field == "schema_policy" && value != "":
		return schemaPolicyWords(registry.SchemaPolicy(value))
	}
	return value
}

// schemaPolicyWords says what a policy does.
func schemaPolicyWords(p registry.SchemaPolicy) string {
	switch p {
	case registry.SchemaEvolve:
		return "Publish: queries follow the source"
	case registry.SchemaAsk:
		return "Hold until somebody decides"
	case registry.SchemaFreeze:
		return "Never: the columns are frozen"
	}
	return string(p)
}

// heldPublishable reports whether a person may publish the held rows as they are.
func heldPublishable(g registry.Guard, r syncs.Run) bool {
	return g.Schema != registry.SchemaFreeze || r.Code != registry.CodeSchemaChanged
}
