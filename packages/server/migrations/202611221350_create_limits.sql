-- What the edges of the server remember for a while: how many requests are left, and first answers of repeated ones.
-- Working state in a schema of its own: rows change and go, nothing refers to them, no backup holds them.
-- Locks nothing but the new tables.
CREATE SCHEMA edge;
GRANT USAGE ON SCHEMA edge TO {{app}};

-- One bucket of tokens: a user, an API key, an address or a tenant. Lost with a crash, and then everybody starts full.
CREATE UNLOGGED TABLE edge.limit_bucket (
  name text PRIMARY KEY CONSTRAINT name_is_short CHECK (length(name) <= 200),
  tokens double precision NOT NULL,
  refilled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- What the last taker got; a statement can only return what it wrote.
  granted integer NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX limit_bucket_age ON edge.limit_bucket (refilled_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON edge.limit_bucket TO {{app}};

-- The first answer to a POST with an Idempotency-Key. `running` while it is worked on and leased by a process;
-- `applied` from the commit of the change on; `answered` once the answer is here, sealed with the installation's secret.
CREATE TABLE edge.idempotency_key (
  tenant_id integer NOT NULL REFERENCES tenant,
  actor_id integer NOT NULL,
  route_id text NOT NULL,
  key_hash bytea NOT NULL,
  request_mac bytea,
  state text NOT NULL DEFAULT 'running' CONSTRAINT state_is_known CHECK (state IN ('running', 'applied', 'answered')),
  lease uuid NOT NULL,
  leased_until timestamptz NOT NULL,
  status smallint,
  answer_sealed bytea,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, actor_id, route_id, key_hash)
);
CREATE INDEX idempotency_key_age ON edge.idempotency_key (created_at);
ALTER TABLE edge.idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON edge.idempotency_key USING (tenant_id = (SELECT touchstone_tenant()))
  WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON edge.idempotency_key TO {{app}};

-- Removes what is older than a day, of all tenants. The application itself sees one tenant at a time.
CREATE FUNCTION edge.forget_old_keys() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, edge AS $$
  WITH gone AS (DELETE FROM edge.idempotency_key WHERE created_at < clock_timestamp() - interval '24 hours' RETURNING 1)
  SELECT count(*) FROM gone
$$;
REVOKE EXECUTE ON FUNCTION edge.forget_old_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION edge.forget_old_keys() TO {{app}};
