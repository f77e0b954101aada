import type { Anomalies, AnomalyCase, AnomalyDetector, AnomalyState } from '@touchstone/contracts/anomalies';
import type { Reason } from '@touchstone/contracts/market';
import { ANOMALY_SETTINGS } from '@touchstone/quant/anomaly/detect-anomalies';
import { dayText } from '@touchstone/quant/series/day';
import type { Series, SeriesQuery, SeriesService, Subject } from '../../features/index.ts';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { readingOf, tooLittle } from '../market/reading.ts';
import type { AnomalyJob } from './anomalies.worker.ts';
import {
  type CaseFilter,
  countJudgements,
  countOpen,
  findCase,
  findCasesOf,
  insertMissingCases,
  judgeCase,
  listCasesPage,
} from './anomaly.repository.ts';
import { type AnomalyReading, anomalyReading, NOTE } from './anomaly-answer.ts';
import { type Partner, readPartner } from './partner-return.ts';

export type AnomalyService = ReturnType<typeof createAnomalyService>;

const WORKER = new URL('./anomalies.worker.ts', import.meta.url);
const SEED = 1;
const KEPT_MAX = 64;

export function createAnomalyService(parts: {
  database: Database;
  series: SeriesService;
  compute: Compute;
  codeVersion: string;
}) {
  const { database, series, compute, codeVersion } = parts;
  const kept = createRecent<AnomalyReading>(KEPT_MAX);

  async function detect(principal: Principal, subject: Subject, query: SeriesQuery) {
    const known = await series.read(principal, subject, query);
    const partner = await readPartner(database, series, principal, subject, known);
    const { bars, suspectDays, dataSha256 } = known;
    const key = `${dataSha256}/${suspectDays.join(',')}/${partner?.dataSha256 ?? ''}`;
    const reading = await kept.get(key, async () => {
      const job: AnomalyJob = { bars, unpaidDays: suspectDays, partnerReturn: partner?.logReturn ?? null, seed: SEED };
      return anomalyReading(bars.day, await compute.run(WORKER, 'runAnomalies', job), reasonsOf(known, partner));
    });
    return { known, partner, reading };
  }

  return {
    async read(principal: Principal, subject: Subject, query: SeriesQuery): Promise<Anomalies> {
      const { known, partner, reading } = await detect(principal, subject, query);
      const cases = await database.transaction(principal, (tx) => findCasesOf(tx, subject), { readOnly: true });
      const caseOf = new Map(cases.map((one) => [`${one.detector} ${one.day}`, one]));
      // The partner's bars are part of what it was computed from.
      const settings = { ...ANOMALY_SETTINGS, partnerSha256: partner?.dataSha256 ?? null };
      return {
        ...readingOf(known, { codeVersion, settings, seed: SEED }),
        reason: reasonForAll(known),
        note: NOTE,
        detectors: reading.detectors.map((figures) => {
          const judged = cases.filter(({ detector, state }) => detector === figures.detector && state !== 'open');
          const confirmed = judged.filter(({ state }) => state === 'confirmed').length;
          return {
            ...figures,
            judgedCount: judged.length,
            confirmedShare: judged.length === 0 ? null : confirmed / judged.length,
          };
        }),
        items: reading.alarms.map((alarm) => {
          const one = caseOf.get(`${alarm.detector} ${alarm.day}`);
          return { ...alarm, caseId: one?.id ?? null, state: one?.state ?? null };
        }),
      };
    },

    /** Opens a case for each alarm of the last sessions that has none. @throws NOT_FOUND, NOT_ENOUGH_HISTORY */
    async seal(principal: Principal, subject: Subject, query: SeriesQuery & { sessions: number }) {
      const { sessions, ...time } = query;
      const { known, reading } = await detect(principal, subject, time);
      const reason = reasonForAll(known);
      if (reason !== null) throw new ProblemError('NOT_ENOUGH_HISTORY', reason.sentence);
      const { day } = known.bars;
      const first = dayText(day[Math.max(0, day.length - sessions)]!);
      const recent = reading.alarms.filter((alarm) => alarm.day >= first);
      return database.transaction(principal, async (tx) => {
        const opened = await insertMissingCases(tx, subject, recent, known.time);
        if (opened.length > 0) {
          await tellAnomalies(tx, known, opened);
          await appendEvidence(tx, {
            ...{ kind: 'anomaly.opened', subjectKind: 'anomaly_case', subjectId: opened[0]!.id },
            body: {
              ...{ ofKind: subject.kind, ofId: subject.id, dataSha256: known.dataSha256 },
              cases: opened.map(({ id, detector, day, score, threshold }) => ({ id, detector, day, score, threshold })),
            },
          });
        }
        return { subject: known.subject, opened };
      });
    },

    list: (principal: Principal, filter: CaseFilter, page: { before: number | undefined; limit: number }) =>
      database.transaction(
        principal,
        async (tx) => ({ rows: await listCasesPage(tx, filter, page), detectors: await countJudgements(tx) }),
        { readOnly: true },
      ),

    /** @throws NOT_FOUND */
    get: (principal: Principal, caseId: number): Promise<AnomalyCase> =>
      database.transaction(principal, (tx) => getCaseIn(tx, caseId), { readOnly: true }),

    /** @throws NOT_FOUND, CONFLICT */
    judge: (
      principal: Principal,
      caseId: number,
      judgement: { state: AnomalyState; note: string; version: number },
    ): Promise<AnomalyCase> =>
      database.transaction(principal, async (tx) => {
        const before = await getCaseIn(tx, caseId);
        const after = await judgeCase(tx, caseId, judgement);
        if (after === undefined)
          throw new ProblemError(
            'CONFLICT',
            `Case ${caseId} is at version ${before.version} by now; your judgement started from version ${judgement.version}. Load it again.`,
          );
        const { subjectKind, subjectId } = after;
        if ((await countOpen(tx, subjectKind, subjectId)) === 0)
          await resolveAlert(tx, sameAsOf({ kind: subjectKind, id: subjectId }));
        await appendEvidence(tx, {
          ...{ kind: 'anomaly.judged', subjectKind: 'anomaly_case', subjectId: caseId },
          body: { from: before.state, to: after.state, note: after.note, version: after.version },
        });
        return after;
      }),
  };
}

async function getCaseIn(tx: Transaction, caseId: number): Promise<AnomalyCase> {
  return found(await findCase(tx, caseId), `There is no anomaly case ${caseId}.`);
}

/** Why a detector has no input, where the length of the history is not the cause. */
function reasonsOf(series: Series, partner: Partner | null): Partial<Record<AnomalyDetector, Reason>> {
  const reasons: Partial<Record<AnomalyDetector, Reason>> = {};
  if (series.bars.volume.every((volume) => !(volume > 0)))
    reasons.volume = { code: 'no_volume', sentence: 'No traded volume is known by then.' };
  if (partner === null)
    reasons.correlation = {
      code: 'not_defined',
      sentence:
        series.subject.kind === 'index'
          ? 'An index is made of its members and is not held against them.'
          : 'Needs three other instruments with bars to be held against.',
    };
  return reasons;
}

function reasonForAll(series: Series): Reason | null {
  const { close } = series.bars;
  const known = close.filter(Number.isFinite);
  if (close.length > 0 && known.length === 0) return { code: 'all_missing', sentence: 'No close is known by then.' };
  if (known.length > 1 && known.every((price) => price === known[0]))
    return { code: 'constant_prices', sentence: 'Every known close is the same: nothing moves.' };
  return tooLittle(series, ANOMALY_SETTINGS.pastRowsMin + ANOMALY_SETTINGS.tuning.rowsMin + 2);
}

const sameAsOf = ({ kind, id }: Subject) => `anomaly.detected:${kind}:${id}`;

async function tellAnomalies(tx: Transaction, { subject }: Series, opened: readonly AnomalyCase[]): Promise<void> {
  const name = subject.symbol ?? subject.name;
  const what = opened.map(({ detector, day }) => `${detector.replaceAll('_', ' ')} on ${day}`);
  await raiseAlert(tx, {
    kind: 'anomaly.detected',
    severity: 'info',
    title: `${name}: ${opened.length === 1 ? 'an anomaly was' : `${opened.length} anomalies were`} detected`,
    detail: `Detected: ${what.slice(0, 10).join(', ')}. Judge the cases: say which were real. ${NOTE}`,
    ...{ subjectKind: subject.kind, subjectId: subject.id, sameAs: sameAsOf(subject) },
  });
}
