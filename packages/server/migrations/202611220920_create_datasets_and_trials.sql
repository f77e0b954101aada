-- A question frozen into an immutable file. sha256 is the hash of the file; the same question at the same knownAt and
-- recordedAt gives the same hash. Rows never change.
CREATE TABLE dataset (
  tenant_id integer NOT NULL REFERENCES tenant,
  sha256 text NOT NULL CONSTRAINT sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  kind text NOT NULL,
  query jsonb NOT NULL,
  as_of date NOT NULL,
  known_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  row_count integer NOT NULL,
  byte_count bigint NOT NULL,
  columns jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  PRIMARY KEY (tenant_id, sha256)
);
SELECT touchstone_secure_append_only('dataset', true);

-- Every evaluation that was ever run, also the failed and the imported. Nobody can take one back.
CREATE TABLE trial (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  kind text NOT NULL,
  name text NOT NULL,
  parameters jsonb NOT NULL,
  -- sha256 of the canonical parameters: the same try twice is one trial in the count, two rows in the ledger.
  parameters_sha256 text NOT NULL,
  dataset_sha256 text,
  code_version text NOT NULL,
  seed bigint,
  outcome text NOT NULL CONSTRAINT outcome_is_known CHECK (outcome IN ('finished', 'failed')),
  result jsonb NOT NULL DEFAULT '{}',
  imported boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_append_only('trial', false);
CREATE INDEX trial_dataset ON trial (tenant_id, dataset_sha256, kind);
