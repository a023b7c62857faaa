package views

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"agnes/domain"
)

// ClashView shows somebody who sends a form that what it changes was changed
// since: what they want, what is there now, and what was there when they read it.
type ClashView struct {
	Title  string // names what is changed
	Back   string // shows it as it is now
	Action string // where the form was posted to, and is posted to again
	Stale  *domain.StaleError
	Labels map[string]string // what people call the fields; others are shown by name
	Hidden url.Values        // the rest of the form, which is sent again as it was
	// Word says how the value of a field is shown; nil: as it is.
	Word func(field, value string) string
	// Keep and Over are what the two buttons send beside Hidden; nil: fields of
	// Stale, under their own names.
	Keep, Over url.Values
	Now        time.Time
}

func valuesOf(fields domain.Fields) url.Values {
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	return v
}

// keep is what is sent to change only what they left alone.
func (v ClashView) keep() url.Values {
	if v.Keep != nil {
		return v.Keep
	}
	return valuesOf(v.Stale.Mine())
}

// over is what is sent to have one's own way.
func (v ClashView) over() url.Values {
	if v.Over != nil {
		return v.Over
	}
	return valuesOf(v.Stale.Over())
}

// versionText is the version of now, as forms carry it.
func (v ClashView) versionText() string {
	if v.Stale.Version == 0 {
		return ""
	}
	return strconv.FormatInt(v.Stale.Version, 10)
}

func (v ClashView) label(field string) string {
	if label, ok := v.Labels[field]; ok {
		return label
	}
	return field
}

func (v ClashView) was(c domain.Clash) string {
	if v.Stale.Forgot {
		return "not kept any more"
	}
	return v.word(c.Field, c.Was)
}

func (v ClashView) word(field, value string) string {
	if v.Word != nil {
		value = v.Word(field, value)
	}
	if value == "" {
		return "nothing"
	}
	return value
}

// mine reports whether anything of the form can be saved without undoing theirs.
func (v ClashView) mine() bool { return len(v.Stale.Mine()) > 0 }

// yours reports whether anything of the form differs from what is there now.
func (v ClashView) yours() bool { return len(v.Stale.Over()) > 0 }

// changedBy says who changed it.
func (v ClashView) changedBy() string {
	if v.Stale.ChangedBy == "" {
		return "Somebody changed it"
	}
	return v.Stale.ChangedBy + " changed it"
}

// both counts the fields that each side changed in its own way.
func (v ClashView) both() int {
	n := 0
	for _, c := range v.Stale.Clashes {
		if c.Both() {
			n++
		}
	}
	return n
}

// bothWords says how much is in dispute.
func (v ClashView) bothWords() string {
	switch n := v.both(); n {
	case 0:
		if v.Stale.Forgot {
			return "That was long ago: what you opened is not kept any more."
		}
		return "You and they changed different things."
	case 1:
		return "One field was changed by you and by them."
	default:
		return Count(int64(n)) + " fields were changed by you and by them."
	}
}

// status says who changed a field.
func (v ClashView) status(c domain.Clash) Status {
	switch {
	case v.Stale.Forgot:
		return Status{Class: "st-late", Icon: "git-merge", Word: "differs"}
	case c.Both():
		return Status{Class: "st-late", Icon: "git-merge", Word: "changed by both"}
	case c.Yours == c.Theirs:
		return Status{Class: "st-idle", Icon: "check", Word: "the same by both"}
	case c.Was == c.Theirs:
		return Status{Class: "st-idle", Icon: "pencil", Word: "changed by you"}
	}
	return Status{Class: "st-idle", Icon: "users", Word: "changed by them"}
}

// orderedPairs are the hidden inputs that carry values.
func orderedPairs(sets ...url.Values) []pairOfForm {
	var pairs []pairOfForm
	for _, set := range sets {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			for _, value := range set[name] {
				pairs = append(pairs, pairOfForm{name, value})
			}
		}
	}
	return pairs
}

type pairOfForm struct{ Name, Value string }
