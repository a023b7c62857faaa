-- Which rows of a predecessor's state were taken over: one that is not here any
-- more was removed here since, and does not come back with a second import.

-- +goose Up
CREATE TABLE imported_rows (
  kind   TEXT NOT NULL, -- the predecessor's table
  old_id TEXT NOT NULL, -- the row's key there, a JSON list
  here   TEXT NOT NULL, -- its key here, a JSON list; another row's where it was merged into that
  stamp  BIGINT,        -- when it was changed last, there; a row with another time was changed here
  PRIMARY KEY (kind, old_id)
);
CREATE INDEX imported_rows_here ON imported_rows (kind, here);

-- +goose Down
DROP TABLE imported_rows;
