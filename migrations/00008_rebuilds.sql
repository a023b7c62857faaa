-- What the last rebuilds published, and versions whose files are damaged.

-- +goose Up
CREATE TABLE rebuilds (
  id          TEXT PRIMARY KEY,
  started_at  BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  state       TEXT NOT NULL, -- ok, failed
  generation  BIGINT NOT NULL DEFAULT 0, -- number of the published file
  views       BIGINT NOT NULL DEFAULT 0,
  unchanged   BOOLEAN NOT NULL DEFAULT FALSE, -- nothing had to be written
  problems    TEXT NOT NULL DEFAULT '', -- JSON list of source, table, code, message
  code        TEXT NOT NULL DEFAULT '',
  message     TEXT NOT NULL DEFAULT '',
  next_step   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX rebuilds_newest ON rebuilds (finished_at, id);

-- A version whose files are not what was published. It stays listed while the
-- version that was put in its place is still the current one.
CREATE TABLE version_damage (
  version_id TEXT PRIMARY KEY REFERENCES table_versions (id) ON DELETE CASCADE,
  table_id   TEXT NOT NULL,
  found_at   BIGINT NOT NULL,
  code       TEXT NOT NULL,
  message    TEXT NOT NULL,
  outcome    TEXT NOT NULL, -- earlier, withdrawn, kept
  serves     TEXT NOT NULL DEFAULT '' -- the version that is served instead
);
CREATE INDEX version_damage_table ON version_damage (table_id, serves);

-- When jobs that must not run at each start ran last.
CREATE TABLE job_rounds (
  name     TEXT PRIMARY KEY,
  ended_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE job_rounds;
DROP TABLE version_damage;
DROP TABLE rebuilds;
