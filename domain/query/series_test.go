package query

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
	"agnes/domain/work"
)

func TestSeriesIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct {
		head string
		n    int
	}{
		"01ABC": {"01ABC", 0}, SeriesID("01ABC", 12): {"01ABC", 12}, "01ABC.0": {"01ABC.0", 0}, "01ABC.x": {"01ABC.x", 0}, "01ABC.-1": {"01ABC.-1", 0},
	} {
		if head, n := SplitSeriesID(id); head != want.head || n != want.n {
			t.Errorf("SplitSeriesID(%q) = %q, %d; want %q, %d", id, head, n, want.head, want.n)
		}
	}
}

func TestStatementsOf(t *testing.T) {
	t.Parallel()
	const sql = "SELECT ';'; SELECT 2"
	several := func(places ...work.Place) error { return &SQLError{Code: CodeSeveral, Statements: places} }
	for name, tc := range map[string]struct {
		err  error
		want []string
	}{
		"as the engine says":  {several(work.Place{Start: 0, End: 11}, work.Place{Start: 11, End: 20}), []string{"SELECT ';';", " SELECT 2"}},
		"behind the text":     {several(work.Place{Start: 0, End: 11}, work.Place{Start: 11, End: 21}), nil},
		"before the text":     {several(work.Place{Start: -1, End: 11}), nil},
		"empty":               {several(work.Place{Start: 3, End: 3}), nil},
		"nothing is known":    {several(), nil},
		"more than are run":   {several(make([]work.Place, maxSeries+1)...), nil},
		"refused for another": {&SQLError{Code: "query_error", Statements: []work.Place{{Start: 0, End: 11}}}, nil},
		"no fault of the SQL": {domain.E(domain.Unavailable, "child_died", "It ended."), nil},
		"no error":            {nil, nil},
	} {
		if diff := cmp.Diff(tc.want, statementsOf(tc.err, sql)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
