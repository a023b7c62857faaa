-- How people prove who they are, and what they did it with.

-- +goose Up
-- One row per sign-in, of a browser or for an access token. A sign-in whose row
-- is gone or ended proves nothing any more.
CREATE TABLE sign_ins (
  id           TEXT PRIMARY KEY, -- no secret: a browser holds it in its session, a token as jti
  user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind         TEXT NOT NULL,    -- browser or token
  method       TEXT NOT NULL,    -- password, link, google, oidc or first_run
  created_at   BIGINT NOT NULL,
  proved_at    BIGINT NOT NULL,  -- when the person last proved who they are
  used_at      BIGINT NOT NULL,  -- to within minutes
  expires_at   BIGINT NOT NULL,
  ended_at     BIGINT,
  first_ip     TEXT NOT NULL DEFAULT '',
  used_ip      TEXT NOT NULL DEFAULT '',
  user_agent   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sign_ins_user ON sign_ins (user_id, used_at);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);

-- Links by mail: to sign in, to set a first password, to set a new one.
ALTER TABLE one_time_links ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE one_time_links ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE one_time_links ADD COLUMN next TEXT NOT NULL DEFAULT ''; -- path to go to afterwards
ALTER TABLE one_time_links ADD COLUMN code_hash BYTEA;               -- of the short code for another device
ALTER TABLE one_time_links ADD COLUMN request_hash BYTEA;            -- of what the asking browser holds
ALTER TABLE one_time_links ADD COLUMN tries BIGINT NOT NULL DEFAULT 0; -- wrong codes
CREATE INDEX one_time_links_email ON one_time_links (email, purpose);

-- Accounts of other services that somebody signed in with.
CREATE TABLE user_identities (
  provider   TEXT NOT NULL, -- google or oidc
  subject    TEXT NOT NULL, -- the service's own name of the account
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  email      TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL,
  PRIMARY KEY (provider, subject)
);
CREATE INDEX user_identities_user ON user_identities (user_id);

ALTER TABLE users ADD COLUMN invited_at BIGINT;
ALTER TABLE users ADD COLUMN last_seen_at BIGINT;
CREATE INDEX users_last_seen ON users (last_seen_at);

-- A token that was replaced works on for a day.
ALTER TABLE personal_access_tokens ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '';

-- Tries to prove who one is, by account and by address. The key is a hash.
CREATE TABLE sign_in_attempts (
  key        TEXT PRIMARY KEY,
  tries      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);

-- +goose Down
DROP TABLE sign_in_attempts;
ALTER TABLE personal_access_tokens DROP COLUMN replaced_by;
DROP INDEX users_last_seen;
ALTER TABLE users DROP COLUMN last_seen_at;
ALTER TABLE users DROP COLUMN invited_at;
DROP TABLE user_identities;
DROP INDEX one_time_links_email;
ALTER TABLE one_time_links DROP COLUMN tries;
ALTER TABLE one_time_links DROP COLUMN request_hash;
ALTER TABLE one_time_links DROP COLUMN code_hash;
ALTER TABLE one_time_links DROP COLUMN next;
ALTER TABLE one_time_links DROP COLUMN email;
ALTER TABLE one_time_links DROP COLUMN user_id;
DROP TABLE sign_ins;
