-- The queue's own schema, as its library writes it. Its tables know no tenant: people see tasks only through `task`.
{{queue_schema}}
GRANT USAGE ON SCHEMA pgboss TO {{app}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgboss TO {{app}};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgboss TO {{app}};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgboss TO {{app}};
