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
		if s.Secret != (s.Kind == config.Hidden) {
			t.Errorf("%s: secret %t, but its kind is %s", s.Name(), s.Secret, s.Kind)
		}
		if s.Secret && s.Key != "" && !config.IsSensitive(s.Key) {
			t.Errorf("%s: the API would show it, because its name has no pattern of a secret", s.Key)
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

// TestSectionsAreWhole: every key belongs to a section that pages and API show.
func TestSectionsAreWhole(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, s := range config.Sections() {
		names[s.Name] = true
	}
	for _, s := range config.Settings() {
		if s.Key != "" && s.Key != "config_version" && !names[config.SectionName(s.Key)] {
			t.Errorf("%s lies in no section", s.Key)
		}
	}
	seen := map[string]bool{}
	for _, f := range config.Fields() {
		if seen[f.Key] {
			t.Errorf("%s is described twice", f.Key)
		}
		seen[f.Key] = true
		if !strings.HasSuffix(f.About, ".") || f.Kind == "" {
			t.Errorf("%+v is not described", f)
		}
		if f.Kind == config.Select && len(f.Options) == 0 {
			t.Errorf("%s has nothing to choose from", f.Key)
		}
		if f.Later && f.Default != "" {
			if err := config.CheckLater(f, f.Default); err != nil {
				t.Errorf("%s: its default %v", f.Key, err)
			}
		}
	}
	for name := range names {
		if s, ok := config.SectionOf(name); !ok || !strings.HasSuffix(s.About, ".") {
			t.Errorf("%s is not described", name)
		}
	}
}

// TestDescribedKeysAreKnown: what the portal stores is no unknown key at the next start.
func TestDescribedKeysAreKnown(t *testing.T) {
	t.Parallel()
	for _, f := range config.Fields() {
		if !f.Later {
			continue
		}
		tree := map[string]any{}
		config.Put(tree, f.Key, "1")
		_, warnings, err := config.Load(from("", mustEncode(t, config.Document{}.Merge(tree))))
		if err != nil && f.Key != "instance.brand" || len(warnings) > 0 {
			t.Errorf("%s: %v %v", f.Key, err, warnings)
		}
	}
}
