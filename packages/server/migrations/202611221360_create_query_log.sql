-- Statements that took longer than the threshold, with the plan the database makes for them. One row is one statement with
-- every value taken out of its text, so it holds nobody's data. Rows change with each slow run; at most 200 are kept, the one
-- not seen for longest makes room. They belong to the system tenant: everybody may read them, the server writes them.
-- Locks nothing but the new table.
CREATE TABLE query_log (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL DEFAULT 0 REFERENCES tenant,
  fingerprint text NOT NULL CONSTRAINT fingerprint_is_sha256 CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
  text text NOT NULL,
  times integer NOT NULL DEFAULT 0 CONSTRAINT times_is_not_negative CHECK (times >= 0),
  total_ms double precision NOT NULL DEFAULT 0,
  max_ms double precision NOT NULL DEFAULT 0,
  -- Durations of the last 100 slow runs, oldest first.
  recent_ms jsonb NOT NULL DEFAULT '[]',
  first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  plan text,
  plan_taken_at timestamptz,
  -- Why there is no plan.
  plan_reason text,
  previous_plan text,
  previous_plan_taken_at timestamptz,
  plan_changed_at timestamptz,
  UNIQUE (tenant_id, fingerprint)
);
SELECT touchstone_secure_mutable('query_log', true);
