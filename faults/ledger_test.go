package faults

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// fact is what is known of something that was to be made or removed.
type fact uint8

const (
	unsure fact = iota // asked for, never answered: either is right
	there              // the server said it is there
	gone               // the server said it is gone
)

// generation is one file for a table: all its rows carry its number, so that an
// answer that mixes two is seen.
type generation struct {
	number int
	rows   int
	sum    int64
}

func newGeneration(number, rows int) generation {
	g := generation{number: number, rows: rows}
	for i := range rows {
		g.sum += value(number, i)
	}
	return g
}

func value(number, i int) int64 { return int64((i*7 + number*13) % 1009) }

// csv is the generation as a file.
func (g generation) csv() []byte {
	var b bytes.Buffer
	b.WriteString("id,gen,val,label\n")
	for i := range g.rows {
		fmt.Fprintf(&b, "%d,%d,%d,row %d of generation %d\n", i, g.number, value(g.number, i), i, g.number)
	}
	return b.Bytes()
}

// tableFacts is what the server said about one table.
type tableFacts struct {
	exists    fact
	confirmed int // number of the newest generation whose sync was read back as ok; 0: none
	accepted  int // number of the newest generation that the server took; it is to be served
	sent      []generation
}

// ledger is the acknowledgement log: what the server confirmed, and what it was
// asked for and never answered.
type ledger struct {
	mu     sync.Mutex
	tables map[string]*tableFacts
	users  map[string]fact
	groups map[string]fact
	grants map[string]fact // group name / table id
	acked  int
	number int

	sessions map[string]fact  // by cookie
	pieces   map[string]piece // by place
}

func newLedger() *ledger {
	return &ledger{
		tables: map[string]*tableFacts{}, users: map[string]fact{}, groups: map[string]fact{}, grants: map[string]fact{},
		sessions: map[string]fact{}, pieces: map[string]piece{},
	}
}

// next makes a new generation for a table and notes that it will be sent.
func (l *ledger) next(table string, rows int) generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	g := newGeneration(l.number, rows)
	t := l.tables[table]
	if t == nil {
		t = &tableFacts{}
		l.tables[table] = t
	}
	t.sent = append(t.sent, g)
	return g
}

// made notes that a table is there.
func (l *ledger) made(table string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tables[table].exists = there
	l.acked++
}

// accept notes that the server took a generation.
func (l *ledger) accept(table string, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tables[table].accepted = max(l.tables[table].accepted, number)
}

// confirm notes that the sync of a table's newest generation was read back as ok.
func (l *ledger) confirm(table string, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tables[table]
	t.exists, t.confirmed = there, max(t.confirmed, number)
	t.sent = slices.DeleteFunc(t.sent, func(g generation) bool { return g.number < number })
	l.acked++
}

// set notes a fact about a person, group or grant.
func (l *ledger) set(of map[string]fact, name string, f fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of[name] = f
	if f != unsure {
		l.acked++
	}
}

// sure returns the names whose fact is known.
func (l *ledger) sure(of map[string]fact) map[string]fact {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := maps.Clone(of)
	maps.DeleteFunc(out, func(_ string, f fact) bool { return f == unsure })
	return out
}

// snapshot is a copy of what is known of the tables.
func (l *ledger) snapshot() map[string]tableFacts {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]tableFacts, len(l.tables))
	for name, t := range l.tables {
		out[name] = tableFacts{t.exists, t.confirmed, t.accepted, slices.Clone(t.sent)}
	}
	return out
}

// missing compares a fact sheet with what is there.
func missing(kind string, known map[string]fact, present map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(known)) {
		switch {
		case known[name] == there && !present[name]:
			return fmt.Errorf("%s %s was confirmed and is lost", kind, name)
		case known[name] == gone && present[name]:
			return fmt.Errorf("%s %s was removed, which was confirmed, and is back", kind, name)
		}
	}
	return nil
}

// held reports whether rows that a table shows are ones that it may show: whole
// generations, none older than the newest confirmed.
func (t tableFacts) held(rows int, low, high int, sum int64) error {
	if low != high {
		return fmt.Errorf("shows generations %d to %d at once", low, high)
	}
	if low < t.confirmed {
		return fmt.Errorf("shows generation %d after %d was confirmed", low, t.confirmed)
	}
	for _, g := range t.sent {
		if g.number != low {
			continue
		}
		if g.rows != rows || g.sum != sum {
			return fmt.Errorf("shows %d rows that add up to %d of generation %d, which has %d and %d", rows, sum, low, g.rows, g.sum)
		}
		return nil
	}
	return fmt.Errorf("shows generation %d, which it never had", low)
}
