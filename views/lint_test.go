package views

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forbidden is what a template must not hold, and why.
func forbidden() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"words of htmx 2 only":            regexp.MustCompile(`\bhx-(ext|vars|params|disabled-elt|inherit|disinherit|prompt|request|history|history-elt)=|\bsse-(connect|swap|close)\b|htmx:[a-z]+[A-Z]|HX-Trigger-After`),
		"script in an attribute":          regexp.MustCompile(`\shx-on[:=-]|\son[a-z]+=|\bjs:|javascript:`),
		"a filtered trigger, which evals": regexp.MustCompile(`hx-trigger="[^"]*\[`),
		"inline script or style":          regexp.MustCompile(`<style|<script(?:\s+defer)?>|\sstyle=|^script |^css `),
		"a literal colour":                regexp.MustCompile(`(?i)["\s\[(:]#[0-9a-f]{3,8}\b["\s\])]|\b(rgb|hsl|oklch)a?\(`),
		"a file from elsewhere":           regexp.MustCompile(`(src|href)="https?://`),
		"words that we do not use":        regexp.MustCompile(`(?i)>[^<{]*\b(please|oops|successfully|dataset)\b`),
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d templates, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			for what, pattern := range forbidden() {
				if found := pattern.FindString(line); found != "" {
					t.Errorf("%s:%d has %s: %q", file, i+1, what, strings.TrimSpace(found))
				}
			}
		}
	}
}

// TestForbidden proves that the patterns above find what they name.
func TestForbidden(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`<div hx-ext="sse" sse-connect="/x">`, `<div hx-disabled-elt="this">`, `data-event="htmx:afterSwap"`, `<a onclick="x()">`, `<a hx-on:click="x()">`,
		`<i style="color: red">`, `<style>`, `<script>`, `class="text-[#ff0000] "`, `<path fill="#abc" />`, `hx-trigger="click[ctrlKey]"`,
		`<script src="https://cdn.example.com/x.js">`, `<p>Saved successfully</p>`,
	} {
		hit := false
		for _, pattern := range forbidden() {
			hit = hit || pattern.MatchString(line)
		}
		if !hit {
			t.Errorf("nothing finds %s", line)
		}
	}
}

// TestIcons holds the list of icons that the build makes to what the templates draw.
func TestIcons(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("../static/src/icons.txt")
	if err != nil {
		t.Fatalf("read the list of icons: %v", err)
	}
	known := map[string]bool{}
	for name := range strings.FieldsSeq(string(list)) {
		known[name] = true
	}

	var used []string
	sources, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatalf("list the templates: %v", err)
	}
	for _, file := range append(sources, "wording.go", "layout.go", "catalog.go") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		for _, m := range regexp.MustCompile(`(?:@icon\(|Icon: +)"([a-z0-9-]+)"`).FindAllStringSubmatch(string(content), -1) {
			used = append(used, m[1])
		}
	}
	if len(used) < 30 {
		t.Fatalf("found %d icons in use, want more", len(used))
	}
	for _, name := range append(used, "sun", "moon", "sun-moon", "loader-circle", "arrow-right") {
		if !known[name] {
			t.Errorf("icon %q is drawn and not in static/src/icons.txt", name)
		}
	}
}
