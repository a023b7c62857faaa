package config

import "strings"

// Section is a part of instance.yaml that administrators may change.
type Section struct {
	Name  string
	Title string
	About string
	// Dangerous sections can lock people out.
	Dangerous bool
	// Free sections also take keys that have no description.
	Free bool
}

// Sections lists what may be changed while Agnes runs, in the order it is
// shown: those of contract 4.8 and Agnes's own.
func Sections() []Section {
	return []Section{
		{Name: "instance", Title: "This installation", About: "What pages and mails call it."},
		{Name: "auth", Title: "Sign-in", About: "Who gets in, how, and for how long.", Dangerous: true},
		{Name: "server", Title: "Server", About: "Where Agnes listens and whom it believes.", Dangerous: true},
		{Name: "mail", Title: "Mail", About: "How invitations, links and answers are sent."},
		{Name: "query", Title: "Queries", About: "What one query, and one person with all of theirs, may take."},
		{Name: "files", Title: "Files", About: "Uploads, and how many versions of a table are kept."},
		{Name: "sync", Title: "Syncs", About: "How tables are brought up to date."},
		{Name: "data_source", Title: "Data sources", About: "The outside systems that tables come from.", Free: true},
		{Name: "remote_attach", Title: "Custom extracts", About: "What an extractor's _remote_attach may name."},
		{Name: "profiler", Title: "Profiles", About: "What is counted in a table's columns, and when it deserves a look."},
		{Name: "children", Title: "Child processes", About: "What all of them together may take of this machine."},
		{Name: "state", Title: "State", About: "Copies of the state for other tools."},
		{Name: "log", Title: "Log", About: "What is written about the work."},
		{Name: "materialize", Title: "Materialised tables", About: "Tables that a query in the source makes.", Free: true},
		{Name: "ai", Title: "Language models", About: "Which model reviews and summarises.", Free: true},
		{Name: "corporate_memory", Title: "Corporate memory", About: "What agents learn, and who approves it.", Free: true},
		{Name: "openmetadata", Title: "OpenMetadata", About: "The catalog that descriptions come from.", Free: true},
		{Name: "jira", Title: "Jira", About: "Its issues as tables.", Free: true},
		{Name: "telegram", Title: "Telegram", About: "Notifications to a chat.", Free: true},
		{Name: "email", Title: "Mail of release 0.54", About: "Kept for files of that release; mail is what sends.", Free: true},
		{Name: "desktop", Title: "Desktop", About: "Its helper programs.", Free: true},
		{Name: "theme", Title: "Theme", About: "Colours and logos of release 0.54.", Free: true},
		{Name: "guardrails", Title: "Guardrails", About: "What shared skills must describe.", Free: true},
	}
}

// SectionOf finds a section by name.
func SectionOf(name string) (Section, bool) {
	for _, s := range Sections() {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// SectionName is the section that a key lies in.
func SectionName(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}

// Fields lists everything that a file may set and a section holds: the settings
// that Agnes acts on, and what it keeps for later.
func Fields() []Setting {
	var all []Setting
	for _, s := range append(Settings(), laterSettings()...) {
		if _, editable := SectionOf(SectionName(s.Key)); editable && s.Key != "" {
			all = append(all, s)
		}
	}
	return all
}

// FieldOf finds the field of a key.
func FieldOf(key string) (Setting, bool) {
	for _, s := range Fields() {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

// Sensitive are the patterns of keys whose values are never shown (contract 4.8).
func Sensitive() []string { return []string{"secret", "token", "password", "api_key"} }

// IsSensitive reports whether the last part of a key has one of the patterns.
func IsSensitive(key string) bool {
	last := strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	for _, pattern := range Sensitive() {
		if strings.Contains(last, pattern) {
			return true
		}
	}
	return false
}

// The texts that stand for a value that is not shown. Sent back, they change nothing.
const (
	MaskSet   = "***"
	MaskEmpty = "<empty>"
)
