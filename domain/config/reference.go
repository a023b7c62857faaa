package config

import (
	"fmt"
	"strings"
)

// Reference is everything that the portal and the API may change, section by
// section, as docs/configuration.md shows it.
func Reference() string {
	var b strings.Builder
	fields := Fields()
	for _, s := range Sections() {
		fmt.Fprintf(&b, "### %s: `%s`\n%s", s.Title, s.Name, s.About)
		if s.Dangerous {
			b.WriteString(" Mistakes can lock people out, so a change is confirmed.")
		}
		if s.Free {
			b.WriteString(" Other keys are kept as well.")
		}
		b.WriteString("\n\n")
		rows := 0
		for _, f := range fields {
			if SectionName(f.Key) != s.Name {
				continue
			}
			if rows++; rows == 1 {
				b.WriteString("| key | kind | default | in force | what it is |\n|---|---|---|---|---|\n")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Key, f.kindWords(), strings.ReplaceAll(f.Default, "|", "\\|"), f.forceWords(), f.About)
		}
		if rows > 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

func (s Setting) kindWords() string {
	if len(s.Options) == 0 {
		return string(s.Kind)
	}
	return string(s.Kind) + ": " + strings.Join(s.Options, ", ")
}

// forceWords say when a change of the setting is in force.
func (s Setting) forceWords() string {
	switch {
	case s.Later:
		return "kept only"
	case s.Live:
		return "at once"
	}
	return "next start"
}
