package pages

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"agnes/domain"
	"agnes/domain/access"
	"agnes/domain/query"
	"agnes/domain/registry"
	"agnes/handlers/request"
	"agnes/views"
)

// runError words why a run was not answered, from its record.
func runError(rec query.Record, c access.Catalog) views.ConsoleErrorView {
	v := views.ConsoleErrorView{Title: "The query was not finished", Message: rec.Message, Code: rec.Code}
	class, _ := split(rec.Message)
	_, missing := query.MissingTable(rec.Message)
	switch {
	case rec.State == query.Cancelled:
		v.Title, v.Cancelled = "The query was stopped", true
	case rec.Code == "" || rec.Code == "internal":
		v.Title = titleOf(domain.Internal)
		v.Message = "The query failed because of a fault inside Agnes. No data is touched."
		v.NextStep = "Try again. If it stays, give an administrator the number of the run: the server's log has the cause under it."
	case rec.Code == "result_too_large":
		v.Title = "Not kept: too large"
		v.Message = "The rows are more than one result may hold, so the query was stopped."
		v.NextStep = "Choose fewer rows beside Run, or download all of them as they come with All as CSV."
	case class != "" || rec.Line > 0 || missing || titleOfClass("", rec.Code) != refusedTitle:
		v = sqlError(&query.SQLError{Code: rec.Code, Text: rec.Message, Line: rec.Line, Column: rec.Column}, c)
	}
	v.Elapsed, v.RunID = rec.Duration(), rec.ID
	return v
}

// What DuckDB 1.5 says of names that it does not find.
var (
	noColumn   = regexp.MustCompile(`(?:Referenced column|does not have a column named) "([^"]+)"`)
	noFunction = regexp.MustCompile(`Function with name "?([^"\s]+)"? does not exist`)
	didYouMean = regexp.MustCompile(`Did you mean "([^"]+)"`)
)

// sqlError names the fault in words of ours and keeps the engine's beside them.
func sqlError(e *query.SQLError, c access.Catalog) views.ConsoleErrorView {
	class, detail := split(e.Text)
	v := views.ConsoleErrorView{Code: e.Code, Line: e.Line, Column: e.Column, Title: titleOfClass(class, e.Code), Message: detail}
	if class != "" {
		v.Engine = e.Text
	}
	if name, missing := query.MissingTable(e.Text); missing {
		if o, there := c.Offer(name); there {
			v.Title = "You may not read " + o.Name
			v.Message = o.Name + " exists; you have no grant. Ask for access, and say what you need it for."
			v.AskURL = request.AskPath(o.ID)
			return v
		}
		v.Title = "There is no table " + name
		v.Message = "No table of this name exists, or it is not granted to a group of yours."
		v.Nearest = nearest(name, tableNames(c))
		return v
	}
	if m := noColumn.FindStringSubmatch(e.Text); m != nil {
		v.Title = "There is no column " + m[1]
		v.Message = "None of the tables in the statement has a column of this name."
		v.Nearest = nearest(m[1], columnNames(c, e.Text))
		return v
	}
	if m := noFunction.FindStringSubmatch(e.Text); m != nil {
		v.Title = "There is no function " + m[1]
		v.Message = "DuckDB has no function of this name, or it is not open here."
		if m := didYouMean.FindStringSubmatch(e.Text); m != nil {
			v.Nearest = m[1:]
		}
	}
	return v
}

// split parts "Parser Error: syntax error at …\n\nLINE 1: …" into its class and
// its first line.
func split(text string) (class, detail string) {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	class, detail, found := strings.Cut(first, " Error: ")
	if !found {
		return "", text
	}
	return class, detail
}

// refusedTitle is for whatever has no title of its own.
const refusedTitle = "The query was refused"

func titleOfClass(class, code string) string {
	switch code {
	case "empty_statement":
		return "There is nothing to run"
	case "several_statements":
		return "Only one statement runs at a time"
	case "not_a_reading_statement":
		return "Only reading is possible here"
	case "function_refused":
		return "This function is not open here"
	case "statement_too_long":
		return "The statement is too long"
	}
	switch class {
	case "Parser":
		return "The statement cannot be read"
	case "Binder", "Catalog":
		return "A name in the statement does not fit"
	case "Conversion":
		return "A value does not fit its type"
	case "Out of Range", "Overflow":
		return "A value is out of range"
	case "Out of Memory":
		return "The query needs more memory than it may use"
	}
	return refusedTitle
}

func tableNames(c access.Catalog) []string {
	names := make([]string, 0, len(c.Tables()))
	for _, t := range c.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// columnNames lists the columns that the engine's text offers; where it offers
// none, those of the tables that the text names.
func columnNames(c access.Catalog, text string) []string {
	if _, list, found := strings.Cut(text, "Candidate bindings: "); found {
		list, _, _ = strings.Cut(list, "\n")
		var names []string
		for name := range strings.SplitSeq(list, ",") {
			name = strings.Trim(strings.TrimSpace(name), `"`)
			names = append(names, name[strings.LastIndex(name, ".")+1:])
		}
		return names
	}
	var names []string
	for _, t := range c.Tables() {
		if t.Version == nil || !strings.Contains(text, t.Name) {
			continue
		}
		names = append(names, columnsOf(t)...)
	}
	return names
}

func columnsOf(t registry.Published) []string {
	names := make([]string, len(t.Version.Columns))
	for i, c := range t.Version.Columns {
		names[i] = c.Name
	}
	return names
}

// nearest returns at most three names that a person may have meant.
func nearest(name string, known []string) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	wanted := strings.ToLower(name)
	most := max(2, len(wanted)/3)
	for _, k := range known {
		if d := levenshtein.Distance(wanted, strings.ToLower(k), nil); d <= most {
			found = append(found, near{k, d})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, n := range found {
		if !slices.Contains(names, n.name) && len(names) < 3 {
			names = append(names, n.name)
		}
	}
	return names
}
