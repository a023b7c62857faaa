package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"agnes/domain/audit"
)

// How many rows one question looks at: rows that an index alone answers for,
// and rows that have to be looked up. They keep a page quick however long the
// log is; where they end is told.
const (
	auditIndexed = 20_000
	auditLooked  = 8_000
)

// auditPlan is a filter as SQL. Every branch is a condition that one index
// answers in the order of time; branches do not overlap.
type auditPlan struct {
	branches []string
	span     []string // the conditions of time
	rest     []string // looked at row by row
	looks    bool     // rest is about columns that the index does not hold
	args     []any
}

// arg adds an argument and names it.
func (p *auditPlan) arg(v any) string {
	p.args = append(p.args, v)
	return "$" + strconv.Itoa(len(p.args))
}

// with is the plan with a further condition of time; the plan itself stays.
func (p auditPlan) with(compare string, micros int64) auditPlan {
	p.args = append([]any(nil), p.args...)
	p.span = append(append([]string(nil), p.span...), "a.timestamp "+compare+" "+p.arg(micros))
	return p
}

// where is the condition of a branch, with rest or without.
func (p auditPlan) where(branch string, rest bool) string {
	all := append([]string{branch}, p.span...)
	if rest {
		all = append(all, p.rest...)
	}
	return strings.Join(all, " AND ")
}

// each makes one SELECT of every branch and puts them together.
func (p auditPlan) each(parts func(branch string) string) string {
	selects := make([]string, len(p.branches))
	for i, branch := range p.branches {
		selects[i] = "SELECT * FROM (" + parts(branch) + ") AS b" + strconv.Itoa(i)
	}
	return strings.Join(selects, " UNION ALL ")
}

// maxBranches is how many values a prefix or pattern may stand for; beyond it
// the rows are looked at one by one.
const maxBranches = 100

// planAudit turns a filter into conditions. It asks the log which actions and
// results there are, never more than two statements.
func (s *Store) planAudit(ctx context.Context, r runner, f audit.Filter) (auditPlan, error) {
	p := auditPlan{}
	if !f.Since.IsZero() {
		p.span = append(p.span, "a.timestamp >= "+p.arg(micros(f.Since)))
	}
	if !f.Until.IsZero() {
		p.span = append(p.span, "a.timestamp < "+p.arg(micros(f.Until)))
	}
	actions, err := s.actionsOf(ctx, r, f.Action)
	if err != nil {
		return p, err
	}
	results, err := s.resultsOf(ctx, r, f.Result)
	if err != nil {
		return p, err
	}
	user, err := s.auditPerson(ctx, r, f.Person)
	if err != nil {
		return p, err
	}
	p.drive(f, user, actions, results)
	if f.Text != "" {
		p.looks = true
		p.rest = append(p.rest, p.text(f.Text))
	}
	if !f.Reads && f.Action != audit.ActionRead {
		p.rest = append(p.rest, "a.action <> "+p.arg(audit.ActionRead))
	}
	return p, nil
}

// drive chooses the index that the rows come from. What it does not answer is
// compared by an expression, so that no other index seems to fit better.
func (p *auditPlan) drive(f audit.Filter, user string, actions, results *[]string) {
	other := func(column, value string) { p.rest = append(p.rest, "COALESCE(a."+column+", '') = "+p.arg(value)) }
	driven := false
	one := func(column, value string) {
		switch {
		case value == "":
		case driven:
			other(column, value)
			p.looks = p.looks || column == "resource"
		default:
			p.branches, driven = []string{"a." + column + " = " + p.arg(value)}, true
		}
	}
	some := func(column string, values *[]string) {
		switch {
		case values == nil:
		case driven || len(*values) > maxBranches:
			names := make([]string, len(*values))
			for i, v := range *values {
				names[i] = p.arg(v)
			}
			p.rest = append(p.rest, "COALESCE(a."+column+", '') IN ("+strings.Join(append(names, "NULL"), ", ")+")")
		default:
			driven = true
			for _, v := range *values {
				p.branches = append(p.branches, "a."+column+" = "+p.arg(v))
			}
		}
	}
	one("resource", f.Resource)
	one("user_id", user)
	some("action", actions)
	some("result", results)
	if f.ClientKind != "" {
		p.looks = p.looks || driven
		other("client_kind", f.ClientKind)
	}
	if !driven {
		p.branches = []string{"TRUE"}
	}
}

// text is the condition that a row holds a text: in what was asked, in what was
// there before, in what it is about, or as its request.
func (p *auditPlan) text(text string) string {
	inJSON := text
	if escaped, err := json.Marshal(text); err == nil { // as the columns hold it
		inJSON = string(escaped[1 : len(escaped)-1])
	}
	held, plain := p.arg(containing(inJSON)), p.arg(containing(text))
	return "(lower(a.params) LIKE lower(" + held + ") ESCAPE '!' OR lower(a.params_before) LIKE lower(" + held + ") ESCAPE '!'" +
		" OR lower(a.resource) LIKE lower(" + plain + ") ESCAPE '!' OR a.correlation_id = " + p.arg(text) + ")"
}

// actionsOf lists the actions that begin with prefix; nil: any.
func (s *Store) actionsOf(ctx context.Context, r runner, prefix string) (*[]string, error) {
	if prefix == "" {
		return nil, nil //nolint:nilnil // any
	}
	found, err := collect(ctx, r, value[string], distinctOf("action", "a.action >= $1")+
		` SELECT v FROM d WHERE v IS NOT NULL AND substr(v, 1, length($1)) = $1`, prefix)
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	return &found, nil
}

// resultsOf lists the results that a filter means; nil: any.
func (s *Store) resultsOf(ctx context.Context, r runner, result string) (*[]string, error) {
	condition, arg := `v LIKE $1`, result
	switch result {
	case "":
		return nil, nil //nolint:nilnil // any
	case audit.Succeeded:
		condition, arg = `v NOT LIKE $1`, "error%"
	case audit.Failed:
		arg = "error%"
	}
	found, err := collect(ctx, r, value[string], distinctOf("result", "TRUE")+` SELECT v FROM d WHERE v IS NOT NULL AND `+condition, arg)
	if err != nil {
		return nil, fmt.Errorf("list results: %w", err)
	}
	return &found, nil
}

// distinctOf walks the different values of an indexed column, from one to the
// next: as many steps as there are values, not rows.
func distinctOf(column, from string) string {
	return `WITH RECURSIVE d (v) AS (
		SELECT (SELECT min(a.` + column + `) FROM audit_log a WHERE ` + from + `)
		UNION ALL
		SELECT (SELECT min(a.` + column + `) FROM audit_log a WHERE a.` + column + ` > d.v) FROM d WHERE d.v IS NOT NULL)`
}

// auditPerson is the id that a filter means by a person: an address is looked
// up, also among the accounts that were deleted.
func (s *Store) auditPerson(ctx context.Context, r runner, person string) (string, error) {
	if !strings.Contains(person, "@") {
		return person, nil
	}
	found, err := collect(ctx, r, value[string], `
		SELECT id FROM users WHERE email = $1
		UNION ALL
		SELECT substr(a.resource, 6) FROM audit_log a WHERE a.action = 'user.delete' AND a.params_before LIKE $2 ESCAPE '!'`,
		identity(person), containing(`"email":"`+identity(person)+`"`))
	if err != nil {
		return "", fmt.Errorf("find a person: %w", err)
	}
	if len(found) == 0 {
		return person, nil // nobody's id: nothing matches
	}
	return found[0], nil
}

// floor is the time down to which most rows are looked at, as far as the
// branches hold more than most; zero when they do not.
func (p auditPlan) floor(ctx context.Context, r runner, most int) (time.Time, error) {
	if len(p.branches) == 0 {
		return time.Time{}, nil
	}
	each := max(1, most/len(p.branches))
	stops, err := collect(ctx, r, value[int64], p.each(func(branch string) string {
		return "SELECT a.timestamp FROM audit_log a WHERE " + p.where(branch, false) + " ORDER BY a.timestamp DESC LIMIT 1 OFFSET " + strconv.Itoa(each)
	}), p.args...)
	if err != nil {
		return time.Time{}, fmt.Errorf("how far to look: %w", err)
	}
	var stop time.Time
	for _, n := range stops {
		if t := time.UnixMicro(n).UTC(); t.After(stop) {
			stop = t
		}
	}
	return stop, nil
}
