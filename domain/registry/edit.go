package registry

import (
	"encoding/json"
	"strconv"
	"strings"

	"agnes/domain"
)

// Fields are what people change of a table, as text, by the names that JSON
// gives them.
func (t Table) Fields() domain.Fields {
	return domain.Fields{
		"name": t.Name, "folder": t.Folder, "sync_strategy": t.SyncStrategy, "primary_key": strings.Join(t.PrimaryKey, ", "),
		"description": t.Description, "source_type": t.SourceType, "bucket": t.Bucket, "source_table": t.SourceTable,
		"source_query": t.SourceQuery, "query_mode": t.QueryMode, "sync_schedule": t.SyncSchedule,
		"profile_after_sync":      strconv.FormatBool(t.ProfileAfterSync),
		"incremental_window_days": days(t.IncrementalWindowDays), "max_history_days": days(t.MaxHistoryDays),
		"initial_load_chunk_days": days(t.InitialLoadChunkDays), "incremental_column": t.IncrementalColumn,
		"where_filters": filtersText(t.WhereFilters), "partition_by": t.PartitionBy, "partition_granularity": t.PartitionGranularity,
		"bq_fqn": t.BQFQN, "read_options": t.ReadOptions,
		"shrink_guard_pct": strconv.Itoa(t.Guard.ShrinkPercent), "schema_policy": string(t.Guard.Schema),
		"discoverable": strconv.FormatBool(t.Discoverable), "owner_email": t.OwnerEmail,
	}
}

func days(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func filtersText(all []WhereFilter) string {
	if len(all) == 0 {
		return ""
	}
	text, err := json.Marshal(all)
	if err != nil { // three plain fields cannot fail to encode
		return ""
	}
	return string(text)
}
