-- Facts: append-only observations with two knowledge times (see ARCHITECTURE.md, Time).
-- known_at is the declared knowledge time; NULL means "known when its run was published".
-- No table refers to a fact table, and fact tables refer to nothing: publishing checks references set-wise.

-- Where facts come from. Belongs to the system or to one tenant; its facts inherit that.
CREATE TABLE source (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  code text NOT NULL CONSTRAINT code_is_plain CHECK (code ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  name text NOT NULL,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('simulator', 'file', 'manual', 'calendar')),
  calendar text NOT NULL DEFAULT 'XNYS',
  currency text NOT NULL DEFAULT 'USD' CONSTRAINT currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
  price_basis text CONSTRAINT price_basis_is_known CHECK (price_basis IN ('raw', 'split_adjusted', 'total_return')),
  known_at_rule text NOT NULL DEFAULT 'close_plus_one_hour'
    CONSTRAINT known_at_rule_is_known CHECK (known_at_rule IN ('close_plus_one_hour', 'declared_in_data', 'recorded')),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('source', true);
CREATE UNIQUE INDEX source_code ON source (tenant_id, code) WHERE deleted_at IS NULL;

-- A thing with a price. Its names over time are listing_event facts; symbol is the latest one.
CREATE TABLE instrument (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  symbol text NOT NULL CONSTRAINT symbol_is_short CHECK (length(symbol) BETWEEN 1 AND 32),
  name text NOT NULL DEFAULT '',
  kind text NOT NULL DEFAULT 'equity' CONSTRAINT kind_is_known CHECK (kind IN ('equity', 'fund', 'index', 'currency', 'crypto', 'other')),
  calendar text NOT NULL DEFAULT 'XNYS',
  currency text NOT NULL DEFAULT 'USD' CONSTRAINT currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
  sector text,
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('instrument', true);
CREATE UNIQUE INDEX instrument_symbol ON instrument (tenant_id, symbol) WHERE deleted_at IS NULL;

-- One delivery of facts: a file, a correction, a simulation. Invisible until a publication names it.
CREATE TABLE ingest_run (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  source_id integer NOT NULL,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN
    ('prices', 'corporate_actions', 'market_caps', 'exchange_rates', 'macro', 'listings', 'holidays', 'correction', 'release')),
  state text NOT NULL DEFAULT 'staging'
    CONSTRAINT state_is_known CHECK (state IN ('staging', 'published', 'refused', 'failed', 'cancelled')),
  price_basis text CONSTRAINT price_basis_is_known CHECK (price_basis IN ('raw', 'split_adjusted', 'total_return')),
  file_name text,
  file_sha256 bytea,
  options jsonb NOT NULL DEFAULT '{}',
  row_count integer NOT NULL DEFAULT 0,
  accepted_count integer NOT NULL DEFAULT 0,
  unchanged_count integer NOT NULL DEFAULT 0,
  revised_count integer NOT NULL DEFAULT 0,
  quarantined_count integer NOT NULL DEFAULT 0,
  error_count integer NOT NULL DEFAULT 0,
  errors jsonb NOT NULL DEFAULT '[]',
  first_day date,
  last_day date,
  task_id bigint,
  note text NOT NULL DEFAULT '',
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES source (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id)
);
SELECT touchstone_secure_mutable('ingest_run', true);
CREATE INDEX ingest_run_source ON ingest_run (tenant_id, source_id);
CREATE INDEX ingest_run_task ON ingest_run (tenant_id, task_id);

-- The moment a run became visible, or stopped being so. published_at is stamped in commit order by touchstone_stamp().
CREATE TABLE publication (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  run_id integer NOT NULL,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('publish', 'retract')),
  published_at timestamptz NOT NULL UNIQUE,
  row_count integer NOT NULL,
  -- sha256 over the run's rows in key order; touchstone verify computes it again.
  content_sha256 bytea NOT NULL,
  -- The earliest and the latest knowledge time among the rows; published_at itself for recorded rows and retractions.
  known_at_min timestamptz NOT NULL,
  known_at_max timestamptz NOT NULL CONSTRAINT known_at_range_is_in_order CHECK (known_at_max >= known_at_min),
  reason text NOT NULL DEFAULT '',
  actor_id integer,
  UNIQUE (tenant_id, run_id, kind),
  FOREIGN KEY (tenant_id, run_id) REFERENCES ingest_run (tenant_id, id)
);
SELECT touchstone_secure_append_only('publication', true);

-- The next publication stamp. Holds a lock until commit, so that stamps and commits have one order for all tenants.
CREATE FUNCTION touchstone_stamp() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE last timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(7420002);
  SELECT max(published_at) INTO last FROM publication;
  RETURN greatest(date_trunc('milliseconds', clock_timestamp()), last + interval '1 millisecond');
END $$;
REVOKE EXECUTE ON FUNCTION touchstone_stamp() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_stamp() TO {{app}};

-- Runs as they are to be seen: when published, when retracted.
CREATE VIEW visible_run WITH (security_invoker = true) AS
  SELECT p.tenant_id, p.run_id, r.source_id, r.price_basis, p.published_at, t.published_at AS retracted_at
  FROM publication p
  JOIN ingest_run r ON r.id = p.run_id
  LEFT JOIN publication t ON t.run_id = p.run_id AND t.kind = 'retract'
  WHERE p.kind = 'publish';
GRANT SELECT ON visible_run TO {{app}};

-- One daily bar as one run told it. revision counts what was told before about the same bar by the same source.
CREATE TABLE price_observation (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  revision integer NOT NULL DEFAULT 0,
  known_at timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  volume double precision,
  adjusted_close double precision,
  PRIMARY KEY (instrument_id, day, run_id)
) PARTITION BY RANGE (day);
CREATE INDEX price_observation_day ON price_observation USING brin (day);
CREATE INDEX price_observation_run ON price_observation USING brin (run_id);
COMMENT ON COLUMN price_observation.open IS 'In the instrument''s currency, on the basis of the run. Likewise high, low, close.';
COMMENT ON COLUMN price_observation.volume IS 'Shares. NULL when the source gave none.';
SELECT touchstone_secure_append_only('price_observation', true);

-- Yearly partitions come when the first bar of a year does. The application has no rights on partitions: a grant on a
-- child would go around the parent's row security.
CREATE FUNCTION touchstone_ensure_price_years(first_year integer, last_year integer) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
  IF first_year < 1800 OR last_year > 2200 THEN
    RAISE EXCEPTION 'years must be in 1800..2200, were %..%', first_year, last_year USING ERRCODE = '22023';
  END IF;
  FOR y IN first_year..last_year LOOP
    name := 'price_observation_' || y;
    IF to_regclass('public.' || name) IS NULL THEN
      PERFORM pg_advisory_xact_lock(7420003);
      IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE price_observation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('ALTER TABLE price_observation ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
          name, make_date(y, 1, 1), make_date(y + 1, 1, 1));
      END IF;
    END IF;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION touchstone_ensure_price_years(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_ensure_price_years(integer, integer) TO {{app}};

-- A question the quality court asks a person. Mutable state, every change is in the evidence.
CREATE TABLE data_case (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  instrument_id integer,
  kind text NOT NULL,
  action text NOT NULL CONSTRAINT action_is_known CHECK (action IN ('quarantine', 'note')),
  state text NOT NULL DEFAULT 'open' CONSTRAINT state_is_known CHECK (state IN ('open', 'confirmed', 'false')),
  first_day date NOT NULL,
  last_day date NOT NULL,
  row_count integer NOT NULL,
  measure double precision,
  threshold double precision,
  reason text NOT NULL,
  known_at timestamptz,
  decision_note text NOT NULL DEFAULT '',
  decided_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES ingest_run (tenant_id, id),
  FOREIGN KEY (tenant_id, source_id) REFERENCES source (tenant_id, id),
  FOREIGN KEY (tenant_id, instrument_id) REFERENCES instrument (tenant_id, id)
);
SELECT touchstone_secure_mutable('data_case', true);
CREATE INDEX data_case_run ON data_case (tenant_id, run_id);
CREATE INDEX data_case_source ON data_case (tenant_id, source_id);
CREATE INDEX data_case_instrument ON data_case (tenant_id, instrument_id, first_day);

-- Bars held back by the court, exactly as they came. Releasing one inserts it into price_observation by a new run.
CREATE TABLE price_quarantine (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  line integer NOT NULL,
  source_id integer NOT NULL,
  case_id integer NOT NULL,
  known_at timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  volume double precision,
  adjusted_close double precision,
  PRIMARY KEY (instrument_id, day, run_id, line)
);
CREATE INDEX price_quarantine_case ON price_quarantine (case_id);
SELECT touchstone_secure_append_only('price_quarantine', true);

-- Splits (value = new shares per old share) and cash dividends (value per share, in the instrument's currency).
CREATE TABLE corporate_action (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  day date NOT NULL,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('split', 'dividend')),
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  value double precision NOT NULL CONSTRAINT value_is_positive CHECK (value > 0),
  PRIMARY KEY (instrument_id, day, kind, run_id)
);
COMMENT ON COLUMN corporate_action.day IS 'The ex-day: the first day a price is without it.';
SELECT touchstone_secure_append_only('corporate_action', true);

-- Market capitalisation as a snapshot said on a day, in the instrument's currency.
CREATE TABLE market_cap (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  value double precision NOT NULL CONSTRAINT value_is_positive CHECK (value > 0),
  PRIMARY KEY (instrument_id, day, run_id)
);
SELECT touchstone_secure_append_only('market_cap', true);

-- Any other figure about a company: earnings per share, book value, dividend yield (a fraction), …
CREATE TABLE fundamental (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  field text NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  value double precision,
  PRIMARY KEY (instrument_id, field, day, run_id)
);
SELECT touchstone_secure_append_only('fundamental', true);

-- Units of quote currency for one unit of base currency.
CREATE TABLE exchange_rate (
  tenant_id integer NOT NULL,
  base text NOT NULL CONSTRAINT base_is_iso CHECK (base ~ '^[A-Z]{3}$'),
  quote text NOT NULL CONSTRAINT quote_is_iso CHECK (quote ~ '^[A-Z]{3}$'),
  day date NOT NULL,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  value double precision NOT NULL CONSTRAINT value_is_positive CHECK (value > 0),
  PRIMARY KEY (base, quote, day, run_id)
);
SELECT touchstone_secure_append_only('exchange_rate', true);

-- One value of a macro series, by the day it is about. Vintages are runs or declared knowledge times.
CREATE TABLE macro_observation (
  tenant_id integer NOT NULL,
  series text NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  vintage integer NOT NULL DEFAULT 0,
  source_id integer NOT NULL,
  known_at timestamptz,
  value double precision,
  PRIMARY KEY (series, day, run_id, vintage)
);
SELECT touchstone_secure_append_only('macro_observation', true);

-- What an instrument was called, where and until when: listed, renamed, delisted.
CREATE TABLE listing_event (
  tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  day date NOT NULL,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('listed', 'renamed', 'delisted')),
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  symbol text NOT NULL,
  calendar text NOT NULL,
  PRIMARY KEY (instrument_id, day, kind, run_id)
);
SELECT touchstone_secure_append_only('listing_event', true);

-- Days an exchange was closed or closed early. Rules give the past; a tenant may add what the rules do not know.
CREATE TABLE exchange_holiday (
  tenant_id integer NOT NULL,
  calendar text NOT NULL,
  day date NOT NULL,
  run_id integer NOT NULL,
  source_id integer NOT NULL,
  known_at timestamptz,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('closed', 'early', 'open')),
  name text NOT NULL,
  PRIMARY KEY (calendar, day, run_id)
);
SELECT touchstone_secure_append_only('exchange_holiday', true);
