package imports

import (
	"slices"
	"strings"
)

// SchemaVersion is the only schema of the predecessor that is read and written.
const SchemaVersion = 51

// Type is a column's type in the predecessor's database.
type Type string

// The types. A cell of any type travels as text, NULL as null: Time as
// microseconds since 1970 UTC, JSON and List as JSON text, the others as
// DuckDB writes them.
const (
	Text    Type = "V"
	Integer Type = "I"
	Big     Type = "BI"
	Boolean Type = "B"
	Time    Type = "TS"
	Day     Type = "DAY"
	JSON    Type = "J"
	List    Type = "L" // of texts
	Double  Type = "D"
)

// Duck is the type's name in DuckDB.
func (t Type) Duck() string {
	switch t {
	case Integer:
		return "INTEGER"
	case Big:
		return "BIGINT"
	case Boolean:
		return "BOOLEAN"
	case Time:
		return "TIMESTAMP"
	case Day:
		return "DATE"
	case JSON:
		return "JSON"
	case List:
		return "VARCHAR[]"
	case Double:
		return "DOUBLE"
	case Text:
	}
	return "VARCHAR"
}

// Column is one column of a table.
type Column struct {
	Name    string
	Type    Type
	Key     bool
	Secret  bool // never leaves the state: NULL in the mirror
	Address bool // may hold a login, which never leaves the state either; see WithoutLogin
	Owner   bool // the user that the row belongs to; without that user it means nothing
	Mention bool // a user that may be gone
}

// Table is one table of the predecessor.
type Table struct {
	Name    string
	Columns []Column
}

// Key returns the names of the columns that tell rows apart.
func (t Table) Key() []string {
	var key []string
	for _, c := range t.Columns {
		if c.Key {
			key = append(key, c.Name)
		}
	}
	return key
}

// Index returns the place of a column, -1 when there is none.
func (t Table) Index(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// Names returns the names of the columns in their order.
func (t Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Log reports whether the table only says what happened.
func (t Table) Log() bool {
	switch t.Name {
	case "sync_history", "audit_log":
		return true
	}
	return strings.HasPrefix(t.Name, "usage_")
}

// Schema lists the predecessor's tables (contract 11) in the order in which
// they are read: people before what belongs to them, the long ones last.
func Schema() []Table {
	var tables []Table
	for line := range strings.Lines(schema51) {
		if name, columns, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			tables = append(tables, parseTable(name, columns))
		}
	}
	return tables
}

// Find returns the table of that name.
func Find(name string) (Table, bool) {
	for _, t := range Schema() {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// WithoutLogin is an address of the network without name, password or token
// before its host.
func WithoutLogin(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + "://" + rest
}

func parseTable(name, columns string) Table {
	t := Table{Name: name}
	for part := range strings.SplitSeq(columns, ", ") {
		word, kind, _ := strings.Cut(part, " ")
		name := strings.TrimLeft(word, "*!@~^")
		marks := word[:len(word)-len(name)]
		t.Columns = append(t.Columns, Column{
			Name: name, Type: Type(kind), Key: strings.Contains(marks, "*"), Secret: strings.Contains(marks, "!"),
			Address: strings.Contains(marks, "^"),
			Owner:   strings.Contains(marks, "@"), Mention: strings.Contains(marks, "~"),
		})
	}
	return t
}

// schema51 is contract 11. Before a name: * part of the key, ! secret, @ the
// user that the row belongs to, ~ a user that may be gone, ^ an address.
const schema51 = `
users: *id V, email V, name V, !password_hash V, !setup_token V, setup_token_created TS, !reset_token V, reset_token_created TS, active B, deactivated_at TS, ~deactivated_by V, created_at TS, updated_at TS, onboarded B, last_pull_at TS
user_groups: *id V, name V, description V, is_system B, created_at TS, created_by V
user_group_members: *@user_id V, *group_id V, source V, added_at TS, added_by V
table_registry: *id V, name V, source_type V, bucket V, source_table V, source_query V, sync_strategy V, query_mode V, sync_schedule V, profile_after_sync B, primary_key V, folder V, description V, registered_by V, registered_at TS, incremental_window_days I, max_history_days I, incremental_column V, where_filters V, partition_by V, partition_granularity V, initial_load_chunk_days I, bq_fqn V
resource_grants: *id V, group_id V, resource_type V, resource_id V, assigned_at TS, assigned_by V
sync_state: *table_id V, last_sync TS, rows BI, file_size_bytes BI, uncompressed_size_bytes BI, columns I, hash V, status V, error V
view_ownership: *view_name V, source_name V, registered_at TS
marketplace_registry: *id V, name V, ^url V, branch V, token_env V, description V, registered_by V, registered_at TS, last_synced_at TS, last_commit_sha V, last_error V, curator_name V, curator_email V
marketplace_plugins: *marketplace_id V, *name V, description V, version V, author_name V, homepage V, category V, source_type V, source_spec J, raw J, created_at TS, updated_at TS, cover_photo_url V, video_url V, doc_links J, is_system B
personal_access_tokens: *id V, @user_id V, name V, !token_hash V, prefix V, scopes V, created_at TS, expires_at TS, last_used_at TS, last_used_ip V, revoked_at TS
user_sync_settings: *@user_id V, *dataset V, enabled B, table_mode V, tables J, updated_at TS
column_metadata: *table_id V, *column_name V, basetype V, description V, confidence V, source V, updated_at TS
metric_definitions: *id V, name V, display_name V, category V, description V, type V, unit V, grain V, table_name V, tables L, expression V, time_column V, dimensions L, filters L, synonyms L, notes L, sql V, sql_variants J, validation J, source V, created_at TS, updated_at TS
bq_metadata_cache: *table_id V, rows BI, size_bytes BI, partition_by V, clustered_by J, entity_type V, known_columns J, refreshed_at TS, error_at TS, error_msg V
knowledge_items: *id V, title V, content V, category V, tags J, status V, contributors J, source_user V, audience V, confidence D, domain V, entities J, source_type V, source_ref V, valid_from TS, valid_until TS, supersedes V, sensitivity V, is_personal B, created_at TS, updated_at TS
knowledge_votes: *item_id V, *@user_id V, vote I, voted_at TS
knowledge_contradictions: *id V, item_a_id V, item_b_id V, explanation V, severity V, suggested_resolution V, resolved B, resolved_by V, resolved_at TS, resolution V, detected_at TS
knowledge_item_relations: *item_a_id V, *item_b_id V, *relation_type V, score D, resolved B, resolved_by V, resolved_at TS, resolution V, created_at TS
knowledge_item_user_dismissed: *@user_id V, *item_id V, dismissed_at TS
verification_evidence: *id V, item_id V, source_user V, source_ref V, detection_type V, user_quote V, created_at TS
session_processor_state: *processor_name V, *session_file V, username V, processed_at TS, items_extracted I, file_hash V
user_observability_views: *id V, @user_id V, name V, query_json J, created_at TS
telegram_links: *@user_id V, chat_id BI, linked_at TS
pending_codes: *!code V, chat_id BI, created_at TS
script_registry: *id V, name V, ~owner V, schedule V, source V, deployed_at TS, last_run TS, last_status V
instance_templates: *key V, content V, previous_content V, updated_at TS, updated_by V
news_template: *id V, version I, intro V, content V, published B, created_at TS, updated_at TS, created_by V, published_at TS, published_by V
setup_banner: *id I, content V, updated_at TS, updated_by V
store_entities: *id V, ~owner_user_id V, owner_username V, type V, name V, description V, category V, version V, photo_path V, video_url V, doc_paths J, file_size BI, install_count BI, visibility_status V, archived_at TS, archived_by V, version_no I, version_history J, title V, tagline V, synthetic_name V, created_at TS, updated_at TS
store_submissions: *id V, entity_id V, ~submitter_id V, submitter_email V, type V, name V, version V, status V, inline_checks J, llm_findings J, reviewed_by_model V, override_by V, override_reason V, file_size BI, bundle_sha256 V, bundle_purged_at TS, created_at TS, updated_at TS
user_store_installs: *@user_id V, *entity_id V, installed_at TS
user_plugin_optouts: *@user_id V, *marketplace_id V, *plugin_name V, opted_out_at TS
table_profiles: *table_id V, profile J, profiled_at TS
usage_tool_daily: *day DAY, *tool_name V, *source V, invocations I, error_count I, distinct_users I, distinct_sessions I
usage_marketplace_item_daily: *day DAY, *source V, *type V, *parent_plugin V, *name V, count I, distinct_users I, error_count I
usage_marketplace_item_window: *period_label V, *source V, *type V, *parent_plugin V, *name V, invocations I, distinct_users I, refreshed_at TS
sync_history: *id V, table_id V, synced_at TS, rows BI, duration_ms I, status V, error V
audit_log: *id V, timestamp TS, ~user_id V, action V, resource V, params J, result V, duration_ms I, params_before J, client_ip V, client_kind V, correlation_id V
usage_session_summary: *session_file V, session_id V, username V, started_at TS, ended_at TS, active_seconds I, wall_seconds I, user_messages I, assistant_messages I, tool_calls I, tool_errors I, skill_invocations I, subagent_dispatches I, mcp_calls I, slash_commands I, distinct_tools I, distinct_skills I, primary_model V, processor_version I, extracted_at TS, input_tokens BI, output_tokens BI, cache_read_tokens BI, cache_creation_tokens BI, ~user_id V
usage_events: *id V, session_id V, session_file V, username V, event_uuid V, parent_uuid V, event_type V, tool_name V, skill_name V, subagent_type V, command_name V, is_error B, source V, ref_id V, model V, cwd V, occurred_at TS, processor_version I, extracted_at TS, friction_tags J, ~user_id V
`
