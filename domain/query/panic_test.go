package query

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"agnes/domain/access"
	"agnes/domain/guard"
)

// panicking is an engine that panics when a statement starts, or at its rows.
type panicking struct{ atRows bool }

func (p panicking) Start(context.Context, access.Catalog, Statement) (Result, error) {
	if !p.atRows {
		panic("secret")
	}
	return &panickingRows{fakeResult{f: &fakes{}}}, nil
}

type panickingRows struct{ fakeResult }

func (*panickingRows) More() bool { panic("secret") }

// TestPanicInTheBackground shows that a query that nobody waits for takes a
// panic down with itself only, and that its run says that it failed.
func TestPanicInTheBackground(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		f := &fakes{}
		r := newRunner(f)
		r.Engine, r.Guard = panicking{atRows: i%2 == 0}, &guard.Guard{}
		r.NewID = func() string { return fmt.Sprint("q", i) }
		rec, err := r.Submit(t.Context(), access.Principal{UserID: "u"}, Request{SQL: "SELECT 1", Origin: FromBackground})
		if err != nil {
			t.Fatal(err)
		}
		r.live.behind.Wait()
		end := f.records[len(f.records)-1]
		if end.ID != rec.ID || end.State != Failed || end.Message == "" || strings.Contains(end.Message, "secret") || r.Guard.Panics() != 1 {
			t.Errorf("the run ended %s %q, %d panics counted", end.State, end.Message, r.Guard.Panics())
		}
		if _, _, live := r.Live("u", rec.ID); live {
			t.Error("the run is under way still")
		}
	}
}
