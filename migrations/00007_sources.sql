-- What is known of sources in full: the tables they serve, the outside systems
-- they name, since when one is gone, and the names that people gave to tables
-- whose own name another source holds.

-- +goose Up
ALTER TABLE sources ADD COLUMN tables TEXT NOT NULL DEFAULT ''; -- JSON list of table, name, id, mode
ALTER TABLE sources ADD COLUMN remote TEXT NOT NULL DEFAULT ''; -- JSON list of alias, extension, code, message
ALTER TABLE sources ADD COLUMN gone_at BIGINT;

CREATE TABLE view_aliases (
  source     TEXT NOT NULL,
  table_name TEXT NOT NULL, -- as the source calls it
  alias      TEXT NOT NULL, -- the name in SQL
  set_at     BIGINT NOT NULL,
  set_by     TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (source, table_name)
);
CREATE UNIQUE INDEX view_aliases_alias ON view_aliases (lower(alias));

-- +goose Down
DROP TABLE view_aliases;
ALTER TABLE sources DROP COLUMN gone_at;
ALTER TABLE sources DROP COLUMN remote;
ALTER TABLE sources DROP COLUMN tables;
