package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// micros is how times are stored: microseconds since 1970 UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// microsOrNull is micros of a time that may be absent.
func microsOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return micros(*t)
}

// at scans a stored time.
type at struct{ to *time.Time }

// Scan implements sql.Scanner.
func (a at) Scan(src any) error {
	n, ok := src.(int64)
	if !ok && src != nil {
		return fmt.Errorf("a stored time is %T", src)
	}
	*a.to = time.Time{}
	if n != 0 {
		*a.to = time.UnixMicro(n).UTC()
	}
	return nil
}

// maybeAt scans a stored time that may be NULL.
type maybeAt struct{ to **time.Time }

// Scan implements sql.Scanner.
func (m maybeAt) Scan(src any) error {
	*m.to = nil
	if src == nil {
		return nil
	}
	var t time.Time
	if err := (at{&t}).Scan(src); err != nil {
		return err
	}
	*m.to = &t
	return nil
}

// decoded scans JSON text; NULL and "" leave the target alone.
type decoded struct{ to any }

// Scan implements sql.Scanner.
func (d decoded) Scan(src any) error {
	text, ok := src.(string)
	if !ok && src != nil {
		return fmt.Errorf("stored JSON is %T", src)
	}
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), d.to); err != nil {
		return fmt.Errorf("decode stored JSON: %w", err)
	}
	return nil
}

// encoded is a value as JSON text, "" for an empty list or map.
func encoded[T any](v T, length int) (string, error) {
	if length == 0 {
		return "", nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode for the state: %w", err)
	}
	return string(text), nil
}

// containing is a LIKE pattern, to be used with ESCAPE '!', for texts that
// hold part. Both sides are lowered by the engine.
func containing(part string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(part) + "%"
}

// pageSize is a limit as SQL takes it; 0 means all.
func pageSize(limit int) int {
	if limit <= 0 {
		return 1<<31 - 1
	}
	return limit
}

// distinct returns all without repetitions, in order.
func distinct[T comparable](all []T) []T {
	seen := make(map[T]struct{}, len(all))
	kept := make([]T, 0, len(all))
	for _, v := range all {
		if _, again := seen[v]; !again {
			seen[v] = struct{}{}
			kept = append(kept, v)
		}
	}
	return kept
}
