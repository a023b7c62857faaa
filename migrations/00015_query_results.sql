-- Rows of a query are kept in files, private to who asked; the state says which
-- there are, how long they may stay and how much each person read in a day.

-- +goose Up
ALTER TABLE query_runs ADD COLUMN table_names TEXT NOT NULL DEFAULT '';    -- JSON list of the tables that it mentions
ALTER TABLE query_runs ADD COLUMN result_columns TEXT NOT NULL DEFAULT ''; -- JSON list of names and types
ALTER TABLE query_runs ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;         -- of its rows in memory
ALTER TABLE query_runs ADD COLUMN max_rows BIGINT NOT NULL DEFAULT 0;      -- asked for; 0: all
ALTER TABLE query_runs ADD COLUMN has_more BOOLEAN NOT NULL DEFAULT FALSE; -- rows beyond max_rows existed
ALTER TABLE query_runs ADD COLUMN error_line BIGINT NOT NULL DEFAULT 0;
ALTER TABLE query_runs ADD COLUMN error_column BIGINT NOT NULL DEFAULT 0;
ALTER TABLE query_runs ADD COLUMN kept TEXT NOT NULL DEFAULT '';           -- what became of its rows
CREATE INDEX query_runs_live ON query_runs (user_id) WHERE state = 'running';

CREATE TABLE query_results (
  run_id  TEXT PRIMARY KEY REFERENCES query_runs (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  bytes   BIGINT NOT NULL, -- of the file
  batches TEXT NOT NULL,   -- JSON list: the rows of each batch in it
  kept_at BIGINT NOT NULL
);
CREATE INDEX query_results_user ON query_results (user_id, kept_at);
CREATE INDEX query_results_age ON query_results (kept_at);

-- What a person's queries returned on a day (UTC, YYYY-MM-DD).
CREATE TABLE query_usage (
  user_id TEXT NOT NULL,
  day     TEXT NOT NULL,
  queries BIGINT NOT NULL DEFAULT 0,
  rows    BIGINT NOT NULL DEFAULT 0,
  bytes   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day)
);

-- +goose Down
DROP TABLE query_usage;
DROP TABLE query_results;
DROP INDEX query_runs_live;
ALTER TABLE query_runs DROP COLUMN kept;
ALTER TABLE query_runs DROP COLUMN error_column;
ALTER TABLE query_runs DROP COLUMN error_line;
ALTER TABLE query_runs DROP COLUMN has_more;
ALTER TABLE query_runs DROP COLUMN max_rows;
ALTER TABLE query_runs DROP COLUMN bytes;
ALTER TABLE query_runs DROP COLUMN result_columns;
ALTER TABLE query_runs DROP COLUMN table_names;
