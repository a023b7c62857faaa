package views

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"agnes/domain/access"
)

// Nav is the entry of the navigation that a page belongs to.
type Nav string

// The entries of the navigation.
const (
	NavNone     Nav = ""
	NavCatalog  Nav = "catalog"
	NavConsole  Nav = "console"
	NavSyncs    Nav = "syncs"
	NavSources  Nav = "sources"
	NavAdd      Nav = "add"
	NavAccess   Nav = "access"
	NavPeople   Nav = "people"
	NavAudit    Nav = "audit"
	NavServer   Nav = "server"
	NavMail     Nav = "mail"
	NavRequests Nav = "requests"
)

// Theme is the look that a person chose; the zero value follows the system.
type Theme string

// The themes, by the names that the stylesheet gives them.
const (
	ThemeSystem Theme = ""
	ThemeDay    Theme = "ledger"
	ThemeNight  Theme = "ledger-night"
)

// ParseTheme reads a theme from a cookie or form; unknown text is ThemeSystem.
func ParseTheme(text string) Theme {
	switch t := Theme(text); t {
	case ThemeDay, ThemeNight:
		return t
	default:
		return ThemeSystem
	}
}

// Next is the theme that the switch turns to: system, day, night, system.
func (t Theme) Next() Theme {
	switch t {
	case ThemeSystem:
		return ThemeDay
	case ThemeDay:
		return ThemeNight
	default:
		return ThemeSystem
	}
}

// Word says what the theme does.
func (t Theme) Word() string {
	switch t {
	case ThemeDay:
		return "light"
	case ThemeNight:
		return "dark"
	default:
		return "as the system"
	}
}

// Viewer is who looks at the page.
type Viewer struct {
	ID    string // keeps one person's drafts apart from another's
	Name  string
	Email string
	Admin bool
}

// Label is the name, or the address where no name is known.
func (v Viewer) Label() string {
	if v.Name != "" {
		return v.Name
	}
	return v.Email
}

// Initials are at most two capital letters of the label.
func (v Viewer) Initials() string {
	words := strings.FieldsFunc(v.Label(), func(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == '@' || r == '-' })
	if len(words) > 2 && v.Name != "" {
		words = []string{words[0], words[len(words)-1]}
	}
	var b strings.Builder
	for _, word := range words[:min(2, len(words))] {
		r, _ := utf8.DecodeRuneInString(word)
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// Toast is one message about what just happened. Errors stay until closed.
type Toast struct {
	Error   bool
	Text    string
	UndoURL string // posted to by its Undo button; "" without one
}

// Chrome is what every page has around its content.
type Chrome struct {
	Title    string  // of the page, without the product's name
	Brand    string  // name of the company or instance; may be empty
	Viewer   *Viewer // nil when nobody is signed in
	Nav      Nav
	Theme    Theme
	Back     string // where the theme switch returns to: the page's own path and query
	Toasts   []Toast
	Failing  int          // tables that are failing, shown to admins beside Syncs
	Requests int          // for access that wait for the viewer's answer
	Answered int          // of the viewer's own requests, not looked at yet
	As       *access.Eyes // through whose eyes an administrator looks; nil for their own
	Version  string
	Now      time.Time
	Rail     bool // the navigation folds to a rail, as on the console
}

// Admin reports whether an administrator looks at the page.
func (c Chrome) Admin() bool { return c.Viewer != nil && c.Viewer.Admin }

// FieldErrors are sentences about form fields, by the field's name.
type FieldErrors map[string]string

type navGroup struct {
	Title string
	Items []navEntry
}

type navEntry struct {
	Nav     Nav
	Label   string
	Icon    string
	Href    string
	Count   int    // that need a person
	Counted string // what is counted, plural
	Bad     bool   // something is broken, not only waiting
}

// navigation lists the entries open to the viewer.
func (c Chrome) navigation() []navGroup {
	groups := []navGroup{{Title: "Work", Items: []navEntry{
		{Nav: NavCatalog, Label: "Catalog", Icon: "table-2", Href: "/catalog"},
		{Nav: NavConsole, Label: "Console", Icon: "square-terminal", Href: "/console"},
	}}}
	if c.Admin() {
		groups = append(groups, navGroup{Title: "Steward", Items: []navEntry{
			{Nav: NavSyncs, Label: "Syncs", Icon: "refresh-cw", Href: "/syncs", Count: c.Failing, Counted: "tables failing or held", Bad: true},
			{Nav: NavSources, Label: "Sources", Icon: "plug", Href: "/sources"},
			{Nav: NavAdd, Label: "Add data", Icon: "file-up", Href: "/add"},
			{Nav: NavAccess, Label: "Access", Icon: "key-round", Href: AccessURL, Count: c.Requests, Counted: "open requests"},
			{Nav: NavPeople, Label: "People", Icon: "users", Href: PeopleURL},
			{Nav: NavAudit, Label: "Audit", Icon: "scroll-text", Href: ActivityURL},
			{Nav: NavServer, Label: "Settings", Icon: "settings", Href: ServerConfigURL},
			{Nav: NavMail, Label: "Mail", Icon: "mail", Href: "/admin/mail"},
		}})
	}
	if !c.Admin() && c.As == nil {
		groups[0].Items = append(groups[0].Items, navEntry{
			Nav: NavRequests, Label: "Requests", Icon: "key-round", Href: RequestsURL, Count: c.Requests + c.Answered, Counted: "requests open or newly answered",
		})
	}
	return groups
}

func (c Chrome) pageTitle() string {
	if c.Title == "" {
		return "Agnes"
	}
	return c.Title + " · Agnes"
}

// motto names whose instance this is; nothing more is told before sign-in.
func (c Chrome) motto() string {
	if c.Brand == "" {
		return "Company data"
	}
	return "Company data of " + c.Brand
}

func (t Theme) icon() string {
	switch t {
	case ThemeDay:
		return "sun"
	case ThemeNight:
		return "moon"
	default:
		return "sun-moon"
	}
}

type shortcut struct {
	Does string
	Keys []string
}

func shortcutList(admin bool) []shortcut {
	list := []shortcut{
		{Does: "Find anything", Keys: []string{"Ctrl", "K"}},
		{Does: "Search this page", Keys: []string{"/"}},
		{Does: "Go to the catalog", Keys: []string{"g", "c"}},
		{Does: "Go to the console", Keys: []string{"g", "k"}},
	}
	if admin {
		list = append(list,
			shortcut{Does: "Go to the syncs", Keys: []string{"g", "s"}},
			shortcut{Does: "Add data", Keys: []string{"g", "a"}},
			shortcut{Does: "Go to access", Keys: []string{"g", "u"}},
			shortcut{Does: "Go to people", Keys: []string{"g", "p"}},
			shortcut{Does: "Go to groups", Keys: []string{"g", "g"}},
			shortcut{Does: "Go to the activity", Keys: []string{"g", "l"}},
			shortcut{Does: "Go to the settings", Keys: []string{"g", "o"}})
	}
	return append(list,
		shortcut{Does: "Move in a list", Keys: []string{"j", "k"}},
		shortcut{Does: "Open the row", Keys: []string{"Enter"}},
		shortcut{Does: "Run the query", Keys: []string{"Ctrl", "Enter"}},
		shortcut{Does: "Stop the query", Keys: []string{"Ctrl", "."}},
		shortcut{Does: "Let Tab leave the editor", Keys: []string{"Ctrl", "M"}},
		shortcut{Does: "This sheet", Keys: []string{"?"}})
}
