-- Vendors as sources: what is fetched, with which settings and key, what a refresh did, and what it could not get.
-- Changes source and data_case by adding columns with defaults (no rewrite) and by widening one check, which is validated
-- after it is in force; the previous code goes on working: it never names the new columns. Locks the two tables for moments.
ALTER TABLE source
  ADD feed text CONSTRAINT feed_is_known CHECK (feed IN ('twelvedata', 'stooq', 'ecb', 'fred', 'alfred')),
  ADD settings jsonb NOT NULL DEFAULT '{}',
  -- The vendor's key, sealed with the installation's secret. Never told, not even to its owner.
  ADD credential_sealed bytea,
  -- Set when a feed with facts is removed: nothing is fetched any more, its facts stay.
  ADD feed_removed_at timestamptz;
ALTER TABLE source DROP CONSTRAINT kind_is_known;
ALTER TABLE source ADD CONSTRAINT kind_is_known CHECK (kind IN ('simulator', 'file', 'manual', 'calendar', 'feed')) NOT VALID;
ALTER TABLE source VALIDATE CONSTRAINT kind_is_known;

ALTER TABLE data_case
  -- True: bars the case names were accepted before it was found. They stay in sight until the case is confirmed.
  ADD withholds boolean NOT NULL DEFAULT false,
  -- The second source of a disagreement between two.
  ADD other_source_id integer;
ALTER TABLE data_case ADD CONSTRAINT other_source_is_own FOREIGN KEY (tenant_id, other_source_id)
  REFERENCES source (tenant_id, id);
CREATE INDEX data_case_other_source ON data_case (tenant_id, other_source_id) WHERE other_source_id IS NOT NULL;

-- One refresh: one task, many deliveries (ingest_run rows of the same task). The counts grow while it runs.
CREATE TABLE refresh (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  source_id integer NOT NULL,
  universe_id integer,
  task_id bigint,
  state text NOT NULL DEFAULT 'running'
    CONSTRAINT state_is_known CHECK (state IN ('running', 'done', 'degraded', 'failed', 'cancelled')),
  symbol_count integer NOT NULL DEFAULT 0,
  current_count integer NOT NULL DEFAULT 0,
  refreshed_count integer NOT NULL DEFAULT 0,
  gap_count integer NOT NULL DEFAULT 0,
  accepted_count integer NOT NULL DEFAULT 0,
  revised_count integer NOT NULL DEFAULT 0,
  quarantined_count integer NOT NULL DEFAULT 0,
  case_count integer NOT NULL DEFAULT 0,
  batch_count integer NOT NULL DEFAULT 0,
  first_day date,
  last_day date,
  sentence text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES source (tenant_id, id),
  FOREIGN KEY (tenant_id, universe_id) REFERENCES universe (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id)
);
SELECT touchstone_secure_mutable('refresh', false);
CREATE INDEX refresh_source ON refresh (tenant_id, source_id, id DESC);
CREATE INDEX refresh_universe ON refresh (tenant_id, universe_id);
CREATE UNIQUE INDEX refresh_task ON refresh (tenant_id, task_id);

-- What a symbol of a source lacks and why. Open until an answer fills it; then it is history.
CREATE TABLE refresh_gap (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  source_id integer NOT NULL,
  refresh_id integer NOT NULL,
  instrument_id integer,
  symbol text NOT NULL CONSTRAINT symbol_is_short CHECK (length(symbol) BETWEEN 1 AND 64),
  kind text NOT NULL
    CONSTRAINT kind_is_known CHECK (kind IN ('unknown', 'empty', 'refused', 'credits', 'unavailable', 'lies')),
  sentence text NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL CONSTRAINT days_are_in_order CHECK (to_day >= from_day),
  retry_at timestamptz,
  -- Refreshes in a row that met it.
  times integer NOT NULL DEFAULT 1 CONSTRAINT times_is_positive CHECK (times > 0),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES source (tenant_id, id),
  FOREIGN KEY (tenant_id, refresh_id) REFERENCES refresh (tenant_id, id),
  FOREIGN KEY (tenant_id, instrument_id) REFERENCES instrument (tenant_id, id)
);
SELECT touchstone_secure_mutable('refresh_gap', false);
CREATE UNIQUE INDEX refresh_gap_open ON refresh_gap (tenant_id, source_id, symbol) WHERE closed_at IS NULL AND deleted_at IS NULL;
CREATE INDEX refresh_gap_refresh ON refresh_gap (tenant_id, refresh_id);
CREATE INDEX refresh_gap_instrument ON refresh_gap (tenant_id, instrument_id);
