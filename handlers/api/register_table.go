package api

import (
	"slices"
	"strings"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
)

type registerInput struct{ Body registration }

// registration is the body of contract 4.3.
type registration struct {
	Name string `json:"name" doc:"The name in SQL." example:"orders"`
	TableFields
}

// TableFields are the settings of a table beside its name.
type TableFields struct {
	Folder                *string        `json:"folder,omitempty" nullable:"true"`
	SyncStrategy          *string        `json:"sync_strategy,omitempty" nullable:"true" doc:"full_refresh, incremental or partitioned."`
	PrimaryKey            textOrList     `json:"primary_key,omitempty"`
	Description           *string        `json:"description,omitempty" nullable:"true"`
	SourceType            *string        `json:"source_type,omitempty" nullable:"true" doc:"local for files; keboola, bigquery and jira once they are set up."`
	Bucket                *string        `json:"bucket,omitempty" nullable:"true"`
	SourceTable           *string        `json:"source_table,omitempty" nullable:"true" doc:"For local: the file's name." example:"orders.csv"`
	SourceQuery           *string        `json:"source_query,omitempty" nullable:"true"`
	QueryMode             *string        `json:"query_mode,omitempty" nullable:"true" doc:"local, remote or materialized."`
	SyncSchedule          *string        `json:"sync_schedule,omitempty" nullable:"true" example:"every 15m" doc:"every N[m|h], or daily HH:MM[,HH:MM] in UTC."`
	ProfileAfterSync      *bool          `json:"profile_after_sync,omitempty" nullable:"true"`
	IncrementalWindowDays *int           `json:"incremental_window_days,omitempty" nullable:"true"`
	MaxHistoryDays        *int           `json:"max_history_days,omitempty" nullable:"true"`
	InitialLoadChunkDays  *int           `json:"initial_load_chunk_days,omitempty" nullable:"true"`
	IncrementalColumn     *string        `json:"incremental_column,omitempty" nullable:"true"`
	WhereFilters          []filterInput  `json:"where_filters,omitempty"`
	PartitionBy           *string        `json:"partition_by,omitempty" nullable:"true"`
	PartitionGranularity  *string        `json:"partition_granularity,omitempty" nullable:"true" doc:"day, month or year."`
	BQFQN                 *string        `json:"bq_fqn,omitempty" nullable:"true"`
	Discoverable          *bool          `json:"discoverable,omitempty" nullable:"true" doc:"People without a grant learn its name and description, and may ask for it; false unless sent."`
	OwnerEmail            *string        `json:"owner_email,omitempty" nullable:"true" doc:"Address of who decides on requests for it, beside administrators."`
	ReadOptions           *optionsOrNull `json:"read_options,omitempty" doc:"How a file is read: delimiter, header, types of columns and so on; what is left out is found from the file, and {} takes all back."`
}

// GuardFields say which new versions of a table wait for a person.
type GuardFields struct {
	ShrinkGuard  *int    `json:"shrink_guard_pct,omitempty" nullable:"true" doc:"New rows wait for a person when they are fewer by more than so many per cent; 100 switches it off, null sets the default of 20."`
	SchemaPolicy *string `json:"schema_policy,omitempty" nullable:"true" doc:"When the columns change: evolve publishes, ask waits for a person, freeze does not publish."`
}

type filterInput struct {
	Column   string  `json:"column"`
	Operator *string `json:"operator,omitempty" nullable:"true" doc:"eq, ne, gt, ge, lt or le."`
	Values   []any   `json:"values"`
}

// text is an optional text, trimmed.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(*s)
}

// textOr is text with a default for a blank one.
func textOr(s *string, otherwise string) string {
	if t := text(s); t != "" {
		return t
	}
	return otherwise
}

// table checks the registration as contract 4.3 does and returns the table.
func (b registration) table() (registry.Table, error) {
	t := registry.Table{
		Name: strings.TrimSpace(b.Name), SourceType: text(b.SourceType), Bucket: text(b.Bucket), SourceTable: text(b.SourceTable),
		SourceQuery: text(b.SourceQuery), SyncStrategy: textOr(b.SyncStrategy, "full_refresh"), QueryMode: textOr(b.QueryMode, registry.ModeLocal),
		SyncSchedule: text(b.SyncSchedule), ProfileAfterSync: b.ProfileAfterSync == nil || *b.ProfileAfterSync,
		PrimaryKey: b.PrimaryKey, Folder: text(b.Folder), Description: unescape(text(b.Description)),
		IncrementalWindowDays: b.IncrementalWindowDays, MaxHistoryDays: b.MaxHistoryDays, InitialLoadChunkDays: b.InitialLoadChunkDays,
		IncrementalColumn: text(b.IncrementalColumn), PartitionBy: text(b.PartitionBy), PartitionGranularity: text(b.PartitionGranularity),
		BQFQN: text(b.BQFQN), Discoverable: b.Discoverable != nil && *b.Discoverable, OwnerEmail: strings.ToLower(text(b.OwnerEmail)),
	}
	if t.Name == "" {
		return t, domain.FieldError("name", "A table needs a name.")
	}
	var err error
	if t.ReadOptions, err = readOptions(b.ReadOptions); err != nil {
		return t, err
	}
	if t.WhereFilters, err = filters(b.WhereFilters); err != nil {
		return t, err
	}
	for _, check := range []func(registry.Table) error{words, together, available} {
		if err := check(t); err != nil {
			return t, err
		}
	}
	if t.SyncStrategy == "partitioned" && t.PartitionGranularity == "" {
		t.PartitionGranularity = "month"
	}
	if t.Name, err = registry.CheckName(t.Name); err != nil {
		return t, err
	}
	t.ID = registry.IDFor(t.Name)
	return t, nil
}

// words checks the fields that take one of a few words.
func words(t registry.Table) error {
	for _, f := range []struct {
		field, value string
		allowed      []string
	}{
		{"sync_strategy", t.SyncStrategy, []string{"full_refresh", "incremental", "partitioned"}},
		{"source_type", t.SourceType, []string{"", "keboola", "bigquery", "jira", "local"}},
		{"query_mode", t.QueryMode, []string{"local", "remote", "materialized"}},
		{"partition_granularity", t.PartitionGranularity, []string{"", "day", "month", "year"}},
	} {
		if !slices.Contains(f.allowed, f.value) {
			return domain.FieldError(f.field, "%s is one of: %s.", f.field, strings.TrimPrefix(strings.Join(f.allowed, ", "), ", "))
		}
	}
	if _, ok := registry.ParseSchedule(t.SyncSchedule); t.SyncSchedule != "" && !ok {
		return wrongSchedule()
	}
	return nil
}

func wrongSchedule() error {
	return domain.FieldError("sync_schedule", "A schedule is like \"every 15m\", \"every 2h\" or \"daily 05:00,17:30\" (UTC).")
}

// together checks the fields that depend on each other.
func together(t registry.Table) error {
	materialized, remote := t.QueryMode == registry.ModeMaterialized, t.QueryMode == registry.ModeRemote
	warehouse := t.SourceType == "bigquery" || t.SourceType == "keboola"
	filtered := len(t.WhereFilters) > 0
	switch {
	case t.SourceQuery != "" && !materialized:
		return domain.FieldError("source_query", "source_query goes with query_mode materialized only.")
	case materialized && t.SourceQuery == "" && !warehouse:
		return domain.FieldError("source_query", "query_mode materialized needs a source_query.")
	case t.SyncStrategy == "partitioned" && t.PartitionBy == "":
		return domain.FieldError("partition_by", "sync_strategy partitioned needs partition_by.")
	case t.SyncStrategy == "partitioned" && (remote || filtered):
		return domain.FieldError("sync_strategy", "sync_strategy partitioned goes with neither query_mode remote nor where_filters.")
	case t.SyncStrategy == "incremental" && filtered:
		return domain.FieldError("where_filters", "where_filters do not go with sync_strategy incremental.")
	case remote && filtered:
		return domain.FieldError("where_filters", "where_filters do not go with query_mode remote.")
	case t.BQFQN != "" && t.SourceType != "bigquery":
		return domain.FieldError("bq_fqn", "bq_fqn goes with source_type bigquery only.")
	}
	return nil
}

// available refuses what no connector of this installation can bring.
func available(t registry.Table) error {
	switch {
	case t.SourceType != "" && t.SourceType != registry.SourceLocal:
		return domain.E(domain.Invalid, "source_not_configured",
			"The source %s is not configured on this server, so the table was not registered. Files can be registered with source_type local.", t.SourceType)
	case t.QueryMode != registry.ModeLocal:
		return domain.E(domain.Invalid, "mode_not_available", "query_mode %s needs a source that is not configured on this server.", t.QueryMode)
	case t.SyncStrategy != "full_refresh":
		return domain.E(domain.Invalid, "strategy_not_available", "Files are read whole, so sync_strategy is full_refresh.")
	case len(t.WhereFilters) > 0:
		return domain.E(domain.Invalid, "filters_not_available", "Files are read whole, without where_filters.")
	case t.SourceTable != "":
		if _, err := files.CheckItem(t.SourceTable); err != nil {
			return domain.FieldError("source_table", "It names a file, a folder or a pattern such as sales/*.csv in the folder files, without .. and hidden names.")
		}
	}
	return nil
}

// readOptions checks how a file is read, and returns it as it is kept.
func readOptions(o *optionsOrNull) (string, error) {
	if o == nil {
		return "", nil
	}
	checked := files.Options(*o)
	if err := checked.Normalize(); err != nil {
		return "", err //nolint:wrapcheck // the sentence is for people
	}
	return checked.String(), nil
}

// filters checks the conditions that a source applies.
func filters(in []filterInput) ([]registry.WhereFilter, error) {
	var out []registry.WhereFilter
	for i, f := range in {
		operator := textOr(f.Operator, "eq")
		switch {
		case f.Column == "":
			return nil, domain.FieldError("where_filters", "Filter %d names no column.", i+1)
		case !slices.Contains(registry.FilterOperators(), operator):
			return nil, domain.FieldError("where_filters", "The operator of filter %d is one of: %s.", i+1, strings.Join(registry.FilterOperators(), ", "))
		case len(f.Values) == 0:
			return nil, domain.FieldError("where_filters", "Filter %d has no values.", i+1)
		}
		filter := registry.WhereFilter{Column: f.Column, Operator: operator}
		for _, v := range f.Values {
			value, ok := registry.FilterValue(v)
			if !ok {
				return nil, domain.FieldError("where_filters", "The values of filter %d are texts, numbers, true or false.", i+1)
			}
			filter.Values = append(filter.Values, value)
		}
		out = append(out, filter)
	}
	return out, nil
}

// unescape undoes what shells leave in a description.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\'`, `'`, `\"`, `"`).Replace(s)
}
