package config

import (
	"testing"

	"agnes/domain/profile"
)

func TestProfilerDefaults(t *testing.T) {
	t.Parallel()
	var c Config
	for _, s := range profilerSpecs() {
		if err := s.read.into(&c, s.value); err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
		if err := s.read.into(&c, "many"); err == nil {
			t.Errorf("%s takes a word for a number", s.Key)
		}
	}
	if got, want := c.Profiler, profile.DefaultSettings(); got != want {
		t.Errorf("defaults %+v, want those of the contract %+v", got, want)
	}
}
