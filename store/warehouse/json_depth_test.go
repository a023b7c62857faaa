package warehouse

import (
	"slices"
	"strings"
	"testing"
)

// TestDeepJSON holds that objects and lists are read whole and at once, however deep
// they are.
func TestDeepJSON(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{jsonDepth - 2, jsonDepth, jsonDepth + 1, 60, 1000} {
		for _, c := range []struct{ open, leaf, end string }{
			{"[", "1", "]"},
			{`{"b":`, `"2024-01-01"`, "}"},
			{`[{"b":`, `"infinity"`, "}]"},
			{`[{"b":`, "123456789012345678901234567890", "}]"},
		} {
			value := strings.Repeat(c.open, depth) + c.leaf + strings.Repeat(c.end, depth)
			s := newTestStore(t)
			out, err := convert(t, s, "a.json", `[{"a":`+value+`,"d":"2024-01-01"},{"a":null,"d":"2024-01-02"}]`)
			if err != nil {
				t.Fatalf("%d of %s: %v", depth, c.open, err)
			}
			got := mustQuery(t, "", "SELECT to_json(a) FROM read_parquet("+quoteFile(mustPath(t, s, out.Files[0].Key))+")")
			if want := []string{value, ""}; !slices.Equal(got, want) {
				t.Errorf("%d of %s: %.100q, want %.100q", depth, c.open, got, want)
			}
		}
	}
}
