-- Searches for models: what was asked for, and what came of it. Locks nothing but the new tables; the previous code knows none of
-- them.

-- One search for the model of a target and a universe, done by a task.
CREATE TABLE automl (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  universe_tenant_id integer NOT NULL,
  universe_id integer NOT NULL,
  task_id bigint NOT NULL,
  -- As asked for, with the defaults; the times are resolved, so that the same search can be run again.
  settings jsonb NOT NULL,
  -- NULL until the rows are frozen.
  dataset_sha256 text CONSTRAINT dataset_sha256_is_hex CHECK (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  -- Trials, what ended it, the chosen one: as the API tells it. NULL until the first batch is done.
  told jsonb,
  CONSTRAINT universe_is_own_or_system CHECK (universe_tenant_id IN (0, tenant_id)),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id)
);
SELECT touchstone_secure_mutable('automl', false);
CREATE INDEX automl_newest ON automl (tenant_id, id DESC);
CREATE INDEX automl_task ON automl (tenant_id, task_id);
CREATE INDEX automl_universe ON automl (universe_tenant_id, universe_id);

-- Fits that were done, under the hash of everything they rest on; the result lies in the object store. Rows can be lost: the
-- next search makes them again.
CREATE TABLE work.automl_part (
  tenant_id integer NOT NULL,
  key text NOT NULL CONSTRAINT key_is_hex CHECK (key ~ '^[0-9a-f]{64}$'),
  result_sha256 text NOT NULL CONSTRAINT result_sha256_is_hex CHECK (result_sha256 ~ '^[0-9a-f]{64}$'),
  seconds double precision NOT NULL,
  PRIMARY KEY (tenant_id, key)
);
ALTER TABLE work.automl_part ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON work.automl_part USING (tenant_id = (SELECT touchstone_tenant()))
  WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON work.automl_part TO {{app}};
