-- What the predecessor's state holds and nothing here does yet (contract 11): the
-- rows are taken over as they are, each table under its name there. Whoever is
-- named in them may be gone, so users are not referenced.

-- +goose Up
-- Password hashes of a form that nobody can sign in with here.
CREATE TABLE imported_password_hashes (
  user_id TEXT PRIMARY KEY,
  hash    TEXT NOT NULL
);

-- Marketplaces, the store of skills and plugins, and who uses what.
CREATE TABLE marketplace_registry (
  id              TEXT PRIMARY KEY,
  name            TEXT,
  url             TEXT,
  branch          TEXT,
  token_env       TEXT,
  description     TEXT,
  registered_by   TEXT,
  registered_at   BIGINT,
  last_synced_at  BIGINT,
  last_commit_sha TEXT,
  last_error      TEXT,
  curator_name    TEXT,
  curator_email   TEXT
);

CREATE TABLE marketplace_plugins (
  marketplace_id  TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  version         TEXT,
  author_name     TEXT,
  homepage        TEXT,
  category        TEXT,
  source_type     TEXT,
  source_spec     TEXT,
  raw             TEXT,
  created_at      BIGINT,
  updated_at      BIGINT,
  cover_photo_url TEXT,
  video_url       TEXT,
  doc_links       TEXT,
  is_system       BOOLEAN,
  PRIMARY KEY (marketplace_id, name)
);

-- Only the hash of a token is kept.
CREATE TABLE personal_access_tokens (
  id           TEXT PRIMARY KEY,
  user_id      TEXT,
  name         TEXT,
  token_hash   TEXT,
  prefix       TEXT,
  scopes       TEXT,
  created_at   BIGINT,
  expires_at   BIGINT,
  last_used_at BIGINT,
  last_used_ip TEXT,
  revoked_at   BIGINT
);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

-- What a person keeps in sync.
CREATE TABLE user_sync_settings (
  user_id    TEXT NOT NULL,
  dataset    TEXT NOT NULL,
  enabled    BOOLEAN,
  table_mode TEXT,
  tables     TEXT,
  updated_at BIGINT,
  PRIMARY KEY (user_id, dataset)
);

-- What people say of columns.
CREATE TABLE column_metadata (
  table_id    TEXT NOT NULL,
  column_name TEXT NOT NULL,
  basetype    TEXT,
  description TEXT,
  confidence  TEXT,
  source      TEXT,
  updated_at  BIGINT,
  PRIMARY KEY (table_id, column_name)
);

-- Lists and objects are JSON.
CREATE TABLE metric_definitions (
  id           TEXT PRIMARY KEY,
  name         TEXT,
  display_name TEXT,
  category     TEXT,
  description  TEXT,
  type         TEXT,
  unit         TEXT,
  grain        TEXT,
  table_name   TEXT,
  tables       TEXT,
  expression   TEXT,
  time_column  TEXT,
  dimensions   TEXT,
  filters      TEXT,
  synonyms     TEXT,
  notes        TEXT,
  sql          TEXT,
  sql_variants TEXT,
  validation   TEXT,
  source       TEXT,
  created_at   BIGINT,
  updated_at   BIGINT
);

CREATE TABLE bq_metadata_cache (
  table_id      TEXT PRIMARY KEY,
  rows          BIGINT,
  size_bytes    BIGINT,
  partition_by  TEXT,
  clustered_by  TEXT,
  entity_type   TEXT,
  known_columns TEXT,
  refreshed_at  BIGINT,
  error_at      BIGINT,
  error_msg     TEXT
);

-- The corporate memory.
CREATE TABLE knowledge_items (
  id           TEXT PRIMARY KEY,
  title        TEXT,
  content      TEXT,
  category     TEXT,
  tags         TEXT,
  status       TEXT,
  contributors TEXT,
  source_user  TEXT,
  audience     TEXT,
  confidence   DOUBLE PRECISION,
  domain       TEXT,
  entities     TEXT,
  source_type  TEXT,
  source_ref   TEXT,
  valid_from   BIGINT,
  valid_until  BIGINT,
  supersedes   TEXT,
  sensitivity  TEXT,
  is_personal  BOOLEAN,
  created_at   BIGINT,
  updated_at   BIGINT
);
CREATE INDEX knowledge_items_updated ON knowledge_items (updated_at);

CREATE TABLE knowledge_votes (
  item_id  TEXT NOT NULL,
  user_id  TEXT NOT NULL,
  vote     BIGINT,
  voted_at BIGINT,
  PRIMARY KEY (item_id, user_id)
);

CREATE TABLE knowledge_contradictions (
  id                   TEXT PRIMARY KEY,
  item_a_id            TEXT,
  item_b_id            TEXT,
  explanation          TEXT,
  severity             TEXT,
  suggested_resolution TEXT,
  resolved             BOOLEAN,
  resolved_by          TEXT,
  resolved_at          BIGINT,
  resolution           TEXT,
  detected_at          BIGINT
);

CREATE TABLE knowledge_item_relations (
  item_a_id     TEXT NOT NULL,
  item_b_id     TEXT NOT NULL,
  relation_type TEXT NOT NULL,
  score         DOUBLE PRECISION,
  resolved      BOOLEAN,
  resolved_by   TEXT,
  resolved_at   BIGINT,
  resolution    TEXT,
  created_at    BIGINT,
  PRIMARY KEY (item_a_id, item_b_id, relation_type)
);

CREATE TABLE knowledge_item_user_dismissed (
  user_id      TEXT NOT NULL,
  item_id      TEXT NOT NULL,
  dismissed_at BIGINT,
  PRIMARY KEY (user_id, item_id)
);

CREATE TABLE verification_evidence (
  id             TEXT PRIMARY KEY,
  item_id        TEXT,
  source_user    TEXT,
  source_ref     TEXT,
  detection_type TEXT,
  user_quote     TEXT,
  created_at     BIGINT
);

-- Uploaded sessions that were read already.
CREATE TABLE session_processor_state (
  processor_name  TEXT NOT NULL,
  session_file    TEXT NOT NULL,
  username        TEXT,
  processed_at    BIGINT,
  items_extracted BIGINT,
  file_hash       TEXT,
  PRIMARY KEY (processor_name, session_file)
);

CREATE TABLE user_observability_views (
  id         TEXT PRIMARY KEY,
  user_id    TEXT,
  name       TEXT,
  query_json TEXT,
  created_at BIGINT,
  UNIQUE (user_id, name)
);

-- Odds and ends that people set up.
CREATE TABLE telegram_links (
  user_id   TEXT PRIMARY KEY,
  chat_id   BIGINT,
  linked_at BIGINT
);

CREATE TABLE script_registry (
  id          TEXT PRIMARY KEY,
  name        TEXT,
  owner       TEXT,
  schedule    TEXT,
  source      TEXT,
  deployed_at BIGINT,
  last_run    BIGINT,
  last_status TEXT
);

CREATE TABLE instance_templates (
  key              TEXT PRIMARY KEY,
  content          TEXT,
  previous_content TEXT,
  updated_at       BIGINT,
  updated_by       TEXT
);

CREATE TABLE news_template (
  id           TEXT PRIMARY KEY,
  version      BIGINT,
  intro        TEXT,
  content      TEXT,
  published    BOOLEAN,
  created_at   BIGINT,
  updated_at   BIGINT,
  created_by   TEXT,
  published_at BIGINT,
  published_by TEXT
);

CREATE TABLE store_entities (
  id                TEXT PRIMARY KEY,
  owner_user_id     TEXT,
  owner_username    TEXT,
  type              TEXT,
  name              TEXT,
  description       TEXT,
  category          TEXT,
  version           TEXT,
  photo_path        TEXT,
  video_url         TEXT,
  doc_paths         TEXT,
  file_size         BIGINT,
  install_count     BIGINT,
  visibility_status TEXT,
  archived_at       BIGINT,
  archived_by       TEXT,
  version_no        BIGINT,
  version_history   TEXT,
  title             TEXT,
  tagline           TEXT,
  synthetic_name    TEXT,
  created_at        BIGINT,
  updated_at        BIGINT,
  UNIQUE (owner_user_id, name)
);

CREATE TABLE store_submissions (
  id                TEXT PRIMARY KEY,
  entity_id         TEXT,
  submitter_id      TEXT,
  submitter_email   TEXT,
  type              TEXT,
  name              TEXT,
  version           TEXT,
  status            TEXT,
  inline_checks     TEXT,
  llm_findings      TEXT,
  reviewed_by_model TEXT,
  override_by       TEXT,
  override_reason   TEXT,
  file_size         BIGINT,
  bundle_sha256     TEXT,
  bundle_purged_at  BIGINT,
  created_at        BIGINT,
  updated_at        BIGINT
);

CREATE TABLE user_store_installs (
  user_id      TEXT NOT NULL,
  entity_id    TEXT NOT NULL,
  installed_at BIGINT,
  PRIMARY KEY (user_id, entity_id)
);

CREATE TABLE user_plugin_optouts (
  user_id        TEXT NOT NULL,
  marketplace_id TEXT NOT NULL,
  plugin_name    TEXT NOT NULL,
  opted_out_at   BIGINT,
  PRIMARY KEY (user_id, marketplace_id, plugin_name)
);

-- How agents are used; day is YYYY-MM-DD.
CREATE TABLE usage_tool_daily (
  day               TEXT NOT NULL,
  tool_name         TEXT NOT NULL,
  source            TEXT NOT NULL,
  invocations       BIGINT,
  error_count       BIGINT,
  distinct_users    BIGINT,
  distinct_sessions BIGINT,
  PRIMARY KEY (day, tool_name, source)
);

CREATE TABLE usage_marketplace_item_daily (
  day            TEXT NOT NULL,
  source         TEXT NOT NULL,
  type           TEXT NOT NULL,
  parent_plugin  TEXT NOT NULL,
  name           TEXT NOT NULL,
  count          BIGINT,
  distinct_users BIGINT,
  error_count    BIGINT,
  PRIMARY KEY (day, source, type, parent_plugin, name)
);

CREATE TABLE usage_marketplace_item_window (
  period_label   TEXT NOT NULL,
  source         TEXT NOT NULL,
  type           TEXT NOT NULL,
  parent_plugin  TEXT NOT NULL,
  name           TEXT NOT NULL,
  invocations    BIGINT,
  distinct_users BIGINT,
  refreshed_at   BIGINT,
  PRIMARY KEY (period_label, source, type, parent_plugin, name)
);

CREATE TABLE usage_session_summary (
  session_file          TEXT PRIMARY KEY,
  session_id            TEXT,
  username              TEXT,
  started_at            BIGINT,
  ended_at              BIGINT,
  active_seconds        BIGINT,
  wall_seconds          BIGINT,
  user_messages         BIGINT,
  assistant_messages    BIGINT,
  tool_calls            BIGINT,
  tool_errors           BIGINT,
  skill_invocations     BIGINT,
  subagent_dispatches   BIGINT,
  mcp_calls             BIGINT,
  slash_commands        BIGINT,
  distinct_tools        BIGINT,
  distinct_skills       BIGINT,
  primary_model         TEXT,
  processor_version     BIGINT,
  extracted_at          BIGINT,
  input_tokens          BIGINT,
  output_tokens         BIGINT,
  cache_read_tokens     BIGINT,
  cache_creation_tokens BIGINT,
  user_id               TEXT
);
CREATE INDEX usage_session_summary_user ON usage_session_summary (user_id);

CREATE TABLE usage_events (
  id                TEXT PRIMARY KEY,
  session_id        TEXT,
  session_file      TEXT,
  username          TEXT,
  event_uuid        TEXT,
  parent_uuid       TEXT,
  event_type        TEXT,
  tool_name         TEXT,
  skill_name        TEXT,
  subagent_type     TEXT,
  command_name      TEXT,
  is_error          BOOLEAN,
  source            TEXT,
  ref_id            TEXT,
  model             TEXT,
  cwd               TEXT,
  occurred_at       BIGINT,
  processor_version BIGINT,
  extracted_at      BIGINT,
  friction_tags     TEXT,
  user_id           TEXT
);
CREATE INDEX usage_events_session ON usage_events (session_file);
CREATE INDEX usage_events_time ON usage_events (occurred_at);

-- +goose Down
DROP TABLE usage_events;
DROP TABLE usage_session_summary;
DROP TABLE usage_marketplace_item_window;
DROP TABLE usage_marketplace_item_daily;
DROP TABLE usage_tool_daily;
DROP TABLE user_plugin_optouts;
DROP TABLE user_store_installs;
DROP TABLE store_submissions;
DROP TABLE store_entities;
DROP TABLE news_template;
DROP TABLE instance_templates;
DROP TABLE script_registry;
DROP TABLE telegram_links;
DROP TABLE user_observability_views;
DROP TABLE session_processor_state;
DROP TABLE verification_evidence;
DROP TABLE knowledge_item_user_dismissed;
DROP TABLE knowledge_item_relations;
DROP TABLE knowledge_contradictions;
DROP TABLE knowledge_votes;
DROP TABLE knowledge_items;
DROP TABLE bq_metadata_cache;
DROP TABLE metric_definitions;
DROP TABLE column_metadata;
DROP TABLE user_sync_settings;
DROP TABLE personal_access_tokens;
DROP TABLE marketplace_plugins;
DROP TABLE marketplace_registry;
DROP TABLE imported_password_hashes;
