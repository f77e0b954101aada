-- Feature views and their versions, values pushed from outside, the online store, and the nightly comparison of both.
-- Locks nothing but the new tables; the previous code knows none of them.

-- What a feature view is called. A change of its features is a new row in feature_view_version.
CREATE TABLE feature_view (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  name text NOT NULL CONSTRAINT name_is_a_word CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  latest_version integer NOT NULL CONSTRAINT latest_version_is_positive CHECK (latest_version > 0),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('feature_view', false);
CREATE UNIQUE INDEX feature_view_name ON feature_view (tenant_id, name) WHERE deleted_at IS NULL;

-- One version of a feature view as it was saved, with how it stood its tests. Rows never change.
CREATE TABLE feature_view_version (
  tenant_id integer NOT NULL,
  view_id integer NOT NULL,
  number integer NOT NULL CONSTRAINT number_is_positive CHECK (number > 0),
  -- Name, owner, entity, TTL, features with their expressions.
  definition jsonb NOT NULL,
  -- sha256 of the canonical definition.
  sha256 text NOT NULL CONSTRAINT sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  -- Warm-up, memory and badges of each feature.
  checks jsonb NOT NULL,
  code_version text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  PRIMARY KEY (tenant_id, view_id, number),
  FOREIGN KEY (tenant_id, view_id) REFERENCES feature_view (tenant_id, id)
);
SELECT touchstone_secure_append_only('feature_view_version', false);

-- Values of one instrument that came from outside into a view of pushed features. Known when they were pushed.
CREATE TABLE feature_push (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  view_id integer NOT NULL,
  view_version integer NOT NULL,
  instrument_tenant_id integer NOT NULL,
  instrument_id integer NOT NULL,
  -- What moment the values are about, as the sender says.
  event_at timestamptz NOT NULL,
  pushed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- In the order of the features of the version; NULL is missing.
  feature_values double precision[] NOT NULL,
  created_by integer DEFAULT touchstone_actor(),
  FOREIGN KEY (tenant_id, view_id, view_version) REFERENCES feature_view_version (tenant_id, view_id, number),
  FOREIGN KEY (instrument_tenant_id, instrument_id) REFERENCES instrument (tenant_id, id)
);
SELECT touchstone_secure_append_only('feature_push', false);
CREATE INDEX feature_push_entity ON feature_push (tenant_id, view_id, view_version, instrument_id, event_at);
CREATE INDEX feature_push_instrument ON feature_push (instrument_tenant_id, instrument_id);

-- One comparison of what the online store served with what follows from the facts as known then. Rows never change.
CREATE TABLE feature_skew_check (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  sample_count integer NOT NULL,
  value_count integer NOT NULL,
  mismatch_count integer NOT NULL,
  outdated_count integer NOT NULL,
  examples jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by integer DEFAULT touchstone_actor(),
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_append_only('feature_skew_check', false);

-- Working state of the online store, in a schema of its own: rows change and go, nothing refers to them, no backup holds
-- them, and all of them can be computed again.
CREATE SCHEMA online;
GRANT USAGE ON SCHEMA online TO {{app}};

-- The newest values of one instrument under one version of a view, packed into one text of bytes.
CREATE TABLE online.feature_value (
  tenant_id integer NOT NULL,
  view text NOT NULL,
  view_version integer NOT NULL,
  instrument_id integer NOT NULL,
  event_day date NOT NULL,
  known_at timestamptz NOT NULL,
  packed bytea NOT NULL,
  PRIMARY KEY (tenant_id, view, view_version, instrument_id)
);

-- How far a version of a view is materialised for a universe.
CREATE TABLE online.materialisation (
  tenant_id integer NOT NULL,
  view text NOT NULL,
  view_version integer NOT NULL,
  universe_id integer NOT NULL,
  recorded_at timestamptz NOT NULL,
  known_at timestamptz NOT NULL,
  entity_count integer NOT NULL,
  changed_count integer NOT NULL,
  -- False while a run is on its way: up to last_instrument_id it is done.
  complete boolean NOT NULL,
  -- Where the run that is on its way began, for its continuation: the publications since then are in it.
  since timestamptz,
  last_instrument_id integer NOT NULL DEFAULT 0,
  task_id bigint,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, view, view_version, universe_id)
);

-- Some of the reads that were served, kept until the next comparison.
CREATE TABLE online.served_sample (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  view text NOT NULL,
  view_version integer NOT NULL,
  instrument_id integer NOT NULL,
  packed bytea NOT NULL,
  served_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX served_sample_tenant ON online.served_sample (tenant_id, id);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['feature_value', 'materialisation', 'served_sample'] LOOP
    EXECUTE format('ALTER TABLE online.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format($f$CREATE POLICY own ON online.%I USING (tenant_id = (SELECT touchstone_tenant()))
      WITH CHECK (tenant_id = (SELECT touchstone_tenant()))$f$, name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON online.%I TO {{app}}', name);
  END LOOP;
END $$;
