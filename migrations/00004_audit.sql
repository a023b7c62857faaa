-- Who did what. Each row is written in the transaction of the change it records.

-- +goose Up
CREATE TABLE audit_log (
  id             TEXT PRIMARY KEY,
  timestamp      BIGINT NOT NULL,
  user_id        TEXT NOT NULL,
  user_email     TEXT NOT NULL DEFAULT '', -- kept here, because people leave
  action         TEXT NOT NULL,
  resource       TEXT NOT NULL DEFAULT '',
  params         TEXT NOT NULL DEFAULT '', -- JSON object
  params_before  TEXT NOT NULL DEFAULT '', -- JSON object
  result         TEXT NOT NULL DEFAULT '',
  duration_ms    BIGINT,
  client_ip      TEXT NOT NULL DEFAULT '',
  client_kind    TEXT NOT NULL DEFAULT '',
  correlation_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_log_timestamp ON audit_log (timestamp, id);
CREATE INDEX audit_log_user ON audit_log (user_id, timestamp);
CREATE INDEX audit_log_action ON audit_log (action, timestamp);

-- Single values that Agnes keeps for itself.
CREATE TABLE settings (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE settings;
DROP TABLE audit_log;
