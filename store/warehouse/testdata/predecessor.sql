-- A state of the predecessor at schema 51, as contract 11 describes it, with the
-- oddities that such states have. Tables that are not made here are made of the
-- schema in domain/imports.
CREATE TABLE schema_version (version INTEGER, applied_at TIMESTAMP);
INSERT INTO schema_version VALUES (1, '2025-01-01 08:00:00'), (51, '2026-05-01 10:20:30.123456');

CREATE TABLE users (
  id VARCHAR PRIMARY KEY, email VARCHAR UNIQUE, name VARCHAR, password_hash VARCHAR, setup_token VARCHAR, setup_token_created TIMESTAMP,
  reset_token VARCHAR, reset_token_created TIMESTAMP, active BOOLEAN DEFAULT true, deactivated_at TIMESTAMP, deactivated_by VARCHAR,
  created_at TIMESTAMP, updated_at TIMESTAMP, onboarded BOOLEAN DEFAULT false, last_pull_at TIMESTAMP);
INSERT INTO users VALUES
  ('u-ada', 'ada@example.com', 'Ada', '$argon2id$v=19$m=65536,t=3,p=4$hHKd41Mvf2FoUVdGFY1jpw$ORhlQYhDDcNNII2xiKEXtr/9Do379K+WxHi7PeQYwDY', NULL, NULL, 'canary-reset', '2026-01-01', true, NULL, NULL, '2025-02-03 04:05:06.789', '2026-03-01 00:00:00', true, '2026-04-01 12:00:00'),
  ('u-ada2', 'Ada@Example.com', 'Ada again', NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, '2025-03-01', '2026-04-01', false, NULL),
  ('u-eva', 'eva@example.com', 'Eva Nováková 🦊', '$2b$12$canarybcrypt', 'canary-setup', '2026-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('u-old', 'EVA@example.com', 'Former', NULL, NULL, NULL, NULL, NULL, false, '2026-02-02', 'u-ada', '2025-01-01', '2026-02-02', false, NULL),
  ('u-bad', 'not an address', 'Nobody', NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, '2025-01-01', NULL, false, NULL),
  ('u-nul', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('u-sch', 'scheduler@system.local', 'Scheduler', NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, '2025-01-01', '2025-01-01', false, NULL);

CREATE TABLE user_groups (id VARCHAR PRIMARY KEY, name VARCHAR UNIQUE, description TEXT, is_system BOOLEAN DEFAULT false, created_at TIMESTAMP, created_by VARCHAR);
INSERT INTO user_groups VALUES
  ('g-admin', 'Admin', NULL, true, '2025-01-01', 'system:seed'), ('g-all', 'Everyone', 'All', true, '2025-01-01', 'system:seed'),
  ('g-sales', 'Sales', 'Prodej', false, '2025-01-02', 'system:google-sync'), ('g-sales2', 'sales', NULL, false, '2025-01-03', 'u-ada'),
  ('g-blank', '  ', NULL, false, NULL, NULL), ('g-secret', 'Secret', NULL, false, '2025-01-04', 'u-ada');

CREATE TABLE user_group_members (user_id VARCHAR, group_id VARCHAR REFERENCES user_groups (id), source VARCHAR, added_at TIMESTAMP, added_by VARCHAR, PRIMARY KEY (user_id, group_id));
INSERT INTO user_group_members VALUES
  ('u-ada', 'g-admin', 'system_seed', '2025-01-01', NULL), ('u-ada', 'g-all', 'admin', '2025-01-01', NULL),
  ('u-ada2', 'g-sales', 'google_sync', '2025-01-01', 'system:google-sync'), ('u-ada', 'g-sales', 'admin', '2025-01-01', 'u-ada'),
  ('u-eva', 'g-sales2', 'hand', NULL, NULL), ('u-old', 'g-secret', 'admin', '2025-01-01', 'u-ada'),
  ('u-gone', 'g-sales', 'admin', '2025-01-01', 'u-ada'), ('u-eva', 'g-blank', 'admin', '2025-01-01', 'u-ada'),
  ('u-eva', 'g-sales', 'admin', '2025-01-01', 'u-ada'), ('u-sch', 'g-admin', 'system_seed', NULL, NULL);

CREATE TABLE resource_grants (id VARCHAR PRIMARY KEY, group_id VARCHAR REFERENCES user_groups (id), resource_type VARCHAR, resource_id VARCHAR, assigned_at TIMESTAMP, assigned_by VARCHAR, UNIQUE (group_id, resource_type, resource_id));
INSERT INTO resource_grants VALUES
  ('r-1', 'g-sales', 'table', 'orders', '2025-02-01', 'u-ada'), ('r-2', 'g-sales', 'table', 'dropped', '2025-02-01', 'u-ada'),
  ('r-3', 'g-all', 'table', 'in.c-crm.company', NULL, NULL), ('r-4', 'g-sales', 'memory_domain', 'finance', '2025-02-01', 'u-ada'),
  ('r-5', 'g-sales', 'marketplace_plugin', 'tools/review', '2025-02-01', 'u-ada'), ('r-6', 'g-sales', 'marketplace_plugin', 'tools/gone', '2025-02-01', 'u-ada'),
  ('r-7', 'g-sales', 'dashboard', 'x', '2025-02-01', 'u-ada'), ('r-8', 'g-blank', 'table', 'orders', '2025-02-01', 'u-ada'),
  ('r-9', 'g-sales', 'table', 'agnes_audit', '2025-02-01', 'u-ada'), ('r-10', 'g-secret', 'table', 'salaries', '2025-02-01', 'u-ada');

CREATE TABLE table_registry (
  id VARCHAR PRIMARY KEY, name VARCHAR, source_type VARCHAR, bucket VARCHAR, source_table VARCHAR, source_query TEXT, sync_strategy VARCHAR DEFAULT 'full_refresh',
  query_mode VARCHAR DEFAULT 'local', sync_schedule VARCHAR, profile_after_sync BOOLEAN DEFAULT true, primary_key VARCHAR, folder VARCHAR, description TEXT,
  registered_by VARCHAR, registered_at TIMESTAMP, incremental_window_days INTEGER, max_history_days INTEGER, incremental_column VARCHAR, where_filters VARCHAR,
  partition_by VARCHAR, partition_granularity VARCHAR, initial_load_chunk_days INTEGER, bq_fqn VARCHAR);
INSERT INTO table_registry BY NAME SELECT 'orders' AS id, 'orders' AS name, 'keboola' AS source_type, 'in.c-crm' AS bucket, 'orders' AS source_table, '["id"]' AS primary_key,
  'daily 05:00' AS sync_schedule, 7 AS incremental_window_days, '[{"column":"state","operator":"eq","values":["paid",1]}]' AS where_filters, 'Objednávky' AS description, 'u-ada' AS registered_by, TIMESTAMP '2025-01-05 06:07:08.000009' AS registered_at;
INSERT INTO table_registry BY NAME SELECT 'in.c-crm.company' AS id, 'Company' AS name, 'keboola' AS source_type, 'id' AS primary_key;
INSERT INTO table_registry BY NAME SELECT 'salaries' AS id, 'salaries' AS name, 'bigquery' AS source_type, 'remote' AS query_mode, 'hr' AS bucket, 'salaries' AS source_table, 'acme.hr.salaries' AS bq_fqn;
INSERT INTO table_registry BY NAME SELECT 'order' AS id, 'order' AS name, 'keboola' AS source_type;
INSERT INTO table_registry BY NAME SELECT 'c_pany' AS id, 'company' AS name, 'jira' AS source_type;
INSERT INTO table_registry BY NAME SELECT 'bad filters' AS id, 'bad_filters' AS name;
INSERT INTO table_registry BY NAME SELECT 'badf' AS id, 'badf' AS name, '{"column":' AS where_filters;
INSERT INTO table_registry BY NAME SELECT 'odd' AS id, 'odd' AS name, '[1,2' AS primary_key, 'now and then' AS sync_schedule;
INSERT INTO table_registry BY NAME SELECT 'nameless' AS id;
INSERT INTO table_registry BY NAME SELECT 'agnes_audit' AS id, 'Agnes audit log' AS name, 'internal' AS source_type, 'internal' AS query_mode;

CREATE TABLE sync_state (table_id VARCHAR PRIMARY KEY, last_sync TIMESTAMP, rows BIGINT, file_size_bytes BIGINT, uncompressed_size_bytes BIGINT, columns INTEGER, hash VARCHAR, status VARCHAR DEFAULT 'ok', error TEXT);
INSERT INTO sync_state VALUES ('orders', '2026-04-30 05:00:01.5', 9007199254740993, 10, 20, 3, 'abc', 'ok', NULL), ('Company', NULL, NULL, NULL, NULL, NULL, NULL, 'error', 'boom'), ('unregistered', '2026-01-01', 1, 1, 1, 1, '', 'ok', NULL);
CREATE TABLE sync_history (id VARCHAR PRIMARY KEY, table_id VARCHAR, synced_at TIMESTAMP, rows BIGINT, duration_ms INTEGER, status VARCHAR, error TEXT);
INSERT INTO sync_history SELECT 'h' || i, 'orders', TIMESTAMP '2026-01-01' + to_minutes(CAST(i AS INTEGER)), i, 5, CASE WHEN i % 7 = 0 THEN 'error' ELSE 'ok' END, NULL FROM range(3000) t(i);
CREATE TABLE view_ownership (view_name VARCHAR PRIMARY KEY, source_name VARCHAR, registered_at TIMESTAMP);
INSERT INTO view_ownership VALUES ('orders', 'keboola', '2025-01-05'), ('bad name', 'keboola', '2025-01-05');

CREATE TABLE personal_access_tokens (id VARCHAR PRIMARY KEY, user_id VARCHAR, name VARCHAR, token_hash VARCHAR, prefix VARCHAR, scopes VARCHAR, created_at TIMESTAMP, expires_at TIMESTAMP, last_used_at TIMESTAMP, last_used_ip VARCHAR, revoked_at TIMESTAMP);
INSERT INTO personal_access_tokens VALUES
  ('3f2b', 'u-ada2', 'laptop', 'canary-token-hash', '3f2b0000', NULL, '2026-01-01', '2027-01-01', NULL, NULL, NULL),
  ('4f2b', 'u-gone', 'old', 'canary-token-hash2', '4f2b0000', NULL, '2026-01-01', NULL, NULL, NULL, '2026-02-01'),
  ('5f2b', 'u-ada', 'ci', 'canary-token-hash3', '5f2b0000', NULL, '2026-01-01', 'infinity', NULL, NULL, NULL);

CREATE TABLE metric_definitions (id VARCHAR PRIMARY KEY, name VARCHAR, display_name VARCHAR, category VARCHAR, description TEXT, type VARCHAR DEFAULT 'sum', unit VARCHAR, grain VARCHAR DEFAULT 'monthly', table_name VARCHAR, tables VARCHAR[], expression VARCHAR, time_column VARCHAR, dimensions VARCHAR[], filters VARCHAR[], synonyms VARCHAR[], notes VARCHAR[], sql TEXT, sql_variants JSON, validation JSON, source VARCHAR DEFAULT 'manual', created_at TIMESTAMP, updated_at TIMESTAMP);
INSERT INTO metric_definitions BY NAME SELECT 'sales/revenue' AS id, 'revenue' AS name, ['orders', 'a "b" č'] AS tables, '{"by_day": "SELECT 1"}' AS sql_variants, TIMESTAMP '2026-01-01' AS updated_at;

CREATE TABLE knowledge_items (id VARCHAR PRIMARY KEY, title VARCHAR, content TEXT, category VARCHAR, tags JSON, status VARCHAR DEFAULT 'pending', contributors JSON, source_user VARCHAR, audience VARCHAR, confidence DOUBLE, domain VARCHAR, entities JSON, source_type VARCHAR DEFAULT 'claude_local_md', source_ref VARCHAR, valid_from TIMESTAMP, valid_until TIMESTAMP, supersedes VARCHAR, sensitivity VARCHAR DEFAULT 'internal', is_personal BOOLEAN DEFAULT false, created_at TIMESTAMP, updated_at TIMESTAMP);
INSERT INTO knowledge_items BY NAME SELECT 'km_1' AS id, 'Marže' AS title, repeat('ž', 200000) AS content, '["a"]' AS tags, 0.1 AS confidence, TIMESTAMP '2026-01-01' AS updated_at;
INSERT INTO knowledge_items BY NAME SELECT 'km_2' AS id, repeat('x', 5000000) AS content;
CREATE TABLE knowledge_votes (item_id VARCHAR, user_id VARCHAR, vote INTEGER, voted_at TIMESTAMP, PRIMARY KEY (item_id, user_id));
INSERT INTO knowledge_votes VALUES ('km_1', 'u-ada', 1, '2026-01-01'), ('km_1', 'u-ada2', -1, '2026-01-02'), ('km_1', 'u-gone', 1, '2026-01-01');

CREATE TABLE marketplace_plugins (marketplace_id VARCHAR, name VARCHAR, description TEXT, version VARCHAR, author_name VARCHAR, homepage VARCHAR, category VARCHAR, source_type VARCHAR, source_spec JSON, raw JSON, created_at TIMESTAMP, updated_at TIMESTAMP, cover_photo_url VARCHAR, video_url VARCHAR, doc_links JSON, is_system BOOLEAN DEFAULT false, PRIMARY KEY (marketplace_id, name));
INSERT INTO marketplace_plugins BY NAME SELECT 'tools' AS marketplace_id, 'review' AS name, '{"huge": [' || repeat('1,', 50000) || '1]}' AS raw;
CREATE TABLE table_profiles (table_id VARCHAR PRIMARY KEY, profile JSON, profiled_at TIMESTAMP);
INSERT INTO table_profiles VALUES ('orders', '{"row_count": 3}', '2026-01-01'), ('dropped', '{}', NULL);
CREATE TABLE pending_codes (code VARCHAR PRIMARY KEY, chat_id BIGINT, created_at TIMESTAMP);
INSERT INTO pending_codes VALUES ('canary-code', 1, '2026-01-01');

CREATE TABLE audit_log (id VARCHAR PRIMARY KEY, timestamp TIMESTAMP, user_id VARCHAR, action VARCHAR, resource VARCHAR, params JSON, result VARCHAR, duration_ms INTEGER, params_before JSON, client_ip VARCHAR, client_kind VARCHAR, correlation_id VARCHAR);
INSERT INTO audit_log SELECT 'a' || i, TIMESTAMP '2026-01-01' + to_seconds(i), CASE WHEN i % 3 = 0 THEN 'u-ada2' WHEN i % 3 = 1 THEN NULL ELSE 'u-gone' END,
  'query.local', 'x', CASE i % 4 WHEN 0 THEN '{"n": 1}' WHEN 1 THEN '[1]' WHEN 2 THEN NULL ELSE '"text"' END, 'ok', NULL, NULL, NULL, NULL, NULL FROM range(10000) t(i);
CREATE INDEX audit_time ON audit_log (timestamp);
