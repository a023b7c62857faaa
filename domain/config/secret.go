package config

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that no log, page or message shows. Its zero value is "not set".
type Secret struct {
	// A pointer, because fmt calls no method on an unexported field and would
	// print a plain text there.
	text *string
}

// NewSecret wraps a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text itself, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Set reports whether there is a text.
func (s Secret) Set() bool { return s.text != nil }

// String returns "[redacted]", or "" for a secret that is not set.
func (s Secret) String() string {
	if !s.Set() {
		return ""
	}
	return redacted
}

// LogValue keeps the text out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the text out of JSON, YAML and everything else that encodes.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Format keeps the text out of every verb, %#v and %x too.
func (s Secret) Format(f fmt.State, _ rune) {
	// A failed write is the writer's to report; a formatter has nobody to tell.
	_, _ = f.Write([]byte(s.String()))
}
