-- People, their groups, and the ways in.

-- +goose Up
CREATE TABLE users (
  id             TEXT PRIMARY KEY,
  email          TEXT NOT NULL UNIQUE, -- lower case; the identity
  name           TEXT NOT NULL DEFAULT '',
  password_hash  TEXT NOT NULL DEFAULT '',
  active         BOOLEAN NOT NULL DEFAULT TRUE,
  deactivated_at BIGINT,
  deactivated_by TEXT,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  onboarded      BOOLEAN NOT NULL DEFAULT FALSE,
  last_pull_at   BIGINT,
  sessions_from  BIGINT NOT NULL DEFAULT 0 -- sign-ins before it are void
);

CREATE TABLE user_groups (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL UNIQUE, -- lower case by Go's rules: the engines' lower() differ beyond ASCII
  description TEXT NOT NULL DEFAULT '',
  is_system   BOOLEAN NOT NULL DEFAULT FALSE,
  created_at  BIGINT NOT NULL,
  created_by  TEXT NOT NULL DEFAULT ''
);

CREATE TABLE user_group_members (
  user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  group_id TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
  source   TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  added_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_group_members_group ON user_group_members (group_id);

-- A link that works once. Only the hash of its secret is kept.
CREATE TABLE one_time_links (
  hash       BYTEA PRIMARY KEY,
  purpose    TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  data       BYTEA NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE one_time_links;
DROP TABLE user_group_members;
DROP TABLE user_groups;
DROP TABLE users;
