import { z } from 'zod';
import {
  audit,
  count,
  currency,
  day,
  id,
  idParam,
  instant,
  longText,
  name,
  page,
  pageQuery,
  price,
  priceBasis,
  sha256,
  symbol,
  timeAnswer,
  timeQuery,
  version,
} from './fields.ts';
import { defineRoute } from './route.ts';
import { accepted } from './tasks.ts';

// ---- Timeline -------------------------------------------------------------------------------------------------------

export const publicationItem = z.object({
  id,
  runId: id,
  kind: z.enum(['publish', 'retract']).meta({ example: 'publish' }),
  publishedAt: instant,
  rowCount: count,
  reason: z.string().meta({ example: '' }),
});

export const getTimeline = defineRoute({
  id: 'getTimeline',
  method: 'GET',
  path: '/data/timeline',
  group: 'data',
  summary: 'The ends of the time machine: what the first and the last knowledge is',
  scope: 'market:read',
  cache: ['source', 'run'],
  status: 200,
  answer: z.object({
    firstKnownAt: instant.nullable().meta({ description: 'Null while nothing is published.' }),
    lastKnownAt: instant.nullable().meta({ description: 'The default of knownAt.' }),
    recordedAt: instant.nullable().meta({ description: 'The last publication; the default of recordedAt.' }),
    publications: z.array(publicationItem).meta({ description: 'The newest 100, newest first.' }),
  }),
  problems: [],
});

// ---- Sources --------------------------------------------------------------------------------------------------------

const calendar = z
  .string()
  .regex(/^[A-Z_]{4,12}$/)
  .meta({ description: 'Code of a trading calendar.', example: 'XNYS' });

export const source = audit.extend({
  id,
  tenantId: id,
  code: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
    .meta({ description: 'Short name in lower case.', example: 'my-prices' }),
  name: name.meta({ example: 'My price files' }),
  kind: z.enum(['simulator', 'file', 'manual', 'calendar', 'feed']).meta({ example: 'file' }),
  calendar,
  currency,
  priceBasis: priceBasis.nullable(),
  knownAtRule: z.enum(['close_plus_one_hour', 'declared_in_data', 'recorded']).meta({
    description: 'When its facts could be known: by a rule, by the data, or only when we recorded them.',
    example: 'close_plus_one_hour',
  }),
  instrumentCount: count,
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  openCaseCount: count,
});
export type Source = z.infer<typeof source>;

export const listSources = defineRoute({
  id: 'listSources',
  method: 'GET',
  path: '/data/sources',
  group: 'data',
  summary: 'Where facts come from',
  scope: 'market:read',
  status: 200,
  answer: z.object({ items: z.array(source) }),
  problems: [],
});
export const updateSource = defineRoute({
  id: 'updateSource',
  method: 'PATCH',
  path: '/data/sources/:sourceId',
  group: 'data',
  summary: 'Rename a source',
  scope: 'market:write',
  params: z.object({ sourceId: idParam }),
  body: z.object({ name, version }),
  status: 200,
  answer: source,
  problems: ['NOT_FOUND', 'CONFLICT'],
});

// ---- Instruments and bars -------------------------------------------------------------------------------------------

export const instrument = audit.extend({
  id,
  tenantId: id,
  symbol,
  name: z.string().meta({ example: 'Alder Instruments' }),
  kind: z.enum(['equity', 'fund', 'index', 'currency', 'crypto', 'other']).meta({ example: 'equity' }),
  calendar,
  currency,
  sector: z.string().nullable().meta({ example: 'Industrials' }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  barCount: count,
});
export type Instrument = z.infer<typeof instrument>;

const instrumentParams = z.object({ instrumentId: idParam });

export const listInstruments = defineRoute({
  id: 'listInstruments',
  method: 'GET',
  path: '/data/instruments',
  group: 'data',
  summary: 'Things with a price',
  scope: 'market:read',
  query: pageQuery.extend({
    search: z.string().max(64).optional().meta({ description: 'Part of the symbol or the name.', example: 'ald' }),
    sourceId: idParam.optional(),
  }),
  status: 200,
  answer: page(instrument),
  problems: [],
});
export const listingEvent = z.object({
  day,
  kind: z.enum(['listed', 'renamed', 'delisted']).meta({ example: 'listed' }),
  symbol,
  calendar,
  knownAt: instant,
});
export const corporateAction = z.object({
  day: day.meta({ description: 'The ex-day.' }),
  kind: z.enum(['split', 'dividend']).meta({ example: 'split' }),
  value: z.number().positive().meta({ description: 'New shares per old share, or cash per share.', example: 2 }),
  knownAt: instant,
});
export const getInstrument = defineRoute({
  id: 'getInstrument',
  method: 'GET',
  path: '/data/instruments/:instrumentId',
  group: 'data',
  summary: 'One instrument, with its names over time and its corporate actions',
  scope: 'market:read',
  cache: ['instrument', 'source', 'run', 'case'],
  params: instrumentParams,
  query: timeQuery,
  status: 200,
  answer: instrument.extend({
    time: timeAnswer,
    listingEvents: z.array(listingEvent),
    corporateActions: z.array(corporateAction),
    sources: z.array(z.object({ id, name, priceBasis: priceBasis.nullable() })),
  }),
  problems: ['NOT_FOUND'],
});
export const updateInstrument = defineRoute({
  id: 'updateInstrument',
  method: 'PATCH',
  path: '/data/instruments/:instrumentId',
  group: 'data',
  summary: 'Change name, kind, sector, currency or calendar',
  scope: 'market:write',
  params: instrumentParams,
  body: instrument
    .pick({ name: true, kind: true, sector: true, currency: true, calendar: true })
    .partial()
    .extend({ version }),
  status: 200,
  answer: instrument,
  problems: ['NOT_FOUND', 'CONFLICT'],
});

export const bar = z.object({
  day,
  open: price.nullable(),
  high: price.nullable(),
  low: price.nullable(),
  close: price.nullable(),
  volume: z.number().nullable().meta({ description: 'Shares.', example: 120000 }),
  revision: count.meta({ description: '0 for the first telling, 1 for its first correction, …' }),
  runId: id,
  knownAt: instant,
});
export type Bar = z.infer<typeof bar>;
export const listBars = defineRoute({
  id: 'listBars',
  method: 'GET',
  path: '/data/instruments/:instrumentId/bars',
  group: 'data',
  summary: 'Daily bars of one instrument as known at a moment, ascending by day',
  scope: 'market:read',
  cache: ['instrument', 'source', 'run', 'case'],
  params: instrumentParams,
  query: timeQuery.extend({
    sourceId: idParam.optional().meta({ description: 'Default: the only source, or the one told last.', example: 1 }),
    from: day.optional(),
    to: day.optional(),
    basis: priceBasis
      .optional()
      .meta({ description: 'Default: as delivered. Raw prices can be adjusted, never the other way.' }),
  }),
  status: 200,
  answer: z.object({
    time: timeAnswer,
    instrument: z.object({ id, symbol, name: z.string().meta({ example: 'Alder Instruments' }), currency }),
    sourceId: id.nullable(),
    basis: priceBasis.nullable(),
    deliveredBasis: priceBasis.nullable(),
    items: z.array(bar).meta({ description: 'At most 20,000.' }),
  }),
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const barVersion = bar.extend({
  recordedAt: instant,
  retractedAt: instant.nullable(),
  quarantined: z.boolean().meta({ example: false }),
  reason: z.string().meta({ description: 'Why it was told again, or held back.', example: '' }),
});
export const listBarVersions = defineRoute({
  id: 'listBarVersions',
  method: 'GET',
  path: '/data/instruments/:instrumentId/bars/:day/versions',
  group: 'data',
  summary: 'Everything ever told about one bar, also what was retracted or held back',
  scope: 'market:read',
  cache: ['instrument', 'source', 'run', 'case'],
  params: instrumentParams.extend({ day }),
  status: 200,
  answer: z.object({ items: z.array(barVersion) }),
  problems: ['NOT_FOUND'],
});
export const correctBar = defineRoute({
  id: 'correctBar',
  method: 'POST',
  path: '/data/corrections',
  group: 'data',
  summary: 'Tell a bar again. The old telling stays and is what was known before',
  scope: 'market:write',
  body: z.object({
    instrumentId: id,
    sourceId: id,
    day,
    open: price.positive(),
    high: price.positive(),
    low: price.positive(),
    close: price.positive(),
    volume: z.number().min(0).nullable().meta({ example: 120000 }),
    reason: z
      .string()
      .trim()
      .min(3)
      .max(500)
      .meta({ description: 'Why, for whoever looks back.', example: 'Vendor notice of 3 March' }),
  }),
  status: 201,
  answer: bar,
  problems: ['NOT_FOUND'],
});
export const addCorporateAction = defineRoute({
  id: 'addCorporateAction',
  method: 'POST',
  path: '/data/corporate-actions',
  group: 'data',
  summary: 'Add a split or dividend of one instrument; known from now on',
  scope: 'market:write',
  body: corporateAction.omit({ knownAt: true }).extend({
    instrumentId: id,
    sourceId: id,
    reason: z.string().trim().min(3).max(500).meta({ example: 'Company notice' }),
  }),
  status: 201,
  answer: corporateAction,
  problems: ['NOT_FOUND'],
});

// ---- Files in -------------------------------------------------------------------------------------------------------

/** The largest file that can be sent at once. */
export const UPLOAD_BYTES_MAX = 2 * 1024 ** 3;

export const uploadFile = defineRoute({
  id: 'uploadFile',
  method: 'POST',
  path: '/data/uploads',
  group: 'data',
  summary: 'Send a file as raw bytes; it is kept under its hash',
  scope: 'market:write',
  takes: 'bytes',
  query: z.object({ fileName: z.string().min(1).max(255).meta({ example: 'prices.csv.gz' }) }),
  status: 201,
  answer: z.object({
    uploadId: sha256.meta({ description: 'Its hash; use it to preview and import.' }),
    fileName: z.string().meta({ example: 'prices.csv.gz' }),
    byteCount: count,
  }),
  problems: ['TOO_LARGE', 'DISK_FULL'],
});

const found = <T extends z.ZodType>(value: T) =>
  z.object({
    value,
    confidence: z
      .enum(['certain', 'likely', 'assumed', 'given'])
      .meta({ description: '`given` when the caller said so.', example: 'certain' }),
    evidence: z.string().meta({ description: 'Why.', example: 'All 200 lines have 7 fields between commas.' }),
  });

/** What a caller may say about a price file; what is left out is detected. */
export const priceFileChoices = z.object({
  separator: z.enum([',', ';', '\t', '|']).optional().meta({ example: ',' }),
  decimalMark: z.enum(['.', ',']).optional().meta({ example: '.' }),
  dateOrder: z.enum(['ymd', 'dmy', 'mdy']).optional().meta({ example: 'ymd' }),
  timeZone: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'IANA zone of time stamps.', example: 'America/New_York' }),
  currency: currency.optional(),
  priceBasis: priceBasis.optional(),
  symbol: symbol.optional().meta({ description: 'For a file with one symbol and no column for it.' }),
  columns: z
    .record(z.string(), z.string())
    .optional()
    .meta({
      description: 'Role to column name: date, symbol, open, high, low, close, adjustedClose, volume.',
      example: { date: 'Date' },
    }),
});
export const rowProblem = z.object({
  file: z.string().meta({ example: 'prices.csv' }),
  line: count.meta({ description: 'Counted from 1.', example: 17 }),
  column: z.string().nullable().meta({ example: 'close' }),
  rule: z.string().meta({ example: 'A close must be a number, was "abc".' }),
});
export const importPreview = z.object({
  fileName: z.string().meta({ example: 'prices.csv.gz' }),
  byteCount: count,
  kind: z.enum(['prices', 'corporate_actions', 'market_caps', 'exchange_rates', 'macro']).meta({ example: 'prices' }),
  layout: found(z.enum(['long', 'single', 'wide']).meta({ example: 'long' })),
  separator: found(z.string().meta({ example: ',' })),
  decimalMark: found(z.string().meta({ example: '.' })),
  dateOrder: found(z.string().meta({ example: 'ymd' })),
  timeZone: found(z.string().nullable().meta({ example: null })),
  currency: found(currency),
  priceBasis: found(priceBasis.nullable()),
  columns: z.record(z.string(), z.string()).meta({ description: 'Role to column name.', example: { date: 'date' } }),
  unknownColumns: z.array(z.string()).meta({ example: [] }),
  rows: z
    .array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])))
    .meta({ description: 'The first 20 rows as they will be read.', example: [] }),
  rowProblems: z.array(rowProblem).meta({ description: 'Among the first lines.' }),
  warnings: z.array(z.string()).meta({ example: [] }),
});
export type ImportPreview = z.infer<typeof importPreview>;

const fileKind = z
  .enum(['prices', 'corporate_actions', 'market_caps', 'exchange_rates', 'macro'])
  .default('prices')
  .meta({ example: 'prices' });

export const previewImport = defineRoute({
  id: 'previewImport',
  method: 'POST',
  path: '/data/imports/preview',
  group: 'data',
  summary: 'How a file would be read; nothing is stored',
  scope: 'market:write',
  body: z.object({
    uploadId: sha256,
    fileName: z.string().min(1).max(255).meta({ example: 'prices.csv.gz' }),
    kind: fileKind,
    choices: priceFileChoices.default({}),
  }),
  status: 200,
  answer: importPreview,
  problems: ['NOT_FOUND', 'FILE_REFUSED'],
});
export const startImport = defineRoute({
  id: 'startImport',
  method: 'POST',
  path: '/data/imports',
  group: 'data',
  summary: 'Read, judge and publish a file in the background',
  scope: 'market:write',
  body: z.object({
    uploadId: sha256,
    fileName: z.string().min(1).max(255).meta({ example: 'prices.csv.gz' }),
    kind: fileKind,
    source: z
      .object({
        code: source.shape.code,
        name: name.optional(),
        calendar: calendar.optional(),
      })
      .meta({ description: 'Made when there is none with this code.' }),
    choices: priceFileChoices.default({}),
    onBadRow: z.enum(['keep-good', 'refuse-file']).meta({
      description: 'Keep the good rows of a file with malformed ones, or refuse it whole.',
      example: 'keep-good',
    }),
    universeName: name.optional().meta({ description: 'Also make a universe of everything the source has.' }),
  }),
  status: 202,
  answer: accepted,
  problems: ['NOT_FOUND', 'FILE_REFUSED'],
});

// ---- Runs -----------------------------------------------------------------------------------------------------------

export const run = audit.extend({
  id,
  tenantId: id,
  sourceId: id,
  sourceName: name,
  kind: z.string().meta({ example: 'prices' }),
  state: z.enum(['staging', 'published', 'refused', 'failed', 'cancelled']).meta({ example: 'published' }),
  priceBasis: priceBasis.nullable(),
  fileName: z.string().nullable().meta({ example: 'prices.csv.gz' }),
  rowCount: count,
  acceptedCount: count,
  unchangedCount: count.meta({ description: 'Rows that were known already, to the last digit.' }),
  revisedCount: count,
  quarantinedCount: count,
  errorCount: count,
  errors: z.array(rowProblem).meta({ description: 'The first 100.' }),
  firstDay: day.nullable(),
  lastDay: day.nullable(),
  publishedAt: instant.nullable(),
  retractedAt: instant.nullable(),
  retractReason: z.string().nullable().meta({ example: null }),
  contentSha256: sha256.nullable(),
  taskId: id.nullable(),
  note: z.string().meta({ example: '' }),
});
export type Run = z.infer<typeof run>;

export const listRuns = defineRoute({
  id: 'listRuns',
  method: 'GET',
  path: '/data/runs',
  group: 'data',
  summary: 'Deliveries of facts, newest first',
  scope: 'market:read',
  query: pageQuery.extend({ sourceId: idParam.optional() }),
  status: 200,
  answer: page(run),
  problems: [],
});
export const getRun = defineRoute({
  id: 'getRun',
  method: 'GET',
  path: '/data/runs/:runId',
  group: 'data',
  summary: 'One delivery',
  scope: 'market:read',
  params: z.object({ runId: idParam }),
  status: 200,
  answer: run,
  problems: ['NOT_FOUND'],
});
export const retractRun = defineRoute({
  id: 'retractRun',
  method: 'POST',
  path: '/data/runs/:runId/retract',
  group: 'data',
  summary: 'Take a wrong delivery out of sight. Nothing is deleted: recordedAt before now still shows it',
  scope: 'market:write',
  params: z.object({ runId: idParam }),
  body: z.object({ reason: z.string().trim().min(3).max(500).meta({ example: 'Wrong file' }) }),
  status: 200,
  answer: run,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});

// ---- Cases ----------------------------------------------------------------------------------------------------------

export const dataCase = audit.extend({
  id,
  tenantId: id,
  runId: id,
  sourceId: id,
  instrumentId: id.nullable(),
  symbol: symbol.nullable(),
  kind: z.string().meta({ description: 'Which rule it broke.', example: 'bad_tick' }),
  action: z
    .enum(['quarantine', 'note'])
    .meta({ description: 'quarantine: its bars are held back.', example: 'quarantine' }),
  state: z
    .enum(['open', 'confirmed', 'false'])
    .meta({ description: 'false: a false alarm; held bars are released.', example: 'open' }),
  firstDay: day,
  lastDay: day,
  rowCount: count,
  measure: z.number().nullable().meta({ description: 'What was measured.', example: 9.1 }),
  threshold: z.number().nullable().meta({ description: 'What it was measured against.', example: 8 }),
  reason: z.string().meta({ example: 'Close 900.10 is ten times its neighbours 90.02 and 90.05.' }),
  knownAt: instant,
  decisionNote: z.string().meta({ example: '' }),
  decidedAt: instant.nullable(),
});
export type DataCase = z.infer<typeof dataCase>;

export const listCases = defineRoute({
  id: 'listCases',
  method: 'GET',
  path: '/data/cases',
  group: 'data',
  summary: 'Findings of the quality court, newest first',
  scope: 'market:read',
  query: pageQuery.extend({
    ...timeQuery.shape,
    state: dataCase.shape.state.optional(),
    kind: z.string().max(64).optional().meta({ example: 'bad_tick' }),
    sourceId: idParam.optional(),
    instrumentId: idParam.optional(),
    runId: idParam.optional(),
  }),
  status: 200,
  answer: page(dataCase).extend({
    time: timeAnswer,
    total: count,
    byKind: z.array(
      z.object({ kind: z.string().meta({ example: 'bad_tick' }), open: count, confirmed: count, false: count }),
    ),
  }),
  problems: [],
});
export const getCase = defineRoute({
  id: 'getCase',
  method: 'GET',
  path: '/data/cases/:caseId',
  group: 'data',
  summary: 'One finding, with the bars held back and their neighbours',
  scope: 'market:read',
  params: z.object({ caseId: idParam }),
  status: 200,
  answer: dataCase.extend({
    heldBars: z.array(bar.omit({ revision: true }).extend({ line: count })),
    neighbours: z.array(bar).meta({ description: 'Up to ten published bars on each side.' }),
  }),
  problems: ['NOT_FOUND'],
});
export const decideCase = defineRoute({
  id: 'decideCase',
  method: 'POST',
  path: '/data/cases/:caseId/decision',
  group: 'data',
  summary: 'Confirm a finding, or call it a false alarm and release its bars',
  scope: 'market:write',
  params: z.object({ caseId: idParam }),
  body: z.object({
    state: z.enum(['confirmed', 'false']).meta({ example: 'confirmed' }),
    note: longText.default(''),
    version,
  }),
  status: 200,
  answer: dataCase,
  problems: ['NOT_FOUND', 'CONFLICT', 'NOT_POSSIBLE_NOW'],
});

// ---- Simulated market -----------------------------------------------------------------------------------------------

const faultKind = z
  .enum(['bad-tick', 'missing-bar', 'stale-run', 'late-correction', 'late-split'])
  .meta({ description: 'What was done to the published data.', example: 'bad-tick' });
export const plantedFault = z.object({
  kind: faultKind,
  symbol,
  firstDay: day,
  lastDay: day,
  columns: z
    .array(z.enum(['open', 'high', 'low', 'close']).meta({ example: 'close' }))
    .meta({ description: 'Prices that differ from the truth; empty where a row is missing or only late.' }),
  relativeError: z
    .number()
    .nullable()
    .meta({ description: 'Published over true value minus one; null for kinds without a size.', example: 0.12 }),
  correctedKnownAt: instant.nullable().meta({ description: 'When it was put right; null if it never is.' }),
  found: z.boolean().meta({ description: 'True when the quality court has a finding that answers it.', example: true }),
});
export const simulatedTruth = z.object({
  seed: z.int().min(0).meta({ example: 20260115 }),
  settings: z.string().meta({ description: 'Name of the settings.', example: 'medium' }),
  truthSha256: sha256.meta({ description: 'Hash of the record kept before anything was judged by it.' }),
  sourceId: id,
  firstDay: day,
  lastDay: day,
  regimes: z.array(
    z.object({
      regime: z.enum(['bull', 'sideways', 'bear']).meta({ example: 'bull' }),
      firstDay: day,
      lastDay: day,
    }),
  ),
  jumps: z.array(
    z.object({
      day,
      symbol: symbol.nullable().meta({ description: 'Null: the whole market.', example: null }),
      size: z.number().meta({ description: 'Log return.', example: -0.08 }),
    }),
  ),
  faults: z.array(plantedFault),
  splits: z.array(
    z.object({
      symbol,
      day,
      ratio: z.number().meta({ description: 'New shares per old share.', example: 2 }),
      announcedDay: day,
    }),
  ),
  delistings: z.array(
    z.object({
      symbol,
      lastDay: day,
      finalPrice: z.number().meta({ description: 'Cash per share paid on the next session.', example: 12.5 }),
      reason: z.enum(['bankruptcy', 'acquisition']).meta({ example: 'bankruptcy' }),
    }),
  ),
  byKind: z
    .array(
      z.object({
        kind: faultKind,
        planted: count,
        found: count,
        findings: z
          .array(z.string().meta({ example: 'bad_tick' }))
          .meta({ description: 'Kinds of finding that answer it, give or take one session.' }),
        note: z.string().meta({ description: 'What to know before reading the two numbers.', example: '' }),
      }),
    )
    .meta({ description: 'How many faults of a kind were planted, and how many the court found.' }),
});
export type SimulatedTruth = z.infer<typeof simulatedTruth>;

export const getSimulatedTruth = defineRoute({
  id: 'getSimulatedTruth',
  method: 'GET',
  path: '/data/simulated-market/truth',
  group: 'data',
  summary: 'What was planted in the simulated market, and what the quality court found of it',
  scope: 'market:read',
  cache: ['source', 'run'],
  status: 200,
  answer: simulatedTruth,
  problems: ['NOT_FOUND'],
});

// ---- Small facts ----------------------------------------------------------------------------------------------------

export const listExchangeRates = defineRoute({
  id: 'listExchangeRates',
  method: 'GET',
  path: '/data/exchange-rates',
  group: 'data',
  summary: 'Units of `quote` for one `base`, as known at a moment',
  scope: 'market:read',
  cache: ['source', 'run'],
  query: timeQuery.extend({ base: currency, quote: currency, from: day.optional(), to: day.optional() }),
  status: 200,
  answer: z.object({
    time: timeAnswer,
    items: z.array(z.object({ day, value: z.number().meta({ example: 1.09 }), knownAt: instant })),
  }),
  problems: [],
});
export const listMacroSeries = defineRoute({
  id: 'listMacroSeries',
  method: 'GET',
  path: '/data/macro',
  group: 'data',
  summary: 'One macro series as known at a moment, vintages respected',
  scope: 'market:read',
  cache: ['source', 'run'],
  query: timeQuery.extend({ series: z.string().min(1).max(64).meta({ example: 'CPIAUCSL' }) }),
  status: 200,
  answer: z.object({
    time: timeAnswer,
    items: z.array(z.object({ day, value: z.number().nullable().meta({ example: 3.1 }), knownAt: instant })),
  }),
  problems: [],
});
export const listHolidays = defineRoute({
  id: 'listHolidays',
  method: 'GET',
  path: '/data/calendars/:calendar/holidays',
  group: 'data',
  summary: 'Days an exchange was closed or closed early',
  scope: 'market:read',
  cache: ['run'],
  params: z.object({ calendar }),
  query: z.object({ from: day, to: day }),
  status: 200,
  answer: z.object({
    calendar: z.object({
      code: calendar,
      name,
      timeZone: z.string().meta({ example: 'America/New_York' }),
      closeTime: z.string().meta({ example: '16:00' }),
    }),
    items: z.array(z.object({ day, name, kind: z.enum(['closed', 'early']).meta({ example: 'closed' }) })),
  }),
  problems: ['NOT_FOUND'],
});
