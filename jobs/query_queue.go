package jobs

import (
	"slices"

	"agnes/domain/people"
	"agnes/domain/registry"
)

// maxOvertaken is how often others may go before one who waits, because they
// can use a child as it is.
const maxOvertaken = 8

// waiter is a caller who waits for a child.
type waiter struct {
	by       people.UserID
	run      string // may be empty
	needs    []registry.Published
	holds    func(held) bool // whether the caller may see all that a child holds
	grant    chan turn       // one place
	overtook int             // how often others were served before
}

// turn is what a waiter gets: a child that serves, or the right to start one.
type turn struct {
	child *queryChild
	share *share
}

// person is one who has statements running or waiting.
type person struct {
	id      people.UserID
	running int
	waiting []*waiter // first come, first served
}

// queue is who waits: people take turns, whatever number of statements each
// brings.
type queue struct {
	people map[people.UserID]*person
	ring   []*person // those who wait; the next to be served first
	length int
}

// of returns a person, who leaves with done.
func (q *queue) of(id people.UserID) *person {
	if q.people == nil {
		q.people = map[people.UserID]*person{}
	}
	p := q.people[id]
	if p == nil {
		p = &person{id: id}
		q.people[id] = p
	}
	return p
}

func (q *queue) add(w *waiter) {
	p := q.of(w.by)
	if len(p.waiting) == 0 {
		q.ring = append(q.ring, p)
	}
	p.waiting = append(p.waiting, w)
	q.length++
}

// remove takes a waiter out; false when it waits no more.
func (q *queue) remove(w *waiter) bool {
	p := q.of(w.by)
	i := slices.Index(p.waiting, w)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		q.length--
		if len(p.waiting) == 0 {
			q.ring = slices.DeleteFunc(q.ring, func(o *person) bool { return o == p })
		}
	}
	q.forget(p)
	return i >= 0
}

// serve takes a waiter out whose statement begins, and puts the person behind
// all others.
func (q *queue) serve(w *waiter) {
	p := q.of(w.by)
	p.running++
	q.remove(w)
	if i := slices.Index(q.ring, p); i >= 0 {
		q.ring = append(slices.Delete(q.ring, i, i+1), p)
	}
}

// done says that a statement of a person ended.
func (q *queue) done(id people.UserID) {
	p := q.of(id)
	p.running--
	q.forget(p)
}

func (q *queue) forget(p *person) {
	if p.running <= 0 && len(p.waiting) == 0 {
		delete(q.people, p.id)
	}
}

// turns returns the first waiter of each person who may run one more, in the
// order of their turns. Agnes itself, who is nobody, always may.
func (q *queue) turns(perPerson int) []*waiter {
	next := make([]*waiter, 0, len(q.ring))
	for _, p := range q.ring {
		if p.id == "" || p.running < perPerson {
			next = append(next, p.waiting[0])
		}
	}
	return next
}

// place is how many statements are served up to and with this one, as things
// stand; 0 when it does not wait.
func (q *queue) place(run string) int {
	for mine, p := range q.ring {
		round := slices.IndexFunc(p.waiting, func(w *waiter) bool { return w.run == run })
		if round < 0 {
			continue
		}
		place := round + 1
		for i, other := range q.ring {
			switch {
			case i < mine:
				place += min(len(other.waiting), round+1)
			case i > mine:
				place += min(len(other.waiting), round)
			}
		}
		return place
	}
	return 0
}
