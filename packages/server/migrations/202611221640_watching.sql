-- Checks of served models for drift, and A/B tests of two versions. Locks nothing but the new tables; the previous code knows
-- none of them.

-- One look at a served version. Rows never change.
CREATE TABLE drift_check (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  version_number integer NOT NULL,
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  -- Of the features and predictions that were looked at.
  data_sha256 text NOT NULL CONSTRAINT data_sha256_is_hex CHECK (data_sha256 ~ '^[0-9a-f]{64}$'),
  config_sha256 text NOT NULL CONSTRAINT config_sha256_is_hex CHECK (config_sha256 ~ '^[0-9a-f]{64}$'),
  code_version text NOT NULL,
  -- False alarms a year its limits were set for, all findings together.
  alarms_per_year double precision NOT NULL CONSTRAINT alarms_per_year_is_positive CHECK (alarms_per_year > 0),
  finding_count integer NOT NULL CONSTRAINT finding_count_is_a_count CHECK (finding_count >= 0),
  alarm_count integer NOT NULL CONSTRAINT alarms_are_findings CHECK (alarm_count BETWEEN 0 AND finding_count),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version (tenant_id, model_id, number)
);
SELECT touchstone_secure_append_only('drift_check', false);
CREATE INDEX drift_check_newest ON drift_check (tenant_id, model_id, id DESC);
CREATE INDEX drift_check_version ON drift_check (tenant_id, model_id, version_number);

-- One thing that was looked at, alarm or not. Rows never change.
CREATE TABLE drift_finding (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  check_id integer NOT NULL,
  -- 1: moves the predictions most.
  rank integer NOT NULL CONSTRAINT rank_is_positive CHECK (rank > 0),
  area text NOT NULL CONSTRAINT area_is_known CHECK (area IN ('pipeline', 'feature', 'prediction', 'performance')),
  rule text NOT NULL,
  feature text,
  -- An instrument; NULL: several, or none.
  subject_id integer,
  instrument_count integer NOT NULL CONSTRAINT instrument_count_is_a_count CHECK (instrument_count >= 0),
  sample_count integer NOT NULL CONSTRAINT sample_count_is_a_count CHECK (sample_count >= 0),
  -- NULL: the reason says why.
  statistic double precision,
  threshold double precision,
  alarm boolean NOT NULL,
  alarms_per_year double precision,
  -- Change of the mean prediction, in the unit of the model.
  effect double precision,
  sentence text NOT NULL,
  reason jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, check_id, rank),
  CONSTRAINT an_alarm_has_numbers CHECK (NOT alarm OR (statistic IS NOT NULL AND threshold IS NOT NULL)),
  CONSTRAINT a_statistic_or_a_reason CHECK ((statistic IS NULL) = (reason IS NOT NULL)),
  FOREIGN KEY (tenant_id, check_id) REFERENCES drift_check (tenant_id, id)
);
SELECT touchstone_secure_append_only('drift_finding', false);

-- Two versions held against each other on what they say before it happens. Rows never change; it runs until it has an end.
CREATE TABLE ab_test (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  control_number integer NOT NULL,
  treatment_number integer NOT NULL,
  metric text NOT NULL
    CONSTRAINT metric_is_a_loss CHECK (metric IN ('brier', 'log_loss', 'error_rate', 'qlike', 'squared_error', 'interval_score')),
  effect double precision NOT NULL CONSTRAINT effect_is_positive CHECK (effect > 0),
  assignment text NOT NULL CONSTRAINT assignment_is_known CHECK (assignment IN ('sticky', 'interleaved', 'shadow')),
  block_days integer NOT NULL CONSTRAINT block_days_is_positive CHECK (block_days > 0),
  maximum_days integer NOT NULL CONSTRAINT maximum_days_is_positive CHECK (maximum_days > 0),
  level double precision NOT NULL CONSTRAINT level_is_a_probability CHECK (level > 0 AND level < 0.5),
  power double precision NOT NULL CONSTRAINT power_is_a_probability CHECK (power > 0.5 AND power < 1),
  horizon_days integer NOT NULL CONSTRAINT horizon_days_is_positive CHECK (horizon_days > 0),
  needed_days integer NOT NULL CONSTRAINT needed_days_fit CHECK (needed_days BETWEEN 1 AND maximum_days),
  long_run_deviation double precision NOT NULL CONSTRAINT long_run_deviation_is_positive CHECK (long_run_deviation > 0),
  noise_basis text NOT NULL
    CONSTRAINT noise_basis_is_known CHECK (noise_basis IN ('paired_history', 'control_history', 'given')),
  noise_days integer NOT NULL CONSTRAINT noise_days_is_a_count CHECK (noise_days >= 0),
  -- Predictions about days before it are no part of the test.
  first_day date NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, id),
  CONSTRAINT two_versions CHECK (control_number <> treatment_number),
  FOREIGN KEY (tenant_id, model_id, control_number) REFERENCES model_version (tenant_id, model_id, number),
  FOREIGN KEY (tenant_id, model_id, treatment_number) REFERENCES model_version (tenant_id, model_id, number)
);
SELECT touchstone_secure_append_only('ab_test', false);
CREATE INDEX ab_test_newest ON ab_test (tenant_id, model_id, id DESC);
CREATE INDEX ab_test_control ON ab_test (tenant_id, model_id, control_number);
CREATE INDEX ab_test_treatment ON ab_test (tenant_id, model_id, treatment_number);
COMMENT ON COLUMN ab_test.effect IS 'Mean loss by which the treatment should be lower.';
COMMENT ON COLUMN ab_test.level IS 'Chance of a false difference over all looks together.';

-- The end of a test, once, with its reason.
CREATE TABLE ab_test_end (
  tenant_id integer NOT NULL,
  test_id integer NOT NULL,
  reason text NOT NULL CONSTRAINT reason_is_told CHECK (length(reason) BETWEEN 1 AND 2000),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  PRIMARY KEY (tenant_id, test_id),
  FOREIGN KEY (tenant_id, test_id) REFERENCES ab_test (tenant_id, id)
);
SELECT touchstone_secure_append_only('ab_test_end', false);
