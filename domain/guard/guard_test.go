package guard_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"agnes/domain"
	"agnes/domain/guard"
)

func TestPanicsAreLoggedAndCounted(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	g := &guard.Guard{Log: slog.New(slog.NewTextHandler(&said, nil))}
	err := g.Do("a sum", func() error { panic("secret") })
	if domain.KindOf(err) != domain.Internal || strings.Contains(err.Error(), "secret") {
		t.Errorf("a panic became %v", err)
	}
	var nothing []int
	if err := g.Do("an index", func() error { _ = nothing[len(said.String())]; return nil }); err == nil {
		t.Error("a fault of the runtime became no error")
	}
	if g.Panics() != 2 || strings.Count(said.String(), "msg=panic") != 2 || !strings.Contains(said.String(), `task="a sum"`) || !strings.Contains(said.String(), "guard_test.go") {
		t.Errorf("%d panics, log: %s", g.Panics(), said.String())
	}
}

func TestErrorsPass(t *testing.T) {
	t.Parallel()
	g := &guard.Guard{}
	if err := g.Do("x", func() error { return context.Canceled }); !errors.Is(err, context.Canceled) || g.Panics() != 0 {
		t.Errorf("%v, %d panics", err, g.Panics())
	}
}

func TestGoSurvives(t *testing.T) {
	t.Parallel()
	for _, g := range []*guard.Guard{{}, nil} {
		began := make(chan struct{})
		g.Go("beside", func() {
			defer close(began)
			panic("x")
		})
		<-began
		time.AfterFunc(0, g.Func("a timer", func() { panic("y") })).Reset(0)
		if err := g.Do("again", func() error { panic("z") }); err == nil {
			t.Error("no error")
		}
		if g == nil && g.Panics() != 0 {
			t.Error("nobody counts")
		}
	}
}
