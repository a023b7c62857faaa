package files

import (
	"bytes"
	"context"
	"fmt"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// Sample is one small real data set that Agnes carries.
type Sample struct {
	Name        string // of the table
	Item        string // file name
	Description string
	Rows        int64
	Bytes       int64
	Open        func() ([]byte, error)
}

// Example is a query worth running on the sample tables.
type Example struct {
	Title string
	SQL   string
}

// Examples are three queries over the sample tables.
func Examples() []Example {
	return []Example{
		{"Which states have the most airports?", `SELECT state, count(*) AS airports
FROM airports
WHERE country = 'USA'
GROUP BY state
ORDER BY airports DESC
LIMIT 10;`},
		{"How does the weather in Seattle change over the year?", `SELECT monthname("date") AS month,
       round(avg(temp_max), 1) AS warmest,
       round(avg(temp_min), 1) AS coldest,
       round(sum(precipitation) / count(DISTINCT year("date"))) AS rain_mm
FROM seattle_weather
GROUP BY month("date"), month
ORDER BY month("date");`},
		{"Which kinds of films earn back their cost?", `SELECT "Major Genre" AS genre,
       count(*) AS films,
       round(median("Worldwide Gross" / nullif("Production Budget", 0)), 2) AS median_return
FROM movies
WHERE "Production Budget" > 0 AND "Worldwide Gross" > 0 AND "Major Genre" IS NOT NULL
GROUP BY genre
HAVING films >= 20
ORDER BY median_return DESC;`},
	}
}

// LoadSamples registers the sample tables that are not there yet, grants them
// to Everyone and syncs them.
func (m *Importer) LoadSamples(ctx context.Context, by audit.Actor) ([]registry.Table, error) {
	everyone, err := m.Everyone(ctx)
	if err != nil {
		return nil, fmt.Errorf("group Everyone: %w", err)
	}
	var todo []registry.Registration
	var ids []registry.TableID
	for _, s := range m.Samples {
		id := registry.IDFor(s.Name)
		_, err := m.Tables.GetTable(ctx, id)
		if err == nil {
			continue
		}
		if domain.KindOf(err) != domain.NotFound {
			return nil, fmt.Errorf("look for table %s: %w", id, err)
		}
		data, err := s.Open()
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", s.Name, err)
		}
		if err := m.Folder.Add(ctx, s.Item, bytes.NewReader(data)); err != nil {
			return nil, fmt.Errorf("write sample %s: %w", s.Name, err)
		}
		ids = append(ids, id)
		todo = append(todo, registry.Registration{GrantTo: []people.GroupID{everyone}, Table: registry.Table{
			ID: id, Name: s.Name, SourceType: registry.SourceLocal, Bucket: "files", SourceTable: s.Item, Description: s.Description,
			SyncStrategy: "full_refresh", QueryMode: registry.ModeLocal, ProfileAfterSync: true, Sample: true,
		}})
	}
	if len(todo) == 0 {
		return nil, nil
	}
	made, err := m.Tables.RegisterTables(ctx, by, todo)
	if err != nil {
		return nil, fmt.Errorf("register samples: %w", err)
	}
	if err := m.Syncer.SyncUploads(ctx, by, ids); err != nil {
		return nil, fmt.Errorf("sync samples: %w", err)
	}
	return made, nil
}

// RemoveSamples removes the sample tables again.
func (m *Importer) RemoveSamples(ctx context.Context, by audit.Actor) error {
	tables, err := m.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var ids []registry.TableID
	for _, t := range tables {
		if t.Sample {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err = m.Remove(ctx, by, ids)
	return err
}
