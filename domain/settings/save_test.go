package settings_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"agnes/domain/audit"
	"agnes/domain/settings"
)

// forgetful is a state that loses its record after the file was put.
type forgetful struct {
	settings.Store
	broken bool
}

func (f *forgetful) SaveSettings(ctx context.Context, by audit.Actor, r settings.Revision, put func() error) error {
	return f.Store.SaveSettings(ctx, by, r, func() error {
		err := put()
		if f.broken {
			err = errors.Join(err, errors.New("disk I/O error"))
		}
		return err
	})
}

// What is not recorded is not in force either: the next start would run with
// settings of which nobody knows who made them.
func TestAFileGoesBackWithItsRecord(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "instance: {name: Base}\n", nil)
	p.mustSave(`{"instance": {"name": "One"}}`)
	state := &forgetful{Store: p.editor.Store, broken: true}
	p.editor.Store = state
	before := p.text()
	if _, err := p.save(`{"instance": {"name": "Two"}}`); err == nil {
		t.Fatal("saved without a record")
	}
	if got := p.text(); got != before {
		t.Errorf("the file says\n%s\nand was\n%s", got, before)
	}
	if got := p.field("instance.name"); fmt.Sprint(got.Value) != "One" {
		t.Errorf("the field is %v", got.Value)
	}
	state.broken = false
	p.mustSave(`{"instance": {"name": "Two"}}`)
	if got := p.field("instance.name"); fmt.Sprint(got.Value) != "Two" {
		t.Errorf("the field is %v after the state recovered", got.Value)
	}
}
