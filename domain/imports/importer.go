package imports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agnes/domain"
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
// With an error, the report says what was done before it.
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
		return r, fmt.Errorf("import: %w", err)
	}
	r.Schema, r.SHA256 = run.schema.Version, run.schema.SHA256
	if !o.Dry {
		if err := i.State.ImportDone(ctx, o.By, r); err != nil {
			return r, fmt.Errorf("import: %w", err)
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
	if err := r.noteAbsent(t, rows.Absent); err != nil {
		return err
	}
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

// needed are columns without which rows would mean something else, such as an
// account that is active because nobody can tell that it is not.
func needed() map[string][]string {
	return map[string][]string{
		"users": {"id", "email", "active"}, "user_groups": {"id", "name"}, "user_group_members": {"user_id", "group_id"},
		"table_registry": {"id", "name", "where_filters"}, "resource_grants": {"id", "group_id", "resource_type", "resource_id"},
		"personal_access_tokens": {"id", "user_id", "token_hash", "expires_at", "revoked_at"},
	}
}

// noteAbsent notes what the old database lacks. It fails when that is needed.
func (r *run) noteAbsent(t Table, absent []string) error {
	lacks := absent
	if slices.Contains(absent, "*") {
		lacks = needed()[t.Name]
		r.report.note("The old database has no table %s.", t.Name)
	} else if len(absent) > 0 {
		r.report.note("The old table %s lacks what Agnes expects there: %s.", t.Name, strings.Join(absent, ", "))
	}
	for _, column := range lacks {
		if slices.Contains(needed()[t.Name], column) {
			return domain.E(domain.Invalid, "state_incomplete",
				"The old database has no %s.%s, which every state of schema %d has: it is incomplete. Use its newest backup.", t.Name, column, SchemaVersion)
		}
	}
	return nil
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
			r.count(batch.From, batch.Rows[i], outcome)
		}
	}
	return nil
}

func (r *run) count(table string, row Row, outcome Outcome) {
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
		r.report.back(table, row.ID, "%s was removed here and comes back.", cmp.Or(row.What, "It"))
	case Removed:
		r.report.removed(table, row.ID, "%s was taken over before and removed here.", cmp.Or(row.What, "It"))
	case Taken:
		r.report.skip(table, row.ID, "taken", "Another row here has what this one must have alone, such as its name.")
	}
}

// leftOut says which tables were read and not taken over.
func (r *run) leftOut() {
	for _, c := range r.report.Tables {
		if c.Needless > 0 && !slices.Contains(coreTables(), c.Table) {
			r.report.note("Rows of %s that are not taken over, because Agnes has no use for them: %d.", c.Table, c.Needless)
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
		r.report.note("Rows that were taken over before and removed here since: %d. They stay away; --again brings them back.", removed)
	}
	if back > 0 {
		r.report.note("Of the rows added, these were removed here since an earlier import and come back because of --again: %d.", back)
	}
	if r.known.Forgotten {
		r.report.note("The last import was made by an Agnes that did not write down which rows it took over. What was removed here since counts as new this once: look through the rows that are added.")
	}
}
