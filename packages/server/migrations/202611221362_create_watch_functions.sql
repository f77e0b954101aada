-- What watching the whole installation needs to know across tenants: which there are, and whose owners operate it.
-- Both tell numbers only. Locks alert for the moment of adding an index.

-- The tenant that was made first: its owners operate the installation. NULL while there is none.
CREATE FUNCTION touchstone_operator_tenant() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT min(id) FROM tenant WHERE id > 0 AND deleted_at IS NULL;
END;
CREATE FUNCTION touchstone_tenant_ids() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT id FROM tenant WHERE deleted_at IS NULL ORDER BY id;
END;
REVOKE EXECUTE ON FUNCTION touchstone_operator_tenant(), touchstone_tenant_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_operator_tenant(), touchstone_tenant_ids() TO {{app}};

-- Alerts are shown newest first, and the open ones are counted on every page.
CREATE INDEX alert_recent ON alert (tenant_id, id DESC);
