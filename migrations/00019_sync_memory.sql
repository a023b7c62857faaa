-- What syncs remember: the order of a table's versions, whatever the clock says,
-- and which rows they have not read yet.

-- +goose Up
-- Places in one count for each table, which goes up by one when a version is
-- made and when one is published again.
ALTER TABLE table_versions ADD COLUMN made BIGINT NOT NULL DEFAULT 0;
ALTER TABLE table_versions ADD COLUMN turn BIGINT NOT NULL DEFAULT 0; -- when it last became current; as made for one that was never published again

-- What is there was made in the order in which its rows were written. One that
-- was published again follows those that were made up to then; the current one
-- was published last.
UPDATE table_versions SET made = counted.made, turn = counted.turn
FROM (
  SELECT id, min(place) AS made, max(place) AS turn
  FROM (
    SELECT id, row_number() OVER (PARTITION BY table_id ORDER BY after, again, moment) AS place
    FROM (
      SELECT id, table_id, rowid AS after, 0 AS again, created_at AS moment FROM table_versions
      UNION ALL
      SELECT v.id, v.table_id,
        (SELECT max(o.rowid) FROM table_versions o WHERE o.table_id = v.table_id AND (o.created_at <= v.published_at OR t.current_version = v.id OR o.id = v.id)),
        CASE WHEN t.current_version = v.id THEN 2 ELSE 1 END, v.published_at
      FROM table_versions v
      JOIN table_registry t ON t.id = v.table_id
      WHERE v.published_at <> v.created_at
    ) AS events
  ) AS places
  GROUP BY id
) AS counted
WHERE table_versions.id = counted.id;

DROP INDEX table_versions_table;
CREATE INDEX table_versions_table ON table_versions (table_id, made);

-- Tables whose rows changed while a run was under way that may not have read
-- them: another one follows it.
CREATE TABLE sync_again (
  table_id   TEXT PRIMARY KEY REFERENCES table_registry (id) ON DELETE CASCADE,
  cause      TEXT NOT NULL, -- of the run that follows
  started_by TEXT NOT NULL
);

-- What a table's file was like when its last sync began to read it.
CREATE TABLE files_read (
  table_id    TEXT PRIMARY KEY REFERENCES table_registry (id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL
);

-- +goose Down
DROP TABLE files_read;
DROP TABLE sync_again;
DROP INDEX table_versions_table;
CREATE INDEX table_versions_table ON table_versions (table_id, created_at);
ALTER TABLE table_versions DROP COLUMN turn;
ALTER TABLE table_versions DROP COLUMN made;
