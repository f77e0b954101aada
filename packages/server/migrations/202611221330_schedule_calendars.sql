-- Schedules that follow an exchange's close, the timer of each schedule, and the processes that share the database.
-- Lets the previous code run: `schedule` gains nullable columns, and keeps a cron text that the previous code can show.
-- Locks `schedule` for an instant; it holds few rows.

-- With after_close_calendar the time is so many minutes after each close, and cron is only what comes nearest to it.
ALTER TABLE schedule
  ADD after_close_calendar text,
  ADD after_close_minutes integer CONSTRAINT after_close_minutes_are_a_day CHECK (after_close_minutes BETWEEN 0 AND 1440),
  -- With cron: only on trading days of this calendar.
  ADD trading_days_only text,
  ADD CONSTRAINT after_close_is_whole CHECK ((after_close_calendar IS NULL) = (after_close_minutes IS NULL));

-- When a schedule starts next and what it started last. A row of its own, so that a start is no change of the schedule.
CREATE TABLE schedule_timer (
  tenant_id integer NOT NULL REFERENCES tenant,
  schedule_id integer NOT NULL,
  -- The version of the schedule this was computed for; another one means: compute again, start nothing.
  for_version integer NOT NULL,
  -- NULL: never again.
  next_run_at timestamptz,
  -- What the clock said then. A clock that says less now was set back.
  computed_at timestamptz NOT NULL,
  -- The due time that was served last, and when that was.
  last_due_at timestamptz,
  last_started_at timestamptz,
  last_task_id bigint,
  PRIMARY KEY (tenant_id, schedule_id),
  FOREIGN KEY (tenant_id, schedule_id) REFERENCES schedule (tenant_id, id),
  FOREIGN KEY (tenant_id, last_task_id) REFERENCES task (tenant_id, id)
);
SELECT touchstone_secure_mutable('schedule_timer', false);
CREATE INDEX schedule_timer_due ON schedule_timer (next_run_at);
CREATE INDEX schedule_timer_task ON schedule_timer (tenant_id, last_task_id);

-- Schedules of all tenants that need a look at this moment: due, changed by an older version, or made under a clock that
-- was set back since. Gives numbers only; what they are is read as their tenant.
CREATE FUNCTION touchstone_due_schedules(moment timestamptz)
  RETURNS TABLE (tenant_id integer, schedule_id integer, created_by integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.tenant_id, s.id, s.created_by
  FROM schedule s LEFT JOIN schedule_timer t ON t.tenant_id = s.tenant_id AND t.schedule_id = s.id
  WHERE s.deleted_at IS NULL AND s.enabled
    AND (t.schedule_id IS NULL OR t.for_version <> s.version OR t.next_run_at <= moment
         OR t.computed_at > moment + interval '5 minutes')
  ORDER BY t.next_run_at NULLS FIRST, s.id LIMIT 100
$$;
REVOKE EXECUTE ON FUNCTION touchstone_due_schedules(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_due_schedules(timestamptz) TO {{app}};

-- A server or worker process that shares this database. Belongs to the system; names no machine.
CREATE TABLE server_process (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  -- Made by the process itself at its start.
  name uuid NOT NULL UNIQUE,
  tenant_id integer NOT NULL REFERENCES tenant,
  kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('server', 'worker')),
  code_version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stopped_at timestamptz
);
SELECT touchstone_secure_mutable('server_process', true);
CREATE INDEX server_process_seen ON server_process (tenant_id, last_seen_at);
