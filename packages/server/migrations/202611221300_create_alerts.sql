-- What the operator and the tenant's people should see. Locks nothing but the new table.
CREATE TABLE alert (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  kind text NOT NULL,
  severity text NOT NULL CONSTRAINT severity_is_known CHECK (severity IN ('info', 'warning', 'critical')),
  title text NOT NULL CONSTRAINT title_is_short CHECK (length(title) BETWEEN 1 AND 200),
  detail text NOT NULL DEFAULT '',
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  -- What makes two alerts the same: while one is open, the next one only counts up.
  same_as text NOT NULL,
  times integer NOT NULL DEFAULT 1 CONSTRAINT times_is_positive CHECK (times > 0),
  last_raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  acknowledged_at timestamptz,
  acknowledged_by integer,
  -- Set when the cause is gone; then the alert is history.
  resolved_at timestamptz,
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('alert', false);
CREATE UNIQUE INDEX alert_open ON alert (tenant_id, same_as) WHERE resolved_at IS NULL AND deleted_at IS NULL;
