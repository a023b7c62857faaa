-- How files are read, and what of them did not fit.

-- +goose Up
ALTER TABLE table_registry ADD COLUMN read_options TEXT NOT NULL DEFAULT ''; -- JSON: corrections of a file
ALTER TABLE sync_runs ADD COLUMN report TEXT NOT NULL DEFAULT ''; -- JSON: warnings, losses by column, rows that did not fit

-- +goose Down
ALTER TABLE sync_runs DROP COLUMN report;
ALTER TABLE table_registry DROP COLUMN read_options;
