-- Written by scripts/generate-schema.ts from the migrated database. Do not edit.

TABLE ab_test
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  control_number integer NOT NULL
  treatment_number integer NOT NULL
  metric text NOT NULL
  effect double precision NOT NULL
  assignment text NOT NULL
  block_days integer NOT NULL
  maximum_days integer NOT NULL
  level double precision NOT NULL
  power double precision NOT NULL
  horizon_days integer NOT NULL
  needed_days integer NOT NULL
  long_run_deviation double precision NOT NULL
  noise_basis text NOT NULL
  noise_days integer NOT NULL
  first_day date NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT ab_test_pkey PRIMARY KEY (id)
  CONSTRAINT ab_test_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT ab_test_tenant_id_model_id_control_number_fkey FOREIGN KEY (tenant_id, model_id, control_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT ab_test_tenant_id_model_id_treatment_number_fkey FOREIGN KEY (tenant_id, model_id, treatment_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT assignment_is_known CHECK ((assignment = ANY (ARRAY['sticky'::text, 'interleaved'::text, 'shadow'::text])))
  CONSTRAINT block_days_is_positive CHECK ((block_days > 0))
  CONSTRAINT effect_is_positive CHECK ((effect > (0)::double precision))
  CONSTRAINT horizon_days_is_positive CHECK ((horizon_days > 0))
  CONSTRAINT level_is_a_probability CHECK (((level > (0)::double precision) AND (level < (0.5)::double precision)))
  CONSTRAINT long_run_deviation_is_positive CHECK ((long_run_deviation > (0)::double precision))
  CONSTRAINT maximum_days_is_positive CHECK ((maximum_days > 0))
  CONSTRAINT metric_is_a_loss CHECK ((metric = ANY (ARRAY['brier'::text, 'log_loss'::text, 'error_rate'::text, 'qlike'::text, 'squared_error'::text, 'interval_score'::text])))
  CONSTRAINT needed_days_fit CHECK (((needed_days >= 1) AND (needed_days <= maximum_days)))
  CONSTRAINT noise_basis_is_known CHECK ((noise_basis = ANY (ARRAY['paired_history'::text, 'control_history'::text, 'given'::text])))
  CONSTRAINT noise_days_is_a_count CHECK ((noise_days >= 0))
  CONSTRAINT power_is_a_probability CHECK (((power > (0.5)::double precision) AND (power < (1)::double precision)))
  CONSTRAINT two_versions CHECK ((control_number <> treatment_number))
  CREATE INDEX ab_test_control ON public.ab_test USING btree (tenant_id, model_id, control_number)
  CREATE INDEX ab_test_newest ON public.ab_test USING btree (tenant_id, model_id, id DESC)
  CREATE UNIQUE INDEX ab_test_pkey ON public.ab_test USING btree (id)
  CREATE UNIQUE INDEX ab_test_tenant_id_id_key ON public.ab_test USING btree (tenant_id, id)
  CREATE INDEX ab_test_treatment ON public.ab_test USING btree (tenant_id, model_id, treatment_number)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.ab_test FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.ab_test FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE ab_test_end
  tenant_id integer NOT NULL
  test_id integer NOT NULL
  reason text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT ab_test_end_pkey PRIMARY KEY (tenant_id, test_id)
  CONSTRAINT ab_test_end_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES ab_test(tenant_id, id)
  CONSTRAINT reason_is_told CHECK (((length(reason) >= 1) AND (length(reason) <= 2000)))
  CREATE UNIQUE INDEX ab_test_end_pkey ON public.ab_test_end USING btree (tenant_id, test_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.ab_test_end FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.ab_test_end FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE alert
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  kind text NOT NULL
  severity text NOT NULL
  title text NOT NULL
  detail text NOT NULL DEFAULT ''::text
  subject_kind text NOT NULL
  subject_id text NOT NULL
  same_as text NOT NULL
  times integer NOT NULL DEFAULT 1
  last_raised_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  acknowledged_at timestamp with time zone
  acknowledged_by integer
  resolved_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT alert_pkey PRIMARY KEY (id)
  CONSTRAINT alert_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT alert_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT alert_version_check CHECK ((version > 0))
  CONSTRAINT severity_is_known CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
  CONSTRAINT times_is_positive CHECK ((times > 0))
  CONSTRAINT title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200)))
  CREATE UNIQUE INDEX alert_open ON public.alert USING btree (tenant_id, same_as) WHERE ((resolved_at IS NULL) AND (deleted_at IS NULL))
  CREATE UNIQUE INDEX alert_pkey ON public.alert USING btree (id)
  CREATE INDEX alert_recent ON public.alert USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX alert_tenant_id_id_key ON public.alert USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.alert FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE api_key
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  name text NOT NULL
  prefix text NOT NULL
  key_hash bytea NOT NULL
  scopes text[] NOT NULL
  life_days integer NOT NULL
  expires_at timestamp with time zone NOT NULL
  last_used_at timestamp with time zone
  revoked_at timestamp with time zone
  replaced_by_id integer
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT api_key_key_hash_key UNIQUE (key_hash)
  CONSTRAINT api_key_pkey PRIMARY KEY (id)
  CONSTRAINT api_key_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT api_key_tenant_id_replaced_by_id_fkey FOREIGN KEY (tenant_id, replaced_by_id) REFERENCES api_key(tenant_id, id)
  CONSTRAINT api_key_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT api_key_version_check CHECK ((version > 0))
  CONSTRAINT key_hash_is_sha256 CHECK ((length(key_hash) = 32))
  CONSTRAINT life_is_a_year_at_most CHECK (((life_days >= 1) AND (life_days <= 365)))
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
  CREATE UNIQUE INDEX api_key_key_hash_key ON public.api_key USING btree (key_hash)
  CREATE UNIQUE INDEX api_key_pkey ON public.api_key USING btree (id)
  CREATE UNIQUE INDEX api_key_tenant_id_id_key ON public.api_key USING btree (tenant_id, id)
  CREATE INDEX api_key_user ON public.api_key USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.api_key FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE app_user
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  role text NOT NULL
  password_hash text
  failed_sign_ins integer NOT NULL DEFAULT 0
  locked_until timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  deactivated_at timestamp with time zone
  forgotten_at timestamp with time zone
  service_name text
  CONSTRAINT app_user_pkey PRIMARY KEY (id)
  CONSTRAINT app_user_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT app_user_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT app_user_version_check CHECK ((version > 0))
  CONSTRAINT role_is_known CHECK ((role = ANY (ARRAY['owner'::text, 'manager'::text, 'analyst'::text, 'viewer'::text, 'auditor'::text, 'service'::text])))
  CONSTRAINT service_name_is_short CHECK (((length(service_name) >= 1) AND (length(service_name) <= 200)))
  CREATE UNIQUE INDEX app_user_pkey ON public.app_user USING btree (id)
  CREATE UNIQUE INDEX app_user_tenant_id_id_key ON public.app_user USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.app_user FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE archive
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  year integer NOT NULL
  state text NOT NULL DEFAULT 'written'::text
  row_count integer NOT NULL
  instrument_count integer NOT NULL
  byte_count bigint NOT NULL
  file_sha256 text NOT NULL
  content_sha256 text NOT NULL
  archived_at timestamp with time zone
  brought_back_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT archive_pkey PRIMARY KEY (id)
  CONSTRAINT archive_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT archive_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT archive_version_check CHECK ((version > 0))
  CONSTRAINT content_sha256_is_hex CHECK ((content_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT file_sha256_is_hex CHECK ((file_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT row_count_is_positive CHECK ((row_count > 0))
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['written'::text, 'verified'::text, 'archived'::text, 'brought_back'::text])))
  CONSTRAINT year_is_plausible CHECK (((year >= 1800) AND (year <= 2200)))
  CREATE UNIQUE INDEX archive_pkey ON public.archive USING btree (id)
  CREATE UNIQUE INDEX archive_tenant_id_id_key ON public.archive USING btree (tenant_id, id)
  CREATE INDEX archive_year ON public.archive USING btree (tenant_id, year)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.archive FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE archived_days
  tenant_id integer NOT NULL
  archive_id integer NOT NULL
  instrument_id integer NOT NULL
  source_id integer NOT NULL
  run_id integer NOT NULL
  days date[] NOT NULL
  CONSTRAINT archived_days_pkey PRIMARY KEY (instrument_id, archive_id, run_id)
  CREATE INDEX archived_days_archive ON public.archived_days USING btree (archive_id)
  CREATE UNIQUE INDEX archived_days_pkey ON public.archived_days USING btree (instrument_id, archive_id, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.archived_days FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.archived_days FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE automl
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  universe_tenant_id integer NOT NULL
  universe_id integer NOT NULL
  task_id bigint NOT NULL
  settings jsonb NOT NULL
  dataset_sha256 text
  told jsonb
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT automl_pkey PRIMARY KEY (id)
  CONSTRAINT automl_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT automl_tenant_id_task_id_fkey FOREIGN KEY (tenant_id, task_id) REFERENCES task(tenant_id, id)
  CONSTRAINT automl_universe_tenant_id_universe_id_fkey FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe(tenant_id, id)
  CONSTRAINT automl_version_check CHECK ((version > 0))
  CONSTRAINT dataset_sha256_is_hex CHECK ((dataset_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT universe_is_own_or_system CHECK (((universe_tenant_id = 0) OR (universe_tenant_id = tenant_id)))
  CREATE INDEX automl_newest ON public.automl USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX automl_pkey ON public.automl USING btree (id)
  CREATE INDEX automl_task ON public.automl USING btree (tenant_id, task_id)
  CREATE UNIQUE INDEX automl_tenant_id_id_key ON public.automl USING btree (tenant_id, id)
  CREATE INDEX automl_universe ON public.automl USING btree (universe_tenant_id, universe_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.automl FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE corporate_action
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  day date NOT NULL
  kind text NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  value double precision NOT NULL
  CONSTRAINT corporate_action_pkey PRIMARY KEY (instrument_id, day, kind, run_id)
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['split'::text, 'dividend'::text])))
  CONSTRAINT value_is_positive CHECK ((value > (0)::double precision))
  CREATE UNIQUE INDEX corporate_action_pkey ON public.corporate_action USING btree (instrument_id, day, kind, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.corporate_action FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.corporate_action FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE data_case
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  instrument_id integer
  kind text NOT NULL
  action text NOT NULL
  state text NOT NULL DEFAULT 'open'::text
  first_day date NOT NULL
  last_day date NOT NULL
  row_count integer NOT NULL
  measure double precision
  threshold double precision
  reason text NOT NULL
  known_at timestamp with time zone
  decision_note text NOT NULL DEFAULT ''::text
  decided_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  withholds boolean NOT NULL DEFAULT false
  other_source_id integer
  CONSTRAINT action_is_known CHECK ((action = ANY (ARRAY['quarantine'::text, 'note'::text])))
  CONSTRAINT data_case_pkey PRIMARY KEY (id)
  CONSTRAINT data_case_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT data_case_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT data_case_tenant_id_instrument_id_fkey FOREIGN KEY (tenant_id, instrument_id) REFERENCES instrument(tenant_id, id)
  CONSTRAINT data_case_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES ingest_run(tenant_id, id)
  CONSTRAINT data_case_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT data_case_version_check CHECK ((version > 0))
  CONSTRAINT other_source_is_own FOREIGN KEY (tenant_id, other_source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'confirmed'::text, 'false'::text])))
  CREATE INDEX data_case_instrument ON public.data_case USING btree (tenant_id, instrument_id, first_day)
  CREATE INDEX data_case_other_source ON public.data_case USING btree (tenant_id, other_source_id) WHERE (other_source_id IS NOT NULL)
  CREATE UNIQUE INDEX data_case_pkey ON public.data_case USING btree (id)
  CREATE INDEX data_case_run ON public.data_case USING btree (tenant_id, run_id)
  CREATE INDEX data_case_source ON public.data_case USING btree (tenant_id, source_id)
  CREATE INDEX data_case_state ON public.data_case USING btree (tenant_id, state, id DESC)
  CREATE UNIQUE INDEX data_case_tenant_id_id_key ON public.data_case USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.data_case FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE dataset
  tenant_id integer NOT NULL
  sha256 text NOT NULL
  kind text NOT NULL
  query jsonb NOT NULL
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  row_count integer NOT NULL
  byte_count bigint NOT NULL
  columns jsonb NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  synthetic jsonb
  CONSTRAINT dataset_pkey PRIMARY KEY (tenant_id, sha256)
  CONSTRAINT dataset_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT made_up_rows_are_marked CHECK (((kind = 'synthetic'::text) = (synthetic IS NOT NULL)))
  CONSTRAINT sha256_is_hex CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
  CREATE UNIQUE INDEX dataset_pkey ON public.dataset USING btree (tenant_id, sha256)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.dataset FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.dataset FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE drift_check
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  version_number integer NOT NULL
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  data_sha256 text NOT NULL
  config_sha256 text NOT NULL
  code_version text NOT NULL
  alarms_per_year double precision NOT NULL
  finding_count integer NOT NULL
  alarm_count integer NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT alarms_are_findings CHECK (((alarm_count >= 0) AND (alarm_count <= finding_count)))
  CONSTRAINT alarms_per_year_is_positive CHECK ((alarms_per_year > (0)::double precision))
  CONSTRAINT config_sha256_is_hex CHECK ((config_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT data_sha256_is_hex CHECK ((data_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT drift_check_pkey PRIMARY KEY (id)
  CONSTRAINT drift_check_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT drift_check_tenant_id_model_id_version_number_fkey FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT finding_count_is_a_count CHECK ((finding_count >= 0))
  CREATE INDEX drift_check_newest ON public.drift_check USING btree (tenant_id, model_id, id DESC)
  CREATE UNIQUE INDEX drift_check_pkey ON public.drift_check USING btree (id)
  CREATE UNIQUE INDEX drift_check_tenant_id_id_key ON public.drift_check USING btree (tenant_id, id)
  CREATE INDEX drift_check_version ON public.drift_check USING btree (tenant_id, model_id, version_number)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.drift_check FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.drift_check FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE drift_finding
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  check_id integer NOT NULL
  rank integer NOT NULL
  area text NOT NULL
  rule text NOT NULL
  feature text
  subject_id integer
  instrument_count integer NOT NULL
  sample_count integer NOT NULL
  statistic double precision
  threshold double precision
  alarm boolean NOT NULL
  alarms_per_year double precision
  effect double precision
  sentence text NOT NULL
  reason jsonb
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT a_statistic_or_a_reason CHECK (((statistic IS NULL) = (reason IS NOT NULL)))
  CONSTRAINT an_alarm_has_numbers CHECK (((NOT alarm) OR ((statistic IS NOT NULL) AND (threshold IS NOT NULL))))
  CONSTRAINT area_is_known CHECK ((area = ANY (ARRAY['pipeline'::text, 'feature'::text, 'prediction'::text, 'performance'::text])))
  CONSTRAINT drift_finding_pkey PRIMARY KEY (id)
  CONSTRAINT drift_finding_tenant_id_check_id_fkey FOREIGN KEY (tenant_id, check_id) REFERENCES drift_check(tenant_id, id)
  CONSTRAINT drift_finding_tenant_id_check_id_rank_key UNIQUE (tenant_id, check_id, rank)
  CONSTRAINT instrument_count_is_a_count CHECK ((instrument_count >= 0))
  CONSTRAINT rank_is_positive CHECK ((rank > 0))
  CONSTRAINT sample_count_is_a_count CHECK ((sample_count >= 0))
  CREATE UNIQUE INDEX drift_finding_pkey ON public.drift_finding USING btree (id)
  CREATE UNIQUE INDEX drift_finding_tenant_id_check_id_rank_key ON public.drift_finding USING btree (tenant_id, check_id, rank)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.drift_finding FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.drift_finding FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE evidence
  tenant_id integer NOT NULL
  sequence bigint NOT NULL
  recorded_at timestamp with time zone NOT NULL
  kind text NOT NULL
  subject_kind text NOT NULL
  subject_id text NOT NULL
  actor_id integer
  body text NOT NULL
  previous_hash bytea NOT NULL
  hash bytea NOT NULL
  CONSTRAINT evidence_pkey PRIMARY KEY (tenant_id, sequence)
  CONSTRAINT evidence_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT hash_is_sha256 CHECK ((length(hash) = 32))
  CONSTRAINT previous_hash_is_sha256 CHECK ((length(previous_hash) = 32))
  CONSTRAINT sequence_is_positive CHECK ((sequence > 0))
  CREATE INDEX evidence_actor ON public.evidence USING btree (tenant_id, actor_id, sequence DESC)
  CREATE INDEX evidence_kind ON public.evidence USING btree (tenant_id, kind text_pattern_ops, sequence DESC)
  CREATE UNIQUE INDEX evidence_pkey ON public.evidence USING btree (tenant_id, sequence)
  CREATE INDEX evidence_subject ON public.evidence USING btree (tenant_id, subject_kind, subject_id, sequence)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.evidence FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.evidence FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE exchange_holiday
  tenant_id integer NOT NULL
  calendar text NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  kind text NOT NULL
  name text NOT NULL
  CONSTRAINT exchange_holiday_pkey PRIMARY KEY (calendar, day, run_id)
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['closed'::text, 'early'::text, 'open'::text])))
  CREATE UNIQUE INDEX exchange_holiday_pkey ON public.exchange_holiday USING btree (calendar, day, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.exchange_holiday FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.exchange_holiday FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE exchange_rate
  tenant_id integer NOT NULL
  base text NOT NULL
  quote text NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  value double precision NOT NULL
  CONSTRAINT base_is_iso CHECK ((base ~ '^[A-Z]{3}$'::text))
  CONSTRAINT exchange_rate_pkey PRIMARY KEY (base, quote, day, run_id)
  CONSTRAINT quote_is_iso CHECK ((quote ~ '^[A-Z]{3}$'::text))
  CONSTRAINT value_is_positive CHECK ((value > (0)::double precision))
  CREATE UNIQUE INDEX exchange_rate_pkey ON public.exchange_rate USING btree (base, quote, day, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.exchange_rate FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.exchange_rate FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE experiment
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  tags jsonb NOT NULL DEFAULT '{}'::jsonb
  CONSTRAINT experiment_pkey PRIMARY KEY (id)
  CONSTRAINT experiment_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT experiment_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT experiment_version_check CHECK ((version > 0))
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  CREATE UNIQUE INDEX experiment_name ON public.experiment USING btree (tenant_id, name) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX experiment_pkey ON public.experiment USING btree (id)
  CREATE UNIQUE INDEX experiment_tenant_id_id_key ON public.experiment USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.experiment FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE feature_push
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  view_id integer NOT NULL
  view_version integer NOT NULL
  instrument_tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  event_at timestamp with time zone NOT NULL
  pushed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  feature_values double precision[] NOT NULL
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT feature_push_instrument_tenant_id_instrument_id_fkey FOREIGN KEY (instrument_tenant_id, instrument_id) REFERENCES instrument(tenant_id, id)
  CONSTRAINT feature_push_pkey PRIMARY KEY (id)
  CONSTRAINT feature_push_tenant_id_view_id_view_version_fkey FOREIGN KEY (tenant_id, view_id, view_version) REFERENCES feature_view_version(tenant_id, view_id, number)
  CREATE INDEX feature_push_entity ON public.feature_push USING btree (tenant_id, view_id, view_version, instrument_id, event_at)
  CREATE INDEX feature_push_instrument ON public.feature_push USING btree (instrument_tenant_id, instrument_id)
  CREATE UNIQUE INDEX feature_push_pkey ON public.feature_push USING btree (id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.feature_push FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.feature_push FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE feature_skew_check
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  sample_count integer NOT NULL
  value_count integer NOT NULL
  mismatch_count integer NOT NULL
  outdated_count integer NOT NULL
  examples jsonb NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT feature_skew_check_pkey PRIMARY KEY (id)
  CONSTRAINT feature_skew_check_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT feature_skew_check_tenant_id_id_key UNIQUE (tenant_id, id)
  CREATE UNIQUE INDEX feature_skew_check_pkey ON public.feature_skew_check USING btree (id)
  CREATE UNIQUE INDEX feature_skew_check_tenant_id_id_key ON public.feature_skew_check USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.feature_skew_check FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.feature_skew_check FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE feature_view
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  latest_version integer NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT feature_view_pkey PRIMARY KEY (id)
  CONSTRAINT feature_view_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT feature_view_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT feature_view_version_check CHECK ((version > 0))
  CONSTRAINT latest_version_is_positive CHECK ((latest_version > 0))
  CONSTRAINT name_is_a_word CHECK ((name ~ '^[a-z][a-z0-9_]{0,62}$'::text))
  CREATE UNIQUE INDEX feature_view_name ON public.feature_view USING btree (tenant_id, name) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX feature_view_pkey ON public.feature_view USING btree (id)
  CREATE UNIQUE INDEX feature_view_tenant_id_id_key ON public.feature_view USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.feature_view FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE feature_view_version
  tenant_id integer NOT NULL
  view_id integer NOT NULL
  number integer NOT NULL
  definition jsonb NOT NULL
  sha256 text NOT NULL
  checks jsonb NOT NULL
  code_version text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT feature_view_version_pkey PRIMARY KEY (tenant_id, view_id, number)
  CONSTRAINT feature_view_version_tenant_id_view_id_fkey FOREIGN KEY (tenant_id, view_id) REFERENCES feature_view(tenant_id, id)
  CONSTRAINT number_is_positive CHECK ((number > 0))
  CONSTRAINT sha256_is_hex CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
  CREATE UNIQUE INDEX feature_view_version_pkey ON public.feature_view_version USING btree (tenant_id, view_id, number)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.feature_view_version FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.feature_view_version FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE federated_identity
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  subject_hash bytea
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT federated_identity_pkey PRIMARY KEY (id)
  CONSTRAINT federated_identity_subject_hash_key UNIQUE (subject_hash)
  CONSTRAINT federated_identity_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT federated_identity_version_check CHECK ((version > 0))
  CONSTRAINT subject_hash_is_sha256 CHECK ((length(subject_hash) = 32))
  CREATE UNIQUE INDEX federated_identity_pkey ON public.federated_identity USING btree (id)
  CREATE UNIQUE INDEX federated_identity_subject_hash_key ON public.federated_identity USING btree (subject_hash)
  CREATE INDEX federated_identity_user ON public.federated_identity USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.federated_identity FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE fundamental
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  field text NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  value double precision
  CONSTRAINT fundamental_pkey PRIMARY KEY (instrument_id, field, day, run_id)
  CREATE UNIQUE INDEX fundamental_pkey ON public.fundamental USING btree (instrument_id, field, day, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.fundamental FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.fundamental FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE guess_lock
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  bucket integer NOT NULL
  tries integer NOT NULL
  first_try_at timestamp with time zone NOT NULL
  locked_until timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT bucket_has_16_bits CHECK (((bucket >= 0) AND (bucket <= 65535)))
  CONSTRAINT guess_lock_bucket_key UNIQUE (bucket)
  CONSTRAINT guess_lock_pkey PRIMARY KEY (id)
  CONSTRAINT guess_lock_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT guess_lock_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX guess_lock_bucket_key ON public.guess_lock USING btree (bucket)
  CREATE UNIQUE INDEX guess_lock_pkey ON public.guess_lock USING btree (id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.guess_lock FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE index_definition
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  description text NOT NULL DEFAULT ''::text
  universe_tenant_id integer NOT NULL
  universe_id integer NOT NULL
  method text NOT NULL
  parameters jsonb NOT NULL DEFAULT '{}'::jsonb
  currency text NOT NULL DEFAULT 'USD'::text
  cost_basis_points double precision NOT NULL DEFAULT 10
  first_day date
  base_value double precision NOT NULL DEFAULT 100
  benchmark_tenant_id integer
  benchmark_instrument_id integer
  visibility text NOT NULL DEFAULT 'tenant'::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT base_value_is_positive CHECK ((base_value > (0)::double precision))
  CONSTRAINT benchmark_is_own_or_system CHECK (((benchmark_tenant_id = 0) OR (benchmark_tenant_id = tenant_id)))
  CONSTRAINT cost_is_plausible CHECK (((cost_basis_points >= (0)::double precision) AND (cost_basis_points <= (1000)::double precision)))
  CONSTRAINT currency_is_iso CHECK ((currency ~ '^[A-Z]{3}$'::text))
  CONSTRAINT index_definition_benchmark_tenant_id_benchmark_instrument__fkey FOREIGN KEY (benchmark_tenant_id, benchmark_instrument_id) REFERENCES instrument(tenant_id, id)
  CONSTRAINT index_definition_pkey PRIMARY KEY (id)
  CONSTRAINT index_definition_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT index_definition_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT index_definition_universe_tenant_id_universe_id_fkey FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe(tenant_id, id)
  CONSTRAINT index_definition_version_check CHECK ((version > 0))
  CONSTRAINT method_is_known CHECK ((method = ANY (ARRAY['three_pillar'::text, 'equal_weight'::text, 'buy_and_hold'::text])))
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
  CONSTRAINT universe_is_own_or_system CHECK (((universe_tenant_id = 0) OR (universe_tenant_id = tenant_id)))
  CONSTRAINT visibility_is_known CHECK ((visibility = ANY (ARRAY['private'::text, 'tenant'::text])))
  CREATE INDEX index_definition_benchmark ON public.index_definition USING btree (benchmark_tenant_id, benchmark_instrument_id)
  CREATE UNIQUE INDEX index_definition_name ON public.index_definition USING btree (tenant_id, name) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX index_definition_pkey ON public.index_definition USING btree (id)
  CREATE UNIQUE INDEX index_definition_tenant_id_id_key ON public.index_definition USING btree (tenant_id, id)
  CREATE INDEX index_definition_universe ON public.index_definition USING btree (universe_tenant_id, universe_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.index_definition FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE index_run
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  index_id integer NOT NULL
  run_number integer NOT NULL
  definition jsonb NOT NULL
  dataset_sha256 text NOT NULL
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  code_version text NOT NULL
  seed bigint NOT NULL
  trial_id bigint NOT NULL
  summary jsonb NOT NULL
  result_sha256 text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT index_run_pkey PRIMARY KEY (id)
  CONSTRAINT index_run_tenant_id_dataset_sha256_fkey FOREIGN KEY (tenant_id, dataset_sha256) REFERENCES dataset(tenant_id, sha256)
  CONSTRAINT index_run_tenant_id_index_id_fkey FOREIGN KEY (tenant_id, index_id) REFERENCES index_definition(tenant_id, id)
  CONSTRAINT index_run_tenant_id_index_id_run_number_key UNIQUE (tenant_id, index_id, run_number)
  CONSTRAINT index_run_tenant_id_trial_id_fkey FOREIGN KEY (tenant_id, trial_id) REFERENCES trial(tenant_id, id)
  CONSTRAINT run_number_is_positive CHECK ((run_number > 0))
  CREATE INDEX index_run_dataset ON public.index_run USING btree (tenant_id, dataset_sha256)
  CREATE UNIQUE INDEX index_run_pkey ON public.index_run USING btree (id)
  CREATE UNIQUE INDEX index_run_tenant_id_index_id_run_number_key ON public.index_run USING btree (tenant_id, index_id, run_number)
  CREATE INDEX index_run_trial ON public.index_run USING btree (tenant_id, trial_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.index_run FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.index_run FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER facts_are_evaluated BEFORE INSERT ON public.index_run FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_synthetic()
  GRANT INSERT, SELECT TO touchstone_app

TABLE ingest_run
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  source_id integer NOT NULL
  kind text NOT NULL
  state text NOT NULL DEFAULT 'staging'::text
  price_basis text
  file_name text
  file_sha256 bytea
  options jsonb NOT NULL DEFAULT '{}'::jsonb
  row_count integer NOT NULL DEFAULT 0
  accepted_count integer NOT NULL DEFAULT 0
  unchanged_count integer NOT NULL DEFAULT 0
  revised_count integer NOT NULL DEFAULT 0
  quarantined_count integer NOT NULL DEFAULT 0
  error_count integer NOT NULL DEFAULT 0
  errors jsonb NOT NULL DEFAULT '[]'::jsonb
  first_day date
  last_day date
  task_id bigint
  note text NOT NULL DEFAULT ''::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT ingest_run_pkey PRIMARY KEY (id)
  CONSTRAINT ingest_run_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT ingest_run_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT ingest_run_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT ingest_run_tenant_id_task_id_fkey FOREIGN KEY (tenant_id, task_id) REFERENCES task(tenant_id, id)
  CONSTRAINT ingest_run_version_check CHECK ((version > 0))
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['prices'::text, 'corporate_actions'::text, 'market_caps'::text, 'exchange_rates'::text, 'macro'::text, 'listings'::text, 'holidays'::text, 'correction'::text, 'release'::text])))
  CONSTRAINT price_basis_is_known CHECK ((price_basis = ANY (ARRAY['raw'::text, 'split_adjusted'::text, 'total_return'::text])))
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['staging'::text, 'published'::text, 'refused'::text, 'failed'::text, 'cancelled'::text])))
  CREATE UNIQUE INDEX ingest_run_pkey ON public.ingest_run USING btree (id)
  CREATE INDEX ingest_run_source ON public.ingest_run USING btree (tenant_id, source_id)
  CREATE INDEX ingest_run_task ON public.ingest_run USING btree (tenant_id, task_id)
  CREATE UNIQUE INDEX ingest_run_tenant_id_id_key ON public.ingest_run USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.ingest_run FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE instrument
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  symbol text NOT NULL
  name text NOT NULL DEFAULT ''::text
  kind text NOT NULL DEFAULT 'equity'::text
  calendar text NOT NULL DEFAULT 'XNYS'::text
  currency text NOT NULL DEFAULT 'USD'::text
  sector text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT currency_is_iso CHECK ((currency ~ '^[A-Z]{3}$'::text))
  CONSTRAINT instrument_pkey PRIMARY KEY (id)
  CONSTRAINT instrument_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT instrument_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT instrument_version_check CHECK ((version > 0))
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['equity'::text, 'fund'::text, 'index'::text, 'currency'::text, 'crypto'::text, 'other'::text])))
  CONSTRAINT symbol_is_short CHECK (((length(symbol) >= 1) AND (length(symbol) <= 32)))
  CREATE UNIQUE INDEX instrument_pkey ON public.instrument USING btree (id)
  CREATE UNIQUE INDEX instrument_symbol ON public.instrument USING btree (tenant_id, symbol) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX instrument_tenant_id_id_key ON public.instrument USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.instrument FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE invitation
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  email text
  role text NOT NULL
  token_hash bytea NOT NULL
  expires_at timestamp with time zone NOT NULL
  accepted_at timestamp with time zone
  accepted_user_id integer
  revoked_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT email_is_lower_case CHECK (((email = lower(email)) AND (length(email) <= 320)))
  CONSTRAINT invitation_pkey PRIMARY KEY (id)
  CONSTRAINT invitation_tenant_id_accepted_user_id_fkey FOREIGN KEY (tenant_id, accepted_user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT invitation_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT invitation_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT invitation_token_hash_key UNIQUE (token_hash)
  CONSTRAINT invitation_version_check CHECK ((version > 0))
  CONSTRAINT role_is_for_people CHECK ((role = ANY (ARRAY['owner'::text, 'manager'::text, 'analyst'::text, 'viewer'::text, 'auditor'::text])))
  CONSTRAINT token_hash_is_sha256 CHECK ((length(token_hash) = 32))
  CREATE INDEX invitation_email ON public.invitation USING btree (email) WHERE (email IS NOT NULL)
  CREATE UNIQUE INDEX invitation_pkey ON public.invitation USING btree (id)
  CREATE UNIQUE INDEX invitation_tenant_id_id_key ON public.invitation USING btree (tenant_id, id)
  CREATE UNIQUE INDEX invitation_token_hash_key ON public.invitation USING btree (token_hash)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.invitation FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE listing_event
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  day date NOT NULL
  kind text NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  symbol text NOT NULL
  calendar text NOT NULL
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['listed'::text, 'renamed'::text, 'delisted'::text])))
  CONSTRAINT listing_event_pkey PRIMARY KEY (instrument_id, day, kind, run_id)
  CREATE UNIQUE INDEX listing_event_pkey ON public.listing_event USING btree (instrument_id, day, kind, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.listing_event FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.listing_event FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE logged_model
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  name text NOT NULL
  model_type text NOT NULL DEFAULT ''::text
  status text NOT NULL DEFAULT 'pending'::text
  output_step bigint
  owns_run boolean NOT NULL DEFAULT false
  tags jsonb NOT NULL DEFAULT '{}'::jsonb
  parameters jsonb NOT NULL DEFAULT '{}'::jsonb
  metrics jsonb NOT NULL DEFAULT '{}'::jsonb
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT logged_model_pkey PRIMARY KEY (id)
  CONSTRAINT logged_model_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT logged_model_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES training_run(tenant_id, id)
  CONSTRAINT logged_model_version_check CHECK ((version > 0))
  CONSTRAINT model_type_is_short CHECK ((length(model_type) <= 250))
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'ready'::text, 'failed'::text])))
  CREATE UNIQUE INDEX logged_model_pkey ON public.logged_model USING btree (id)
  CREATE INDEX logged_model_run ON public.logged_model USING btree (tenant_id, run_id)
  CREATE UNIQUE INDEX logged_model_tenant_id_id_key ON public.logged_model USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.logged_model FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE macro_observation
  tenant_id integer NOT NULL
  series text NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  vintage integer NOT NULL DEFAULT 0
  source_id integer NOT NULL
  known_at timestamp with time zone
  value double precision
  CONSTRAINT macro_observation_pkey PRIMARY KEY (series, day, run_id, vintage)
  CREATE UNIQUE INDEX macro_observation_pkey ON public.macro_observation USING btree (series, day, run_id, vintage)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.macro_observation FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.macro_observation FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE market_anomaly
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  subject_kind text NOT NULL
  subject_id integer NOT NULL
  detector text NOT NULL
  day date NOT NULL
  score double precision NOT NULL
  threshold double precision NOT NULL
  alarms_per_year double precision
  state text NOT NULL DEFAULT 'open'::text
  note text NOT NULL DEFAULT ''::text
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  reconstructed boolean NOT NULL
  judged_at timestamp with time zone
  judged_by integer
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT detector_is_known CHECK ((detector = ANY (ARRAY['return'::text, 'volume'::text, 'volatility'::text, 'correlation'::text, 'isolation_forest'::text, 'shock'::text])))
  CONSTRAINT judged_has_an_instant CHECK (((state = 'open'::text) = (judged_at IS NULL)))
  CONSTRAINT market_anomaly_pkey PRIMARY KEY (id)
  CONSTRAINT market_anomaly_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT market_anomaly_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT market_anomaly_version_check CHECK ((version > 0))
  CONSTRAINT note_is_short CHECK ((length(note) <= 2000))
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'confirmed'::text, 'false'::text])))
  CONSTRAINT subject_kind_is_known CHECK ((subject_kind = ANY (ARRAY['instrument'::text, 'index'::text])))
  CREATE UNIQUE INDEX market_anomaly_alarm ON public.market_anomaly USING btree (tenant_id, subject_kind, subject_id, detector, day) WHERE (deleted_at IS NULL)
  CREATE INDEX market_anomaly_newest ON public.market_anomaly USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX market_anomaly_pkey ON public.market_anomaly USING btree (id)
  CREATE UNIQUE INDEX market_anomaly_tenant_id_id_key ON public.market_anomaly USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.market_anomaly FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE market_cap
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  known_at timestamp with time zone
  value double precision NOT NULL
  CONSTRAINT market_cap_pkey PRIMARY KEY (instrument_id, day, run_id)
  CONSTRAINT value_is_positive CHECK ((value > (0)::double precision))
  CREATE UNIQUE INDEX market_cap_pkey ON public.market_cap USING btree (instrument_id, day, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.market_cap FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.market_cap FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE model
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  description text NOT NULL DEFAULT ''::text
  latest_version integer NOT NULL DEFAULT 0
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  tags jsonb NOT NULL DEFAULT '{}'::jsonb
  CONSTRAINT description_is_short CHECK ((length(description) <= 2000))
  CONSTRAINT latest_version_is_a_count CHECK ((latest_version >= 0))
  CONSTRAINT model_pkey PRIMARY KEY (id)
  CONSTRAINT model_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT model_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT model_version_check CHECK ((version > 0))
  CONSTRAINT name_is_a_word CHECK ((name ~ '^[a-z][a-z0-9_-]{0,62}$'::text))
  CREATE UNIQUE INDEX model_name ON public.model USING btree (tenant_id, name) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX model_pkey ON public.model USING btree (id)
  CREATE UNIQUE INDEX model_tenant_id_id_key ON public.model USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.model FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE model_alias_event
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  alias text NOT NULL
  action text NOT NULL
  from_number integer
  to_number integer
  reason text NOT NULL
  checklist jsonb NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT date_trunc('milliseconds'::text, clock_timestamp())
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT action_is_known CHECK ((action = ANY (ARRAY['set'::text, 'promoted'::text, 'rolled_back'::text, 'removed'::text])))
  CONSTRAINT alias_is_a_word CHECK ((alias ~ '^[a-z][a-z0-9_-]{0,62}$'::text))
  CONSTRAINT model_alias_event_pkey PRIMARY KEY (id)
  CONSTRAINT model_alias_event_tenant_id_model_id_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES model(tenant_id, id)
  CONSTRAINT model_alias_event_tenant_id_model_id_from_number_fkey FOREIGN KEY (tenant_id, model_id, from_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT model_alias_event_tenant_id_model_id_to_number_fkey FOREIGN KEY (tenant_id, model_id, to_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT reason_is_told CHECK (((length(reason) >= 1) AND (length(reason) <= 500)))
  CONSTRAINT removed_points_nowhere CHECK (((action = 'removed'::text) = (to_number IS NULL)))
  CREATE INDEX model_alias_event_alias ON public.model_alias_event USING btree (tenant_id, model_id, alias, id DESC)
  CREATE INDEX model_alias_event_from ON public.model_alias_event USING btree (tenant_id, model_id, from_number)
  CREATE UNIQUE INDEX model_alias_event_pkey ON public.model_alias_event USING btree (id)
  CREATE INDEX model_alias_event_to ON public.model_alias_event USING btree (tenant_id, model_id, to_number)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.model_alias_event FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.model_alias_event FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE model_version
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  number integer NOT NULL
  run_id integer
  manifest jsonb NOT NULL
  manifest_sha256 text NOT NULL
  artefact_sha256 text NOT NULL
  artefact_byte_count bigint NOT NULL
  dataset_sha256 text NOT NULL
  feature_sha256 text NOT NULL
  code_version text NOT NULL
  seed bigint NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT artefact_sha256_is_hex CHECK ((artefact_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT code_version_is_told CHECK ((code_version <> ''::text))
  CONSTRAINT dataset_sha256_is_hex CHECK ((dataset_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT feature_sha256_is_hex CHECK ((feature_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT manifest_sha256_is_hex CHECK ((manifest_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT model_version_pkey PRIMARY KEY (tenant_id, model_id, number)
  CONSTRAINT model_version_tenant_id_model_id_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES model(tenant_id, id)
  CONSTRAINT model_version_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES training_run(tenant_id, id)
  CONSTRAINT number_is_positive CHECK ((number > 0))
  CREATE INDEX model_version_dataset ON public.model_version USING btree (tenant_id, dataset_sha256)
  CREATE UNIQUE INDEX model_version_pkey ON public.model_version USING btree (tenant_id, model_id, number)
  CREATE INDEX model_version_run ON public.model_version USING btree (tenant_id, run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.model_version FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.model_version FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE model_version_choice
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  version_number integer NOT NULL
  archived boolean NOT NULL
  reason text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT model_version_choice_pkey PRIMARY KEY (id)
  CONSTRAINT model_version_choice_tenant_id_model_id_version_number_fkey FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT reason_is_told CHECK (((length(reason) >= 1) AND (length(reason) <= 500)))
  CREATE UNIQUE INDEX model_version_choice_pkey ON public.model_version_choice USING btree (id)
  CREATE INDEX model_version_choice_version ON public.model_version_choice USING btree (tenant_id, model_id, version_number, id DESC)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.model_version_choice FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.model_version_choice FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE outbox_event
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  payload jsonb NOT NULL
  recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  CONSTRAINT outbox_event_pkey PRIMARY KEY (id)
  CONSTRAINT outbox_event_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CREATE UNIQUE INDEX outbox_event_pkey ON public.outbox_event USING btree (id)
  CREATE INDEX outbox_event_tenant ON public.outbox_event USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.outbox_event FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.outbox_event FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE password_reset
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  token_hash bytea NOT NULL
  expires_at timestamp with time zone NOT NULL
  used_at timestamp with time zone
  revoked_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT password_reset_pkey PRIMARY KEY (id)
  CONSTRAINT password_reset_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT password_reset_token_hash_key UNIQUE (token_hash)
  CONSTRAINT password_reset_version_check CHECK ((version > 0))
  CONSTRAINT token_hash_is_sha256 CHECK ((length(token_hash) = 32))
  CREATE UNIQUE INDEX password_reset_pkey ON public.password_reset USING btree (id)
  CREATE UNIQUE INDEX password_reset_token_hash_key ON public.password_reset USING btree (token_hash)
  CREATE INDEX password_reset_user ON public.password_reset USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.password_reset FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE person
  user_id integer NOT NULL
  tenant_id integer NOT NULL
  email text NOT NULL
  display_name text NOT NULL DEFAULT ''::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT email_is_lower_case CHECK (((email = lower(email)) AND (length(email) <= 320)))
  CONSTRAINT person_pkey PRIMARY KEY (user_id)
  CONSTRAINT person_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT person_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX person_email ON public.person USING btree (email) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX person_pkey ON public.person USING btree (user_id)
  CREATE INDEX person_tenant_user ON public.person USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY erase FOR DELETE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.person FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT DELETE, INSERT, SELECT, UPDATE TO touchstone_app

TABLE prediction
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  version_number integer NOT NULL
  served_by text NOT NULL
  alias text
  way_sha256 text NOT NULL
  subject_kind text NOT NULL
  subject_id integer NOT NULL
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  reconstructed boolean NOT NULL
  horizon_days integer NOT NULL
  event_day date NOT NULL
  due_day date NOT NULL
  value double precision
  lower double precision
  upper double precision
  baseline double precision
  abstained text
  input_sha256 text NOT NULL
  body text NOT NULL
  explanation text NOT NULL
  sealed_sha256 text NOT NULL
  before_outcome boolean NOT NULL
  evidence_sequence bigint NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT a_value_or_a_reason CHECK (((value IS NULL) = (abstained IS NOT NULL)))
  CONSTRAINT body_has_its_hash CHECK ((encode(sha256(convert_to(body, 'UTF8'::name)), 'hex'::text) = sealed_sha256))
  CONSTRAINT due_day_follows CHECK ((due_day >= event_day))
  CONSTRAINT horizon_days_is_a_count CHECK ((horizon_days >= 0))
  CONSTRAINT prediction_is_sealed TRIGGER DEFERRABLE INITIALLY DEFERRED
  CONSTRAINT prediction_pkey PRIMARY KEY (id)
  CONSTRAINT prediction_said_once UNIQUE (tenant_id, model_id, version_number, subject_kind, subject_id, as_of, known_at, recorded_at, way_sha256)
  CONSTRAINT prediction_tenant_id_evidence_sequence_fkey FOREIGN KEY (tenant_id, evidence_sequence) REFERENCES evidence(tenant_id, sequence)
  CONSTRAINT prediction_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT prediction_tenant_id_input_sha256_fkey FOREIGN KEY (tenant_id, input_sha256) REFERENCES prediction_input(tenant_id, sha256)
  CONSTRAINT prediction_tenant_id_model_id_version_number_fkey FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT served_by_is_known CHECK ((served_by = ANY (ARRAY['model'::text, 'previous'::text, 'baseline'::text, 'nobody'::text])))
  CONSTRAINT subject_kind_is_known CHECK ((subject_kind = ANY (ARRAY['instrument'::text, 'index'::text])))
  CONSTRAINT way_sha256_is_hex CHECK ((way_sha256 ~ '^[0-9a-f]{64}$'::text))
  CREATE INDEX prediction_day ON public.prediction USING btree (tenant_id, as_of, id DESC)
  CREATE INDEX prediction_due ON public.prediction USING btree (tenant_id, due_day, id)
  CREATE INDEX prediction_evidence ON public.prediction USING btree (tenant_id, evidence_sequence)
  CREATE INDEX prediction_input_used ON public.prediction USING btree (tenant_id, input_sha256)
  CREATE INDEX prediction_model ON public.prediction USING btree (tenant_id, model_id, version_number, id DESC)
  CREATE INDEX prediction_newest ON public.prediction USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX prediction_pkey ON public.prediction USING btree (id)
  CREATE UNIQUE INDEX prediction_said_once ON public.prediction USING btree (tenant_id, model_id, version_number, subject_kind, subject_id, as_of, known_at, recorded_at, way_sha256)
  CREATE INDEX prediction_subject ON public.prediction USING btree (tenant_id, subject_kind, subject_id, id DESC)
  CREATE UNIQUE INDEX prediction_tenant_id_id_key ON public.prediction USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.prediction FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.prediction FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  CREATE CONSTRAINT TRIGGER prediction_is_sealed AFTER INSERT ON public.prediction DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touchstone_check_seal()
  GRANT INSERT, SELECT TO touchstone_app

TABLE prediction_input
  tenant_id integer NOT NULL
  sha256 text NOT NULL
  content bytea NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT content_has_its_hash CHECK ((encode(sha256(content), 'hex'::text) = sha256))
  CONSTRAINT prediction_input_pkey PRIMARY KEY (tenant_id, sha256)
  CONSTRAINT prediction_input_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CREATE UNIQUE INDEX prediction_input_pkey ON public.prediction_input USING btree (tenant_id, sha256)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.prediction_input FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.prediction_input FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE prediction_interval
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  version_number integer NOT NULL
  subject_group text NOT NULL
  sequence integer NOT NULL
  level double precision NOT NULL
  observed integer NOT NULL
  through_day date NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT level_is_a_share CHECK (((level >= (0)::double precision) AND (level <= (1)::double precision)))
  CONSTRAINT observed_is_a_count CHECK ((observed >= 0))
  CONSTRAINT prediction_interval_pkey PRIMARY KEY (tenant_id, model_id, version_number, subject_group, sequence)
  CONSTRAINT prediction_interval_tenant_id_model_id_version_number_fkey FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT sequence_is_positive CHECK ((sequence > 0))
  CREATE UNIQUE INDEX prediction_interval_pkey ON public.prediction_interval USING btree (tenant_id, model_id, version_number, subject_group, sequence)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.prediction_interval FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.prediction_interval FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE prediction_outcome
  tenant_id integer NOT NULL
  prediction_id bigint NOT NULL
  value double precision NOT NULL
  day date NOT NULL
  known_at timestamp with time zone NOT NULL
  loss double precision
  baseline_loss double precision
  inside boolean
  volatility double precision
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT prediction_outcome_pkey PRIMARY KEY (tenant_id, prediction_id)
  CONSTRAINT prediction_outcome_tenant_id_prediction_id_fkey FOREIGN KEY (tenant_id, prediction_id) REFERENCES prediction(tenant_id, id)
  CREATE UNIQUE INDEX prediction_outcome_pkey ON public.prediction_outcome USING btree (tenant_id, prediction_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.prediction_outcome FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.prediction_outcome FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE price_observation
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  source_id integer NOT NULL
  revision integer NOT NULL DEFAULT 0
  known_at timestamp with time zone
  open double precision
  high double precision
  low double precision
  close double precision
  volume double precision
  adjusted_close double precision
  CONSTRAINT price_observation_pkey PRIMARY KEY (instrument_id, day, run_id)
  CREATE INDEX price_observation_day ON ONLY public.price_observation USING brin (day)
  CREATE UNIQUE INDEX price_observation_pkey ON ONLY public.price_observation USING btree (instrument_id, day, run_id)
  CREATE INDEX price_observation_run ON ONLY public.price_observation USING brin (run_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.price_observation FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.price_observation FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE price_quarantine
  tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  day date NOT NULL
  run_id integer NOT NULL
  line integer NOT NULL
  source_id integer NOT NULL
  case_id integer NOT NULL
  known_at timestamp with time zone
  open double precision
  high double precision
  low double precision
  close double precision
  volume double precision
  adjusted_close double precision
  CONSTRAINT price_quarantine_pkey PRIMARY KEY (instrument_id, day, run_id, line)
  CREATE INDEX price_quarantine_case ON public.price_quarantine USING btree (case_id)
  CREATE UNIQUE INDEX price_quarantine_pkey ON public.price_quarantine USING btree (instrument_id, day, run_id, line)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.price_quarantine FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.price_quarantine FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE publication
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  kind text NOT NULL
  published_at timestamp with time zone NOT NULL
  row_count integer NOT NULL
  content_sha256 bytea NOT NULL
  known_at_min timestamp with time zone NOT NULL
  known_at_max timestamp with time zone NOT NULL
  reason text NOT NULL DEFAULT ''::text
  actor_id integer
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['publish'::text, 'retract'::text])))
  CONSTRAINT known_at_range_is_in_order CHECK ((known_at_max >= known_at_min))
  CONSTRAINT publication_pkey PRIMARY KEY (id)
  CONSTRAINT publication_published_at_key UNIQUE (published_at)
  CONSTRAINT publication_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES ingest_run(tenant_id, id)
  CONSTRAINT publication_tenant_id_run_id_kind_key UNIQUE (tenant_id, run_id, kind)
  CREATE UNIQUE INDEX publication_pkey ON public.publication USING btree (id)
  CREATE UNIQUE INDEX publication_published_at_key ON public.publication USING btree (published_at)
  CREATE UNIQUE INDEX publication_tenant_id_run_id_kind_key ON public.publication USING btree (tenant_id, run_id, kind)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)]))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.publication FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.publication FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE query_log
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL DEFAULT 0
  fingerprint text NOT NULL
  text text NOT NULL
  times integer NOT NULL DEFAULT 0
  total_ms double precision NOT NULL DEFAULT 0
  max_ms double precision NOT NULL DEFAULT 0
  recent_ms jsonb NOT NULL DEFAULT '[]'::jsonb
  first_seen_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  last_seen_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  plan text
  plan_taken_at timestamp with time zone
  plan_reason text
  previous_plan text
  previous_plan_taken_at timestamp with time zone
  plan_changed_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT fingerprint_is_sha256 CHECK ((fingerprint ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT query_log_pkey PRIMARY KEY (id)
  CONSTRAINT query_log_tenant_id_fingerprint_key UNIQUE (tenant_id, fingerprint)
  CONSTRAINT query_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT query_log_version_check CHECK ((version > 0))
  CONSTRAINT times_is_not_negative CHECK ((times >= 0))
  CREATE UNIQUE INDEX query_log_pkey ON public.query_log USING btree (id)
  CREATE UNIQUE INDEX query_log_tenant_id_fingerprint_key ON public.query_log USING btree (tenant_id, fingerprint)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.query_log FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE recovery_code
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  code_hash bytea NOT NULL
  spent_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT code_hash_is_sha256 CHECK ((length(code_hash) = 32))
  CONSTRAINT recovery_code_pkey PRIMARY KEY (id)
  CONSTRAINT recovery_code_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT recovery_code_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX recovery_code_pkey ON public.recovery_code USING btree (id)
  CREATE INDEX recovery_code_user ON public.recovery_code USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.recovery_code FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE refresh
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  source_id integer NOT NULL
  universe_id integer
  task_id bigint
  state text NOT NULL DEFAULT 'running'::text
  symbol_count integer NOT NULL DEFAULT 0
  current_count integer NOT NULL DEFAULT 0
  refreshed_count integer NOT NULL DEFAULT 0
  gap_count integer NOT NULL DEFAULT 0
  accepted_count integer NOT NULL DEFAULT 0
  revised_count integer NOT NULL DEFAULT 0
  quarantined_count integer NOT NULL DEFAULT 0
  case_count integer NOT NULL DEFAULT 0
  batch_count integer NOT NULL DEFAULT 0
  first_day date
  last_day date
  sentence text NOT NULL DEFAULT ''::text
  started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  finished_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT refresh_pkey PRIMARY KEY (id)
  CONSTRAINT refresh_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT refresh_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT refresh_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT refresh_tenant_id_task_id_fkey FOREIGN KEY (tenant_id, task_id) REFERENCES task(tenant_id, id)
  CONSTRAINT refresh_tenant_id_universe_id_fkey FOREIGN KEY (tenant_id, universe_id) REFERENCES universe(tenant_id, id)
  CONSTRAINT refresh_version_check CHECK ((version > 0))
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'degraded'::text, 'failed'::text, 'cancelled'::text])))
  CREATE UNIQUE INDEX refresh_pkey ON public.refresh USING btree (id)
  CREATE INDEX refresh_source ON public.refresh USING btree (tenant_id, source_id, id DESC)
  CREATE UNIQUE INDEX refresh_task ON public.refresh USING btree (tenant_id, task_id)
  CREATE UNIQUE INDEX refresh_tenant_id_id_key ON public.refresh USING btree (tenant_id, id)
  CREATE INDEX refresh_universe ON public.refresh USING btree (tenant_id, universe_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.refresh FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE refresh_gap
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  source_id integer NOT NULL
  refresh_id integer NOT NULL
  instrument_id integer
  symbol text NOT NULL
  kind text NOT NULL
  sentence text NOT NULL
  from_day date NOT NULL
  to_day date NOT NULL
  retry_at timestamp with time zone
  times integer NOT NULL DEFAULT 1
  opened_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  closed_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT days_are_in_order CHECK ((to_day >= from_day))
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['unknown'::text, 'empty'::text, 'refused'::text, 'credits'::text, 'unavailable'::text, 'lies'::text])))
  CONSTRAINT refresh_gap_pkey PRIMARY KEY (id)
  CONSTRAINT refresh_gap_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT refresh_gap_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT refresh_gap_tenant_id_instrument_id_fkey FOREIGN KEY (tenant_id, instrument_id) REFERENCES instrument(tenant_id, id)
  CONSTRAINT refresh_gap_tenant_id_refresh_id_fkey FOREIGN KEY (tenant_id, refresh_id) REFERENCES refresh(tenant_id, id)
  CONSTRAINT refresh_gap_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT refresh_gap_version_check CHECK ((version > 0))
  CONSTRAINT symbol_is_short CHECK (((length(symbol) >= 1) AND (length(symbol) <= 64)))
  CONSTRAINT times_is_positive CHECK ((times > 0))
  CREATE INDEX refresh_gap_instrument ON public.refresh_gap USING btree (tenant_id, instrument_id)
  CREATE UNIQUE INDEX refresh_gap_open ON public.refresh_gap USING btree (tenant_id, source_id, symbol) WHERE ((closed_at IS NULL) AND (deleted_at IS NULL))
  CREATE UNIQUE INDEX refresh_gap_pkey ON public.refresh_gap USING btree (id)
  CREATE INDEX refresh_gap_refresh ON public.refresh_gap USING btree (tenant_id, refresh_id)
  CREATE UNIQUE INDEX refresh_gap_tenant_id_id_key ON public.refresh_gap USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.refresh_gap FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE refresh_token
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  family uuid NOT NULL
  token_hash bytea NOT NULL
  expires_at timestamp with time zone NOT NULL
  used_at timestamp with time zone
  revoked_at timestamp with time zone
  user_agent text NOT NULL DEFAULT ''::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT refresh_token_pkey PRIMARY KEY (id)
  CONSTRAINT refresh_token_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT refresh_token_token_hash_key UNIQUE (token_hash)
  CONSTRAINT refresh_token_version_check CHECK ((version > 0))
  CREATE INDEX refresh_token_family ON public.refresh_token USING btree (tenant_id, family)
  CREATE UNIQUE INDEX refresh_token_pkey ON public.refresh_token USING btree (id)
  CREATE INDEX refresh_token_recent ON public.refresh_token USING btree (tenant_id, user_id, id DESC)
  CREATE INDEX refresh_token_revoked ON public.refresh_token USING btree (tenant_id, family) WHERE (revoked_at IS NOT NULL)
  CREATE UNIQUE INDEX refresh_token_token_hash_key ON public.refresh_token USING btree (token_hash)
  CREATE INDEX refresh_token_user ON public.refresh_token USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.refresh_token FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE regime_record
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  subject_kind text NOT NULL
  subject_id integer NOT NULL
  sequence integer NOT NULL
  day date NOT NULL
  state text NOT NULL
  bull double precision NOT NULL
  sideways double precision NOT NULL
  bear double precision NOT NULL
  change_point double precision NOT NULL
  as_of date NOT NULL
  known_at timestamp with time zone NOT NULL
  recorded_at timestamp with time zone NOT NULL
  reconstructed boolean NOT NULL
  data_sha256 text NOT NULL
  config_sha256 text NOT NULL
  code_version text NOT NULL
  previous_sha256 text
  record_sha256 text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT bear_is_a_probability CHECK (((bear >= (0)::double precision) AND (bear <= (1)::double precision)))
  CONSTRAINT bull_is_a_probability CHECK (((bull >= (0)::double precision) AND (bull <= (1)::double precision)))
  CONSTRAINT change_point_is_a_probability CHECK (((change_point >= (0)::double precision) AND (change_point <= (1)::double precision)))
  CONSTRAINT regime_record_pkey PRIMARY KEY (id)
  CONSTRAINT regime_record_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT regime_record_tenant_id_subject_kind_subject_id_sequence_key UNIQUE (tenant_id, subject_kind, subject_id, sequence)
  CONSTRAINT said_once UNIQUE (tenant_id, subject_kind, subject_id, day, data_sha256, config_sha256, code_version)
  CONSTRAINT sequence_is_positive CHECK ((sequence > 0))
  CONSTRAINT sideways_is_a_probability CHECK (((sideways >= (0)::double precision) AND (sideways <= (1)::double precision)))
  CONSTRAINT state_is_a_regime CHECK ((state = ANY (ARRAY['bull'::text, 'sideways'::text, 'bear'::text])))
  CONSTRAINT subject_kind_is_known CHECK ((subject_kind = ANY (ARRAY['instrument'::text, 'index'::text])))
  CREATE UNIQUE INDEX regime_record_pkey ON public.regime_record USING btree (id)
  CREATE UNIQUE INDEX regime_record_tenant_id_subject_kind_subject_id_sequence_key ON public.regime_record USING btree (tenant_id, subject_kind, subject_id, sequence)
  CREATE UNIQUE INDEX said_once ON public.regime_record USING btree (tenant_id, subject_kind, subject_id, day, data_sha256, config_sha256, code_version)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.regime_record FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.regime_record FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE run_artefact
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  name text NOT NULL
  sha256 text NOT NULL
  byte_count bigint NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 500)))
  CONSTRAINT run_artefact_pkey PRIMARY KEY (id)
  CONSTRAINT run_artefact_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES training_run(tenant_id, id)
  CONSTRAINT sha256_is_hex CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
  CREATE UNIQUE INDEX run_artefact_pkey ON public.run_artefact USING btree (id)
  CREATE INDEX run_artefact_run ON public.run_artefact USING btree (tenant_id, run_id, name, id DESC)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.run_artefact FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.run_artefact FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE run_metric
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  name text NOT NULL
  value double precision NOT NULL
  step bigint NOT NULL
  measured_at timestamp with time zone NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  CONSTRAINT run_metric_pkey PRIMARY KEY (id)
  CONSTRAINT run_metric_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES training_run(tenant_id, id)
  CREATE UNIQUE INDEX run_metric_pkey ON public.run_metric USING btree (id)
  CREATE INDEX run_metric_run ON public.run_metric USING btree (tenant_id, run_id, name, id DESC)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.run_metric FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.run_metric FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE run_parameter
  tenant_id integer NOT NULL
  run_id integer NOT NULL
  name text NOT NULL
  value jsonb NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  CONSTRAINT run_parameter_pkey PRIMARY KEY (tenant_id, run_id, name)
  CONSTRAINT run_parameter_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES training_run(tenant_id, id)
  CREATE UNIQUE INDEX run_parameter_pkey ON public.run_parameter USING btree (tenant_id, run_id, name)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.run_parameter FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.run_parameter FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  GRANT INSERT, SELECT TO touchstone_app

TABLE schedule
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  kind text NOT NULL
  title text NOT NULL
  cron text NOT NULL
  input jsonb NOT NULL DEFAULT '{}'::jsonb
  enabled boolean NOT NULL DEFAULT true
  last_started_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  after_close_calendar text
  after_close_minutes integer
  trading_days_only text
  CONSTRAINT after_close_is_whole CHECK (((after_close_calendar IS NULL) = (after_close_minutes IS NULL)))
  CONSTRAINT after_close_minutes_are_a_day CHECK (((after_close_minutes >= 0) AND (after_close_minutes <= 1440)))
  CONSTRAINT schedule_pkey PRIMARY KEY (id)
  CONSTRAINT schedule_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT schedule_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT schedule_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX schedule_pkey ON public.schedule USING btree (id)
  CREATE UNIQUE INDEX schedule_tenant_id_id_key ON public.schedule USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.schedule FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE schedule_timer
  tenant_id integer NOT NULL
  schedule_id integer NOT NULL
  for_version integer NOT NULL
  next_run_at timestamp with time zone
  computed_at timestamp with time zone NOT NULL
  last_due_at timestamp with time zone
  last_started_at timestamp with time zone
  last_task_id bigint
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT schedule_timer_pkey PRIMARY KEY (tenant_id, schedule_id)
  CONSTRAINT schedule_timer_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT schedule_timer_tenant_id_last_task_id_fkey FOREIGN KEY (tenant_id, last_task_id) REFERENCES task(tenant_id, id)
  CONSTRAINT schedule_timer_tenant_id_schedule_id_fkey FOREIGN KEY (tenant_id, schedule_id) REFERENCES schedule(tenant_id, id)
  CONSTRAINT schedule_timer_version_check CHECK ((version > 0))
  CREATE INDEX schedule_timer_due ON public.schedule_timer USING btree (next_run_at)
  CREATE UNIQUE INDEX schedule_timer_pkey ON public.schedule_timer USING btree (tenant_id, schedule_id)
  CREATE INDEX schedule_timer_task ON public.schedule_timer USING btree (tenant_id, last_task_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.schedule_timer FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE second_factor
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  user_id integer NOT NULL
  secret_encrypted bytea
  confirmed_at timestamp with time zone
  last_step bigint NOT NULL DEFAULT 0
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT confirmed_has_a_secret CHECK (((confirmed_at IS NULL) OR (secret_encrypted IS NOT NULL)))
  CONSTRAINT second_factor_pkey PRIMARY KEY (id)
  CONSTRAINT second_factor_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES app_user(tenant_id, id)
  CONSTRAINT second_factor_tenant_id_user_id_key UNIQUE (tenant_id, user_id)
  CONSTRAINT second_factor_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX second_factor_pkey ON public.second_factor USING btree (id)
  CREATE UNIQUE INDEX second_factor_tenant_id_user_id_key ON public.second_factor USING btree (tenant_id, user_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.second_factor FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE server_process
  id integer NOT NULL IDENTITY
  name uuid NOT NULL
  tenant_id integer NOT NULL
  kind text NOT NULL
  code_version text NOT NULL
  started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  last_seen_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  stopped_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['server'::text, 'worker'::text])))
  CONSTRAINT server_process_name_key UNIQUE (name)
  CONSTRAINT server_process_pkey PRIMARY KEY (id)
  CONSTRAINT server_process_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT server_process_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX server_process_name_key ON public.server_process USING btree (name)
  CREATE UNIQUE INDEX server_process_pkey ON public.server_process USING btree (id)
  CREATE INDEX server_process_seen ON public.server_process USING btree (tenant_id, last_seen_at)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.server_process FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE signing_key
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  key_id text NOT NULL
  public_jwk jsonb NOT NULL
  private_jwk_encrypted bytea NOT NULL
  not_after timestamp with time zone NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT signing_key_key_id_key UNIQUE (key_id)
  CONSTRAINT signing_key_pkey PRIMARY KEY (id)
  CONSTRAINT signing_key_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT signing_key_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX signing_key_key_id_key ON public.signing_key USING btree (key_id)
  CREATE UNIQUE INDEX signing_key_pkey ON public.signing_key USING btree (id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.signing_key FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE source
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  code text NOT NULL
  name text NOT NULL
  kind text NOT NULL
  calendar text NOT NULL DEFAULT 'XNYS'::text
  currency text NOT NULL DEFAULT 'USD'::text
  price_basis text
  known_at_rule text NOT NULL DEFAULT 'close_plus_one_hour'::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  feed text
  settings jsonb NOT NULL DEFAULT '{}'::jsonb
  credential_sealed bytea
  feed_removed_at timestamp with time zone
  CONSTRAINT code_is_plain CHECK ((code ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text))
  CONSTRAINT currency_is_iso CHECK ((currency ~ '^[A-Z]{3}$'::text))
  CONSTRAINT feed_is_known CHECK ((feed = ANY (ARRAY['twelvedata'::text, 'stooq'::text, 'ecb'::text, 'fred'::text, 'alfred'::text])))
  CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['simulator'::text, 'file'::text, 'manual'::text, 'calendar'::text, 'feed'::text])))
  CONSTRAINT known_at_rule_is_known CHECK ((known_at_rule = ANY (ARRAY['close_plus_one_hour'::text, 'declared_in_data'::text, 'recorded'::text])))
  CONSTRAINT price_basis_is_known CHECK ((price_basis = ANY (ARRAY['raw'::text, 'split_adjusted'::text, 'total_return'::text])))
  CONSTRAINT source_pkey PRIMARY KEY (id)
  CONSTRAINT source_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT source_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT source_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX source_code ON public.source USING btree (tenant_id, code) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX source_pkey ON public.source USING btree (id)
  CREATE UNIQUE INDEX source_tenant_id_id_key ON public.source USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.source FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE task
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  kind text NOT NULL
  title text NOT NULL
  state text NOT NULL DEFAULT 'queued'::text
  progress double precision NOT NULL DEFAULT 0
  progress_note text NOT NULL DEFAULT ''::text
  input jsonb NOT NULL DEFAULT '{}'::jsonb
  result jsonb
  problem jsonb
  attempts integer NOT NULL DEFAULT 0
  queue_job_id uuid
  cancel_requested_at timestamp with time zone
  started_at timestamp with time zone
  finished_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  traceparent text
  CONSTRAINT progress_is_a_fraction CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double precision)))
  CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
  CONSTRAINT task_pkey PRIMARY KEY (id)
  CONSTRAINT task_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT task_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT task_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX task_pkey ON public.task USING btree (id)
  CREATE INDEX task_recent ON public.task USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX task_tenant_id_id_key ON public.task USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.task FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE tenant
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL DEFAULT id
  name text NOT NULL
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
  CONSTRAINT tenant_pkey PRIMARY KEY (id)
  CONSTRAINT tenant_version_check CHECK ((version > 0))
  CREATE UNIQUE INDEX tenant_pkey ON public.tenant USING btree (id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.tenant FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE training
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  universe_tenant_id integer NOT NULL
  universe_id integer NOT NULL
  task_id bigint NOT NULL
  settings jsonb NOT NULL
  dataset_sha256 text
  models jsonb
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT dataset_sha256_is_hex CHECK ((dataset_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT training_pkey PRIMARY KEY (id)
  CONSTRAINT training_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT training_tenant_id_task_id_fkey FOREIGN KEY (tenant_id, task_id) REFERENCES task(tenant_id, id)
  CONSTRAINT training_universe_tenant_id_universe_id_fkey FOREIGN KEY (universe_tenant_id, universe_id) REFERENCES universe(tenant_id, id)
  CONSTRAINT training_version_check CHECK ((version > 0))
  CONSTRAINT universe_is_own_or_system CHECK (((universe_tenant_id = 0) OR (universe_tenant_id = tenant_id)))
  CREATE INDEX training_newest ON public.training USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX training_pkey ON public.training USING btree (id)
  CREATE INDEX training_task ON public.training USING btree (tenant_id, task_id)
  CREATE UNIQUE INDEX training_tenant_id_id_key ON public.training USING btree (tenant_id, id)
  CREATE INDEX training_universe ON public.training USING btree (universe_tenant_id, universe_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.training FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE training_run
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  experiment_id integer NOT NULL
  model_id integer
  name text NOT NULL
  status text NOT NULL DEFAULT 'running'::text
  reason text
  dataset_sha256 text
  code_version text NOT NULL
  seed bigint
  trial_id bigint
  tags jsonb NOT NULL DEFAULT '{}'::jsonb
  started_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  ended_at timestamp with time zone
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT dataset_sha256_is_hex CHECK ((dataset_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT ended_has_an_instant CHECK (((status = 'running'::text) = (ended_at IS NULL)))
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  CONSTRAINT reason_is_short CHECK ((length(reason) <= 2000))
  CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['running'::text, 'finished'::text, 'failed'::text, 'stopped'::text])))
  CONSTRAINT training_run_pkey PRIMARY KEY (id)
  CONSTRAINT training_run_tenant_id_experiment_id_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment(tenant_id, id)
  CONSTRAINT training_run_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT training_run_tenant_id_model_id_fkey FOREIGN KEY (tenant_id, model_id) REFERENCES model(tenant_id, id)
  CONSTRAINT training_run_tenant_id_trial_id_fkey FOREIGN KEY (tenant_id, trial_id) REFERENCES trial(tenant_id, id)
  CONSTRAINT training_run_version_check CHECK ((version > 0))
  CREATE INDEX training_run_experiment ON public.training_run USING btree (tenant_id, experiment_id, id DESC)
  CREATE INDEX training_run_model ON public.training_run USING btree (tenant_id, model_id, id DESC)
  CREATE INDEX training_run_newest ON public.training_run USING btree (tenant_id, id DESC)
  CREATE UNIQUE INDEX training_run_pkey ON public.training_run USING btree (id)
  CREATE UNIQUE INDEX training_run_tenant_id_id_key ON public.training_run USING btree (tenant_id, id)
  CREATE INDEX training_run_trial ON public.training_run USING btree (tenant_id, trial_id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.training_run FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE trial
  id bigint NOT NULL IDENTITY
  tenant_id integer NOT NULL
  kind text NOT NULL
  name text NOT NULL
  parameters jsonb NOT NULL
  parameters_sha256 text NOT NULL
  dataset_sha256 text
  code_version text NOT NULL
  seed bigint
  outcome text NOT NULL
  result jsonb NOT NULL DEFAULT '{}'::jsonb
  imported boolean NOT NULL DEFAULT false
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  CONSTRAINT outcome_is_known CHECK ((outcome = ANY (ARRAY['finished'::text, 'failed'::text])))
  CONSTRAINT trial_pkey PRIMARY KEY (id)
  CONSTRAINT trial_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT trial_tenant_id_id_key UNIQUE (tenant_id, id)
  CREATE INDEX trial_dataset ON public.trial USING btree (tenant_id, dataset_sha256, kind)
  CREATE UNIQUE INDEX trial_pkey ON public.trial USING btree (id)
  CREATE UNIQUE INDEX trial_tenant_id_id_key ON public.trial USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.trial FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON public.trial FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change()
  CREATE TRIGGER facts_are_evaluated BEFORE INSERT ON public.trial FOR EACH ROW WHEN ((new.dataset_sha256 IS NOT NULL)) EXECUTE FUNCTION touchstone_refuse_synthetic()
  GRANT INSERT, SELECT TO touchstone_app

TABLE universe
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  name text NOT NULL
  description text NOT NULL DEFAULT ''::text
  rule text NOT NULL
  source_tenant_id integer NOT NULL
  source_id integer NOT NULL
  visibility text NOT NULL DEFAULT 'tenant'::text
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
  CONSTRAINT rule_is_known CHECK ((rule = ANY (ARRAY['all_of_source'::text, 'list'::text])))
  CONSTRAINT source_is_own_or_system CHECK (((source_tenant_id = 0) OR (source_tenant_id = tenant_id)))
  CONSTRAINT universe_pkey PRIMARY KEY (id)
  CONSTRAINT universe_source_tenant_id_source_id_fkey FOREIGN KEY (source_tenant_id, source_id) REFERENCES source(tenant_id, id)
  CONSTRAINT universe_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT universe_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT universe_version_check CHECK ((version > 0))
  CONSTRAINT visibility_is_known CHECK ((visibility = ANY (ARRAY['private'::text, 'tenant'::text])))
  CREATE UNIQUE INDEX universe_name ON public.universe USING btree (tenant_id, name) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX universe_pkey ON public.universe USING btree (id)
  CREATE INDEX universe_source ON public.universe USING btree (source_tenant_id, source_id)
  CREATE UNIQUE INDEX universe_tenant_id_id_key ON public.universe USING btree (tenant_id, id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.universe FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE universe_member
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  universe_id integer NOT NULL
  instrument_tenant_id integer NOT NULL
  instrument_id integer NOT NULL
  first_day date
  last_day date
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT days_are_in_order CHECK ((first_day <= last_day))
  CONSTRAINT instrument_is_own_or_system CHECK (((instrument_tenant_id = 0) OR (instrument_tenant_id = tenant_id)))
  CONSTRAINT universe_member_instrument_tenant_id_instrument_id_fkey FOREIGN KEY (instrument_tenant_id, instrument_id) REFERENCES instrument(tenant_id, id)
  CONSTRAINT universe_member_pkey PRIMARY KEY (id)
  CONSTRAINT universe_member_tenant_id_universe_id_fkey FOREIGN KEY (tenant_id, universe_id) REFERENCES universe(tenant_id, id)
  CONSTRAINT universe_member_version_check CHECK ((version > 0))
  CREATE INDEX universe_member_instrument ON public.universe_member USING btree (instrument_tenant_id, instrument_id)
  CREATE UNIQUE INDEX universe_member_once ON public.universe_member USING btree (tenant_id, universe_id, instrument_id) WHERE (deleted_at IS NULL)
  CREATE UNIQUE INDEX universe_member_pkey ON public.universe_member USING btree (id)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ANY (ARRAY[0, ( SELECT touchstone_tenant() AS touchstone_tenant)])) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.universe_member FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE vendor_credit
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  vendor text NOT NULL
  key_sha256 text NOT NULL
  recent_grants jsonb NOT NULL DEFAULT '[]'::jsonb
  day date NOT NULL DEFAULT '1970-01-01'::date
  used_today integer NOT NULL DEFAULT 0
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT key_sha256_is_hex CHECK ((key_sha256 ~ '^[0-9a-f]{64}$'::text))
  CONSTRAINT recent_grants_is_a_list CHECK ((jsonb_typeof(recent_grants) = 'array'::text))
  CONSTRAINT used_today_is_a_count CHECK ((used_today >= 0))
  CONSTRAINT vendor_credit_pkey PRIMARY KEY (id)
  CONSTRAINT vendor_credit_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenant(id)
  CONSTRAINT vendor_credit_tenant_id_id_key UNIQUE (tenant_id, id)
  CONSTRAINT vendor_credit_tenant_id_vendor_key_sha256_key UNIQUE (tenant_id, vendor, key_sha256)
  CONSTRAINT vendor_credit_version_check CHECK ((version > 0))
  CONSTRAINT vendor_is_short CHECK (((length(vendor) >= 1) AND (length(vendor) <= 50)))
  CREATE UNIQUE INDEX vendor_credit_pkey ON public.vendor_credit USING btree (id)
  CREATE UNIQUE INDEX vendor_credit_tenant_id_id_key ON public.vendor_credit USING btree (tenant_id, id)
  CREATE UNIQUE INDEX vendor_credit_tenant_id_vendor_key_sha256_key ON public.vendor_credit USING btree (tenant_id, vendor, key_sha256)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.vendor_credit FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

TABLE version_note
  id integer NOT NULL IDENTITY
  tenant_id integer NOT NULL
  model_id integer NOT NULL
  version_number integer NOT NULL
  logged_model_id integer
  description text NOT NULL DEFAULT ''::text
  tags jsonb NOT NULL DEFAULT '{}'::jsonb
  created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  created_by integer DEFAULT touchstone_actor()
  updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
  updated_by integer DEFAULT touchstone_actor()
  deleted_at timestamp with time zone
  deleted_by integer
  version integer NOT NULL DEFAULT 1
  CONSTRAINT description_is_short CHECK ((length(description) <= 5000))
  CONSTRAINT version_note_pkey PRIMARY KEY (id)
  CONSTRAINT version_note_tenant_id_logged_model_id_fkey FOREIGN KEY (tenant_id, logged_model_id) REFERENCES logged_model(tenant_id, id)
  CONSTRAINT version_note_tenant_id_model_id_version_number_fkey FOREIGN KEY (tenant_id, model_id, version_number) REFERENCES model_version(tenant_id, model_id, number)
  CONSTRAINT version_note_tenant_id_model_id_version_number_key UNIQUE (tenant_id, model_id, version_number)
  CONSTRAINT version_note_version_check CHECK ((version > 0))
  CREATE INDEX version_note_logged_model ON public.version_note USING btree (tenant_id, logged_model_id)
  CREATE UNIQUE INDEX version_note_pkey ON public.version_note USING btree (id)
  CREATE UNIQUE INDEX version_note_tenant_id_model_id_version_number_key ON public.version_note USING btree (tenant_id, model_id, version_number)
  POLICY add FOR INSERT CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY change FOR UPDATE USING (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) CHECK (tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant))
  POLICY read FOR SELECT USING ((tenant_id = ( SELECT touchstone_tenant() AS touchstone_tenant)) AND ((deleted_at IS NULL) OR ( SELECT touchstone_sees_deleted() AS touchstone_sees_deleted)))
  CREATE TRIGGER touch BEFORE UPDATE ON public.version_note FOR EACH ROW EXECUTE FUNCTION touchstone_touch()
  GRANT INSERT, SELECT, UPDATE TO touchstone_app

VIEW bar_key AS SELECT price_observation.tenant_id,
    price_observation.instrument_id,
    price_observation.day,
    price_observation.run_id,
    price_observation.source_id
   FROM price_observation
UNION ALL
 SELECT d.tenant_id,
    d.instrument_id,
    u.day,
    d.run_id,
    d.source_id
   FROM ((archived_days d
     JOIN archive a ON ((a.id = d.archive_id)))
     CROSS JOIN LATERAL unnest(d.days) u(day))
  WHERE (a.state = 'archived'::text);
VIEW visible_run AS SELECT p.tenant_id,
    p.run_id,
    r.source_id,
    r.price_basis,
    p.published_at,
    t.published_at AS retracted_at
   FROM ((publication p
     JOIN ingest_run r ON ((r.id = p.run_id)))
     LEFT JOIN publication t ON (((t.run_id = p.run_id) AND (t.kind = 'retract'::text))))
  WHERE (p.kind = 'publish'::text);

CREATE OR REPLACE FUNCTION public.touchstone_actor()
 RETURNS integer
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (NULLIF(current_setting('touchstone.actor_id'::text, true), ''::text))::integer

CREATE OR REPLACE FUNCTION public.touchstone_archive_year(wanted integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_check_seal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NOT EXISTS (
    SELECT FROM evidence e
    WHERE e.tenant_id = NEW.tenant_id AND e.sequence = NEW.evidence_sequence AND e.kind = 'prediction.sealed'
      AND strpos(e.body, '"' || NEW.id || '":"' || NEW.sealed_sha256 || '"') > 0
      AND (NOT NEW.before_outcome OR NEW.due_day > (e.recorded_at AT TIME ZONE 'UTC')::date)
  ) THEN
    RAISE EXCEPTION 'prediction % is not sealed by record % of the evidence', NEW.id, NEW.evidence_sequence
      USING ERRCODE = '23514', CONSTRAINT = 'prediction_is_sealed', TABLE = 'prediction';
  END IF;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_create_first_tenant(wanted text)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE created integer;
BEGIN
  PERFORM pg_advisory_xact_lock(7420001);
  IF touchstone_has_owner() THEN
    RAISE EXCEPTION 'there is an owner already' USING ERRCODE = '42501';
  END IF;
  INSERT INTO tenant (name) VALUES (wanted) RETURNING id INTO created;
  RETURN created;
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_create_tenant(wanted text)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE created integer;
BEGIN
  IF NOT touchstone_is_operator() THEN
    RAISE EXCEPTION 'only the operator makes tenants' USING ERRCODE = '42501';
  END IF;
  INSERT INTO tenant (name) VALUES (wanted) RETURNING id INTO created;
  RETURN created;
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_due_schedules(moment timestamp with time zone)
 RETURNS TABLE(tenant_id integer, schedule_id integer, created_by integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT s.tenant_id, s.id, s.created_by
  FROM schedule s LEFT JOIN schedule_timer t ON t.tenant_id = s.tenant_id AND t.schedule_id = s.id
  WHERE s.deleted_at IS NULL AND s.enabled
    AND (t.schedule_id IS NULL OR t.for_version <> s.version OR t.next_run_at <= moment
         OR t.computed_at > moment + interval '5 minutes')
  ORDER BY t.next_run_at NULLS FIRST, s.id LIMIT 100
$function$

CREATE OR REPLACE FUNCTION public.touchstone_ensure_price_years(first_year integer, last_year integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE name text;
BEGIN
  IF first_year < 1800 OR last_year > 2200 THEN
    RAISE EXCEPTION 'years must be in 1800..2200, were %..%', first_year, last_year USING ERRCODE = '22023';
  END IF;
  FOR y IN first_year..last_year LOOP
    name := 'price_observation_' || y;
    IF to_regclass('public.' || name) IS NULL THEN
      PERFORM pg_advisory_xact_lock(7420003);
      IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE price_observation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('ALTER TABLE price_observation ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
          name, make_date(y, 1, 1), make_date(y + 1, 1, 1));
      END IF;
    END IF;
  END LOOP;
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_find_api_key(wanted bytea)
 RETURNS TABLE(key_id integer, tenant_id integer, user_id integer, role text, is_operator boolean, is_active boolean, scopes text[], expires_at timestamp with time zone, last_used_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT k.id,
     k.tenant_id,
     k.user_id,
     u.role,
     (u.tenant_id = touchstone_operator_tenant()),
     ((k.revoked_at IS NULL) AND (k.deleted_at IS NULL) AND (u.deleted_at IS NULL) AND (u.deactivated_at IS NULL)),
     k.scopes,
     k.expires_at,
     k.last_used_at
    FROM (api_key k
      JOIN app_user u ON (((u.tenant_id = k.tenant_id) AND (u.id = k.user_id))))
   WHERE (k.key_hash = touchstone_find_api_key.wanted);
END

CREATE OR REPLACE FUNCTION public.touchstone_find_federated(wanted bytea)
 RETURNS TABLE(tenant_id integer, user_id integer, is_active boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT f.tenant_id,
     f.user_id,
     ((u.deactivated_at IS NULL) AND (u.deleted_at IS NULL))
    FROM (federated_identity f
      JOIN app_user u ON (((u.tenant_id = f.tenant_id) AND (u.id = f.user_id))))
   WHERE ((f.subject_hash = touchstone_find_federated.wanted) AND (f.deleted_at IS NULL));
END

CREATE OR REPLACE FUNCTION public.touchstone_find_invitation(wanted bytea)
 RETURNS TABLE(id integer, tenant_id integer, tenant_name text, email text, role text, expires_at timestamp with time zone, is_open boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT i.id,
     i.tenant_id,
     t.name,
     i.email,
     i.role,
     i.expires_at,
     ((i.accepted_at IS NULL) AND (i.revoked_at IS NULL) AND (i.deleted_at IS NULL) AND (i.email IS NOT NULL))
    FROM (invitation i
      JOIN tenant t ON ((t.id = i.tenant_id)))
   WHERE (i.token_hash = touchstone_find_invitation.wanted);
END

CREATE OR REPLACE FUNCTION public.touchstone_find_invitation_of(wanted text, at timestamp with time zone)
 RETURNS TABLE(id integer, tenant_id integer, role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT i.id,
     i.tenant_id,
     i.role
    FROM invitation i
   WHERE ((i.email = lower(touchstone_find_invitation_of.wanted)) AND (i.accepted_at IS NULL) AND (i.revoked_at IS NULL) AND (i.deleted_at IS NULL) AND (i.expires_at > touchstone_find_invitation_of.at))
   ORDER BY i.id DESC
  LIMIT 1;
END

CREATE OR REPLACE FUNCTION public.touchstone_find_password_reset(wanted bytea)
 RETURNS TABLE(id integer, tenant_id integer, user_id integer, expires_at timestamp with time zone, is_open boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT r.id,
     r.tenant_id,
     r.user_id,
     r.expires_at,
     ((r.used_at IS NULL) AND (r.revoked_at IS NULL) AND (r.deleted_at IS NULL) AND (u.deactivated_at IS NULL) AND (u.deleted_at IS NULL))
    FROM (password_reset r
      JOIN app_user u ON (((u.tenant_id = r.tenant_id) AND (u.id = r.user_id))))
   WHERE (r.token_hash = touchstone_find_password_reset.wanted);
END

CREATE OR REPLACE FUNCTION public.touchstone_find_session(in_tenant integer, of_user integer, wanted uuid)
 RETURNS TABLE(role text, is_operator boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT u.role,
     (u.tenant_id = touchstone_operator_tenant())
    FROM app_user u
   WHERE ((u.id = touchstone_find_session.of_user) AND (u.tenant_id = touchstone_find_session.in_tenant) AND (u.deleted_at IS NULL) AND (u.deactivated_at IS NULL) AND (NOT (EXISTS ( SELECT
            FROM refresh_token t
           WHERE ((t.tenant_id = touchstone_find_session.in_tenant) AND (t.family = touchstone_find_session.wanted) AND (t.revoked_at IS NOT NULL))))));
END

CREATE OR REPLACE FUNCTION public.touchstone_find_sign_in(wanted text)
 RETURNS TABLE(user_id integer, tenant_id integer, role text, password_hash text, locked_until timestamp with time zone, failed_sign_ins integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT u.id,
     u.tenant_id,
     u.role,
         CASE
             WHEN (u.deactivated_at IS NULL) THEN u.password_hash
             ELSE NULL::text
         END AS "case",
     u.locked_until,
     u.failed_sign_ins
    FROM (person p
      JOIN app_user u ON ((u.id = p.user_id)))
   WHERE ((p.email = lower(touchstone_find_sign_in.wanted)) AND (p.deleted_at IS NULL) AND (u.deleted_at IS NULL));
END

CREATE OR REPLACE FUNCTION public.touchstone_has_owner()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM app_user
           WHERE ((app_user.role = 'owner'::text) AND (app_user.deleted_at IS NULL)))) AS "exists";
END

CREATE OR REPLACE FUNCTION public.touchstone_is_operator()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM app_user
           WHERE ((app_user.id = touchstone_actor()) AND (app_user.tenant_id = touchstone_tenant()) AND (app_user.tenant_id = touchstone_operator_tenant()) AND (app_user.role = 'owner'::text) AND (app_user.deleted_at IS NULL) AND (app_user.deactivated_at IS NULL)))) AS "exists";
END

CREATE OR REPLACE FUNCTION public.touchstone_list_tenants()
 RETURNS TABLE(id integer, name text, people_count integer, created_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT t.id,
     t.name,
     ( SELECT (count(*))::integer AS count
            FROM app_user u
           WHERE ((u.tenant_id = t.id) AND (u.deactivated_at IS NULL) AND (u.deleted_at IS NULL) AND (u.role <> 'service'::text))) AS count,
     t.created_at
    FROM tenant t
   WHERE ((t.id > 0) AND (t.deleted_at IS NULL) AND touchstone_is_operator())
   ORDER BY t.id;
END

CREATE OR REPLACE FUNCTION public.touchstone_operator_tenant()
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT tenant.id
    FROM tenant
   WHERE (tenant.id > 0)
   ORDER BY tenant.created_at, tenant.id
  LIMIT 1;
END

CREATE OR REPLACE FUNCTION public.touchstone_refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'table % is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_refuse_synthetic()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT FROM dataset d
             WHERE d.tenant_id = NEW.tenant_id AND d.sha256 = NEW.dataset_sha256 AND d.synthetic IS NOT NULL) THEN
    RAISE EXCEPTION 'dataset % is made up: nothing is evaluated on it', NEW.dataset_sha256
      USING ERRCODE = '23514', CONSTRAINT = 'facts_are_evaluated';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_secure_append_only(name regclass, shared boolean)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE visible text := CASE WHEN shared THEN 'tenant_id IN (0, (SELECT touchstone_tenant()))'
                             ELSE 'tenant_id = (SELECT touchstone_tenant())' END;
BEGIN
  EXECUTE format($f$
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %1$s FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_change();
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION touchstone_refuse_change();
    ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;
    CREATE POLICY read ON %1$s FOR SELECT USING (%2$s);
    CREATE POLICY add ON %1$s FOR INSERT WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
    GRANT SELECT, INSERT ON %1$s TO "touchstone_app";
  $f$, name, visible);
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_secure_mutable(name regclass, shared boolean)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE visible text := CASE WHEN shared THEN 'tenant_id IN (0, (SELECT touchstone_tenant()))'
                             ELSE 'tenant_id = (SELECT touchstone_tenant())' END;
BEGIN
  EXECUTE format($f$
    ALTER TABLE %1$s
      ADD created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ADD created_by integer DEFAULT touchstone_actor(),
      ADD updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ADD updated_by integer DEFAULT touchstone_actor(),
      ADD deleted_at timestamptz,
      ADD deleted_by integer,
      ADD version integer NOT NULL DEFAULT 1 CHECK (version > 0);
    CREATE TRIGGER touch BEFORE UPDATE ON %1$s FOR EACH ROW EXECUTE FUNCTION touchstone_touch();
    ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;
    CREATE POLICY read ON %1$s FOR SELECT USING (%2$s AND (deleted_at IS NULL OR (SELECT touchstone_sees_deleted())));
    CREATE POLICY add ON %1$s FOR INSERT WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
    CREATE POLICY change ON %1$s FOR UPDATE USING (tenant_id = (SELECT touchstone_tenant()))
      WITH CHECK (tenant_id = (SELECT touchstone_tenant()));
    GRANT SELECT, INSERT, UPDATE ON %1$s TO "touchstone_app";
  $f$, name, visible);
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_sees_deleted()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (COALESCE(current_setting('touchstone.include_deleted'::text, true), ''::text) = 'on'::text)

CREATE OR REPLACE FUNCTION public.touchstone_stamp()
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE last timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(7420002);
  SELECT max(published_at) INTO last FROM publication;
  RETURN greatest(date_trunc('milliseconds', clock_timestamp()), last + interval '1 millisecond');
END $function$

CREATE OR REPLACE FUNCTION public.touchstone_tenant()
 RETURNS integer
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (NULLIF(current_setting('touchstone.tenant_id'::text, true), ''::text))::integer

CREATE OR REPLACE FUNCTION public.touchstone_tenant_ids()
 RETURNS SETOF integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT tenant.id
    FROM tenant
   WHERE (tenant.deleted_at IS NULL)
   ORDER BY tenant.id;
END

CREATE OR REPLACE FUNCTION public.touchstone_tenants_archived(wanted integer)
 RETURNS SETOF integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT DISTINCT archive.tenant_id
    FROM archive
   WHERE ((archive.year = touchstone_tenants_archived.wanted) AND (archive.state = 'archived'::text) AND (archive.deleted_at IS NULL))
   ORDER BY archive.tenant_id;
END

CREATE OR REPLACE FUNCTION public.touchstone_touch()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.created_at := OLD.created_at;
  NEW.created_by := OLD.created_by;
  NEW.updated_at := clock_timestamp();
  NEW.updated_by := touchstone_actor();
  NEW.version := OLD.version + 1;
  IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
    NEW.deleted_by := touchstone_actor();
  ELSIF NEW.deleted_at IS NULL THEN
    NEW.deleted_by := NULL;
  END IF;
  RETURN NEW;
END $function$

