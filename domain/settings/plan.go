package settings

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/config"
)

// Request is what somebody wants to change.
type Request struct {
	// Patch is nested maps by section. Maps merge, everything else replaces, and
	// nil takes a value out of the overlay.
	Patch map[string]any
	Seen  int64 // version that it was made from; 0: not said

	ConfirmDanger   bool
	ConfirmAffected bool
	// Allowed may refuse a change of the sections that can lock people out; nil: nobody does.
	Allowed func(danger []string) error
}

// Plan is what a change would do.
type Plan struct {
	Changes  []Change
	Sections []string // that change, by name
	Danger   []string // those of them that can lock people out
	Affected []Affected
	Restart  []config.Effective // in force only after the next start

	now  *present
	doc  config.Document
	text []byte
	cfg  config.Config
	diff []Difference // of the overlay, for the audit log
}

// Change is one setting with its effective values, fit to be shown.
type Change struct {
	Setting       config.Setting
	Path          string
	Before, After string
}

// Secret reports whether only the fact of a change is shown.
func (c Change) Secret() bool { return Hidden(c.Path) }

// Version is that of the overlay once the plan is saved.
func (p *Plan) Version() int64 { return versionOf(p.text) }

// Count is how many values differ.
func (p *Plan) Count() int { return len(p.diff) }

// Empty reports whether the plan changes nothing.
func (p *Plan) Empty() bool { return len(p.diff) == 0 }

// Plan tries a change without making it. It fails with Invalid and the fields
// that are wrong, with the code unknown_section, and with overlay_corrupt.
func (e *Editor) Plan(ctx context.Context, r Request) (*Plan, error) {
	if len(r.Patch) == 0 {
		return nil, domain.E(domain.Invalid, "empty", "No section was sent, so nothing was changed. Send at least one.")
	}
	if err := knownSections(r.Patch); err != nil {
		return nil, err
	}
	now, err := e.read(ctx)
	if err != nil {
		return nil, err
	}
	var mistakes config.Mistakes
	if _, err := config.ParseDocument(now.text); err != nil {
		return nil, corrupt(err)
	}
	if now.problem != nil && !errors.As(now.problem, &mistakes) {
		return nil, now.problem
	}
	patch, err := e.checked(ctx, now, unmasked("", r.Patch))
	if err != nil {
		return nil, err
	}
	return e.plan(ctx, now, patch)
}

func knownSections(patch map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		section, known := config.SectionOf(name)
		if !known {
			return domain.E(domain.Invalid, "unknown_section", "There is no section %q that can be changed here, so nothing was.", name)
		}
		if _, ok := patch[name].(map[string]any); !ok && patch[name] != nil {
			return domain.FieldError(section.Name, "A section holds keys with values.")
		}
	}
	return nil
}

func (e *Editor) plan(ctx context.Context, now *present, patch map[string]any) (*Plan, error) {
	p := &Plan{now: now, doc: now.doc.Merge(patch), text: now.text}
	if len(patch) > 0 {
		text, err := p.doc.Encode()
		if err != nil {
			return nil, domain.E(domain.Invalid, "not_yaml", "This holds a value that cannot be kept. Nothing was changed.").Because(err)
		}
		p.text = text
	}
	cfg, _, err := config.Load(withOverlay(now.in, p.text))
	if err != nil {
		return nil, refused(err)
	}
	p.cfg = cfg
	p.compare(patch)
	p.Restart = config.NeedRestart(now.cfg, cfg)
	if p.Affected, err = e.affected(ctx, now, p); err != nil {
		return nil, err
	}
	return p, nil
}

// refused turns what a start would say into errors of fields.
func refused(err error) error {
	var mistakes config.Mistakes
	if !errors.As(err, &mistakes) {
		return err
	}
	e := &domain.Error{Kind: domain.Invalid, Code: "would_not_start", Message: "Agnes would not start with this, so nothing was changed.", Fields: map[string]string{}}
	for _, m := range mistakes {
		sentence := capital(m.Problem) + ". " + m.Remedy
		if e.Fields[m.Key] != "" {
			sentence = e.Fields[m.Key] + " " + sentence
		}
		e.Fields[m.Key] = sentence
	}
	return e
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// compare finds what differs: in the overlay, and in what is in force of it.
func (p *Plan) compare(patch map[string]any) {
	before, after := config.Leaves(p.now.doc.Tree()), config.Leaves(p.doc.Tree())
	keys := map[string]bool{}
	for key, v := range after {
		if old, there := before[key]; !there || !same(old, v) {
			keys[key] = true
		}
	}
	for key := range before {
		if _, there := after[key]; !there {
			keys[key] = true
		}
	}
	touched := config.Leaves(patch)
	sections := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		p.diff = append(p.diff, difference(key, before[key], after[key]))
		sections[config.SectionName(key)] = true
		_, sent := touched[key]
		_, still := after[key]
		if !sent && !still { // a section that gave way to its own keys, or the reverse
			continue
		}
		p.Changes = append(p.Changes, p.change(key))
	}
	p.Sections = slices.Sorted(maps.Keys(sections))
	for _, name := range p.Sections {
		if s, _ := config.SectionOf(name); s.Dangerous {
			p.Danger = append(p.Danger, name)
		}
	}
}

func same(a, b any) bool {
	return reflect.DeepEqual(a, b)
}

func difference(key string, before, after any) Difference {
	if !Hidden(key) {
		return Difference{Path: key, Before: textOf(before), After: textOf(after)}
	}
	d := Difference{Path: key, Before: mask(textOf(before) != ""), After: mask(textOf(after) != "")}
	if d.Before == d.After {
		d.After = "changed"
	}
	return d
}

func (p *Plan) change(key string) Change {
	setting, known := config.FieldOf(key)
	if !known {
		setting = config.Setting{Key: key, Kind: config.Map, Later: true}
	}
	c := Change{Setting: setting, Path: key, Before: effective(p.now.in, p.now.cfg, key), After: effective(withOverlay(p.now.in, p.text), p.cfg, key)}
	if c.Secret() {
		c.Before, c.After = told(c.Before), told(c.After)
		if c.Before == c.After {
			c.After = "changed"
		}
	}
	return c
}

func told(text string) string {
	if text == "" {
		return "not set"
	}
	return storySet
}

// effective is the text in force of a key; "[redacted]" or a mask for a secret.
func effective(in config.Input, cfg config.Config, key string) string {
	for _, e := range cfg.Effective() {
		if e.Key == key {
			return e.Value
		}
	}
	w := config.WrittenIn(in.YAML)[key]
	if w.Text == "" && !w.Section {
		f, _ := config.FieldOf(key)
		return f.Default
	}
	if w.Section {
		return "several values"
	}
	return w.Text
}

// Save makes a change. Beside what Plan fails with, it fails with Stale, with
// Invalid and the code confirm_danger or, as AffectedError, with Conflict.
func (e *Editor) Save(ctx context.Context, by audit.Actor, r Request) (*Plan, error) {
	e.saving.Lock()
	defer e.saving.Unlock()
	p, err := e.Plan(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.mayGoOn(r); err != nil || p.Empty() {
		return p, err
	}
	if err := e.put(ctx, by, r, p); err != nil {
		return nil, err
	}
	e.Live.Apply(p.cfg)
	return p, nil
}

// mayGoOn asks for the confirmations that a plan needs.
func (p *Plan) mayGoOn(r Request) error {
	if len(p.Danger) > 0 && !r.ConfirmDanger {
		return domain.E(domain.Invalid, "confirm_danger",
			"Mistakes in %s can lock everybody out, so nothing was changed. Send confirm_danger: true to go on.", strings.Join(p.Danger, " and "))
	}
	if r.Allowed != nil {
		if err := r.Allowed(p.Danger); err != nil {
			return err
		}
	}
	if len(p.Affected) > 0 && !r.ConfirmAffected {
		return &AffectedError{Tables: p.Affected}
	}
	return nil
}

func (e *Editor) put(ctx context.Context, by audit.Actor, r Request, p *Plan) (err error) {
	staged, err := e.Files.Stage(p.text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, staged.Discard()) }()
	replaced := false
	revision := Revision{Seen: r.Seen, Before: p.now.edition, Diff: p.diff}
	revision.Before.Version, revision.Before.Fields = p.now.version(), p.now.fields
	revision.After = Edition{Version: versionOf(p.text), Fields: e.afterwards(by, p)}
	err = e.Store.SaveSettings(ctx, by, revision, func() error {
		err := staged.Put()
		replaced = replaced || err == nil
		return err
	})
	if err != nil && replaced { // the record was rolled back, so the file goes back too
		back, stageErr := e.Files.Stage(p.now.text)
		if stageErr != nil {
			return errors.Join(err, stageErr)
		}
		return errors.Join(err, back.Put(), back.Discard())
	}
	return err
}

// afterwards are the fields once p is saved, with the story of each new secret.
func (e *Editor) afterwards(by audit.Actor, p *Plan) domain.Fields {
	fields := fieldsOf(p.doc, p.now.fields)
	for _, d := range p.diff {
		if _, there := fields[d.Path]; there && Hidden(d.Path) {
			fields[d.Path] = storySet + " " + strconv.FormatInt(e.Now().UnixMicro(), 10) + " " + by.Email
		}
	}
	for key := range p.now.fields { // gone is a value too, for those who compare
		if _, there := fields[key]; !there {
			fields[key] = ""
		}
	}
	return fields
}

// story reads when and by whom a secret was set; zero when it was not set here.
func story(text string) (at time.Time, by string) {
	parts := strings.SplitN(text, " ", 3)
	if len(parts) < 3 || parts[0] != storySet {
		return time.Time{}, ""
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return time.Time{}, ""
	}
	return time.UnixMicro(micros).UTC(), parts[2]
}
