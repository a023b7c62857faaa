package settings

import (
	"context"
	"slices"
	"strings"
	"time"

	"agnes/domain/config"
)

// Origin is where a value comes from.
type Origin string

// The origins.
const (
	FromDefault     Origin = "default"
	FromBase        Origin = "base"    // the operator's instance.yaml
	FromOverlay     Origin = "overlay" // what was saved here
	FromEnvironment Origin = "environment"
	FromFlag        Origin = "flag"
)

// Field is one setting as it stands.
type Field struct {
	Setting config.Setting
	Value   string // "" for a secret
	Complex bool   // a section or a list of more than plain values; only the API changes it
	IsSet   bool
	Origin  Origin
	Where   string    // file:line, variable or flag
	At      time.Time // when a secret was set here; zero: not known
	By      string
	Waits   bool // another value is in force until the next start
}

// Locked reports whether something outranks what would be saved here.
func (f Field) Locked() bool {
	return f.Origin == FromEnvironment || f.Origin == FromFlag || f.Setting.Key == ""
}

// SectionView is a section with its fields.
type SectionView struct {
	config.Section
	Fields []Field
}

// View is everything that can be set, as it stands.
type View struct {
	Version   int64
	Sections  []SectionView
	Elsewhere []Field // set by variables and flags alone
	Waiting   []config.Effective
	Problem   error // why a start would fail now; nil when it would not
	ChangedAt time.Time
	ChangedBy string
	// Outside: the overlay is not what was last saved here.
	Outside bool

	tree map[string]any
}

// View reads how everything stands.
func (e *Editor) View(ctx context.Context) (*View, error) {
	now, err := e.read(ctx)
	if err != nil {
		return nil, err
	}
	v := &View{Version: now.version(), Problem: now.problem, ChangedAt: now.edition.At, ChangedBy: now.edition.By, tree: shown(mergedTree(now.in))}
	v.Outside = now.edition.Version == 0 && len(now.text) > 0
	cfg := now.cfg
	if now.problem == nil {
		v.Waiting = config.NeedRestart(e.Live.Started(), cfg)
	} else {
		cfg = e.Live.Now()
	}
	waits := map[string]bool{}
	for _, w := range v.Waiting {
		waits[w.Name()] = true
	}
	written := config.WrittenIn(now.in.YAML)
	overlay := now.in.YAML[len(now.in.YAML)-1].Name
	for _, s := range config.Sections() {
		section := SectionView{Section: s}
		for _, f := range config.Fields() {
			if config.SectionName(f.Key) != s.Name {
				continue
			}
			field := fieldView(f, cfg, written[f.Key], overlay)
			field.Waits = waits[f.Key]
			if f.Secret {
				field.At, field.By = story(now.fields[f.Key])
			}
			section.Fields = append(section.Fields, field)
		}
		v.Sections = append(v.Sections, section)
	}
	for _, effective := range cfg.Effective() {
		if effective.Key == "" {
			v.Elsewhere = append(v.Elsewhere, fieldView(effective.Setting, cfg, config.Written{}, overlay))
		}
	}
	return v, nil
}

// Field finds a field by its key.
func (v *View) Field(key string) (Field, bool) {
	for _, s := range v.Sections {
		for _, f := range s.Fields {
			if f.Setting.Key == key {
				return f, true
			}
		}
	}
	return Field{}, false
}

// Tree is what the files hold of each section, secrets masked, as contract 4.8
// shows it.
func (v *View) Tree() map[string]any { return v.tree }

func shown(merged map[string]any) map[string]any {
	out := map[string]any{}
	for _, s := range config.Sections() {
		below, ok := merged[s.Name].(map[string]any)
		if !ok {
			below = map[string]any{}
		}
		out[s.Name] = Masked(s.Name, below)
	}
	for _, key := range []string{"data_source.bigquery.max_bytes_per_materialize", "data_source.bigquery.bq_max_scan_bytes"} {
		if _, there := config.At(out, key); !there {
			f, _ := config.FieldOf(key)
			if n, err := fitting(f, f.Default); err == nil {
				config.Put(out, key, n)
			}
		}
	}
	return out
}

// mergedTree lays the overlay over the base; a file that cannot be read is empty.
func mergedTree(in config.Input) map[string]any {
	var doc config.Document
	for _, f := range in.YAML {
		if d, err := config.ParseDocument(f.Data); err == nil {
			doc = doc.Merge(withoutNulls(d.Tree()))
		}
	}
	return doc.Tree()
}

// withoutNulls leaves out keys without a value, which hide nothing of the base.
func withoutNulls(tree map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range tree {
		if below, ok := v.(map[string]any); ok {
			v = withoutNulls(below)
		}
		if v != nil {
			out[name] = v
		}
	}
	return out
}

func fieldView(s config.Setting, cfg config.Config, w config.Written, overlay string) Field {
	f := Field{Setting: s, Origin: FromDefault, Where: config.Default, Complex: w.Section}
	value := s.Default
	if w.Text != "" || w.Section {
		value, f.Where = w.Text, w.Origin
	}
	for _, e := range cfg.Effective() { // what Agnes acts on
		if e.Name() == s.Name() {
			value, f.Where = e.Value, e.Origin
		}
	}
	f.IsSet = value != "" || w.Section
	if !s.Secret {
		f.Value = value
	}
	switch {
	case f.Where == config.Default:
	case strings.HasPrefix(f.Where, "--"):
		f.Origin = FromFlag
	case slices.Contains(s.Env, f.Where):
		f.Origin = FromEnvironment
	case strings.HasPrefix(f.Where, overlay+":"):
		f.Origin = FromOverlay
	default:
		f.Origin = FromBase
	}
	return f
}
