-- What ran: syncs with their steps, and people's queries.

-- +goose Up
CREATE TABLE sync_runs (
  id          TEXT PRIMARY KEY,
  table_id    TEXT NOT NULL,
  name        TEXT NOT NULL,
  source      TEXT NOT NULL,
  cause       TEXT NOT NULL, -- person, upload, schedule, watch, restart
  state       TEXT NOT NULL,
  phase       TEXT NOT NULL DEFAULT '',
  fraction    DOUBLE PRECISION NOT NULL DEFAULT 0,
  rows        BIGINT NOT NULL DEFAULT 0,
  bytes       BIGINT NOT NULL DEFAULT 0,
  code        TEXT NOT NULL DEFAULT '',
  message     TEXT NOT NULL DEFAULT '',
  next_step   TEXT NOT NULL DEFAULT '',
  started_by  TEXT NOT NULL DEFAULT '',
  queued_at   BIGINT NOT NULL,
  started_at  BIGINT,
  finished_at BIGINT
);
-- A table has at most one live run, whoever asks for it.
CREATE UNIQUE INDEX sync_runs_live ON sync_runs (table_id) WHERE state IN ('queued', 'running');
CREATE INDEX sync_runs_queue ON sync_runs (state, queued_at);
CREATE INDEX sync_runs_newest ON sync_runs (queued_at, id);
CREATE INDEX sync_runs_table ON sync_runs (table_id, queued_at);

-- One row per finished phase, and one with an empty phase for the whole run.
CREATE TABLE sync_history (
  id          TEXT PRIMARY KEY,
  table_id    TEXT NOT NULL, -- the view name
  synced_at   BIGINT NOT NULL,
  rows        BIGINT,
  duration_ms BIGINT,
  status      TEXT NOT NULL,
  error       TEXT NOT NULL DEFAULT '',
  run_id      TEXT NOT NULL,
  phase       TEXT NOT NULL DEFAULT '',
  bytes       BIGINT NOT NULL DEFAULT 0,
  code        TEXT NOT NULL DEFAULT '',
  message     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sync_history_run ON sync_history (run_id, synced_at);
CREATE INDEX sync_history_table ON sync_history (table_id, synced_at);

CREATE TABLE query_runs (
  id          TEXT PRIMARY KEY,
  user_id     TEXT NOT NULL,
  user_email  TEXT NOT NULL DEFAULT '',
  origin      TEXT NOT NULL,
  sql         TEXT NOT NULL,
  state       TEXT NOT NULL,
  rows        BIGINT NOT NULL DEFAULT 0,
  code        TEXT NOT NULL DEFAULT '',
  message     TEXT NOT NULL DEFAULT '',
  started_at  BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX query_runs_user ON query_runs (user_id, started_at);
CREATE INDEX query_runs_running ON query_runs (id) WHERE state = 'running';

-- +goose Down
DROP TABLE query_runs;
DROP TABLE sync_history;
DROP TABLE sync_runs;
