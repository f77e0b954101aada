-- Models, their versions and aliases, and the training runs they come from. Locks nothing but the new tables; the previous
-- code knows none of them.

-- What a model is called. What it can do is in its versions.
CREATE TABLE model (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  name text NOT NULL CONSTRAINT name_is_a_word CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  description text NOT NULL DEFAULT '' CONSTRAINT description_is_short CHECK (length(description) <= 2000),
  latest_version integer NOT NULL DEFAULT 0 CONSTRAINT latest_version_is_a_count CHECK (latest_version >= 0),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('model', false);
CREATE UNIQUE INDEX model_name ON model (tenant_id, name) WHERE deleted_at IS NULL;

-- A group of training runs that belong together.
CREATE TABLE experiment (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 250),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('experiment', false);
CREATE UNIQUE INDEX experiment_name ON experiment (tenant_id, name) WHERE deleted_at IS NULL;

-- One training, from its start to its end.
CREATE TABLE training_run (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  experiment_id integer NOT NULL,
  -- NULL: tracked only, for no model of ours.
  model_id integer,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 250),
  status text NOT NULL DEFAULT 'running'
    CONSTRAINT status_is_known CHECK (status IN ('running', 'finished', 'failed', 'stopped')),
  reason text CONSTRAINT reason_is_short CHECK (length(reason) <= 2000),
  dataset_sha256 text CONSTRAINT dataset_sha256_is_hex CHECK (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  code_version text NOT NULL,
  seed bigint,
  trial_id bigint,
  tags jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  CONSTRAINT ended_has_an_instant CHECK ((status = 'running') = (ended_at IS NULL)),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id) REFERENCES model (tenant_id, id),
  FOREIGN KEY (tenant_id, trial_id) REFERENCES trial (tenant_id, id)
);
SELECT touchstone_secure_mutable('training_run', false);
CREATE INDEX training_run_newest ON training_run (tenant_id, id DESC);
CREATE INDEX training_run_experiment ON training_run (tenant_id, experiment_id, id DESC);
CREATE INDEX training_run_model ON training_run (tenant_id, model_id, id DESC);
CREATE INDEX training_run_trial ON training_run (tenant_id, trial_id);

-- What a run was started with. A parameter is said once.
CREATE TABLE run_parameter (
  tenant_id integer NOT NULL,
  run_id integer NOT NULL,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 250),
  value jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  PRIMARY KEY (tenant_id, run_id, name),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_run (tenant_id, id)
);
SELECT touchstone_secure_append_only('run_parameter', false);

-- What a run measured on its way.
CREATE TABLE run_metric (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  run_id integer NOT NULL,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 250),
  -- May be NaN or infinite, as the training had it.
  value double precision NOT NULL,
  step bigint NOT NULL,
  measured_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_run (tenant_id, id)
);
SELECT touchstone_secure_append_only('run_metric', false);
CREATE INDEX run_metric_run ON run_metric (tenant_id, run_id, name, id DESC);

-- Files a run left in the object store. Logging a name again adds a row; the newest counts.
CREATE TABLE run_artefact (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  run_id integer NOT NULL,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 500),
  sha256 text NOT NULL CONSTRAINT sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  byte_count bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_run (tenant_id, id)
);
SELECT touchstone_secure_append_only('run_artefact', false);
CREATE INDEX run_artefact_run ON run_artefact (tenant_id, run_id, name, id DESC);

-- One version of a model as it was registered. Rows never change.
CREATE TABLE model_version (
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  number integer NOT NULL CONSTRAINT number_is_positive CHECK (number > 0),
  run_id integer,
  manifest jsonb NOT NULL,
  -- sha256 of the canonical manifest.
  manifest_sha256 text NOT NULL CONSTRAINT manifest_sha256_is_hex CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  artefact_sha256 text NOT NULL CONSTRAINT artefact_sha256_is_hex CHECK (artefact_sha256 ~ '^[0-9a-f]{64}$'),
  artefact_byte_count bigint NOT NULL,
  -- Obligatory, so that nobody wonders later; the same values stand in the manifest.
  dataset_sha256 text NOT NULL CONSTRAINT dataset_sha256_is_hex CHECK (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  feature_sha256 text NOT NULL CONSTRAINT feature_sha256_is_hex CHECK (feature_sha256 ~ '^[0-9a-f]{64}$'),
  code_version text NOT NULL CONSTRAINT code_version_is_told CHECK (code_version <> ''),
  seed bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  PRIMARY KEY (tenant_id, model_id, number),
  FOREIGN KEY (tenant_id, model_id) REFERENCES model (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_run (tenant_id, id)
);
SELECT touchstone_secure_append_only('model_version', false);
CREATE INDEX model_version_run ON model_version (tenant_id, run_id);
CREATE INDEX model_version_dataset ON model_version (tenant_id, dataset_sha256);

-- A version taken out of choice, or brought back. The last row counts.
CREATE TABLE model_version_choice (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  version_number integer NOT NULL,
  archived boolean NOT NULL,
  reason text NOT NULL CONSTRAINT reason_is_told CHECK (length(reason) BETWEEN 1 AND 500),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version (tenant_id, model_id, number)
);
SELECT touchstone_secure_append_only('model_version_choice', false);
CREATE INDEX model_version_choice_version ON model_version_choice (tenant_id, model_id, version_number, id DESC);

-- Where aliases were pointed, for good. The last row of an alias says where it points; written under a lock on the model, so
-- that the rows of a model are in the order of their instants.
CREATE TABLE model_alias_event (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  alias text NOT NULL CONSTRAINT alias_is_a_word CHECK (alias ~ '^[a-z][a-z0-9_-]{0,62}$'),
  action text NOT NULL CONSTRAINT action_is_known CHECK (action IN ('set', 'promoted', 'rolled_back', 'removed')),
  from_number integer,
  -- NULL: taken away.
  to_number integer,
  reason text NOT NULL CONSTRAINT reason_is_told CHECK (length(reason) BETWEEN 1 AND 500),
  -- What was signed; an empty list where nothing had to be.
  checklist jsonb NOT NULL,
  -- In milliseconds, as it is told: asked for that very instant, the history already says what was set then.
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
  created_by integer DEFAULT touchstone_actor(),
  CONSTRAINT removed_points_nowhere CHECK ((action = 'removed') = (to_number IS NULL)),
  FOREIGN KEY (tenant_id, model_id) REFERENCES model (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id, from_number) REFERENCES model_version (tenant_id, model_id, number),
  FOREIGN KEY (tenant_id, model_id, to_number) REFERENCES model_version (tenant_id, model_id, number)
);
SELECT touchstone_secure_append_only('model_alias_event', false);
CREATE INDEX model_alias_event_alias ON model_alias_event (tenant_id, model_id, alias, id DESC);
CREATE INDEX model_alias_event_from ON model_alias_event (tenant_id, model_id, from_number);
CREATE INDEX model_alias_event_to ON model_alias_event (tenant_id, model_id, to_number);
