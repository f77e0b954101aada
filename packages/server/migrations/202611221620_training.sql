-- Trainings: what was asked for, and the parts they consist of. Locks nothing but the new tables; the previous code knows none
-- of them.

-- One training of models for a universe, done by a task.
CREATE TABLE training (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  universe_tenant_id integer NOT NULL,
  universe_id integer NOT NULL,
  task_id bigint NOT NULL,
  -- As asked for, with the defaults; the times are resolved, so that the same training can be run again.
  settings jsonb NOT NULL,
  -- NULL until the rows are frozen.
  dataset_sha256 text CONSTRAINT dataset_sha256_is_hex CHECK (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  -- What came out, as the API tells it; NULL until it is done.
  models jsonb,
  CONSTRAINT universe_is_own_or_system CHECK (universe_tenant_id IN (0, tenant_id)),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id)
);
SELECT touchstone_secure_mutable('training', false);
CREATE INDEX training_newest ON training (tenant_id, id DESC);
CREATE INDEX training_task ON training (tenant_id, task_id);
CREATE INDEX training_universe ON training (universe_tenant_id, universe_id);

-- Working state of trainings, in a schema of its own: who does which part, and where its result lies. Rows change, no backup
-- holds them, and all of them can be computed again.
CREATE SCHEMA work;
GRANT USAGE ON SCHEMA work TO {{app}};

CREATE TABLE work.training_part (
  tenant_id integer NOT NULL,
  training_id integer NOT NULL,
  ordinal integer NOT NULL,
  -- Hash of everything the result depends on: table, learner, settings, block, seed, code.
  key text NOT NULL CONSTRAINT key_is_hex CHECK (key ~ '^[0-9a-f]{64}$'),
  table_sha256 text NOT NULL,
  spec jsonb NOT NULL,
  -- Who does it, and until when that is believed; a worker that died lets its parts go by no longer renewing this.
  claimed_by uuid,
  lease_until timestamptz,
  result_sha256 text,
  -- Found finished from before.
  reused boolean NOT NULL DEFAULT false,
  seconds double precision NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  -- Why it cannot be done; NULL: it can.
  problem text,
  PRIMARY KEY (tenant_id, training_id, ordinal)
);
CREATE INDEX training_part_key ON work.training_part (tenant_id, key) WHERE result_sha256 IS NOT NULL;
ALTER TABLE work.training_part ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON work.training_part USING (tenant_id = (SELECT touchstone_tenant()))
  WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON work.training_part TO {{app}};
