package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// SourcesView is what custom extractors bring, and what of it is not served.
type SourcesView struct {
	Sources []syncs.Source
	Rename  RenameForm // as it was sent, when it could not be carried out
	Now     time.Time
}

// RenameForm is the name that somebody asked for, and why it was refused.
type RenameForm struct {
	Source, Table, Name string
	Error               string
}

// sentence is the state of all sources.
func (v SourcesView) sentence() string {
	served := 0
	for _, s := range v.Sources {
		for _, t := range s.Tables {
			if !t.Removed {
				served++
			}
		}
	}
	if len(v.Sources) == 1 {
		return "1 source with " + Plural(served, "table") + "."
	}
	return Plural(len(v.Sources), "source") + " with " + Plural(served, "table") + "."
}

// unwell counts the sources that need a person.
func (v SourcesView) unwell() int {
	n := 0
	for _, s := range v.Sources {
		if sourceStatus(s).Class != "st-ok" {
			n++
		}
	}
	return n
}

func (v SourcesView) unwellWords() string {
	if v.unwell() == 1 {
		return "1 needs you."
	}
	return Plural(v.unwell(), "source") + " need you."
}

// sourceStatus says how a source stands.
func sourceStatus(s syncs.Source) Status {
	switch s.State {
	case syncs.SourceGone:
		return Status{Class: "st-fail", Icon: "unplug", Word: "Gone"}
	case syncs.SourceOK:
	default:
		return Status{Class: "st-fail", Icon: "unplug", Word: "Broken"}
	}
	if len(s.Problems) > 0 || anyUnwell(s.Tables) || unreached(s.Remote) {
		return Status{Class: "st-late", Icon: "triangle-alert", Word: "In part"}
	}
	return Status{Class: "st-ok", Icon: "circle-check", Word: "Served"}
}

func anyUnwell(tables []syncs.SourceName) bool {
	for _, t := range tables {
		if (t.Gone || t.Failing) && !t.Removed {
			return true
		}
	}
	return false
}

func unreached(systems []syncs.Remote) bool {
	for _, r := range systems {
		if r.Code != "" {
			return true
		}
	}
	return false
}

// nameStatus says how one table of a source is served.
func nameStatus(s syncs.Source, t syncs.SourceName) Status {
	gone := t.Gone || s.State == syncs.SourceGone
	switch {
	case t.Removed && gone:
		return Status{Class: "st-idle", Icon: "trash-2", Word: "Removed"}
	case t.Removed:
		return Status{Class: "st-idle", Icon: "trash-2", Word: "Removed", Detail: "comes back with the extractor's next run"}
	case gone && t.Mode == registry.ModeRemote:
		return Status{Class: "st-late", Icon: "triangle-alert", Word: "Not offered any more"}
	case gone:
		return Status{Class: "st-late", Icon: "triangle-alert", Word: "Not offered any more", Detail: "last rows served"}
	case t.Mode == registry.ModeRemote:
		return Status{Class: "st-idle", Icon: "cloud", Word: "Asked live", Detail: "not served yet"}
	case t.Failing && t.Empty:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failing", Detail: "no rows yet"}
	case t.Failing:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failing", Detail: "last rows served"}
	case t.Empty:
		return Status{Class: "st-idle", Icon: "hourglass", Word: "Waits for its first rows"}
	}
	return Status{Class: "st-ok", Icon: "circle-check", Word: "Served"}
}

// renameable reports whether another name would help a table that is left out.
func renameable(p syncs.Problem) bool {
	return registry.Identifier(p.Table) && (p.Code == "name_taken" || strings.HasPrefix(p.Code, "invalid_name"))
}

// suggested is a name to start from.
func (v SourcesView) suggested(source, table, now string) string {
	if v.Rename.Source == source && v.Rename.Table == table {
		return v.Rename.Name
	}
	return now
}

func (v SourcesView) refused(source, table string) string {
	if v.Rename.Source == source && v.Rename.Table == table {
		return v.Rename.Error
	}
	return ""
}

// freeName is a name that is likely to be free.
func freeName(source, table string) string { return registry.SuggestName(source + "_" + table) }

func sourceAction(source, action string) templ.SafeURL {
	return templ.SafeURL("/sources/" + url.PathEscape(source) + "/" + action)
}

func renameURL(source, table string) templ.SafeURL {
	return sourceAction(source, "tables/"+url.PathEscape(table)+"/rename")
}

func renameID(source, table string) string { return "rename-" + source + "-" + table }

// RemoteWords says to anybody why a table that stays outside has no rows here.
// Where it is and how it is reached is not theirs to know.
func RemoteWords(t registry.Published) string {
	reason := "Agnes serves tables whose rows are copied here"
	switch t.Status.ErrorCode {
	case "extension_missing", "extension_refused", "extension_not_allowed", "extension_invalid":
		reason = "the server has no way to ask its system"
	case "token_missing", "token_env_invalid", "token_env_not_allowed", "attach_failed", "attach_timeout", "attach_not_tried":
		reason = "its system does not answer the server"
	}
	text := "Asked live, not served yet: " + reason + "."
	if t.Version != nil {
		text += " The rows that were copied here before are served, and no newer ones come."
	}
	return text
}
