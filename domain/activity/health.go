package activity

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// HealthStore counts what the health of the last day is made of.
type HealthStore interface {
	ActivityHealth(ctx context.Context, day, today time.Time) (Figures, error)
}

// Figures are what the store knows of the last day.
type Figures struct {
	SyncsOK  int64 // of SyncsAll, in 24 h
	SyncsAll int64
	People   int64 // who did something today (UTC)
	Failing  int64 // tables whose last sync failed or waits for a person
	Damaged  int64 // tables that serve an earlier version
}

// Health says on one line how Agnes is.
type Health struct {
	Status   string // green, yellow or red
	Fields   []HealthField
	Sentence string
}

// HealthField is one figure of Health.
type HealthField struct {
	Key   string
	Value string // in words
	Raw   any    // the number behind it; nil where there is none
	Color string
}

// kept is the last answer.
type kept struct {
	mu   sync.Mutex
	at   time.Time
	last Health
}

const (
	healthKept = 30 * time.Second
	tickLate   = 1800 * time.Second
	tickGone   = 7200 * time.Second
)

const (
	green  = "green"
	yellow = "yellow"
	red    = "red"
)

// Health tells how Agnes is; an answer is kept for 30 seconds. ticked is when the
// scheduler last looked what is due, began when it could first have.
func (l *Log) Health(ctx context.Context, s HealthStore, ticked, began time.Time) (Health, error) {
	l.health.mu.Lock()
	defer l.health.mu.Unlock()
	now := l.Now()
	if l.health.last.Status != "" && now.Sub(l.health.at).Abs() < healthKept {
		return l.health.last, nil
	}
	figures, err := s.ActivityHealth(ctx, now.Add(-24*time.Hour), now.UTC().Truncate(24*time.Hour))
	if err != nil {
		return Health{}, fmt.Errorf("health: %w", err)
	}
	if ticked.IsZero() {
		ticked = began
	}
	l.health.last, l.health.at = healthOf(figures, now.Sub(ticked)), now
	return l.health.last, nil
}

func healthOf(f Figures, age time.Duration) Health {
	seconds := int64(max(age, 0) / time.Second)
	scheduler := HealthField{Key: "scheduler", Value: fmt.Sprintf("looked %d s ago", seconds), Raw: seconds, Color: green}
	switch {
	case age > tickGone:
		scheduler.Color = red
	case age > tickLate:
		scheduler.Color = yellow
	}
	syncs := HealthField{Key: "sync_24h", Value: "no syncs", Color: green}
	if f.SyncsAll > 0 {
		share := float64(f.SyncsOK) / float64(f.SyncsAll)
		syncs.Value, syncs.Raw = fmt.Sprintf("%d of %d good", f.SyncsOK, f.SyncsAll), share
		switch {
		case share < 0.95:
			syncs.Color = red
		case share < 1:
			syncs.Color = yellow
		}
	}
	warnings := HealthField{Key: "diagnose_warnings", Value: "none", Raw: f.Failing + f.Damaged, Color: green}
	if n := f.Failing + f.Damaged; n > 0 {
		warnings.Value, warnings.Color = fmt.Sprintf("%d tables need a look", n), yellow
		if n == 1 {
			warnings.Value = "1 table needs a look"
		}
	}
	h := Health{Status: green, Fields: []HealthField{
		scheduler, syncs,
		{Key: "active_users_today", Value: fmt.Sprint(f.People), Raw: f.People, Color: green},
		{Key: "memory_pipeline", Value: "nothing to do", Color: green},
		warnings,
	}}
	return h.summed()
}

// summed makes the whole of the fields.
func (h Health) summed() Health {
	var worse []string
	for _, f := range h.Fields {
		if f.Color == green {
			continue
		}
		worse = append(worse, map[string]string{"scheduler": "the scheduler " + f.Value, "sync_24h": "syncs of 24 h: " + f.Value}[f.Key])
		if worse[len(worse)-1] == "" {
			worse[len(worse)-1] = f.Value
		}
		if h.Status != red {
			h.Status = f.Color
		}
	}
	h.Sentence = "All is well."
	if len(worse) > 0 {
		text := strings.Join(worse, "; ")
		h.Sentence = strings.ToUpper(text[:1]) + text[1:] + "."
	}
	return h
}
