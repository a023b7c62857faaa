-- Two extracts may call outside systems alike. The first one that names an alias
-- keeps it, as with names of tables.

-- +goose Up
CREATE TABLE remote_aliases (
  alias      TEXT PRIMARY KEY, -- in lower case
  source     TEXT NOT NULL,
  claimed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE remote_aliases;
