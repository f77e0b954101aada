-- What was said of a regime, put on record, and anomalies as cases that somebody judges. Locks nothing but the new tables.

-- One row: the regime of one day as it was said then. Rows never change; each is sealed with the one before of its subject.
CREATE TABLE regime_record (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  subject_kind text NOT NULL CONSTRAINT subject_kind_is_known CHECK (subject_kind IN ('instrument', 'index')),
  subject_id integer NOT NULL,
  sequence integer NOT NULL CONSTRAINT sequence_is_positive CHECK (sequence > 0),
  day date NOT NULL,
  state text NOT NULL CONSTRAINT state_is_a_regime CHECK (state IN ('bull', 'sideways', 'bear')),
  bull double precision NOT NULL CONSTRAINT bull_is_a_probability CHECK (bull BETWEEN 0 AND 1),
  sideways double precision NOT NULL CONSTRAINT sideways_is_a_probability CHECK (sideways BETWEEN 0 AND 1),
  bear double precision NOT NULL CONSTRAINT bear_is_a_probability CHECK (bear BETWEEN 0 AND 1),
  change_point double precision NOT NULL CONSTRAINT change_point_is_a_probability CHECK (change_point BETWEEN 0 AND 1),
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  reconstructed boolean NOT NULL,
  data_sha256 text NOT NULL,
  config_sha256 text NOT NULL,
  code_version text NOT NULL,
  previous_sha256 text,
  record_sha256 text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, subject_kind, subject_id, sequence),
  CONSTRAINT said_once UNIQUE (tenant_id, subject_kind, subject_id, day, data_sha256, config_sha256, code_version)
);
SELECT touchstone_secure_append_only('regime_record', false);
COMMENT ON COLUMN regime_record.bull IS 'Filtered: from data up to the day only. The three sum to one.';
COMMENT ON COLUMN regime_record.record_sha256 IS 'Hash of the seal before and of the row in canonical form.';

-- One row: an alarm of a detector, open until somebody says whether it was real.
CREATE TABLE market_anomaly (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  subject_kind text NOT NULL CONSTRAINT subject_kind_is_known CHECK (subject_kind IN ('instrument', 'index')),
  subject_id integer NOT NULL,
  detector text NOT NULL CONSTRAINT detector_is_known
    CHECK (detector IN ('return', 'volume', 'volatility', 'correlation', 'isolation_forest', 'shock')),
  day date NOT NULL,
  score double precision NOT NULL,
  threshold double precision NOT NULL,
  -- Measured on the past when the case was opened; NULL: less than a year of past.
  alarms_per_year double precision,
  state text NOT NULL DEFAULT 'open' CONSTRAINT state_is_known CHECK (state IN ('open', 'confirmed', 'false')),
  note text NOT NULL DEFAULT '' CONSTRAINT note_is_short CHECK (length(note) <= 2000),
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  reconstructed boolean NOT NULL,
  judged_at timestamptz,
  judged_by integer,
  CONSTRAINT judged_has_an_instant CHECK ((state = 'open') = (judged_at IS NULL)),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('market_anomaly', false);
CREATE UNIQUE INDEX market_anomaly_alarm ON market_anomaly (tenant_id, subject_kind, subject_id, detector, day)
  WHERE deleted_at IS NULL;
CREATE INDEX market_anomaly_newest ON market_anomaly (tenant_id, id DESC);
