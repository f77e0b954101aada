-- A set of instruments whose prices come from one source. Rule `all_of_source` takes what the source has; `list` its members.
CREATE TABLE universe (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 200),
  description text NOT NULL DEFAULT '',
  rule text NOT NULL CONSTRAINT rule_is_known CHECK (rule IN ('all_of_source', 'list')),
  source_tenant_id integer NOT NULL,
  source_id integer NOT NULL,
  visibility text NOT NULL DEFAULT 'tenant' CONSTRAINT visibility_is_known CHECK (visibility IN ('private', 'tenant')),
  UNIQUE (tenant_id, id),
  CONSTRAINT source_is_own_or_system CHECK (source_tenant_id IN (0, tenant_id)),
  FOREIGN KEY (source_tenant_id, source_id) REFERENCES source (tenant_id, id)
);
SELECT touchstone_secure_mutable('universe', true);
CREATE UNIQUE INDEX universe_name ON universe (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX universe_source ON universe (source_tenant_id, source_id);

-- One instrument of a universe with rule `list`, for the days from first_day to last_day (NULL: open).
CREATE TABLE universe_member (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  universe_id integer NOT NULL,
  instrument_tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  first_day date,
  last_day date,
  CONSTRAINT days_are_in_order CHECK (first_day <= last_day),
  CONSTRAINT instrument_is_own_or_system CHECK (instrument_tenant_id IN (0, tenant_id)),
  FOREIGN KEY (tenant_id, universe_id) REFERENCES universe (tenant_id, id),
  FOREIGN KEY (instrument_tenant_id, instrument_id) REFERENCES instrument (tenant_id, id)
);
SELECT touchstone_secure_mutable('universe_member', true);
CREATE UNIQUE INDEX universe_member_once ON universe_member (tenant_id, universe_id, instrument_id) WHERE deleted_at IS NULL;
CREATE INDEX universe_member_instrument ON universe_member (instrument_tenant_id, instrument_id);

-- What an index is: a universe, a method with parameters, costs, a benchmark. Its values come from index_run.
CREATE TABLE index_definition (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 200),
  description text NOT NULL DEFAULT '',
  universe_tenant_id integer NOT NULL,
  universe_id integer NOT NULL,
  method text NOT NULL CONSTRAINT method_is_known CHECK (method IN ('three_pillar', 'equal_weight', 'buy_and_hold')),
  parameters jsonb NOT NULL DEFAULT '{}',
  currency text NOT NULL DEFAULT 'USD' CONSTRAINT currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
  cost_basis_points double precision NOT NULL DEFAULT 10
    CONSTRAINT cost_is_plausible CHECK (cost_basis_points BETWEEN 0 AND 1000),
  first_day date,
  base_value double precision NOT NULL DEFAULT 100 CONSTRAINT base_value_is_positive CHECK (base_value > 0),
  benchmark_tenant_id integer,
  benchmark_instrument_id integer,
  visibility text NOT NULL DEFAULT 'tenant' CONSTRAINT visibility_is_known CHECK (visibility IN ('private', 'tenant')),
  UNIQUE (tenant_id, id),
  CONSTRAINT universe_is_own_or_system CHECK (universe_tenant_id IN (0, tenant_id)),
  CONSTRAINT benchmark_is_own_or_system CHECK (benchmark_tenant_id IN (0, tenant_id)),
  FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe (tenant_id, id),
  FOREIGN KEY (benchmark_tenant_id, benchmark_instrument_id) REFERENCES instrument (tenant_id, id)
);
SELECT touchstone_secure_mutable('index_definition', true);
CREATE UNIQUE INDEX index_definition_name ON index_definition (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX index_definition_universe ON index_definition (universe_tenant_id, universe_id);
CREATE INDEX index_definition_benchmark ON index_definition (benchmark_tenant_id, benchmark_instrument_id);

-- One computation of an index: a new version each time. The series and weights are the content-addressed object
-- result_sha256. Rows never change.
CREATE TABLE index_run (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  index_id integer NOT NULL,
  run_number integer NOT NULL CONSTRAINT run_number_is_positive CHECK (run_number > 0),
  definition jsonb NOT NULL,
  dataset_sha256 text NOT NULL,
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  code_version text NOT NULL,
  seed bigint NOT NULL,
  trial_id bigint NOT NULL,
  summary jsonb NOT NULL,
  result_sha256 text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, index_id, run_number),
  FOREIGN KEY (tenant_id, index_id) REFERENCES index_definition (tenant_id, id),
  FOREIGN KEY (tenant_id, dataset_sha256) REFERENCES dataset (tenant_id, sha256),
  FOREIGN KEY (tenant_id, trial_id) REFERENCES trial (tenant_id, id)
);
SELECT touchstone_secure_append_only('index_run', true);
CREATE INDEX index_run_dataset ON index_run (tenant_id, dataset_sha256);
CREATE INDEX index_run_trial ON index_run (tenant_id, trial_id);
