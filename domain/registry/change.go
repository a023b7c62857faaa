package registry

import "agnes/domain/people"

// Registration is a table to register and the groups that may read it from the start.
type Registration struct {
	Table   Table
	GrantTo []people.GroupID
}

// TableChange holds the fields to change; nil leaves a field as it is. A
// pointer to "" or to nil clears one. Seen is the revision that the change was
// made from, 0 when nobody said.
type TableChange struct {
	Seen                  int64
	Name                  *string
	SourceType            *string
	Bucket                *string
	SourceTable           *string
	SourceQuery           *string
	SyncStrategy          *string
	QueryMode             *string
	SyncSchedule          *string
	ProfileAfterSync      *bool
	PrimaryKey            *[]string
	Folder                *string
	Description           *string
	IncrementalWindowDays **int
	MaxHistoryDays        **int
	InitialLoadChunkDays  **int
	IncrementalColumn     *string
	WhereFilters          *[]WhereFilter
	PartitionBy           *string
	PartitionGranularity  *string
	BQFQN                 *string
	ReadOptions           *string
	ShrinkGuard           *int
	SchemaPolicy          *SchemaPolicy
	Discoverable          *bool
	OwnerEmail            *string
}

// Apply changes t and returns the fields that the change names, as JSON calls
// them and in the order of contract 4.3.
func (c TableChange) Apply(t *Table) []string {
	var named []string
	assign(&named, "name", &t.Name, c.Name)
	assign(&named, "folder", &t.Folder, c.Folder)
	assign(&named, "sync_strategy", &t.SyncStrategy, c.SyncStrategy)
	assign(&named, "primary_key", &t.PrimaryKey, c.PrimaryKey)
	assign(&named, "description", &t.Description, c.Description)
	assign(&named, "source_type", &t.SourceType, c.SourceType)
	assign(&named, "bucket", &t.Bucket, c.Bucket)
	assign(&named, "source_table", &t.SourceTable, c.SourceTable)
	assign(&named, "source_query", &t.SourceQuery, c.SourceQuery)
	assign(&named, "query_mode", &t.QueryMode, c.QueryMode)
	assign(&named, "sync_schedule", &t.SyncSchedule, c.SyncSchedule)
	assign(&named, "profile_after_sync", &t.ProfileAfterSync, c.ProfileAfterSync)
	assign(&named, "incremental_window_days", &t.IncrementalWindowDays, c.IncrementalWindowDays)
	assign(&named, "max_history_days", &t.MaxHistoryDays, c.MaxHistoryDays)
	assign(&named, "initial_load_chunk_days", &t.InitialLoadChunkDays, c.InitialLoadChunkDays)
	assign(&named, "incremental_column", &t.IncrementalColumn, c.IncrementalColumn)
	assign(&named, "where_filters", &t.WhereFilters, c.WhereFilters)
	assign(&named, "partition_by", &t.PartitionBy, c.PartitionBy)
	assign(&named, "partition_granularity", &t.PartitionGranularity, c.PartitionGranularity)
	assign(&named, "bq_fqn", &t.BQFQN, c.BQFQN)
	assign(&named, "read_options", &t.ReadOptions, c.ReadOptions)
	assign(&named, "shrink_guard_pct", &t.Guard.ShrinkPercent, c.ShrinkGuard)
	assign(&named, "schema_policy", &t.Guard.Schema, c.SchemaPolicy)
	assign(&named, "discoverable", &t.Discoverable, c.Discoverable)
	assign(&named, "owner_email", &t.OwnerEmail, c.OwnerEmail)
	return named
}

func assign[T any](named *[]string, field string, to, from *T) {
	if from != nil {
		*to, *named = *from, append(*named, field)
	}
}
