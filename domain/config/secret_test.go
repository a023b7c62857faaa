package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"agnes/domain/config"
)

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()

	const text = "correct horse battery staple"
	s := config.NewSecret(text)
	inside := struct {
		Open   config.Secret
		hidden config.Secret
	}{s, s}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "secret", s, "config", inside)
	encoded, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}

	shown := []string{s.String(), log.String(), string(encoded), inside.hidden.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, inside), fmt.Sprintf(verb, []config.Secret{s}))
	}
	for _, out := range shown {
		if strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) {
			t.Errorf("secret shown in %q", out)
		}
	}
	if got := s.Reveal(); got != text {
		t.Errorf("Reveal() = %q, want the text", got)
	}
}

func TestSecretNotSet(t *testing.T) {
	t.Parallel()

	for name, s := range map[string]config.Secret{"zero": {}, "empty": config.NewSecret("")} {
		if s.Set() || s.Reveal() != "" || s.String() != "" || fmt.Sprint(s) != "" {
			t.Errorf("%s: Set %v, Reveal %q, String %q; want nothing", name, s.Set(), s.Reveal(), s)
		}
	}
}
