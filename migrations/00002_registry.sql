-- Registered tables, their versions, who may read them, and where they come from.

-- +goose Up
CREATE TABLE table_registry (
  id                      TEXT PRIMARY KEY,
  name                    TEXT NOT NULL,
  source_type             TEXT NOT NULL DEFAULT '',
  bucket                  TEXT NOT NULL DEFAULT '',
  source_table            TEXT NOT NULL DEFAULT '',
  source_query            TEXT NOT NULL DEFAULT '',
  sync_strategy           TEXT NOT NULL DEFAULT 'full_refresh',
  query_mode              TEXT NOT NULL DEFAULT 'local',
  sync_schedule           TEXT NOT NULL DEFAULT '',
  profile_after_sync      BOOLEAN NOT NULL DEFAULT TRUE,
  primary_key             TEXT NOT NULL DEFAULT '', -- JSON list
  folder                  TEXT NOT NULL DEFAULT '',
  description             TEXT NOT NULL DEFAULT '',
  registered_by           TEXT NOT NULL DEFAULT '',
  registered_at           BIGINT NOT NULL,
  incremental_window_days BIGINT,
  max_history_days        BIGINT,
  initial_load_chunk_days BIGINT,
  incremental_column      TEXT NOT NULL DEFAULT '',
  where_filters           TEXT NOT NULL DEFAULT '', -- JSON list
  partition_by            TEXT NOT NULL DEFAULT '',
  partition_granularity   TEXT NOT NULL DEFAULT '',
  bq_fqn                  TEXT NOT NULL DEFAULT '',
  sample                  BOOLEAN NOT NULL DEFAULT FALSE,
  current_version         TEXT,
  rev                     BIGINT NOT NULL DEFAULT 0 -- registry_revision.changed when the row last changed
);
CREATE UNIQUE INDEX table_registry_name ON table_registry (lower(name));
CREATE INDEX table_registry_rev ON table_registry (rev);

-- One row that counts changes, so that a reader who kept the decoded registry
-- fetches only what changed since.
CREATE TABLE registry_revision (
  id      BIGINT PRIMARY KEY,
  changed BIGINT NOT NULL,
  removed BIGINT NOT NULL
);
INSERT INTO registry_revision (id, changed, removed) VALUES (1, 0, 0);

CREATE TABLE table_versions (
  id         TEXT PRIMARY KEY,
  table_id   TEXT NOT NULL REFERENCES table_registry (id) ON DELETE CASCADE,
  run_id     TEXT NOT NULL,
  files      TEXT NOT NULL, -- JSON list of key, bytes, sha256
  columns    TEXT NOT NULL, -- JSON list of name, type
  rows       BIGINT NOT NULL,
  bytes      BIGINT NOT NULL,
  md5        TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX table_versions_table ON table_versions (table_id, created_at);

-- One row per view name: how its table stands.
CREATE TABLE sync_state (
  table_id                TEXT PRIMARY KEY,
  last_sync               BIGINT, -- last success
  rows                    BIGINT,
  file_size_bytes         BIGINT,
  uncompressed_size_bytes BIGINT,
  columns                 BIGINT,
  hash                    TEXT,
  status                  TEXT NOT NULL DEFAULT 'ok',
  error                   TEXT NOT NULL DEFAULT '',
  error_code              TEXT NOT NULL DEFAULT '',
  next_step               TEXT NOT NULL DEFAULT '',
  last_try                BIGINT
);

-- The first source that claims a view name keeps it.
CREATE TABLE view_ownership (
  view_name     TEXT PRIMARY KEY,
  source_name   TEXT NOT NULL,
  registered_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX view_ownership_name ON view_ownership (lower(view_name));

CREATE TABLE sources (
  name        TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  state       TEXT NOT NULL,
  code        TEXT NOT NULL,
  message     TEXT NOT NULL,
  problems    TEXT NOT NULL, -- JSON list of table, code, message
  checked_at  BIGINT NOT NULL
);

CREATE TABLE resource_grants (
  id            TEXT PRIMARY KEY,
  group_id      TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
  resource_type TEXT NOT NULL,
  resource_id   TEXT NOT NULL,
  assigned_at   BIGINT NOT NULL,
  assigned_by   TEXT NOT NULL DEFAULT '',
  UNIQUE (group_id, resource_type, resource_id)
);
CREATE INDEX resource_grants_resource ON resource_grants (resource_type, resource_id);

-- +goose Down
DROP TABLE resource_grants;
DROP TABLE sources;
DROP TABLE view_ownership;
DROP TABLE sync_state;
DROP TABLE table_versions;
DROP TABLE registry_revision;
DROP TABLE table_registry;
