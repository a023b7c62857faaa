-- Who may see what: until when and why, what was changed together, what was
-- taken away and may come back, who asks for more.

-- +goose Up
ALTER TABLE resource_grants ADD COLUMN expires_at BIGINT; -- the grant opens nothing from then on; NULL: never ends
ALTER TABLE resource_grants ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE resource_grants ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX resource_grants_expiry ON resource_grants (expires_at);

-- version counts the changes that people make, so that a form made from an older
-- one is noticed.
ALTER TABLE user_groups ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE user_groups ADD COLUMN person_id TEXT REFERENCES users (id) ON DELETE CASCADE; -- the group of this one person alone
CREATE UNIQUE INDEX user_groups_person ON user_groups (person_id);
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE table_registry ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE table_registry ADD COLUMN discoverable BOOLEAN NOT NULL DEFAULT FALSE; -- people without a grant learn that it exists
ALTER TABLE table_registry ADD COLUMN owner TEXT NOT NULL DEFAULT '';              -- user id of who decides on requests, beside administrators

-- What the fields of something were, version by version, for those who changed
-- an older one.
CREATE TABLE edits (
  kind       TEXT NOT NULL, -- group, user, table, grant or settings
  id         TEXT NOT NULL,
  version    BIGINT NOT NULL,
  fields     TEXT NOT NULL, -- JSON object of texts
  changed_at BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (kind, id, version)
);

-- Changes of grants that were made together, and how to take them back.
CREATE TABLE access_changes (
  id        TEXT PRIMARY KEY,
  made_at   BIGINT NOT NULL,
  user_id   TEXT NOT NULL,
  made_by   TEXT NOT NULL,
  note      TEXT NOT NULL DEFAULT '',
  cells     TEXT NOT NULL, -- JSON list of group, resource, and the grant before and after
  undone_at BIGINT,
  undo_of   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX access_changes_made ON access_changes (made_at);

-- What was deleted, as it was, until it is swept.
CREATE TABLE bin (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL, -- group or table
  resource_id TEXT NOT NULL,
  name        TEXT NOT NULL,
  content     TEXT NOT NULL, -- JSON: its row and the rows that went with it
  deleted_at  BIGINT NOT NULL,
  deleted_by  TEXT NOT NULL,
  restored_at BIGINT
);
CREATE INDEX bin_deleted ON bin (deleted_at);

-- Somebody asks to see what they may not.
CREATE TABLE access_requests (
  id            TEXT PRIMARY KEY,
  user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  resource_type TEXT NOT NULL,
  resource_id   TEXT NOT NULL,
  reason        TEXT NOT NULL,
  origin        TEXT NOT NULL, -- catalog, query or api
  state         TEXT NOT NULL, -- open, approved, refused or withdrawn
  created_at    BIGINT NOT NULL,
  decided_at    BIGINT,
  decided_by    TEXT NOT NULL DEFAULT '', -- user id
  answer        TEXT NOT NULL DEFAULT '', -- what whoever decided says
  group_id      TEXT NOT NULL DEFAULT '', -- the group that got the grant, or that they joined
  joined        BOOLEAN NOT NULL DEFAULT FALSE, -- they became a member of the group
  grant_id      TEXT NOT NULL DEFAULT '', -- the grant that was made; '': they joined a group that had one
  expires_at    BIGINT,                   -- of the grant
  seen_at       BIGINT,                   -- when the asker saw the decision
  version       BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX access_requests_open ON access_requests (user_id, resource_type, resource_id) WHERE state = 'open';
CREATE INDEX access_requests_state ON access_requests (state, created_at);
CREATE INDEX access_requests_user ON access_requests (user_id, created_at);

-- Whose eyes an administrator looked through when they ran the query; such runs
-- are apart from their own.
ALTER TABLE query_runs ADD COLUMN as_user TEXT NOT NULL DEFAULT '';

-- Filters of the audit log that somebody keeps under a name.
CREATE TABLE observability_views (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  query      TEXT NOT NULL, -- JSON object
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (user_id, name)
);

CREATE INDEX sync_history_newest ON sync_history (synced_at);

-- The audit log is read newest first, by one column and the rest as they come;
-- what is counted is in the index, so that no row is looked up for it.
DROP INDEX audit_log_timestamp;
DROP INDEX audit_log_user;
DROP INDEX audit_log_action;
CREATE INDEX audit_log_timestamp ON audit_log (timestamp, result, action, user_id, client_kind);
CREATE INDEX audit_log_user ON audit_log (user_id, timestamp, result, action);
CREATE INDEX audit_log_action ON audit_log (action, timestamp, result, user_id);
CREATE INDEX audit_log_resource ON audit_log (resource, timestamp, result, action, user_id);
CREATE INDEX audit_log_result ON audit_log (result, timestamp, action, user_id);

-- +goose Down
DROP INDEX sync_history_newest;
DROP INDEX audit_log_result;
DROP INDEX audit_log_resource;
DROP INDEX audit_log_action;
DROP INDEX audit_log_user;
DROP INDEX audit_log_timestamp;
CREATE INDEX audit_log_timestamp ON audit_log (timestamp, id);
CREATE INDEX audit_log_user ON audit_log (user_id, timestamp);
CREATE INDEX audit_log_action ON audit_log (action, timestamp);
DROP TABLE observability_views;
ALTER TABLE query_runs DROP COLUMN as_user;
DROP TABLE access_requests;
DROP TABLE bin;
DROP TABLE access_changes;
DROP TABLE edits;
ALTER TABLE table_registry DROP COLUMN owner;
ALTER TABLE table_registry DROP COLUMN discoverable;
ALTER TABLE table_registry DROP COLUMN version;
ALTER TABLE users DROP COLUMN version;
DROP INDEX user_groups_person;
ALTER TABLE user_groups DROP COLUMN person_id;
ALTER TABLE user_groups DROP COLUMN version;
DROP INDEX resource_grants_expiry;
ALTER TABLE resource_grants DROP COLUMN version;
ALTER TABLE resource_grants DROP COLUMN reason;
ALTER TABLE resource_grants DROP COLUMN expires_at;
