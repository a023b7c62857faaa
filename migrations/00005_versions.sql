-- Versions that people can go back to, and new rows that wait for a decision.

-- +goose Up
-- A run that shrinks a table by more than so many per cent is held; 100 holds none.
ALTER TABLE table_registry ADD COLUMN shrink_guard_pct BIGINT NOT NULL DEFAULT 20;
ALTER TABLE table_registry ADD COLUMN schema_policy TEXT NOT NULL DEFAULT 'evolve'; -- evolve, ask, freeze

ALTER TABLE table_versions ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE table_versions ADD COLUMN made_by TEXT NOT NULL DEFAULT ''; -- user id, or system:<job>
ALTER TABLE table_versions ADD COLUMN published_at BIGINT; -- when it last became current; NULL: never
-- Set when it is past keeping. The row and its files go a day later: somebody
-- may have just begun to read them.
ALTER TABLE table_versions ADD COLUMN forgotten_at BIGINT;
UPDATE table_versions SET published_at = created_at;

-- The version that is held or, for a run that makes none, to be published.
ALTER TABLE sync_runs ADD COLUMN version_id TEXT NOT NULL DEFAULT '';
CREATE INDEX sync_runs_held ON sync_runs (table_id) WHERE state = 'held';

-- +goose Down
DROP INDEX sync_runs_held;
ALTER TABLE sync_runs DROP COLUMN version_id;
ALTER TABLE table_versions DROP COLUMN forgotten_at;
ALTER TABLE table_versions DROP COLUMN published_at;
ALTER TABLE table_versions DROP COLUMN made_by;
ALTER TABLE table_versions DROP COLUMN cause;
ALTER TABLE table_registry DROP COLUMN schema_policy;
ALTER TABLE table_registry DROP COLUMN shrink_guard_pct;
