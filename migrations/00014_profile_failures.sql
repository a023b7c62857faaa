-- Why the last try to count what is in a table's columns brought nothing, and of
-- which version: it is not tried again by itself until there is another one.

-- +goose Up
CREATE TABLE profile_failures (
  table_id   TEXT PRIMARY KEY REFERENCES table_registry (id) ON DELETE CASCADE,
  version_id TEXT NOT NULL,
  failed_at  BIGINT NOT NULL,
  code       TEXT NOT NULL,
  message    TEXT NOT NULL,
  next_step  TEXT NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE profile_failures;
