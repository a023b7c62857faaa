package views

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"agnes/domain/config"
	"agnes/domain/registry"
	"agnes/domain/settings"
)

// ServerConfigView is one section of the settings.
type ServerConfigView struct {
	View    *settings.View
	Section string // OutsideSection for what variables and flags alone set
	// Entered is what somebody sent that could not be taken, by key, without secrets.
	Entered map[string]string
	Errors  FieldErrors
	Problem string // with the form as a whole
	Testing bool   // the section has a connection that can be tested
	Tested  []settings.Tested
	Now     time.Time
}

// OutsideSection names the list of what cannot be changed here.
const OutsideSection = "outside"

// SettingsSectionURL is the page of one section.
func SettingsSectionURL(name string) string {
	return ServerConfigURL + "?" + url.Values{"section": {name}}.Encode()
}

// SettingsReviewURL is the page of one change before it is saved.
func SettingsReviewURL(id string) string { return ServerConfigURL + "/review/" + url.PathEscape(id) }

// entries are the sections that the page lists; later are those that nothing
// reads yet.
func (v ServerConfigView) entries(later bool) []settings.SectionView {
	var all []settings.SectionView
	for _, s := range v.View.Sections {
		if len(s.Fields) > 0 && (len(currentFields(s)) == 0) == later {
			all = append(all, s)
		}
	}
	return all
}

// currentFields are the fields that Agnes acts on.
func currentFields(s settings.SectionView) []settings.Field {
	return slices.DeleteFunc(slices.Clone(s.Fields), func(f settings.Field) bool { return f.Setting.Later })
}

// laterFields are the fields that are only kept.
func laterFields(s settings.SectionView) []settings.Field {
	return slices.DeleteFunc(slices.Clone(s.Fields), func(f settings.Field) bool { return !f.Setting.Later })
}

// section is the one that is shown; ok is false for what lies outside.
func (v ServerConfigView) section() (settings.SectionView, bool) {
	for _, s := range v.View.Sections {
		if s.Name == v.Section {
			return s, true
		}
	}
	return settings.SectionView{}, false
}

// waiting counts the settings of a section that wait for a restart.
func waiting(s settings.SectionView) int {
	n := 0
	for _, f := range s.Fields {
		if f.Waits {
			n++
		}
	}
	return n
}

func (v ServerConfigView) sentence() string {
	set := 0
	for _, s := range v.View.Sections {
		for _, f := range s.Fields {
			if f.Origin == settings.FromOverlay {
				set++
			}
		}
	}
	if set == 0 {
		return "Nothing was changed here yet."
	}
	return Plural(set, "setting") + " changed here."
}

// SettingLabel is what people call a setting: its key without the section.
func SettingLabel(key string) string {
	_, rest, _ := strings.Cut(key, ".")
	if rest == "" {
		return key
	}
	words := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '_' })
	for i, word := range words {
		switch word {
		case "url", "smtp", "oidc", "tls", "cors", "ssl", "id", "api", "svg", "mb", "ttl", "bq", "gws":
			words[i] = strings.ToUpper(word)
		case "bigquery":
			words[i] = "BigQuery"
		case "sendgrid", "google", "keboola", "atlassian":
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	label := strings.Join(words, " ")
	return strings.ToUpper(label[:1]) + label[1:]
}

// originWords say where a value comes from.
func originWords(f settings.Field) string {
	switch f.Origin {
	case settings.FromEnvironment:
		return "set by the variable " + f.Where
	case settings.FromFlag:
		return "set by the flag " + f.Where
	case settings.FromOverlay:
		return "saved here"
	case settings.FromBase:
		return "from " + f.Where
	case settings.FromDefault:
	}
	return "default"
}

// lockedWords say why a value cannot be changed here.
func lockedWords(f settings.Field) string {
	if f.Setting.Key == "" {
		return "Only a variable or flag sets this."
	}
	return strings.ToUpper(originWords(f)[:1]) + originWords(f)[1:] + ", which outranks what is saved here. Change it there."
}

// settingValue is a value as text; a secret is only said to be there.
func settingValue(f settings.Field) string {
	switch {
	case f.Setting.Secret && f.IsSet:
		return "set"
	case f.Setting.Secret, !f.IsSet:
		return "not set"
	case f.Complex:
		return "several values"
	}
	return f.Value
}

// entered is what the input of a field holds.
func (v ServerConfigView) entered(f settings.Field) string {
	if text, ok := v.Entered[f.Setting.Key]; ok {
		return text
	}
	return f.Value
}

// choices are what a field can be chosen from, nil for a text.
func choices(f settings.Field) []string {
	var all []string
	switch f.Setting.Kind {
	case config.Bool:
		all = []string{"true", "false"}
	case config.Select:
		all = f.Setting.Options
	default:
		return nil
	}
	if f.Value != "" && !slices.Contains(all, f.Value) { // written another way in a file
		all = append([]string{f.Value}, all...)
	}
	return all
}

// hint is what a field says below itself.
func hint(f settings.Field) string {
	text := strings.ReplaceAll(f.Setting.About, "`", "")
	if len(f.Setting.Options) > 0 && f.Setting.Kind == config.Array {
		text += " With commas between."
	}
	if f.Setting.Default != "" && f.Origin != settings.FromDefault {
		text += " Default: " + strings.ReplaceAll(f.Setting.Default, "`", "") + "."
	}
	if !f.Setting.Live && !f.Setting.Later {
		text += " A change needs a restart."
	}
	return text
}

// inputID is the id of a field's input, and the start of those around it.
func inputID(f settings.Field) string { return "set-" + strings.ReplaceAll(f.Setting.Key, ".", "-") }

// fieldAttributes tie an input to its hint and its error.
func (v ServerConfigView) fieldAttributes(f settings.Field) templ.Attributes {
	id := inputID(f)
	if v.Errors[f.Setting.Key] != "" {
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": id + "-error " + id + "-hint"}
	}
	return templ.Attributes{"aria-describedby": id + "-hint"}
}

// waitingKeys are the settings that wait for a restart.
func (v ServerConfigView) waitingKeys() string {
	var keys []string
	for _, w := range v.View.Waiting {
		keys = append(keys, w.Name())
	}
	return strings.Join(keys, ", ")
}

func stepStatus(s settings.Step) Status {
	switch s.State {
	case settings.StepOK:
		return Status{Class: "st-ok", Icon: "circle-check", Word: "Works"}
	case settings.StepFailed:
		return Status{Class: "st-fail", Icon: "circle-x", Word: "Failed"}
	case settings.StepSkipped:
	}
	return Status{Class: "st-idle", Icon: "circle-dashed", Word: "Not tried"}
}

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

func versionText(n int64) string { return strconv.FormatInt(n, 10) }

func tableID(id string) registry.TableID { return registry.TableID(id) }

func affectedWords(n int) string {
	if n == 1 {
		return "1 table reads through this connection and would break."
	}
	return Count(int64(n)) + " tables read through this connection and would break."
}

func secretPlaceholder(f settings.Field) string {
	if f.IsSet {
		return "Type to replace it"
	}
	return ""
}

// brief reports whether a field's values are short.
func brief(f settings.Field) bool {
	return f.Setting.Kind == config.Int || f.Setting.Kind == config.Float
}

// erred reports whether something is wrong with one of the fields.
func (v ServerConfigView) erred(fields []settings.Field) bool {
	return slices.ContainsFunc(fields, func(f settings.Field) bool { return v.Errors[f.Setting.Key] != "" })
}

func (v ServerConfigView) sectionTitle() string {
	if s, ok := v.section(); ok {
		return s.Title
	}
	return "Set outside"
}
