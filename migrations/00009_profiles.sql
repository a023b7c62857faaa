-- What is in the columns of each table, counted once for a version.

-- +goose Up
CREATE TABLE table_profiles (
  table_id    TEXT PRIMARY KEY REFERENCES table_registry (id) ON DELETE CASCADE,
  profile     TEXT NOT NULL, -- JSON object of contract 6.1
  profiled_at BIGINT NOT NULL,
  version_id  TEXT NOT NULL DEFAULT '', -- the version that was counted; '' when it is not known
  version_at  BIGINT
);

-- +goose Down
DROP TABLE table_profiles;
