-- A little of everything, as the release wrote it, by the owner of the tables.
INSERT INTO tenant (id, name) VALUES (7, 'seven');
INSERT INTO app_user (tenant_id, role, password_hash) VALUES (7, 'owner', 'scrypt$1$1$1$AA$AA');
INSERT INTO person (user_id, tenant_id, email, display_name) VALUES (1, 7, 'owner@example.org', 'Owner');
INSERT INTO refresh_token (tenant_id, user_id, family, token_hash, expires_at)
  VALUES (7, 1, '00000000-0000-4000-8000-000000000001', '\x01', '2030-01-01');
INSERT INTO signing_key (tenant_id, key_id, public_jwk, private_jwk_encrypted, not_after)
  VALUES (0, 'one', '{}', '\x01', '2030-01-01');
INSERT INTO task (tenant_id, kind, title, state) VALUES (7, 'market-data.price-import.run', 'Import prices.csv', 'done');
INSERT INTO schedule (tenant_id, kind, title, cron) VALUES (7, 'verify', 'Nightly', '0 3 * * *');
INSERT INTO outbox_event (tenant_id, name, payload) VALUES (7, 'prices.updated', '{}');
INSERT INTO source (tenant_id, code, name, kind, price_basis) VALUES (7, 'mine', 'Mine', 'file', 'raw');
INSERT INTO instrument (tenant_id, symbol) VALUES (7, 'ONE'), (7, 'TWO');
INSERT INTO ingest_run (tenant_id, source_id, kind, state, price_basis, row_count, accepted_count, first_day, last_day, task_id)
  VALUES (7, 1, 'prices', 'published', 'raw', 4, 4, '2023-12-29', '2024-01-02', 1);
SELECT touchstone_ensure_price_years(2023, 2024);
INSERT INTO price_observation (tenant_id, instrument_id, day, run_id, source_id, known_at, open, high, low, close, volume)
  VALUES (7, 1, '2023-12-29', 1, 1, '2023-12-29 22:00Z', 10, 12, 9, 11.1, 100),
         (7, 1, '2024-01-02', 1, 1, '2024-01-02 22:00Z', 11, 13, 10, 12.3, NULL),
         (7, 2, '2023-12-29', 1, 1, NULL, 20, 22, 19, 21, 200),
         (7, 2, '2024-01-02', 1, 1, NULL, 21, 23, 20, 22, 'NaN');
INSERT INTO publication (tenant_id, run_id, kind, published_at, row_count, content_sha256, known_at_min, known_at_max)
  VALUES (7, 1, 'publish', '2024-01-03 10:00Z', 4, sha256('content'), '2023-12-29 22:00Z', '2024-01-03 10:00Z');
INSERT INTO data_case (tenant_id, run_id, source_id, instrument_id, kind, action, first_day, last_day, row_count, reason)
  VALUES (7, 1, 1, 1, 'bad_tick', 'quarantine', '2024-01-03', '2024-01-03', 1, 'far from its neighbours');
INSERT INTO price_quarantine (tenant_id, instrument_id, day, run_id, line, source_id, case_id, close)
  VALUES (7, 1, '2024-01-03', 1, 5, 1, 1, 110);
INSERT INTO corporate_action (tenant_id, instrument_id, day, kind, run_id, source_id, value)
  VALUES (7, 1, '2024-01-02', 'split', 1, 1, 2);
INSERT INTO market_cap (tenant_id, instrument_id, day, run_id, source_id, value) VALUES (7, 1, '2024-01-02', 1, 1, 1e9);
INSERT INTO fundamental (tenant_id, instrument_id, field, day, run_id, source_id, value)
  VALUES (7, 1, 'eps', '2024-01-02', 1, 1, 1.5);
INSERT INTO exchange_rate (tenant_id, base, quote, day, run_id, source_id, value)
  VALUES (7, 'EUR', 'USD', '2024-01-02', 1, 1, 1.1);
INSERT INTO macro_observation (tenant_id, series, day, run_id, source_id, value) VALUES (7, 'CPI', '2024-01-01', 1, 1, 3.1);
INSERT INTO listing_event (tenant_id, instrument_id, day, kind, run_id, source_id, symbol, calendar)
  VALUES (7, 1, '2020-01-02', 'listed', 1, 1, 'ONE', 'XNYS');
INSERT INTO exchange_holiday (tenant_id, calendar, day, run_id, source_id, kind, name)
  VALUES (7, 'XNYS', '2024-01-01', 1, 1, 'closed', 'New Year');
INSERT INTO dataset (tenant_id, sha256, kind, query, as_of, known_at, recorded_at, row_count, byte_count, columns)
  VALUES (7, repeat('a', 64), 'prices', '{}', '2024-01-02', '2024-01-03', '2024-01-03', 4, 100, '[]');
INSERT INTO trial (tenant_id, kind, name, parameters, parameters_sha256, code_version, outcome)
  VALUES (7, 'index-run', 'Mine, run 1', '{}', repeat('b', 64), '0.1.0', 'finished');
INSERT INTO universe (tenant_id, name, rule, source_tenant_id, source_id) VALUES (7, 'Mine', 'list', 7, 1);
INSERT INTO universe_member (tenant_id, universe_id, instrument_tenant_id, instrument_id) VALUES (7, 1, 7, 1);
INSERT INTO index_definition (tenant_id, name, universe_tenant_id, universe_id, method) VALUES (7, 'Mine', 7, 1, 'equal_weight');
INSERT INTO index_run (tenant_id, index_id, run_number, definition, dataset_sha256, as_of, known_at, recorded_at, code_version,
                       seed, trial_id, summary, result_sha256)
  VALUES (7, 1, 1, '{}', repeat('a', 64), '2024-01-02', '2024-01-03', '2024-01-03', '0.1.0', 1, 1, '{}', repeat('c', 64));
INSERT INTO evidence (tenant_id, sequence, recorded_at, kind, subject_kind, subject_id, body, previous_hash, hash)
  VALUES (7, 1, '2024-01-03 10:00Z', 'run.published', 'run', '1', '{}', decode(repeat('00', 32), 'hex'), sha256('x'));
