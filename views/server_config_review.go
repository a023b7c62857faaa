package views

import (
	"agnes/domain/registry"
	"agnes/domain/settings"
)

// SettingsReviewView is a change before it is saved.
type SettingsReviewView struct {
	ID     string
	Plan   *settings.Plan
	Stale  bool   // a section asks for a recent sign-in, and this is none
	Error  string // why it could not be saved
	Danger bool   // what was ticked
	Go     bool
}

func (v SettingsReviewView) back() string {
	if len(v.Plan.Sections) > 0 {
		return SettingsSectionURL(v.Plan.Sections[0])
	}
	return ServerConfigURL
}

// forceWords say when a change is in force.
func forceWords(c settings.Change) string {
	switch {
	case c.Setting.Later:
		return "kept, read by nothing yet"
	case c.Setting.Live:
		return "at once"
	}
	return "with the next start"
}

func orNothing(text string) string {
	if text == "" {
		return "not set"
	}
	return text
}

func tableID(id string) registry.TableID { return registry.TableID(id) }

func affectedWords(n int) string {
	if n == 1 {
		return "1 table reads through this connection and would break."
	}
	return Count(int64(n)) + " tables read through this connection and would break."
}
