package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// load drives a server with changes and reads, and notes what it confirms.
type load struct {
	*server
	*ledger
	workers int
	large   int // rows of a large upload
	kinds   []func(*load, *rand.Rand, int) error
	answers func(error) error // judges the failures while the server lives; nil: all are expected

	mu   sync.Mutex
	ops  int
	errs []error
}

// changes are the kinds of work that the load mixes.
func changes() []func(*load, *rand.Rand, int) error {
	return []func(*load, *rand.Rand, int) error{
		(*load).upload, (*load).upload, (*load).upload, (*load).resync, (*load).hurry, (*load).person, (*load).person, (*load).share, (*load).look, (*load).look, (*load).samples,
	}
}

// run works until ctx ends.
func (l *load) run(ctx context.Context, dice *rand.Rand) {
	var wg sync.WaitGroup
	for w := range l.workers {
		own := rand.New(rand.NewPCG(dice.Uint64(), dice.Uint64()))
		wg.Go(func() {
			for ctx.Err() == nil && !l.gone() {
				kind := l.kinds[own.IntN(len(l.kinds))]
				err := guarded(func() error { return kind(l, own, w) })
				l.mu.Lock()
				l.ops++
				if err != nil && l.answers != nil && ctx.Err() == nil {
					if bad := l.answers(err); bad != nil {
						l.errs = append(l.errs, bad)
					}
				}
				l.mu.Unlock()
				if err != nil {
					time.Sleep(5 * time.Millisecond) // a server that is down is not hammered
				}
			}
		})
	}
	wg.Wait()
}

func (l *load) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) == 0 {
		return nil
	}
	return fmt.Errorf("%d answers were wrong, first: %w", len(l.errs), l.errs[0])
}

// tableOf is one of the tables that a worker owns, so that its generations have an order.
func tableOf(w int, dice *rand.Rand) string { return fmt.Sprintf("t%d_%d", w, dice.IntN(2)) }

// usual is a number of rows that the guard against shrinking lets pass.
func usual(dice *rand.Rand) int { return 300 + dice.IntN(40) }

// upload makes a table or gives it new rows, waits for its sync and notes what was confirmed.
func (l *load) upload(dice *rand.Rand, w int) error {
	table := tableOf(w, dice)
	rows := usual(dice)
	if l.large > 0 && dice.IntN(4) == 0 {
		table, rows = fmt.Sprintf("large%d", w), l.large+dice.IntN(500)
	}
	g := l.next(table, rows)
	return l.bring(table, g)
}

// bring uploads a generation and follows it to the end of its sync.
func (l *load) bring(table string, g generation) error {
	before, err := l.runIDs(table)
	if err != nil {
		return err
	}
	if err := l.send2(table, g); err != nil {
		return err
	}
	last, err := l.awaitNew(table, before, 30*time.Second)
	if err != nil {
		return err
	}
	if last.State != "ok" {
		return &runFailed{last}
	}
	l.confirm(table, g.number)
	return nil
}

// hurry replaces a table twice without waiting in between: the second file must
// not be lost to the sync of the first.
func (l *load) hurry(dice *rand.Rand, w int) error {
	table := tableOf(w, dice)
	before, err := l.runIDs(table)
	if err != nil {
		return err
	}
	for range 2 {
		if err := l.send2(table, l.next(table, usual(dice))); err != nil {
			return err
		}
		time.Sleep(time.Duration(dice.IntN(60)) * time.Millisecond)
	}
	_, err = l.awaitNew(table, before, 30*time.Second)
	return err // which of the two it shows by now is open; checkAccepted asks in the end
}

// send2 is the upload's two requests.
func (l *load) send2(table string, g generation) error {
	replaces := ""
	if l.snapshot()[table].exists == there {
		replaces = table
	}
	next, err := l.stage(fmt.Sprintf("%s_%d.csv", table, g.number), g.csv(), replaces)
	if err != nil {
		return err
	}
	values := url.Values{"name": {table}}
	if replaces != "" {
		values = url.Values{"table": {table}}
	}
	if err := l.form(next, values); err != nil {
		var no *refused
		if errors.As(err, &no) && no.status == http.StatusUnprocessableEntity { // made before the server could say so
			l.made(table)
		}
		return err
	}
	l.made(table)
	l.accept(table, g.number)
	return nil
}

// runFailed is a sync that did not end ok.
type runFailed struct{ run syncRun }

func (r *runFailed) Error() string {
	return fmt.Sprintf("the sync of %s ended %s %s: %s", r.run.TableID, r.run.State, r.run.Code, r.run.Message)
}

// resync reads a table's file again.
func (l *load) resync(dice *rand.Rand, w int) error {
	table := tableOf(w, dice)
	if l.snapshot()[table].exists != there {
		return nil
	}
	err := l.call(http.MethodPost, "/api/sync/trigger", []string{table}, nil)
	if err != nil {
		return err
	}
	_, err = l.awaitRun(table, 30*time.Second)
	return err
}

// person makes a person, a group, a membership, and takes some of it back.
func (l *load) person(dice *rand.Rand, w int) error {
	name := fmt.Sprintf("p%d-%08x", w, dice.Uint32())
	email := name + "@example.com"
	l.set(l.users, email, unsure)
	var made struct{ ID string }
	if err := l.call(http.MethodPost, "/api/users", map[string]any{"email": email}, &made); err != nil {
		return err
	}
	l.set(l.users, email, there)
	if dice.IntN(4) > 0 {
		return nil
	}
	l.set(l.users, email, unsure)
	if err := l.call(http.MethodDelete, "/api/users/"+made.ID, nil, nil); err != nil {
		return err
	}
	l.set(l.users, email, gone)
	return nil
}

// share makes a group, puts a table into its hands and sometimes takes it back.
func (l *load) share(dice *rand.Rand, w int) error {
	name, table := fmt.Sprintf("g%d-%08x", w, dice.Uint32()), tableOf(w, dice)
	l.set(l.groups, name, unsure)
	var group, grant struct{ ID string }
	if err := l.call(http.MethodPost, "/api/admin/groups", map[string]string{"name": name}, &group); err != nil {
		return err
	}
	l.set(l.groups, name, there)
	key := name + "/" + table
	l.set(l.grants, key, unsure)
	asked := map[string]string{"group_id": group.ID, "resource_type": "table", "resource_id": table}
	if err := l.call(http.MethodPost, "/api/admin/grants", asked, &grant); err != nil {
		return err
	}
	l.set(l.grants, key, there)
	if dice.IntN(3) > 0 {
		return nil
	}
	l.set(l.grants, key, unsure)
	if err := l.call(http.MethodDelete, "/api/admin/grants/"+grant.ID, nil, nil); err != nil {
		return err
	}
	l.set(l.grants, key, gone)
	return nil
}

// look reads as people do; what it sees must be whole at any moment.
func (l *load) look(dice *rand.Rand, w int) error {
	table := tableOf(w, dice)
	before := l.snapshot()[table]
	if before.confirmed == 0 {
		_, err := l.send(http.MethodGet, "/catalog", "", nil)
		return err
	}
	switch dice.IntN(3) {
	case 0:
		_, err := l.send(http.MethodGet, "/tables/"+table, "", nil)
		return err
	case 1:
		got, err := l.send(http.MethodGet, "/api/data/"+table+"/download", "", nil)
		if err == nil {
			err = wholeParquet(got.body)
		}
		return err
	}
	return l.checkRows(table, before)
}

// samples brings the sample tables or takes them away.
func (l *load) samples(dice *rand.Rand, w int) error {
	if w != 0 || dice.IntN(4) > 0 {
		return nil
	}
	path := "/samples"
	if dice.IntN(2) == 0 {
		path += "/remove"
	}
	return l.form(path, url.Values{})
}
