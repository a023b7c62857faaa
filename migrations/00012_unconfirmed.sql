-- Versions that are current and were not read back yet.

-- +goose Up
-- Set while the current version is not confirmed: the version to go back to, ''
-- for none. NULL: the current version was read back. What a stop of the server
-- leaves here is settled at its next start.
ALTER TABLE table_registry ADD COLUMN replaced_version TEXT;

-- +goose Down
ALTER TABLE table_registry DROP COLUMN replaced_version;
