//go:build duckdb_arrow

package attacks

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// hostile is S1: every attack and its look-alikes as the analyst, and the hash
// of the world after each class.
func hostile(t *trials) {
	w := t.theWorld()
	before := w.hash()
	class, classes, likes := "", 0, 0
	check := func() {
		if class != "" {
			t.also("after the class "+class, func() error {
				after := w.hash()
				was := before
				before = after
				return changed(was, after)
			})
		}
	}
	for _, e := range corpus("attacks.sql", w.dir) {
		if e.class != class {
			check()
			class, classes = e.class, classes+1
		}
		if e.mark == '=' {
			likes++
		}
		t.one(e.class+" "+short(e.text), func() error { return w.attack(e) })
	}
	check()
	t.also("the server", func() error {
		if w.gone() {
			return errors.New("it ended")
		}
		return nil
	})
	t.note("%d attacks and %d look-alikes in %d classes; the world unchanged after each", t.tried-likes, likes, classes)
}

// attack runs one entry and says whether what came of it may.
func (w *world) attack(e entry) error {
	got, err := w.analyst.query(e.text)
	var no *refused
	switch {
	case err != nil && !errors.As(err, &no):
		return err // a leak, or an answer that is none
	case err == nil && e.mark == '!':
		return fmt.Errorf("ANSWERED: %.200s", got.body)
	case err != nil && e.mark == '=':
		return fmt.Errorf("an honest statement was refused: %w", err)
	case err == nil:
		return nil
	}
	return w.wellRefused(e.text, no)
}

// wellRefused looks at a refusal: a true status, a sentence, no place of the server.
func (w *world) wellRefused(text string, no *refused) error {
	deep := len(text) > 1000 // these may end their child, which is said as such
	if no.status != http.StatusBadRequest && (!deep || no.status != http.StatusServiceUnavailable) {
		return fmt.Errorf("refused with %w", no)
	}
	if len(strings.Fields(no.text)) < 3 {
		return fmt.Errorf("refused without a sentence: %w", no)
	}
	shown := strings.ReplaceAll(no.text, text, "")
	for _, word := range []string{w.c.dir, "/root", "/proc/", "scratch/", "versions/", ".parquet", "goroutine", "terminate called", "INTERNAL Error"} {
		if strings.Contains(shown, word) && !strings.Contains(text, strings.TrimSuffix(word, "/")) {
			return fmt.Errorf("the refusal tells of %q: %w", word, no)
		}
	}
	return nil
}

// absent is a name as long as the forbidden table's that no table has.
const absent = "salarxes"

// alike is S1b: what names the forbidden table is answered as if it named one
// that does not exist, in the same words and the same time.
func alike(t *trials) {
	w := t.theWorld()
	for _, e := range corpus("attacks.sql", w.dir) {
		other := strings.NewReplacer("salaries", absent, "SALARIES", strings.ToUpper(absent)).Replace(e.text)
		if e.mark == '=' || other == e.text || len(e.text) > 1000 {
			continue
		}
		t.one(short(e.text), func() error { return w.sameAnswer(e.text, other) })
	}
	for _, path := range []string{"/api/catalog/profile/%s", "/api/data/%s/download", "/tables/%s", "/api/v2/schema/%s", "/api/v2/sample/%s", "/api/catalog/tables/%s"} {
		t.one(path, func() error {
			return same(w.page(fmt.Sprintf(path, "salaries")), w.page(fmt.Sprintf(path, absent)))
		})
	}
	t.one("time", func() error { return w.sameTime("FROM salaries", "FROM "+absent, 60) })
}

func (w *world) sameAnswer(a, b string) error {
	said := func(text string) string {
		got, err := w.analyst.query(text)
		var no *refused
		switch {
		case errors.As(err, &no):
			return fmt.Sprint(no.status, " ", no.text)
		case err != nil:
			return err.Error()
		}
		return string(got.body)
	}
	return same(said(a), said(b))
}

func (w *world) page(path string) string {
	got, err := w.analyst.send(http.MethodGet, path, "", nil)
	var no *refused
	switch {
	case errors.As(err, &no):
		return fmt.Sprint(no.status, " ", no.text)
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(got.status, " ", string(got.body))
}

// nearNames is what an answer says of granted tables with a like name.
var nearNames = regexp.MustCompile(`\s*Did you mean "?(orders|towns|items|million)"?[^\n"]*`)

// same compares two answers but for the names that were asked about, and for
// granted names that are like them.
func same(a, b string) error {
	a, b = nearNames.ReplaceAllString(a, ""), nearNames.ReplaceAllString(b, "")
	a = strings.NewReplacer("salaries", absent, "SALARIES", strings.ToUpper(absent)).Replace(a)
	if a != b {
		return fmt.Errorf("%.300q for the forbidden table, %.300q for one that is not there", a, b)
	}
	return nil
}

// sameTime compares the medians of two statements that are asked in turn.
func (w *world) sameTime(a, b string, n int) error {
	times := map[string][]time.Duration{}
	for range n {
		for _, text := range []string{a, b} {
			began := time.Now()
			if _, err := w.analyst.query(text); err == nil {
				return fmt.Errorf("%s was answered", text)
			}
			times[text] = append(times[text], time.Since(began))
		}
	}
	median := func(text string) time.Duration {
		slices.Sort(times[text])
		return times[text][n/2]
	}
	if d := (median(a) - median(b)).Abs(); d > 5*time.Millisecond {
		return fmt.Errorf("medians %s and %s differ by %s", median(a), median(b), d)
	}
	return nil
}
