-- Archived years: bars that lie in a Parquet file of the object store instead of the table.
-- Locks nothing but new tables. The code before this one sees no archive and works on; it must not be started on an
-- installation that has archived years.

-- One file of bars of one tenant and year. `archived`: its rows lie only there. A year may have several: corrections
-- that came later are archived into a file of their own. Rows change state only.
CREATE TABLE archive (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  year integer NOT NULL CONSTRAINT year_is_plausible CHECK (year BETWEEN 1800 AND 2200),
  state text NOT NULL DEFAULT 'written'
    CONSTRAINT state_is_known CHECK (state IN ('written', 'verified', 'archived', 'brought_back')),
  row_count integer NOT NULL CONSTRAINT row_count_is_positive CHECK (row_count > 0),
  instrument_count integer NOT NULL,
  byte_count bigint NOT NULL,
  -- Name of the file in the object store.
  file_sha256 text NOT NULL CONSTRAINT file_sha256_is_hex CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
  -- Over the rows by instrument, day and run, as the database's binary COPY tells them.
  content_sha256 text NOT NULL CONSTRAINT content_sha256_is_hex CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
  archived_at timestamptz,
  brought_back_at timestamptz,
  UNIQUE (tenant_id, id)
);
SELECT touchstone_secure_mutable('archive', true);
CREATE INDEX archive_year ON archive (tenant_id, year);

-- Which days of which instrument one run told of in an archived file, so that lists need not open the file.
CREATE TABLE archived_days (
  tenant_id integer NOT NULL,
  archive_id integer NOT NULL,
  instrument_id integer NOT NULL,
  source_id integer NOT NULL,
  run_id integer NOT NULL,
  days date[] NOT NULL,
  PRIMARY KEY (instrument_id, archive_id, run_id)
);
CREATE INDEX archived_days_archive ON archived_days (archive_id);
SELECT touchstone_secure_append_only('archived_days', true);

-- The key of every bar, wherever its prices lie. For questions that need no price.
CREATE VIEW bar_key WITH (security_invoker = true) AS
  SELECT tenant_id, instrument_id, day, run_id, source_id FROM price_observation
  UNION ALL
  SELECT d.tenant_id, d.instrument_id, u.day, d.run_id, d.source_id
  FROM archived_days d JOIN archive a ON a.id = d.archive_id CROSS JOIN LATERAL unnest(d.days) AS u (day)
  WHERE a.state = 'archived';
GRANT SELECT ON bar_key TO {{app}};

-- The only way a bar leaves the table: for a file of the tenant of the transaction that was read back and found equal.
-- Bars are never changed, so the same number of rows are the same rows; a correction that came meanwhile makes it fail.
CREATE FUNCTION touchstone_archive_year(wanted integer) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  file archive;
  part text;
  found bigint;
BEGIN
  SELECT * INTO file FROM archive
  WHERE id = wanted AND tenant_id = touchstone_tenant() AND deleted_at IS NULL FOR UPDATE;
  IF file.state IS DISTINCT FROM 'verified' THEN
    RAISE EXCEPTION 'archive % is not verified', wanted USING ERRCODE = '42501';
  END IF;
  part := 'price_observation_' || file.year;
  -- Readers that look twice in one transaction hold this lock shared from their first look on.
  PERFORM pg_advisory_xact_lock(7420031);
  -- Holds back who writes into this year, and nobody who reads.
  EXECUTE format('ALTER TABLE %I DISABLE TRIGGER append_only', part);
  EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id = $1', part) INTO found USING file.tenant_id;
  IF found <> file.row_count THEN
    RAISE EXCEPTION 'year % has % rows, its file has %', file.year, found, file.row_count USING ERRCODE = '40001';
  END IF;
  EXECUTE format('INSERT INTO archived_days (tenant_id, archive_id, instrument_id, source_id, run_id, days)
    SELECT tenant_id, $2, instrument_id, source_id, run_id, array_agg(day ORDER BY day)
    FROM %I WHERE tenant_id = $1 GROUP BY 1, 3, 4, 5', part) USING file.tenant_id, file.id;
  EXECUTE format('DELETE FROM %I WHERE tenant_id = $1', part) USING file.tenant_id;
  EXECUTE format('ALTER TABLE %I ENABLE TRIGGER append_only', part);
  UPDATE archive SET state = 'archived', archived_at = clock_timestamp() WHERE id = file.id;
END $$;
REVOKE EXECUTE ON FUNCTION touchstone_archive_year(integer) FROM PUBLIC;
-- Not the application: whoever steals its rights can forge a row of archive, and must not be able to lose a year by it.
GRANT EXECUTE ON FUNCTION touchstone_archive_year(integer) TO {{archiver}};

-- The operator archives for all tenants, each in a transaction of its own. Numbers only: whose they are stays unseen.
CREATE FUNCTION touchstone_tenants_archived(wanted integer) RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT tenant_id FROM archive WHERE year = wanted AND state = 'archived' AND deleted_at IS NULL ORDER BY 1;
END;
REVOKE EXECUTE ON FUNCTION touchstone_tenants_archived(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_tenants_archived(integer) TO {{app}};
