-- What watching the whole installation needs to know across tenants: which there are. It tells numbers only. Locks alert for the moment of adding an index.

CREATE FUNCTION touchstone_tenant_ids() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT id FROM tenant WHERE deleted_at IS NULL ORDER BY id;
END;
REVOKE EXECUTE ON FUNCTION touchstone_tenant_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_tenant_ids() TO {{app}};

-- Alerts are shown newest first, and the open ones are counted on every page.
CREATE INDEX alert_recent ON alert (tenant_id, id DESC);
