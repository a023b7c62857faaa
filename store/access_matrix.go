package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"agnes/domain/access"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// sourceOf is the folder of a table's extract, as registry.Table.Source says it.
const sourceOf = `CASE t.source_type WHEN 'custom' THEN t.bucket WHEN 'local' THEN 'files' WHEN '' THEN 'files' ELSE t.source_type END`

const matrixTableColumns = `t.id, t.name, t.source_type, t.bucket, t.source_table, t.sample`

func scanMatrixTable(row scanner) (access.MatrixTable, error) {
	var t access.MatrixTable
	err := row.Scan(&t.ID, &t.Name, &t.SourceType, &t.Bucket, &t.SourceTable, &t.Sample)
	return t, err
}

const matrixGroupColumns = `g.id, g.name, COALESCE(g.person_id, ''),
	(SELECT count(*) FROM user_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id AND u.active = TRUE)`

func scanMatrixGroup(row scanner) (access.MatrixGroup, error) {
	var g access.MatrixGroup
	err := row.Scan(&g.ID, &g.Name, &g.Person, &g.Members)
	return g, err
}

// conditions is a WHERE that is put together.
type conditions struct {
	all  []string
	args []any
}

// arg adds a value and returns its place.
func (c *conditions) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *conditions) and(condition string) { c.all = append(c.all, condition) }

func (c *conditions) where() string {
	if len(c.all) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(c.all, ` AND `)
}

// gather is collect with the arguments that putting the statement together added.
func gather[T any](ctx context.Context, r runner, c *conditions, scan func(scanner) (T, error), query string) ([]T, error) {
	return collect(ctx, r, scan, query, c.args...)
}

// single is one with the arguments that putting the statement together added.
func single[T any](ctx context.Context, r runner, c *conditions, scan func(scanner) (T, error), query string) (T, error) {
	return one(ctx, r, scan, query, c.args...)
}

// limit adds the part of the list that is wanted.
func (c *conditions) limit(w access.Window) string {
	return ` LIMIT ` + c.arg(pageSize(w.Limit)) + ` OFFSET ` + c.arg(w.Offset)
}

// tablesOf is the condition of a filter on tables t.
func (s *Store) tablesOf(f access.MatrixFilter) *conditions {
	c := &conditions{}
	if f.Table != "" {
		c.and(`lower(t.name) LIKE lower(` + c.arg(containing(f.Table)) + `) ESCAPE '!'`)
	}
	if f.Source != "" {
		c.and(sourceOf + ` = ` + c.arg(f.Source))
	}
	if f.EndsSoon {
		// The type is not written plainly, so that the index of ends is used.
		c.and(`t.id IN (SELECT r.resource_id FROM resource_grants r WHERE r.expires_at > ` + c.arg(micros(s.now())) +
			` AND r.expires_at <= ` + c.arg(micros(s.now().Add(access.EndsSoon))) + ` AND r.resource_type || '' = 'table')`)
	}
	if f.Nobody {
		// Nor is the group: a table has few grants, and there are many groups.
		c.and(`NOT EXISTS (SELECT 1 FROM resource_grants r
			WHERE r.resource_type = 'table' AND r.resource_id = t.id AND (r.expires_at IS NULL OR r.expires_at > ` + c.arg(micros(s.now())) + `)
			AND r.group_id || '' IN (SELECT g.id FROM user_groups g WHERE g.id = ` + c.arg(s.everyoneID) + `
				OR EXISTS (SELECT 1 FROM user_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id AND u.active = TRUE)))`)
	}
	return c
}

// groupsOf is the condition of a filter on groups g, without the two of Agnes's own.
func groupsOf(search string, persons bool) *conditions {
	c := &conditions{}
	c.and(`g.is_system = FALSE`)
	if !persons {
		c.and(`g.person_id IS NULL`)
	}
	if search != "" {
		c.and(`g.name_key LIKE ` + c.arg(containing(nameKey(search))) + ` ESCAPE '!'`)
	}
	return c
}

// AccessMatrix returns one page of groups and tables with the grants where
// they meet. It takes seven statements, however many there are of either.
func (s *Store) AccessMatrix(ctx context.Context, f access.MatrixFilter) (access.Matrix, error) {
	m := access.Matrix{Filter: f}
	err := s.view(ctx, func(r runner) (err error) {
		if m.Totals, err = s.totals(ctx, r); err != nil {
			return err
		}
		if m.Sources, err = collect(ctx, r, value[string], `SELECT DISTINCT `+sourceOf+` FROM table_registry t ORDER BY 1`); err != nil {
			return err
		}
		if err := s.matrixTables(ctx, r, f, &m); err != nil {
			return err
		}
		if err := s.matrixGroups(ctx, r, f, &m); err != nil {
			return err
		}
		m.Cells, err = s.matrixCells(ctx, r, m)
		return err
	})
	if err != nil {
		return access.Matrix{}, fmt.Errorf("read the matrix of access: %w", err)
	}
	return m, nil
}

// AccessTotals counts what the pages of access are about.
func (s *Store) AccessTotals(ctx context.Context) (access.Totals, error) {
	t, err := s.totals(ctx, s.reader())
	if err != nil {
		return t, fmt.Errorf("count what access is about: %w", explain(err))
	}
	return t, nil
}

func (s *Store) totals(ctx context.Context, r runner) (access.Totals, error) {
	return one(ctx, r, func(row scanner) (access.Totals, error) {
		var t access.Totals
		err := row.Scan(&t.Groups, &t.Tables, &t.People, &t.Admins)
		return t, err
	}, `SELECT (SELECT count(*) FROM user_groups WHERE person_id IS NULL), (SELECT count(*) FROM table_registry),
		(SELECT count(*) FROM users WHERE active = TRUE),
		(SELECT count(*) FROM user_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = $1 AND u.active = TRUE)`, s.adminID)
}

// matrixOrder keeps the tables of a section together.
const matrixOrder = ` ORDER BY ` + sourceOf + `, t.sample, t.bucket, lower(t.name), t.id`

// matrixTables reads the rows, and how many match in each section.
func (s *Store) matrixTables(ctx context.Context, r runner, f access.MatrixFilter, m *access.Matrix) (err error) {
	c := s.tablesOf(f)
	from := ` FROM table_registry t` + c.where()
	m.Sections, err = gather(ctx, r, c, func(row scanner) (access.Section, error) {
		var v access.Section
		err := row.Scan(&v.Source, &v.Sample, &v.Bucket, &v.Tables)
		return v, err
	}, `SELECT `+sourceOf+`, t.sample, t.bucket, count(*)`+from+` GROUP BY 1, 2, 3`)
	if err != nil {
		return err
	}
	m.Matching = 0
	for _, section := range m.Sections {
		m.Matching += section.Tables
	}
	m.Tables, err = gather(ctx, r, c, scanMatrixTable, `SELECT `+matrixTableColumns+from+matrixOrder+c.limit(f.Tables))
	return err
}

// matrixGroups reads the columns, Everyone among them.
func (s *Store) matrixGroups(ctx context.Context, r runner, f access.MatrixFilter, m *access.Matrix) (err error) {
	c := groupsOf(f.Group, f.Persons)
	if m.Columns, err = single(ctx, r, c, value[int], `SELECT count(*) FROM user_groups g`+c.where()); err != nil {
		return err
	}
	m.Groups, err = gather(ctx, r, c, scanMatrixGroup, `SELECT `+matrixGroupColumns+` FROM user_groups g
		WHERE g.id IN (SELECT g.id FROM user_groups g`+c.where()+` ORDER BY g.name_key`+c.limit(f.Groups)+`) ORDER BY g.name_key`)
	m.Everyone = s.everyone(m.Totals)
	return err
}

// everyone is the group of all people as the matrix shows it.
func (s *Store) everyone(t access.Totals) access.MatrixGroup {
	return access.MatrixGroup{ID: s.everyoneID, Name: people.EveryoneGroup, Members: t.People, Everyone: true}
}

// matrixCells reads the grants where the page's groups and tables meet.
func (s *Store) matrixCells(ctx context.Context, r runner, m access.Matrix) (map[access.Cell]access.Grant, error) {
	if len(m.Tables) == 0 {
		return nil, nil //nolint:nilnil // no tables, no cells
	}
	groups, args := marks(append([]access.MatrixGroup{m.Everyone}, m.Groups...), func(g access.MatrixGroup) any { return g.ID })
	c := &conditions{args: args}
	tables := make([]string, len(m.Tables))
	for i, t := range m.Tables {
		tables[i] = c.arg(t.ID)
	}
	list, err := gather(ctx, r, c, scanGrant, `
		SELECT`+grantColumns+`
		WHERE r.resource_type = 'table' AND r.resource_id IN (`+strings.Join(tables, ", ")+`) AND r.group_id IN (`+groups+`)`)
	cells := make(map[access.Cell]access.Grant, len(list))
	for _, g := range list {
		cells[g.Place()] = g
	}
	return cells, err
}

// ListGone lists the first grants on tables that are no more.
func (s *Store) ListGone(ctx context.Context) ([]access.Grant, error) {
	list, err := collect(ctx, s.reader(), scanGrant, `
		SELECT`+grantColumns+`
		WHERE r.resource_type = 'table' AND r.resource_id IN (
			SELECT resource_id FROM resource_grants WHERE resource_type = 'table'
			EXCEPT SELECT id FROM table_registry)
		ORDER BY r.resource_id, g.name_key
		LIMIT $1`, access.GoneShown)
	if err != nil {
		return nil, fmt.Errorf("list grants on tables that are no more: %w", explain(err))
	}
	return list, nil
}

// ExportMatrix hands the matrix of all tables that match to emit, a page of
// tables at a time with every group that matches.
func (s *Store) ExportMatrix(ctx context.Context, f access.MatrixFilter, emit func(access.Matrix) error) error {
	const atOnce = 200
	err := s.view(ctx, func(r runner) (err error) {
		m := access.Matrix{Filter: f}
		if m.Totals, err = s.totals(ctx, r); err != nil {
			return err
		}
		f.Groups = access.Window{}
		if err := s.matrixGroups(ctx, r, f, &m); err != nil {
			return err
		}
		for f.Tables = (access.Window{Limit: atOnce}); ; f.Tables.Offset += atOnce {
			part := m
			c := s.tablesOf(f)
			if part.Tables, err = gather(ctx, r, c, scanMatrixTable, `SELECT `+matrixTableColumns+` FROM table_registry t`+c.where()+matrixOrder+c.limit(f.Tables)); err != nil {
				return err
			}
			if part.Cells, err = s.exportedCells(ctx, r, part.Tables); err != nil {
				return err
			}
			if err := emit(part); err != nil {
				return err
			}
			if len(part.Tables) < atOnce {
				return nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("export the matrix of access: %w", err)
	}
	return nil
}

func (s *Store) exportedCells(ctx context.Context, r runner, tables []access.MatrixTable) (map[access.Cell]access.Grant, error) {
	if len(tables) == 0 {
		return nil, nil //nolint:nilnil // no tables, no cells
	}
	in, args := marks(tables, func(t access.MatrixTable) any { return t.ID })
	list, err := collect(ctx, r, scanGrant, `SELECT`+grantColumns+` WHERE r.resource_type = 'table' AND r.resource_id IN (`+in+`)`, args...)
	cells := make(map[access.Cell]access.Grant, len(list))
	for _, g := range list {
		cells[g.Place()] = g
	}
	return cells, err
}

// CountTroubled counts the tables whose syncs failed or wait for a person, as
// trouble says it, without a look at grants.
func (s *Store) CountTroubled(ctx context.Context, trouble func(*registry.Published) bool) (int, error) {
	n := 0
	err := s.view(ctx, func(r runner) error {
		tables, err := s.tables(ctx, r)
		for i := range tables {
			if trouble(&tables[i]) {
				n++
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count tables in trouble: %w", err)
	}
	return n, nil
}
