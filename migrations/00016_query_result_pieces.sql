-- A kept result that a power cut or a disk damaged is noticed before its rows are shown.

-- +goose Up
ALTER TABLE query_results ADD COLUMN pieces TEXT NOT NULL DEFAULT ''; -- JSON list: end and CRC-32C of each piece of the file

-- +goose Down
ALTER TABLE query_results DROP COLUMN pieces;
