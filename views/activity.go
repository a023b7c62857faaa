package views

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/activity"
	"agnes/domain/audit"
)

// ActivityView is the page of the audit log.
type ActivityView struct {
	Filter audit.Filter
	Page   audit.Page
	Counts audit.Counts
	Bars   []audit.Bucket
	Saved  []audit.View
	Viewed string // id of the saved view that is shown
	Me     string // the viewer's user id
	Newest bool   // the page begins at the newest row
	Kept   string // how long rows stay, in words
	Error  string
	Now    time.Time
}

// ActivityOf is the list of one filter.
func ActivityOf(f audit.Filter) templ.SafeURL { return activityAt(f.Values()) }

// TableActivityURL is the list of what was done to a table.
func TableActivityURL(id string) templ.SafeURL {
	return ActivityOf(audit.Filter{Resource: "table:" + id, Range: "30d"})
}

// PersonActivityURL is the list of what a person did.
func PersonActivityURL(id string) templ.SafeURL {
	return ActivityOf(audit.Filter{Person: id, Range: "30d"})
}

func activityAt(v url.Values) templ.SafeURL {
	if len(v) == 0 {
		return templ.SafeURL(ActivityURL)
	}
	return templ.SafeURL(ActivityURL + "?" + v.Encode())
}

func (v ActivityView) at(path string, more ...string) templ.SafeURL {
	values := v.Filter.Values()
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return templ.SafeURL(ActivityURL + path + "?" + values.Encode())
}

func (v ActivityView) olderURL() templ.SafeURL { return v.at("", "before", v.Page.Older.Text()) }
func (v ActivityView) newerURL() templ.SafeURL { return v.at("", "after", v.Page.Newer.Text()) }
func (v ActivityView) exportURL(format string) templ.SafeURL {
	return v.at("/export", "format", format)
}

// pollURL asks how many rows came since this page was made.
func (v ActivityView) pollURL() string {
	from := audit.Cursor{At: v.Now, ID: "~"}
	if len(v.Page.Rows) > 0 {
		from = audit.Cursor{At: v.Page.Rows[0].Timestamp, ID: v.Page.Rows[0].ID}
	}
	return string(v.at("/newer", "from", from.Text()))
}

// without is the list with one part of the filter taken out.
func (v ActivityView) without(change func(*audit.Filter)) templ.SafeURL {
	f := v.Filter
	change(&f)
	return ActivityOf(f)
}

func (v ActivityView) mineURL() templ.SafeURL {
	return v.without(func(f *audit.Filter) { f.Person = v.Me })
}

func (v ActivityView) readsURL() templ.SafeURL {
	return v.without(func(f *audit.Filter) { f.Reads = !f.Reads })
}

// chip is a part of the filter that is set.
type chip struct {
	Label string
	Value string
	Href  templ.SafeURL // the list without it
}

func (v ActivityView) chips() []chip {
	f := v.Filter
	var chips []chip
	add := func(label, value string, off func(*audit.Filter)) {
		if value != "" {
			chips = append(chips, chip{label, value, v.without(off)})
		}
	}
	add("Person", v.personWord(), func(f *audit.Filter) { f.Person = "" })
	add("Action", f.Action, func(f *audit.Filter) { f.Action = "" })
	add("About", f.Resource, func(f *audit.Filter) { f.Resource = "" })
	add("Result", f.Result, func(f *audit.Filter) { f.Result = "" })
	add("From", f.ClientKind, func(f *audit.Filter) { f.ClientKind = "" })
	add("Text", f.Text, func(f *audit.Filter) { f.Text = "" })
	return chips
}

// personWord is the person of the filter as people call them.
func (v ActivityView) personWord() string {
	if v.Filter.Person == v.Me && v.Me != "" {
		return "you"
	}
	for _, u := range v.Counts.Users {
		if u.Value == v.Filter.Person && u.Label != "" {
			return u.Label
		}
	}
	return v.Filter.Person
}

// personField is what the field of the person holds: the address where known.
func (v ActivityView) personField() string {
	if word := v.personWord(); word != "you" {
		return word
	}
	return v.Filter.Person
}

// sentence sums the list up.
func (v ActivityView) sentence() string {
	c := v.Counts
	if c.Events == 0 {
		return "Nothing happened " + v.when() + "."
	}
	events := Plural(int(c.Events), "event")
	if c.From != nil {
		events = "The newest " + Count(c.Events) + " events"
	}
	text := events + " " + v.when()
	if c.People > 0 {
		text += " by " + persons(int(c.People))
	}
	if c.Failed == 0 {
		return text + "; none failed."
	}
	return text + "; " + Count(c.Failed) + " failed."
}

// when is the time of the counts.
func (v ActivityView) when() string {
	if v.Counts.From != nil {
		return "since " + dayTime(v.Now, *v.Counts.From)
	}
	for _, r := range audit.Ranges() {
		if r.Key == v.Filter.Range {
			return "in " + r.Label
		}
	}
	return v.customWords()
}

func (v ActivityView) customWords() string {
	var words []string
	if !v.Filter.Since.IsZero() {
		words = append(words, "from "+dayTime(v.Now, v.Filter.Since))
	}
	if !v.Filter.Until.IsZero() {
		words = append(words, "until "+dayTime(v.Now, v.Filter.Until))
	}
	return strings.Join(words, " ")
}

func dayTime(now, t time.Time) string { return Date(now, t) + ", " + Clock(t) }

// localTime is a time as a field for one takes it.
func localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04")
}

// searched says how far a search got that stopped to stay quick.
func (v ActivityView) searched() string {
	if v.Page.Searched == nil {
		return ""
	}
	return "Looked through what happened since " + dayTime(v.Now, *v.Page.Searched) + "."
}

// savedURL shows a saved view.
func savedURL(view audit.View, values url.Values) templ.SafeURL {
	values.Set("view", view.ID)
	return activityAt(values)
}

// savedTab is a view of the viewer's with where it leads.
type savedTab struct {
	View audit.View
	Href templ.SafeURL
	On   bool
}

func (v ActivityView) tabs() []savedTab {
	tabs := make([]savedTab, len(v.Saved))
	for i, view := range v.Saved {
		tabs[i] = savedTab{View: view, Href: savedURL(view, activity.ViewValues(view)), On: view.ID == v.Viewed}
	}
	return tabs
}

// hidden are the parts of the filter for a form that changes others.
func (v ActivityView) hidden(except ...string) []noted {
	values := v.Filter.Values()
	for _, name := range except {
		values.Del(name)
	}
	var fields []noted
	for _, name := range sortedNames(values) {
		fields = append(fields, noted{name, values.Get(name)})
	}
	return fields
}

func sortedNames(values url.Values) []string {
	m := map[string]any{}
	for name := range values {
		m[name] = nil
	}
	return keysOf(m)
}

// MostNewer is how many newer rows are counted.
const MostNewer = 100

func newerWords(n int) string {
	if n >= MostNewer {
		return strconv.Itoa(MostNewer) + " or more newer events"
	}
	return Plural(n, "newer event")
}
