package pages

import (
	"slices"
	"sync"
	"time"

	"agnes/domain/people"
	"agnes/domain/settings"
)

// draft is a change of settings between its form and its review. It may hold
// secrets, so it is kept in memory alone, and a restart forgets it.
type draft struct {
	id      string
	by      people.UserID
	request settings.Request
	section string
	at      time.Time
}

const (
	draftsKept = 100
	draftAge   = 30 * time.Minute
)

// drafts are the changes that wait for their review.
type drafts struct {
	mu  sync.Mutex
	all []draft // oldest first
}

// add keeps a draft under an id that nobody can guess; the oldest goes when
// there are too many.
func (d *drafts) add(now time.Time, one draft) (string, error) {
	id, err := people.NewSecret()
	if err != nil {
		return "", err
	}
	one.id, one.at = id, now
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(now)
	if len(d.all) >= draftsKept {
		d.all = slices.Delete(d.all, 0, 1)
	}
	d.all = append(d.all, one)
	return id, nil
}

func (d *drafts) get(now time.Time, id string) (draft, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(now)
	i := slices.IndexFunc(d.all, func(one draft) bool { return one.id == id })
	if i < 0 {
		return draft{}, false
	}
	return d.all[i], true
}

func (d *drafts) remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = slices.DeleteFunc(d.all, func(one draft) bool { return one.id == id })
}

func (d *drafts) forget(now time.Time) {
	d.all = slices.DeleteFunc(d.all, func(one draft) bool { return now.Sub(one.at) > draftAge })
}
