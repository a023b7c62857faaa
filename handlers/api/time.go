package api

import "time"

// stamp is a time as clients read it: ISO 8601 in UTC with +00:00.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999-07:00") }

// stampOf is stamp for a time that may be absent.
func stampOf(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := stamp(*t)
	return &s
}

// orNull turns an empty text into null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
