//go:build duckdb_arrow

package attacks

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// entry is one statement of a corpus: a line "mark text" under "## class".
type entry struct {
	class string
	mark  byte // what may become of it
	text  string
}

// spellings are the ways to write the forbidden table's name where {T} stands.
var spellings = []string{"salaries", `"salaries"`, "SALARIES", "main.salaries", "memory.main.salaries"}

// corpus reads testdata/name. Lines that start with # are remarks.
func corpus(name, dir string) []entry {
	file, err := os.Open(filepath.Join(moduleRoot(), "attacks", "testdata", name))
	must(err)
	defer file.Close()
	var out []entry
	class := ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		l := lines.Text()
		switch {
		case strings.HasPrefix(l, "## "):
			class = l[3:]
		case l == "" || l[0] == '#':
		case len(l) < 3 || l[1] != ' ':
			must(fmt.Errorf("%s: no mark in %q", name, l))
		default:
			forms := []string{l[2:]}
			if strings.Contains(l, "{T}") {
				forms = forms[:0]
				for _, s := range spellings {
					forms = append(forms, strings.ReplaceAll(l[2:], "{T}", s))
				}
			}
			for _, f := range forms {
				out = append(out, entry{class, l[0], expand(strings.ReplaceAll(f, "{DIR}", dir))})
			}
		}
	}
	must(lines.Err())
	return out
}

var (
	runes   = regexp.MustCompile(`\{U\+([0-9A-F]{4,5})\}`)
	repeats = regexp.MustCompile(`\{(\d+)\*([^{}]+|\}|\{'a': )\}`)
	signs   = strings.NewReplacer("{NUL}", "\x00", "{LF}", "\n", "{CR}", "\r", "{TAB}", "\t", "{FF}", "\f")
)

// expand writes a line's signs, characters and repetitions out.
func expand(text string) string {
	text = runes.ReplaceAllStringFunc(signs.Replace(text), func(m string) string {
		n, err := strconv.ParseInt(m[3:len(m)-1], 16, 32)
		must(err)
		return string(rune(n))
	})
	return repeats.ReplaceAllStringFunc(text, func(m string) string {
		parts := repeats.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[1])
		must(err)
		return strings.Repeat(parts[2], n)
	})
}

// short is a statement's beginning, for reports.
func short(text string) string {
	if len(text) > 90 {
		text = text[:90] + "…"
	}
	return strconv.Quote(text)
}

func TestExpand(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT {3*[}{3*]}":             "SELECT [[[]]]",
		"a{NUL}b{U+200B}c{LF}":          "a\x00b\u200bc\n",
		"{2*SELECT (}1{2*)}":            "SELECT (SELECT (1))",
		"SELECT {'a': 1}":               "SELECT {'a': 1}",
		"{2*{'a': }1{2*}}":              "{'a': {'a': 1}}",
		"SELECT '{\"a\": [{\"b\":1}]}'": "SELECT '{\"a\": [{\"b\":1}]}'",
	} {
		if got := expand(in); got != want {
			t.Errorf("expand(%q) = %q, want %q", in, got, want)
		}
	}
}

// The corpora keep what the security model promises of them.
func TestCorporaAreLargeEnough(t *testing.T) {
	count := func(name, marks string) (n, classes int) {
		seen := map[string]bool{}
		for _, e := range corpus(name, "/data") {
			if strings.IndexByte(marks, e.mark) >= 0 {
				n++
				seen[e.class] = true
			}
		}
		return n, len(seen)
	}
	for _, test := range []struct {
		name, marks string
		n, classes  int
	}{{"attacks.sql", "!?", 300, 20}, {"attacks.sql", "=", 60, 20}, {"honest.sql", "=~", 200, 15}, {"bombs.sql", "!", 40, 4}} {
		if n, classes := count(test.name, test.marks); n < test.n || classes < test.classes {
			t.Errorf("%s holds %d statements of %q in %d classes; at least %d in %d are promised", test.name, n, test.marks, classes, test.n, test.classes)
		}
	}
}
