package config

import "time"

// Audit is how long the audit log remembers.
type Audit struct {
	Retention time.Duration // 0: for ever
}

func auditSpecs() []spec {
	return []spec{{
		Setting: Setting{Key: "audit.retention_days", Env: []string{"AGNES_AUDIT_RETENTION_DAYS"}, About: "Days that the audit log keeps its rows; 0 keeps them for ever."},
		value:   "0", form: "whole days from 0 to 36500",
		read: into(func(c *Config) *time.Duration { return &c.Audit.Retention }, daysOrNever(36500)),
	}}
}

// daysOrNever is days, and 0 for never.
func daysOrNever(most int64) func(string) (time.Duration, error) {
	some := days(most)
	return func(text string) (time.Duration, error) {
		if text == "0" {
			return 0, nil
		}
		return some(text)
	}
}
