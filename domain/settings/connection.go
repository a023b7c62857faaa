package settings

import (
	"context"
	"errors"
	"time"

	"agnes/domain"
	"agnes/domain/config"
)

// StepState is how one step of a test went.
type StepState string

// The states.
const (
	StepOK      StepState = "ok"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped" // an earlier one failed, or it does not apply
)

// Step is one thing that a test of a connection tried.
type Step struct {
	Name   string
	State  StepState
	Detail string // what was found, or what went wrong
	Fix    string // what to do about a failure
	Took   time.Duration
}

// ConnectionTest tries a connection step by step: reach it, sign in and say as
// whom, list what is there, read one row of it. A connector brings its own; what
// it tells holds no secret, host or path.
type ConnectionTest interface {
	// Section is where the connection is set up.
	Section() string
	// Title names the connection.
	Title() string
	// Ready reports whether enough is set up to try.
	Ready(c config.Config) bool
	// Run tells of each step when it is over, and ends after the first failure.
	Run(ctx context.Context, c config.Config, tell func(Step))
}

// Tester runs the tests of connections with what is saved, which may not be in
// force yet.
type Tester struct {
	Files Files
	Tests []ConnectionTest
}

// Tested is one connection with what its test found.
type Tested struct {
	Title string
	Steps []Step
}

// Passed reports whether no step failed.
func (t Tested) Passed() bool {
	for _, s := range t.Steps {
		if s.State == StepFailed {
			return false
		}
	}
	return len(t.Steps) > 0
}

// For lists the tests of a section that are set up.
func (t *Tester) For(section string) ([]ConnectionTest, config.Config, error) {
	in, err := t.Files.Input()
	if err != nil {
		return nil, config.Config{}, err
	}
	cfg, _, err := config.Load(in)
	if err != nil {
		return nil, cfg, refused(err)
	}
	var all []ConnectionTest
	for _, test := range t.Tests {
		if test.Section() == section && test.Ready(cfg) {
			all = append(all, test)
		}
	}
	return all, cfg, nil
}

// Has reports whether a section has a connection that can be tested at all.
func (t *Tester) Has(section string) bool {
	if t == nil {
		return false
	}
	for _, test := range t.Tests {
		if test.Section() == section {
			return true
		}
	}
	return false
}

// Test runs the tests of a section. It fails with NotFound for a section
// without any, and with Conflict when nothing there is set up.
func (t *Tester) Test(ctx context.Context, section string) ([]Tested, error) {
	if !t.Has(section) {
		return nil, domain.E(domain.NotFound, "nothing_to_test", "The section %q has no connection that can be tested.", section)
	}
	tests, cfg, err := t.For(section)
	if err != nil {
		return nil, err
	}
	if len(tests) == 0 {
		return nil, domain.E(domain.Conflict, "not_set_up", "No connection of this section is set up yet. Save its settings first.")
	}
	var all []Tested
	for _, test := range tests {
		one := Tested{Title: test.Title()}
		test.Run(ctx, cfg, func(s Step) { one.Steps = append(one.Steps, s) })
		all = append(all, one)
	}
	return all, nil
}

// Try runs one step and tells how it went; detail is shown when it went well.
func Try(tell func(Step), now func() time.Time, name, fix string, do func() (detail string, err error)) bool {
	begun := now()
	detail, err := do()
	step := Step{Name: name, State: StepOK, Detail: detail, Took: now().Sub(begun)}
	if err != nil {
		step.State, step.Fix, step.Detail = StepFailed, fix, "It did not work."
		var known *domain.Error
		if errors.As(err, &known) && known.Kind != domain.Internal {
			step.Detail = known.Message
		}
	}
	tell(step)
	return err == nil
}
