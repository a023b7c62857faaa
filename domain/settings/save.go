package settings

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
)

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
