// Written by scripts/generate-schema.ts from the migrated database. Do not edit.
import type { ColumnType, GeneratedAlways } from 'kysely';

type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];
/** Read as a value; written as JSON text. */
type JsonColumn = ColumnType<Json, string, string>;
/** A column the database fills in when it is left out. */
type Defaulted<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

export interface AbTestTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  model_id: number;
  control_number: number;
  treatment_number: number;
  metric: string;
  effect: number;
  assignment: string;
  block_days: number;
  maximum_days: number;
  level: number;
  power: number;
  horizon_days: number;
  needed_days: number;
  long_run_deviation: number;
  noise_basis: string;
  noise_days: number;
  first_day: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface AbTestEndTable {
  tenant_id: number;
  test_id: number;
  reason: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface AlertTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  kind: string;
  severity: string;
  title: string;
  detail: Defaulted<string>;
  subject_kind: string;
  subject_id: string;
  same_as: string;
  times: Defaulted<number>;
  last_raised_at: Defaulted<string>;
  acknowledged_at: string | null;
  acknowledged_by: number | null;
  resolved_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface ApiKeyTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  name: string;
  prefix: string;
  key_hash: Buffer;
  scopes: string[];
  life_days: number;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  replaced_by_id: number | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface AppUserTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  role: string;
  password_hash: string | null;
  failed_sign_ins: Defaulted<number>;
  locked_until: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  deactivated_at: string | null;
  forgotten_at: string | null;
  service_name: string | null;
}

export interface ArchiveTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  year: number;
  state: Defaulted<string>;
  row_count: number;
  instrument_count: number;
  byte_count: number;
  file_sha256: string;
  content_sha256: string;
  archived_at: string | null;
  brought_back_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface ArchivedDaysTable {
  tenant_id: number;
  archive_id: number;
  instrument_id: number;
  source_id: number;
  run_id: number;
  days: string;
}

export interface AutomlTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  universe_tenant_id: number;
  universe_id: number;
  task_id: number;
  settings: JsonColumn;
  dataset_sha256: string | null;
  told: JsonColumn | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface BarKeyTable {
  tenant_id: number | null;
  instrument_id: number | null;
  day: string | null;
  run_id: number | null;
  source_id: number | null;
}

export interface CorporateActionTable {
  tenant_id: number;
  instrument_id: number;
  day: string;
  kind: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  value: number;
}

export interface DataCaseTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  run_id: number;
  source_id: number;
  instrument_id: number | null;
  kind: string;
  action: string;
  state: Defaulted<string>;
  first_day: string;
  last_day: string;
  row_count: number;
  measure: number | null;
  threshold: number | null;
  reason: string;
  known_at: string | null;
  decision_note: Defaulted<string>;
  decided_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  withholds: Defaulted<boolean>;
  other_source_id: number | null;
}

export interface DatasetTable {
  tenant_id: number;
  sha256: string;
  kind: string;
  query: JsonColumn;
  as_of: string;
  known_at: string;
  recorded_at: string;
  row_count: number;
  byte_count: number;
  columns: JsonColumn;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  synthetic: JsonColumn | null;
}

export interface DriftCheckTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  model_id: number;
  version_number: number;
  as_of: string;
  known_at: string;
  recorded_at: string;
  data_sha256: string;
  config_sha256: string;
  code_version: string;
  alarms_per_year: number;
  finding_count: number;
  alarm_count: number;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface DriftFindingTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  check_id: number;
  rank: number;
  area: string;
  rule: string;
  feature: string | null;
  subject_id: number | null;
  instrument_count: number;
  sample_count: number;
  statistic: number | null;
  threshold: number | null;
  alarm: boolean;
  alarms_per_year: number | null;
  effect: number | null;
  sentence: string;
  reason: JsonColumn | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface EvidenceTable {
  tenant_id: number;
  sequence: number;
  recorded_at: string;
  kind: string;
  subject_kind: string;
  subject_id: string;
  actor_id: number | null;
  body: string;
  previous_hash: Buffer;
  hash: Buffer;
}

export interface ExchangeHolidayTable {
  tenant_id: number;
  calendar: string;
  day: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  kind: string;
  name: string;
}

export interface ExchangeRateTable {
  tenant_id: number;
  base: string;
  quote: string;
  day: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  value: number;
}

export interface ExperimentTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  tags: Defaulted<JsonColumn>;
}

export interface FeaturePushTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  view_id: number;
  view_version: number;
  instrument_tenant_id: number;
  instrument_id: number;
  event_at: string;
  pushed_at: Defaulted<string>;
  feature_values: string;
  created_by: Defaulted<number | null>;
}

export interface FeatureSkewCheckTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  sample_count: number;
  value_count: number;
  mismatch_count: number;
  outdated_count: number;
  examples: JsonColumn;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface FeatureViewTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  latest_version: number;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface FeatureViewVersionTable {
  tenant_id: number;
  view_id: number;
  number: number;
  definition: JsonColumn;
  sha256: string;
  checks: JsonColumn;
  code_version: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface FederatedIdentityTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  subject_hash: Buffer | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface FundamentalTable {
  tenant_id: number;
  instrument_id: number;
  field: string;
  day: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  value: number | null;
}

export interface GuessLockTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  bucket: number;
  tries: number;
  first_try_at: string;
  locked_until: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface IndexDefinitionTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  description: Defaulted<string>;
  universe_tenant_id: number;
  universe_id: number;
  method: string;
  parameters: Defaulted<JsonColumn>;
  currency: Defaulted<string>;
  cost_basis_points: Defaulted<number>;
  first_day: string | null;
  base_value: Defaulted<number>;
  benchmark_tenant_id: number | null;
  benchmark_instrument_id: number | null;
  visibility: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface IndexRunTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  index_id: number;
  run_number: number;
  definition: JsonColumn;
  dataset_sha256: string;
  as_of: string;
  known_at: string;
  recorded_at: string;
  code_version: string;
  seed: number;
  trial_id: number;
  summary: JsonColumn;
  result_sha256: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface IngestRunTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  source_id: number;
  kind: string;
  state: Defaulted<string>;
  price_basis: string | null;
  file_name: string | null;
  file_sha256: Buffer | null;
  options: Defaulted<JsonColumn>;
  row_count: Defaulted<number>;
  accepted_count: Defaulted<number>;
  unchanged_count: Defaulted<number>;
  revised_count: Defaulted<number>;
  quarantined_count: Defaulted<number>;
  error_count: Defaulted<number>;
  errors: Defaulted<JsonColumn>;
  first_day: string | null;
  last_day: string | null;
  task_id: number | null;
  note: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface InstrumentTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  symbol: string;
  name: Defaulted<string>;
  kind: Defaulted<string>;
  calendar: Defaulted<string>;
  currency: Defaulted<string>;
  sector: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface InvitationTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  email: string | null;
  role: string;
  token_hash: Buffer;
  expires_at: string;
  accepted_at: string | null;
  accepted_user_id: number | null;
  revoked_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface ListingEventTable {
  tenant_id: number;
  instrument_id: number;
  day: string;
  kind: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  symbol: string;
  calendar: string;
}

export interface LoggedModelTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  run_id: number;
  name: string;
  model_type: Defaulted<string>;
  status: Defaulted<string>;
  output_step: number | null;
  owns_run: Defaulted<boolean>;
  tags: Defaulted<JsonColumn>;
  parameters: Defaulted<JsonColumn>;
  metrics: Defaulted<JsonColumn>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface MacroObservationTable {
  tenant_id: number;
  series: string;
  day: string;
  run_id: number;
  vintage: Defaulted<number>;
  source_id: number;
  known_at: string | null;
  value: number | null;
}

export interface MarketAnomalyTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  subject_kind: string;
  subject_id: number;
  detector: string;
  day: string;
  score: number;
  threshold: number;
  alarms_per_year: number | null;
  state: Defaulted<string>;
  note: Defaulted<string>;
  as_of: string;
  known_at: string;
  recorded_at: string;
  reconstructed: boolean;
  judged_at: string | null;
  judged_by: number | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface MarketCapTable {
  tenant_id: number;
  instrument_id: number;
  day: string;
  run_id: number;
  source_id: number;
  known_at: string | null;
  value: number;
}

export interface ModelTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  description: Defaulted<string>;
  latest_version: Defaulted<number>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  tags: Defaulted<JsonColumn>;
}

export interface ModelAliasEventTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  model_id: number;
  alias: string;
  action: string;
  from_number: number | null;
  to_number: number | null;
  reason: string;
  checklist: JsonColumn;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface ModelVersionTable {
  tenant_id: number;
  model_id: number;
  number: number;
  run_id: number | null;
  manifest: JsonColumn;
  manifest_sha256: string;
  artefact_sha256: string;
  artefact_byte_count: number;
  dataset_sha256: string;
  feature_sha256: string;
  code_version: string;
  seed: number;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface ModelVersionChoiceTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  model_id: number;
  version_number: number;
  archived: boolean;
  reason: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface OutboxEventTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  payload: JsonColumn;
  recorded_at: Defaulted<string>;
}

export interface PasswordResetTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  token_hash: Buffer;
  expires_at: string;
  used_at: string | null;
  revoked_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface PersonTable {
  user_id: number;
  tenant_id: number;
  email: string;
  display_name: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface PredictionTable {
  id: Defaulted<number>;
  tenant_id: number;
  model_id: number;
  version_number: number;
  served_by: string;
  alias: string | null;
  way_sha256: string;
  subject_kind: string;
  subject_id: number;
  as_of: string;
  known_at: string;
  recorded_at: string;
  reconstructed: boolean;
  horizon_days: number;
  event_day: string;
  due_day: string;
  value: number | null;
  lower: number | null;
  upper: number | null;
  baseline: number | null;
  abstained: string | null;
  input_sha256: string;
  body: string;
  explanation: string;
  sealed_sha256: string;
  before_outcome: boolean;
  evidence_sequence: number;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface PredictionInputTable {
  tenant_id: number;
  sha256: string;
  content: Buffer;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface PredictionIntervalTable {
  tenant_id: number;
  model_id: number;
  version_number: number;
  subject_group: string;
  sequence: number;
  level: number;
  observed: number;
  through_day: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface PredictionOutcomeTable {
  tenant_id: number;
  prediction_id: number;
  value: number;
  day: string;
  known_at: string;
  loss: number | null;
  baseline_loss: number | null;
  inside: boolean | null;
  volatility: number | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface PriceObservationTable {
  tenant_id: number;
  instrument_id: number;
  day: string;
  run_id: number;
  source_id: number;
  revision: Defaulted<number>;
  known_at: string | null;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  adjusted_close: number | null;
}

export interface PriceQuarantineTable {
  tenant_id: number;
  instrument_id: number;
  day: string;
  run_id: number;
  line: number;
  source_id: number;
  case_id: number;
  known_at: string | null;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  adjusted_close: number | null;
}

export interface PublicationTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  run_id: number;
  kind: string;
  published_at: string;
  row_count: number;
  content_sha256: Buffer;
  known_at_min: string;
  known_at_max: string;
  reason: Defaulted<string>;
  actor_id: number | null;
}

export interface QueryLogTable {
  id: GeneratedAlways<number>;
  tenant_id: Defaulted<number>;
  fingerprint: string;
  text: string;
  times: Defaulted<number>;
  total_ms: Defaulted<number>;
  max_ms: Defaulted<number>;
  recent_ms: Defaulted<JsonColumn>;
  first_seen_at: Defaulted<string>;
  last_seen_at: Defaulted<string>;
  plan: string | null;
  plan_taken_at: string | null;
  plan_reason: string | null;
  previous_plan: string | null;
  previous_plan_taken_at: string | null;
  plan_changed_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface RecoveryCodeTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  code_hash: Buffer;
  spent_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface RefreshTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  source_id: number;
  universe_id: number | null;
  task_id: number | null;
  state: Defaulted<string>;
  symbol_count: Defaulted<number>;
  current_count: Defaulted<number>;
  refreshed_count: Defaulted<number>;
  gap_count: Defaulted<number>;
  accepted_count: Defaulted<number>;
  revised_count: Defaulted<number>;
  quarantined_count: Defaulted<number>;
  case_count: Defaulted<number>;
  batch_count: Defaulted<number>;
  first_day: string | null;
  last_day: string | null;
  sentence: Defaulted<string>;
  started_at: Defaulted<string>;
  finished_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface RefreshGapTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  source_id: number;
  refresh_id: number;
  instrument_id: number | null;
  symbol: string;
  kind: string;
  sentence: string;
  from_day: string;
  to_day: string;
  retry_at: string | null;
  times: Defaulted<number>;
  opened_at: Defaulted<string>;
  closed_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface RefreshTokenTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  family: string;
  token_hash: Buffer;
  expires_at: string;
  used_at: string | null;
  revoked_at: string | null;
  user_agent: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface RegimeRecordTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  subject_kind: string;
  subject_id: number;
  sequence: number;
  day: string;
  state: string;
  bull: number;
  sideways: number;
  bear: number;
  change_point: number;
  as_of: string;
  known_at: string;
  recorded_at: string;
  reconstructed: boolean;
  data_sha256: string;
  config_sha256: string;
  code_version: string;
  previous_sha256: string | null;
  record_sha256: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface RunArtefactTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  run_id: number;
  name: string;
  sha256: string;
  byte_count: number;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface RunMetricTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  run_id: number;
  name: string;
  value: number;
  step: number;
  measured_at: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface RunParameterTable {
  tenant_id: number;
  run_id: number;
  name: string;
  value: JsonColumn;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface ScheduleTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  kind: string;
  title: string;
  cron: string;
  input: Defaulted<JsonColumn>;
  enabled: Defaulted<boolean>;
  last_started_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  after_close_calendar: string | null;
  after_close_minutes: number | null;
  trading_days_only: string | null;
}

export interface ScheduleTimerTable {
  tenant_id: number;
  schedule_id: number;
  for_version: number;
  next_run_at: string | null;
  computed_at: string;
  last_due_at: string | null;
  last_started_at: string | null;
  last_task_id: number | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface SecondFactorTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  user_id: number;
  secret_encrypted: Buffer | null;
  confirmed_at: string | null;
  last_step: Defaulted<number>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface ServerProcessTable {
  id: GeneratedAlways<number>;
  name: string;
  tenant_id: number;
  kind: string;
  code_version: string;
  started_at: Defaulted<string>;
  last_seen_at: Defaulted<string>;
  stopped_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface SigningKeyTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  key_id: string;
  public_jwk: JsonColumn;
  private_jwk_encrypted: Buffer;
  not_after: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface SourceTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  code: string;
  name: string;
  kind: string;
  calendar: Defaulted<string>;
  currency: Defaulted<string>;
  price_basis: string | null;
  known_at_rule: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  feed: string | null;
  settings: Defaulted<JsonColumn>;
  credential_sealed: Buffer | null;
  feed_removed_at: string | null;
}

export interface TaskTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  kind: string;
  title: string;
  state: Defaulted<string>;
  progress: Defaulted<number>;
  progress_note: Defaulted<string>;
  input: Defaulted<JsonColumn>;
  result: JsonColumn | null;
  problem: JsonColumn | null;
  attempts: Defaulted<number>;
  queue_job_id: string | null;
  cancel_requested_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
  traceparent: string | null;
}

export interface TenantTable {
  id: Defaulted<number>;
  tenant_id: GeneratedAlways<number>;
  name: string;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface TrainingTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  universe_tenant_id: number;
  universe_id: number;
  task_id: number;
  settings: JsonColumn;
  dataset_sha256: string | null;
  models: JsonColumn | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface TrainingRunTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  experiment_id: number;
  model_id: number | null;
  name: string;
  status: Defaulted<string>;
  reason: string | null;
  dataset_sha256: string | null;
  code_version: string;
  seed: number | null;
  trial_id: number | null;
  tags: Defaulted<JsonColumn>;
  started_at: Defaulted<string>;
  ended_at: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface TrialTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  kind: string;
  name: string;
  parameters: JsonColumn;
  parameters_sha256: string;
  dataset_sha256: string | null;
  code_version: string;
  seed: number | null;
  outcome: string;
  result: Defaulted<JsonColumn>;
  imported: Defaulted<boolean>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
}

export interface UniverseTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  name: string;
  description: Defaulted<string>;
  rule: string;
  source_tenant_id: number;
  source_id: number;
  visibility: Defaulted<string>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface UniverseMemberTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  universe_id: number;
  instrument_tenant_id: number;
  instrument_id: number;
  first_day: string | null;
  last_day: string | null;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface VendorCreditTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  vendor: string;
  key_sha256: string;
  recent_grants: Defaulted<JsonColumn>;
  day: Defaulted<string>;
  used_today: Defaulted<number>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface VersionNoteTable {
  id: GeneratedAlways<number>;
  tenant_id: number;
  model_id: number;
  version_number: number;
  logged_model_id: number | null;
  description: Defaulted<string>;
  tags: Defaulted<JsonColumn>;
  created_at: Defaulted<string>;
  created_by: Defaulted<number | null>;
  updated_at: Defaulted<string>;
  updated_by: Defaulted<number | null>;
  deleted_at: string | null;
  deleted_by: number | null;
  version: Defaulted<number>;
}

export interface VisibleRunTable {
  tenant_id: number | null;
  run_id: number | null;
  source_id: number | null;
  price_basis: string | null;
  published_at: string | null;
  retracted_at: string | null;
}

export interface DB {
  ab_test: AbTestTable;
  ab_test_end: AbTestEndTable;
  alert: AlertTable;
  api_key: ApiKeyTable;
  app_user: AppUserTable;
  archive: ArchiveTable;
  archived_days: ArchivedDaysTable;
  automl: AutomlTable;
  bar_key: BarKeyTable;
  corporate_action: CorporateActionTable;
  data_case: DataCaseTable;
  dataset: DatasetTable;
  drift_check: DriftCheckTable;
  drift_finding: DriftFindingTable;
  evidence: EvidenceTable;
  exchange_holiday: ExchangeHolidayTable;
  exchange_rate: ExchangeRateTable;
  experiment: ExperimentTable;
  feature_push: FeaturePushTable;
  feature_skew_check: FeatureSkewCheckTable;
  feature_view: FeatureViewTable;
  feature_view_version: FeatureViewVersionTable;
  federated_identity: FederatedIdentityTable;
  fundamental: FundamentalTable;
  guess_lock: GuessLockTable;
  index_definition: IndexDefinitionTable;
  index_run: IndexRunTable;
  ingest_run: IngestRunTable;
  instrument: InstrumentTable;
  invitation: InvitationTable;
  listing_event: ListingEventTable;
  logged_model: LoggedModelTable;
  macro_observation: MacroObservationTable;
  market_anomaly: MarketAnomalyTable;
  market_cap: MarketCapTable;
  model: ModelTable;
  model_alias_event: ModelAliasEventTable;
  model_version: ModelVersionTable;
  model_version_choice: ModelVersionChoiceTable;
  outbox_event: OutboxEventTable;
  password_reset: PasswordResetTable;
  person: PersonTable;
  prediction: PredictionTable;
  prediction_input: PredictionInputTable;
  prediction_interval: PredictionIntervalTable;
  prediction_outcome: PredictionOutcomeTable;
  price_observation: PriceObservationTable;
  price_quarantine: PriceQuarantineTable;
  publication: PublicationTable;
  query_log: QueryLogTable;
  recovery_code: RecoveryCodeTable;
  refresh: RefreshTable;
  refresh_gap: RefreshGapTable;
  refresh_token: RefreshTokenTable;
  regime_record: RegimeRecordTable;
  run_artefact: RunArtefactTable;
  run_metric: RunMetricTable;
  run_parameter: RunParameterTable;
  schedule: ScheduleTable;
  schedule_timer: ScheduleTimerTable;
  second_factor: SecondFactorTable;
  server_process: ServerProcessTable;
  signing_key: SigningKeyTable;
  source: SourceTable;
  task: TaskTable;
  tenant: TenantTable;
  training: TrainingTable;
  training_run: TrainingRunTable;
  trial: TrialTable;
  universe: UniverseTable;
  universe_member: UniverseMemberTable;
  vendor_credit: VendorCreditTable;
  version_note: VersionNoteTable;
  visible_run: VisibleRunTable;
}
