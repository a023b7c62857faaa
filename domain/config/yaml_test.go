package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entriesOf reads files as Load does and returns their values by key; sections
// show as "{}".
func entriesOf(t *testing.T, env map[string]string, texts ...string) (map[string]string, *loader) {
	t.Helper()
	getenv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	l := &loader{in: Input{Getenv: getenv}, file: map[string]entry{}}
	for _, text := range texts {
		l.read(File{Name: "f.yaml", Data: []byte(text)})
	}
	got := map[string]string{}
	for key, e := range l.file {
		got[key] = e.text
		if e.section {
			got[key] = "{}"
		}
	}
	return got, l
}

func TestYAMLForms(t *testing.T) {
	t.Parallel()

	for name, check := range map[string]struct {
		text string
		want map[string]string
	}{
		"block":         {"a:\n  b: 1\n  c: two words\n", map[string]string{"a": "{}", "a.b": "1", "a.c": "two words"}},
		"flow":          {"{a: {b: 1}}", map[string]string{"a": "{}", "a.b": "1"}},
		"quotes":        {`a: "x: y"` + "\nb: 'it''s'\n", map[string]string{"a": "x: y", "b": "it's"}},
		"as written":    {"a: 1_000\nb: off\nc: 0x10\nd: 1.50\n", map[string]string{"a": "1_000", "b": "off", "c": "0x10", "d": "1.50"}},
		"nothing":       {"a:\nb: ~\nc: null\nd: ''\n", map[string]string{"a": "", "b": "", "c": "", "d": ""}},
		"lists":         {"a: [x, 'y z']\nb:\n  - 1\n  - 2\n", map[string]string{"a": "x,y z", "b": "1,2"}},
		"list of lists": {"a: [[1], 2]\n", map[string]string{"a": "{}"}},
		"literal":       {"a: |\n  one\n  two\n", map[string]string{"a": "one\ntwo"}},
		"folded":        {"a: >-\n  one\n  two\n", map[string]string{"a": "one two"}},
		"tag":           {"a: !!str 12\n", map[string]string{"a": "12"}},
		"anchor":        {"a: &x 5\nb: *x\n", map[string]string{"a": "5", "b": "5"}},
		"merge":         {"a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n", map[string]string{"a": "{}", "a.k": "1", "a.l": "2", "b": "{}", "b.k": "1", "b.l": "3"}},
		"comments":      {"# head\na: 1 # tail\n# foot\n", map[string]string{"a": "1"}},
		"document mark": {"---\na: 1\n", map[string]string{"a": "1"}},
		"empty":         {"", map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, l := entriesOf(t, nil, check.text)
			if diff := cmp.Diff(check.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, m := range l.mistakes {
				t.Errorf("unexpected mistake: %s", m)
			}
		})
	}
}

func TestYAMLMerging(t *testing.T) {
	t.Parallel()

	for name, check := range map[string]struct {
		base, overlay string
		want          map[string]string
	}{
		"sections merge":            {"a: {b: 1, c: 2}", "a: {c: 3, d: 4}", map[string]string{"a": "{}", "a.b": "1", "a.c": "3", "a.d": "4"}},
		"a value ends a section":    {"a: {b: {c: 1}}", "a: 5", map[string]string{"a": "5"}},
		"a section ends a value":    {"a: 5", "a: {b: 1}", map[string]string{"a": "{}", "a.b": "1"}},
		"null leaves what there is": {"a: {b: 1}", "a:\n", map[string]string{"a": "{}", "a.b": "1"}},
		"lists replace":             {"a: [1, 2]", "a: [3]", map[string]string{"a": "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := entriesOf(t, nil, check.base, check.overlay)
			if diff := cmp.Diff(check.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestYAMLVariables(t *testing.T) {
	t.Parallel()

	env := map[string]string{"HOST": "db", "PORT": "5432", "EMPTY": ""}
	got, l := entriesOf(t, env, "a: ${HOST}:${PORT}\nb: '${EMPTY}'\nc: ['${HOST}', x]\nd: $HOST ${} ${1}\ne:\n  f: ${NOWHERE}\n")

	want := map[string]string{"a": "db:5432", "b": "", "c": "db,x", "d": "$HOST ${} ${1}", "e": "{}", "e.f": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var warned []string
	for _, w := range l.warnings {
		warned = append(warned, w.Key+" "+w.Origin)
	}
	if diff := cmp.Diff([]string{"b f.yaml:2", "e.f f.yaml:6"}, warned); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestYAMLValuesAreNotReadAsYAML keeps a variable from adding keys: its value is
// put into a value that was already parsed.
func TestYAMLValuesAreNotReadAsYAML(t *testing.T) {
	t.Parallel()

	got, _ := entriesOf(t, map[string]string{"X": "1\nb: 2"}, "a: ${X}\n")
	if diff := cmp.Diff(map[string]string{"a": "1\nb: 2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestYAMLStaysSmall(t *testing.T) {
	t.Parallel()

	var bomb strings.Builder
	bomb.WriteString("a0: &a0 {x: 1, y: 2}\n")
	for i := 1; i < 30; i++ {
		prev, name := string(rune('a'+i-1)), string(rune('a'+i))
		if i == 1 {
			prev = "a0"
		}
		bomb.WriteString(name + ": &" + name + " {p: *" + prev + ", q: *" + prev + "}\n")
	}
	for name, text := range map[string]string{
		"aliases of aliases": bomb.String(),
		"very deep":          strings.Repeat("{a: ", 200) + "1" + strings.Repeat("}", 200),
	} {
		got, l := entriesOf(t, nil, text)
		if len(got) > mostEntries || len(l.mistakes) != 1 {
			t.Errorf("%s: %d entries, mistakes %v; want one mistake", name, len(got), l.mistakes)
		}
	}
}
