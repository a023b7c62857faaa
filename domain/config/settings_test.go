package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"agnes/domain/config"
)

var update = flag.Bool("update", false, "write the README's table of settings")

const (
	tableBegin = "<!-- settings: made by go test ./domain/config -update -->\n"
	tableEnd   = "<!-- end of settings -->"
)

func TestReadmeHasTheTable(t *testing.T) {
	const name = "../../README.md"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(data), tableBegin)
	got, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("README.md has no %q … %q", tableBegin, tableEnd)
	}
	want := config.Markdown()
	if *update {
		if err := os.WriteFile(name, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("README.md has another table of settings than the program. Run: go test ./domain/config -update")
	}
}

func TestSettingsAreWhole(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, s := range config.Settings() {
		names := append([]string{s.Key}, s.Env...)
		if s.Flag != "" {
			names = append(names, "--"+s.Flag)
		}
		for _, name := range names {
			if name != "" && seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if !strings.HasSuffix(s.About, ".") {
			t.Errorf("%s: %q is no sentence", s.Name(), s.About)
		}
		if s.Default == "" {
			t.Errorf("%s does not say what holds without it", s.Name())
		}
		if s.Secret && s.Key != "" {
			t.Errorf("%s: a secret belongs in the environment, not in a file", s.Key)
		}
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	t.Parallel()

	help := config.Help()
	for _, s := range config.Settings() {
		for _, name := range append([]string{s.Key}, s.Env...) {
			if !strings.Contains(help, name) {
				t.Errorf("help does not name %s", name)
			}
		}
	}
	if strings.Contains(help, "`") {
		t.Error("help has Markdown in it")
	}
}
