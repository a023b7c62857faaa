package registry

import (
	"fmt"
	"slices"

	"agnes/domain"
)

// SchemaPolicy says what happens when a new version has other columns.
type SchemaPolicy string

// The policies.
const (
	SchemaEvolve SchemaPolicy = "evolve" // it is published
	SchemaAsk    SchemaPolicy = "ask"    // it waits for a person
	SchemaFreeze SchemaPolicy = "freeze" // it is not published as long as the policy stands
)

// SchemaPolicies lists the policies, the default first.
func SchemaPolicies() []SchemaPolicy { return []SchemaPolicy{SchemaEvolve, SchemaAsk, SchemaFreeze} }

// Guard says which new versions of a table wait for a person.
type Guard struct {
	ShrinkPercent int // a version with fewer rows by more than this waits; 100: none does
	Schema        SchemaPolicy
}

// DefaultGuard is the guard of a table whose registration names none.
func DefaultGuard() Guard { return Guard{ShrinkPercent: 20, Schema: SchemaEvolve} }

// The codes of versions that wait.
const (
	CodeShrinkGuard   = "shrink_guard"
	CodeSchemaChanged = "schema_changed"
)

// shrinkFrom is how many rows a version needs for the guard to watch it: small
// tables halve on any day.
const shrinkFrom = 100

// Check returns a FieldError for a guard that cannot be.
func (g Guard) Check() error {
	if g.ShrinkPercent < 0 || g.ShrinkPercent > 100 {
		return domain.FieldError("shrink_guard_pct", "The shrink guard is a whole number of per cent from 0 to 100; 100 switches it off.")
	}
	if !slices.Contains(SchemaPolicies(), g.Schema) {
		return domain.FieldError("schema_policy", "schema_policy is one of: evolve, ask, freeze.")
	}
	return nil
}

// Hold is why a new version waits for a person.
type Hold struct {
	Code     string
	Message  string // the difference, and what people read meanwhile
	NextStep string
}

// Review compares a new version with the current one and returns why it has to
// wait, nil when it does not. A first version never waits.
func (t Published) Review(v Version) *Hold {
	old := t.Version
	if old == nil {
		return nil
	}
	const served = " People still read the rows from before."
	changes := CompareColumns(old.Columns, v.Columns)
	if t.Guard.Schema == SchemaFreeze && !changes.None() {
		return &Hold{
			Code: CodeSchemaChanged, Message: "The columns changed and are frozen: " + changes.Words() + "." + served,
			NextStep: "Keep the old rows and have the source put right, or let the columns of this table change in its settings.",
		}
	}
	if shrunk(old.Rows, v.Rows, t.Guard.ShrinkPercent) {
		message := fmt.Sprintf("It came back %d %% smaller: %d rows instead of %d.", 100-v.Rows*100/old.Rows, v.Rows, old.Rows)
		if !changes.None() {
			message += " The columns changed too: " + changes.Words() + "."
		}
		return &Hold{Code: CodeShrinkGuard, Message: message + served, NextStep: "Publish the new rows anyway, or keep the old ones."}
	}
	if t.Guard.Schema == SchemaAsk && !changes.None() {
		return &Hold{
			Code: CodeSchemaChanged, Message: "The columns changed: " + changes.Words() + "." + served,
			NextStep: "Publish the new rows anyway, or keep the old ones.",
		}
	}
	return nil
}

// Frozen returns why v cannot be published whatever a person says, nil when it can.
func (t Published) Frozen(v Version) error {
	if t.Guard.Schema != SchemaFreeze || t.Version == nil || CompareColumns(t.Version.Columns, v.Columns).None() {
		return nil
	}
	return domain.E(domain.Conflict, "schema_frozen",
		"The columns of %s are frozen and these rows have others. Let them change in the table's settings first, then publish.", t.Name)
}

func shrunk(was, is int64, percent int) bool {
	return was >= shrinkFrom && is*100 < was*int64(100-percent)
}
