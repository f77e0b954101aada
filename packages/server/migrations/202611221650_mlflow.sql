-- What the wire of MLflow tells beside runs, models and versions. The added columns have a default: the previous code
-- neither reads nor writes them, and adding one rewrites no row.

ALTER TABLE experiment ADD COLUMN tags jsonb NOT NULL DEFAULT '{}';
ALTER TABLE model ADD COLUMN tags jsonb NOT NULL DEFAULT '{}';

-- A model in MLflow's format that a run left; its files are files of the run.
CREATE TABLE logged_model (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  run_id integer NOT NULL,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 250),
  model_type text NOT NULL DEFAULT '' CONSTRAINT model_type_is_short CHECK (length(model_type) <= 250),
  status text NOT NULL DEFAULT 'pending' CONSTRAINT status_is_known CHECK (status IN ('pending', 'ready', 'failed')),
  -- Step of the run at which it was made; NULL: the run has not named it as an output.
  output_step bigint,
  -- True: logged outside any run, so that its run was made for it and ends with it.
  owns_run boolean NOT NULL DEFAULT false,
  tags jsonb NOT NULL DEFAULT '{}',
  parameters jsonb NOT NULL DEFAULT '{}',
  -- The last value of each metric that was said to be of this model.
  metrics jsonb NOT NULL DEFAULT '{}',
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_run (tenant_id, id)
);
SELECT touchstone_secure_mutable('logged_model', false);
CREATE INDEX logged_model_run ON logged_model (tenant_id, run_id);

-- What may still be said about a version that came over the wire: where it came from, and words about it.
CREATE TABLE version_note (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  model_id integer NOT NULL,
  version_number integer NOT NULL,
  logged_model_id integer,
  description text NOT NULL DEFAULT '' CONSTRAINT description_is_short CHECK (length(description) <= 5000),
  tags jsonb NOT NULL DEFAULT '{}',
  UNIQUE (tenant_id, model_id, version_number),
  FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version (tenant_id, model_id, number),
  FOREIGN KEY (tenant_id, logged_model_id) REFERENCES logged_model (tenant_id, id)
);
SELECT touchstone_secure_mutable('version_note', false);
CREATE INDEX version_note_logged_model ON version_note (tenant_id, logged_model_id);
