package config_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain/config"
)

func mustDocument(t *testing.T, text string) config.Document {
	t.Helper()
	d, err := config.ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("ParseDocument(%q): %v", text, err)
	}
	return d
}

func mustEncode(t *testing.T, d config.Document) string {
	t.Helper()
	data, err := d.Encode()
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return string(data)
}

func TestDocumentKeepsCommentsAndOrder(t *testing.T) {
	t.Parallel()
	d := mustDocument(t, `# who we are
query:
  timeout_seconds: 30 # agreed in May
instance:
  # shown on every page
  name: Example
mail:
  smtp_host: mail.example.com
`)
	got := mustEncode(t, d.Merge(map[string]any{
		"instance": map[string]any{"name": "Other"}, "query": map[string]any{"queue": int64(5)}, "mail": map[string]any{"smtp_host": nil},
	}))
	for _, want := range []string{"# who we are", "# agreed in May", "# shown on every page", "name: Other", "queue: 5"} {
		if !strings.Contains(got, want) {
			t.Errorf("the file lacks %q:\n%s", want, got)
		}
	}
	if strings.Index(got, "query:") > strings.Index(got, "instance:") {
		t.Errorf("the order of keys changed:\n%s", got)
	}
	if strings.Contains(got, "mail") {
		t.Errorf("an empty section stayed:\n%s", got)
	}
}

func TestDocumentRefusesWhatIsNoSection(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"- a", "a: [", "plain", "a: b: c", "a: *missing"} {
		if _, err := config.ParseDocument([]byte(text)); err == nil {
			t.Errorf("ParseDocument(%q) took it", text)
		}
	}
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "null"} {
		if got := mustDocument(t, text).Tree(); len(got) != 0 {
			t.Errorf("ParseDocument(%q) = %v, want nothing", text, got)
		}
	}
}

// TestDocumentIsTheMerge: for random documents and patches, what is written
// reads as the merge of both.
func TestDocumentIsTheMerge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		before := randomTree(r, 3, false)
		first := config.Document{}.Merge(before)
		again := mustDocument(t, "# head\n"+mustEncode(t, first))
		patch := randomTree(r, 3, true)
		got := mustDocument(t, mustEncode(t, again.Merge(patch))).Tree()
		if diff := cmp.Diff(mergeReference(again.Tree(), patch), got); diff != "" {
			t.Fatalf("seed %d: merge differs (-want +got):\n%s", seed, diff)
		}
	}
}

// mergeReference is the merge in a few lines.
func mergeReference(tree, patch map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range tree {
		out[k] = v
	}
	for k, v := range patch {
		below, ok := v.(map[string]any)
		if ok {
			old, _ := out[k].(map[string]any)
			if v = mergeReference(old, below); len(v.(map[string]any)) == 0 && len(below) > 0 {
				v = nil
			}
		}
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

var texts = []string{"", "plain", "yes", "null", "~", "012", "1e3", "a: b", "# no comment", "- item", "two\nlines\n", "'quoted'", `"double"`, "ünï ☃", " blank ", "*star", "&and", "!bang", "%x", "@at", "`tick`", "{a}", "[b]", "tab\there", "2026-11-23", "trailing:", "0x1F", ".inf", "true"}

func randomTree(r *rand.Rand, depth int, holes bool) map[string]any {
	tree := map[string]any{}
	for range r.IntN(4) {
		name := []string{"a", "b", "c", "d_e", "f-g", "1", "on"}[r.IntN(7)]
		switch kind := r.IntN(7); {
		case kind == 0 && holes:
			tree[name] = nil
		case kind < 3 && depth > 0:
			tree[name] = randomTree(r, depth-1, holes)
		case kind == 3:
			tree[name] = r.Int64N(1<<40) - 1<<39
		case kind == 4:
			tree[name] = r.IntN(2) == 0
		case kind == 5:
			tree[name] = []any{texts[r.IntN(len(texts))], int64(3)}
		default:
			tree[name] = texts[r.IntN(len(texts))]
		}
	}
	return tree
}
