package imports

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agnes/domain/work"
)

// Importer takes over a predecessor's state.
type Importer struct {
	Source Source
	State  State
}

// Import reads the database at file and writes what fits. People, groups,
// grants and tables are written in one transaction; the long tables after them
// in parts, so that an import that was stopped is taken up by the next. A second
// import changes nothing that is the same, and leaves away what was removed here
// since. In a dry run nothing is written, and the report says what would be.
func (i Importer) Import(ctx context.Context, o Order, file string) (*Report, error) {
	known, err := i.State.ImportKnown(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is here: %w", err)
	}
	o.By.RequestID = known.Run
	r := &Report{DryRun: o.Dry, Issues: []Issue{}, Unknown: []Unknown{}, Notes: []string{}}
	run := &run{Importer: i, report: r, known: known, order: o, core: map[string][]cells{}, tables: map[string]Table{}}
	for _, t := range Schema() {
		run.tables[t.Name] = t
		r.counts(t.Name)
	}
	err = i.Source.ImportSystem(ctx, file, func(s work.StateSchema) { run.schema = s }, func(rows work.StateRows) error { return run.take(ctx, rows) })
	if err == nil {
		err = run.finishCore(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	r.Schema, r.SHA256 = run.schema.Version, run.schema.SHA256
	if !o.Dry {
		if err := i.State.ImportDone(ctx, o.By, r); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	run.leftOut()
	run.noteRemoved()
	return r, nil
}

// run is one import on its way.
type run struct {
	Importer
	report *Report
	known  Known
	order  Order
	tables map[string]Table
	schema work.StateSchema
	core   map[string][]cells
	plan   *plan // set when the core is through
}

// coreTables are written together; they are the first of the schema.
func coreTables() []string {
	return []string{
		"users", "user_groups", "user_group_members", "table_registry", "resource_grants", "sync_state", "view_ownership",
		"marketplace_registry", "marketplace_plugins",
	}
}

// take receives rows of one table.
func (r *run) take(ctx context.Context, rows work.StateRows) error {
	t, known := r.tables[rows.Table]
	r.noteUnknown(rows)
	if _, whole := rows.Unknown["*"]; whole {
		return nil
	}
	if !known {
		return fmt.Errorf("table %q is not known", rows.Table)
	}
	r.report.counts(t.Name).Read += len(rows.Rows) + len(rows.TooLarge)
	for _, id := range rows.TooLarge {
		r.report.skip(t.Name, id, "row_too_large", "The row is larger than 4 MB.")
	}
	r.noteAbsent(t, rows.Absent)
	all := make([]cells, len(rows.Rows))
	for i, row := range rows.Rows {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("a row of %s has %d columns, want %d", t.Name, len(row), len(t.Columns))
		}
		all[i] = cells{table: t, row: row}
	}
	if slices.Contains(coreTables(), t.Name) {
		r.core[t.Name] = append(r.core[t.Name], all...)
		return nil
	}
	if err := r.finishCore(ctx); err != nil {
		return err
	}
	if len(all) == 0 || !r.taken(t.Name) {
		r.report.counts(t.Name).Needless += len(all)
		return nil
	}
	return r.write(ctx, r.planRows(t, all))
}

func (r *run) noteAbsent(t Table, absent []string) {
	if slices.Contains(absent, "*") {
		r.report.note("The old database has no table %s.", t.Name)
	} else if len(absent) > 0 {
		r.report.note("The old table %s lacks what Agnes expects there: %s.", t.Name, strings.Join(absent, ", "))
	}
}

func (r *run) noteUnknown(rows work.StateRows) {
	for _, column := range slices.Sorted(maps.Keys(rows.Unknown)) {
		u := Unknown{Table: rows.Table, Column: column, Rows: rows.Unknown[column]}
		if column == "*" {
			u.Column = ""
		}
		r.report.Unknown = append(r.report.Unknown, u)
	}
}

func (r *run) planRows(t Table, rows []cells) Batch {
	switch t.Name {
	case "sync_history":
		return r.plan.planHistory(rows)
	case "audit_log":
		return r.plan.planAudit(rows)
	case "table_profiles":
		return r.plan.planProfiles(rows)
	}
	return r.plan.planPlain(t, rows)
}

// taken reports whether a table beyond the core is taken over.
func (r *run) taken(table string) bool {
	switch table {
	case "sync_history", "audit_log":
		return true
	case "pending_codes", "setup_banner": // codes are void after the move; nothing read the banner
		return false
	}
	return r.known.Plain[table]
}

// finishCore writes the core once it was read through.
func (r *run) finishCore(ctx context.Context) error {
	if r.plan != nil {
		return nil
	}
	p := newPlan(r.report, r.known, r.schema, r.order.Again)
	r.plan = p
	admin := ""
	for _, c := range r.core["user_groups"] {
		if c.flag("is_system", false) && c.text("name") == "Admin" {
			admin = c.id()
		}
	}
	users, aside := p.planUsers(r.core["users"], r.core["user_group_members"], admin)
	groups := p.planGroups(r.core["user_groups"])
	members := p.planMembers(r.core["user_group_members"])
	tables := p.planTables(r.core["table_registry"])
	state, owners := p.planSyncState(r.core["sync_state"]), p.planOwners(r.core["view_ownership"])
	markets := p.planPlain(r.tables["marketplace_registry"], r.core["marketplace_registry"])
	plugins := p.planPlain(r.tables["marketplace_plugins"], r.core["marketplace_plugins"])
	for _, row := range r.core["marketplace_plugins"] {
		p.plugins[row.id()] = true
	}
	grants := p.planGrants(r.core["resource_grants"], r.core["user_group_members"])
	r.core = nil
	return r.write(ctx, users, aside, groups, members, tables, grants, state, owners, markets, plugins)
}

// write stores batches and counts what became of their rows.
func (r *run) write(ctx context.Context, batches ...Batch) error {
	outcomes, err := r.State.Import(ctx, r.order, batches)
	if err != nil {
		return err //nolint:wrapcheck // the caller says what it does
	}
	for b, batch := range batches {
		for i, outcome := range outcomes[b] {
			r.count(batch.From, batch.Rows[i].ID, outcome)
		}
	}
	return nil
}

func (r *run) count(table, id string, outcome Outcome) {
	c := r.report.counts(table)
	switch outcome {
	case Added:
		c.Added++
	case Updated:
		c.Updated++
	case Unchanged:
		c.Unchanged++
	case Kept:
		c.Kept++
	case Back:
		c.Back++
	case Removed:
		r.report.removed(table, id, "It was taken over before and removed here.")
	case Taken:
		r.report.skip(table, id, "taken", "Another row here has what this one must have alone, such as its name.")
	}
}

// leftOut says which tables were read and not taken over.
func (r *run) leftOut() {
	for _, c := range r.report.Tables {
		if c.Needless > 0 && !slices.Contains(coreTables(), c.Table) {
			r.report.note("%d rows of %s are not taken over: this server has no use for them.", c.Needless, c.Table)
		}
	}
}

// noteRemoved says what to do about rows that were removed here since.
func (r *run) noteRemoved() {
	removed, back := 0, 0
	for _, c := range r.report.Tables {
		removed, back = removed+c.Removed, back+c.Back
	}
	if removed > 0 {
		r.report.note("%d rows were taken over before and removed here since. They stay away; --again brings them back.", removed)
	}
	if back > 0 {
		r.report.note("%d of the rows added were removed here since an earlier import, and come back because of --again.", back)
	}
	if r.known.Forgotten {
		r.report.note("The last import was made by an Agnes that did not write down which rows it took over. What was removed here since counts as new this once: look through the rows that are added.")
	}
}
