package imports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"agnes/domain/registry"
)

// planTables maps registrations, all columns of them.
func (p *plan) planTables(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "table_registry", From: "table_registry", Key: []string{"id"}, Touch: true,
		Columns: []string{
			"id", "name", "source_type", "bucket", "source_table", "source_query", "sync_strategy", "query_mode", "sync_schedule",
			"profile_after_sync", "primary_key", "folder", "description", "registered_by", "registered_at", "incremental_window_days",
			"max_history_days", "initial_load_chunk_days", "incremental_column", "where_filters", "partition_by", "partition_granularity", "bq_fqn",
		},
	}}
	owner := map[string]string{}
	for id, name := range p.known.Tables {
		owner[strings.ToLower(name)] = id
	}
	for _, c := range rows {
		if c.text("source_type") == "internal" || c.text("query_mode") == "internal" || internalTable(c.id()) {
			p.report.counts("table_registry").Needless++
			continue
		}
		if p.gone["table_registry"][c.id()] {
			p.report.removed("table_registry", c.id(), "%s was taken over before and removed here.", c.text("name"))
			continue
		}
		name, filters, key, ok := p.checkTable(c, owner)
		if !ok {
			continue
		}
		owner[strings.ToLower(name)], p.tables[c.id()] = c.id(), name
		b.Rows = append(b.Rows, c.as(
			c.id(), name, c.text("source_type"), c.text("bucket"), c.text("source_table"), c.text("source_query"),
			orElse(c.text("sync_strategy"), "full_refresh"), orElse(c.text("query_mode"), registry.ModeLocal), c.text("sync_schedule"),
			c.flag("profile_after_sync", true), key, c.text("folder"), c.text("description"), c.text("registered_by"),
			c.time("registered_at", p.otherwise), c.number("incremental_window_days"),
			c.number("max_history_days"), c.number("initial_load_chunk_days"), c.text("incremental_column"), filters,
			c.text("partition_by"), c.text("partition_granularity"), c.text("bq_fqn"),
		))
	}
	return b
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// checkTable holds a registration against the rules of this server.
func (p *plan) checkTable(c cells, owner map[string]string) (name, filters, key string, ok bool) {
	id := c.id()
	skip := func(code, format string, args ...any) { p.report.skip("table_registry", id, code, format, args...) }
	if c.text("name") == "" {
		skip("name_invalid", "The table has no name. Give it one in the old server and its extract, or register it here anew.")
		return "", "", "", false
	}
	name, err := registry.CheckName(c.text("name"))
	if err != nil {
		skip("name_invalid", "%q cannot be a table's name here. %s. Rename it in the old server and its extract, or register it here anew.", c.text("name"), strings.TrimRight(err.Error(), "."))
		return "", "", "", false
	}
	if !registry.QuotedIdentifier(id) {
		skip("id_invalid", "The id %q cannot be part of an address. Register the table %s here anew.", id, name)
		return "", "", "", false
	}
	if first, taken := owner[strings.ToLower(name)]; taken && first != id {
		skip("name_taken", "The table %s has the name %s already; case makes no difference. Rename one of the two.", first, name)
		return "", "", "", false
	}
	if filters, err = whereFilters(c.text("where_filters")); err != nil {
		skip("filters_invalid", "The filters of %s cannot be read, and without them more rows than wanted would come. Register the table here anew.", name)
		return "", "", "", false
	}
	if key, err = primaryKey(c.text("primary_key")); err != nil {
		p.report.remark("table_registry", id, "primary_key_invalid", "The primary key of %s cannot be read and is left empty: set it again.", name)
	}
	if s := c.text("sync_schedule"); s != "" {
		if _, known := registry.ParseSchedule(s); !known {
			p.report.remark("table_registry", id, "schedule_invalid", "The schedule %q of %s is not one, so the table is not synced by itself: set it again.", s, name)
		}
	}
	if c.text("source_type") == registry.SourceCustom && !registry.Identifier(c.text("bucket")) {
		skip("source_invalid", "%s names no source folder that can be used.", name)
		return "", "", "", false
	}
	return name, filters, key, true
}

// primaryKey returns the JSON list that a key is, "" for none. The old server
// also kept single names as they were.
func primaryKey(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" || text == "[]" {
		return "", nil
	}
	var names []string
	if !strings.HasPrefix(text, "[") {
		names = strings.Split(strings.Trim(text, `"`), ",")
		for i := range names {
			names[i] = strings.TrimSpace(names[i])
		}
	} else if err := json.Unmarshal([]byte(text), &names); err != nil {
		return "", fmt.Errorf("primary key: %w", err)
	}
	out, err := json.Marshal(names)
	return string(out), err
}

// whereFilters returns filters as the registry keeps them, "" for none.
func whereFilters(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" || text == "[]" {
		return "", nil
	}
	var loose []struct {
		Column   string `json:"column"`
		Operator string `json:"operator"`
		Values   []any  `json:"values"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&loose); err != nil {
		return "", fmt.Errorf("filters: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("filters: more than one list")
	}
	filters := make([]registry.WhereFilter, len(loose))
	for i, f := range loose {
		filters[i] = registry.WhereFilter{Column: f.Column, Operator: orElse(f.Operator, "eq")}
		if f.Column == "" || len(f.Values) == 0 || !slices.Contains(registry.FilterOperators(), filters[i].Operator) {
			return "", fmt.Errorf("filter %d names no column, operator or value", i+1)
		}
		for _, v := range f.Values {
			text, ok := registry.FilterValue(v)
			if !ok {
				return "", fmt.Errorf("filter %d compares with what is no value", i+1)
			}
			filters[i].Values = append(filters[i].Values, text)
		}
	}
	out, err := json.Marshal(filters)
	return string(out), err
}

// planSyncState maps how tables stood. Nothing was read back here yet, so no
// table counts as synced before it was.
func (p *plan) planSyncState(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "sync_state", From: "sync_state", Key: []string{"table_id"}, Touch: true,
		Columns: []string{"table_id", "last_sync", "rows", "file_size_bytes", "uncompressed_size_bytes", "columns", "hash", "status", "error"},
	}}
	for _, c := range rows {
		status := c.text("status")
		if status != "error" {
			status = "never"
		}
		var hash any
		if p := c.raw("hash"); p != nil {
			hash = *p
		}
		b.Rows = append(b.Rows, c.as(
			c.id(), c.time("last_sync", nil), c.number("rows"), c.number("file_size_bytes"), c.number("uncompressed_size_bytes"),
			c.number("columns"), hash, status, c.text("error"),
		))
	}
	return b
}

// planOwners maps which source has which name.
func (p *plan) planOwners(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "view_ownership", From: "view_ownership", Key: []string{"view_name"},
		Columns: []string{"view_name", "source_name", "registered_at"},
	}}
	for _, c := range rows {
		if !registry.Identifier(c.id()) || !registry.Identifier(c.text("source_name")) {
			p.report.skip("view_ownership", c.id(), "name_invalid", "A name of a view or of its source cannot be used here.")
			continue
		}
		b.Rows = append(b.Rows, c.as(c.id(), c.text("source_name"), c.time("registered_at", p.otherwise)))
	}
	return b
}
