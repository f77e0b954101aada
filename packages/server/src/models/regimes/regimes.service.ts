import type { RegimeMemory, RegimeRecord, Regimes } from '@touchstone/contracts/regimes';
import { refuseRegimes } from '@touchstone/quant/regime/read-regimes';
import { REGIME_SETTINGS } from '@touchstone/quant/regime/regime-settings';
import { logReturns } from '@touchstone/quant/series/log-returns';
import type { Series, SeriesQuery, SeriesService, Subject } from '../../features/index.ts';
import { raiseAlert, resolveAlert } from '../../platform/alerts/alerts.ts';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Compute } from '../../platform/compute/compute.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import { readingOf } from '../market/reading.ts';
import { insertRecord, listRecords, lockLastRecord, sealOf } from './regime.repository.ts';
import { emptyAnswer, type RegimeAnswer, refusalReason, regimeAnswer } from './regime-answer.ts';
import type { RegimeJob } from './regimes.worker.ts';

export type RegimeService = ReturnType<typeof createRegimeService>;

const WORKER = new URL('./regimes.worker.ts', import.meta.url);
const SEED = 1;
/** Answers follow from bars and code alone; a page and its history ask for the same one. */
const KEPT_MAX = 64;

export function createRegimeService(parts: {
  database: Database;
  series: SeriesService;
  compute: Compute;
  codeVersion: string;
}) {
  const { database, series, compute, codeVersion } = parts;
  const kept = createRecent<RegimeAnswer>(KEPT_MAX);

  async function read(principal: Principal, subject: Subject, query: SeriesQuery): Promise<Regimes> {
    const known = await series.read(principal, subject, query);
    const reading = readingOf(known, { codeVersion, settings: REGIME_SETTINGS, seed: SEED });
    return { ...reading, ...(await answerOf(known)) };
  }

  function answerOf(known: Series): Promise<RegimeAnswer> {
    const { bars, suspectDays, dataSha256 } = known;
    const logReturn = logReturns(bars.close, bars.day, suspectDays);
    const refusal = refuseRegimes(logReturn);
    if (refusal !== null) return Promise.resolve(emptyAnswer(refusalReason(refusal, known)));
    // Suspect days are part of the key: a case that is decided changes them, and not the bars.
    return kept.get(`${dataSha256}/${suspectDays.join(',')}`, async () => {
      const job: RegimeJob = { logReturn, seed: SEED };
      const answer = regimeAnswer(bars.day, await compute.run(WORKER, 'runRegimes', job));
      const refused = {
        code: 'did_not_converge',
        sentence: 'No fit of three states was possible on these returns.',
      } as const;
      return answer.fits.length === 0 ? emptyAnswer(refused) : answer;
    });
  }

  return {
    read,

    /** Puts on record what is said of the last known day. @throws NOT_FOUND, NOT_ENOUGH_HISTORY, ALREADY_EXISTS */
    async seal(principal: Principal, subject: Subject, query: SeriesQuery): Promise<RegimeRecord> {
      const reading = await read(principal, subject, query);
      const { current, time, lineage } = reading;
      if (current === null)
        throw new ProblemError('NOT_ENOUGH_HISTORY', reading.reason?.sentence ?? 'The last day has no regime.');
      return database.transaction(principal, async (tx) => {
        const last = await lockLastRecord(tx, subject);
        const record = await insertRecord(tx, subject, {
          sequence: (last?.sequence ?? 0) + 1,
          ...{ day: current.day, state: current.state, probabilities: current.probabilities },
          changePointProbability: current.changePointProbability,
          ...{ time, dataSha256: lineage.dataSha256, configSha256: lineage.configSha256, codeVersion },
          previousSha256: last?.recordSha256 ?? null,
        });
        if (record === undefined)
          throw new ProblemError('ALREADY_EXISTS', `The same is on record of ${current.day} already.`);
        await tellChange(tx, reading, record, last);
        await appendEvidence(tx, {
          ...{ kind: 'regime.sealed', subjectKind: 'regime_record', subjectId: record.id },
          body: {
            ...{ ofKind: subject.kind, ofId: subject.id, sequence: record.sequence, day: record.day },
            ...{ state: record.state, recordSha256: record.recordSha256, dataSha256: record.dataSha256 },
          },
        });
        return record;
      });
    },

    /** What was said then beside what is said now, newest first. @throws NOT_FOUND */
    async history(
      principal: Principal,
      subject: Subject,
      page: { before: number | undefined; limit: number },
    ): Promise<RegimeMemory[]> {
      const now = await read(principal, subject, {});
      const records = await database.transaction(principal, (tx) => listRecords(tx, subject, page), { readOnly: true });
      const rowOf = new Map(now.days.map((day, row) => [day, row]));
      return records.map((record) => {
        const { id: _, recordSha256, sealedAt: _at, sealedBy: _by, ...fields } = record;
        const said = whatIsSaid(now, rowOf.get(record.day));
        return {
          ...record,
          isSealIntact: sealOf(subject, fields) === recordSha256,
          now: said,
          differs: said.state !== record.state,
        };
      });
    },
  };
}

function whatIsSaid({ state, bull, sideways, bear }: Regimes, row: number | undefined): RegimeMemory['now'] {
  if (row === undefined) return { state: null, probabilities: null };
  const [p, q, r] = [bull[row] ?? null, sideways[row] ?? null, bear[row] ?? null];
  const probabilities = p === null || q === null || r === null ? null : { bull: p, sideways: q, bear: r };
  return { state: state[row] ?? null, probabilities };
}

/** A later day in another state raises an alert; one in the same state resolves it. */
async function tellChange(
  tx: Transaction,
  { subject, lagNote }: Regimes,
  record: RegimeRecord,
  last: RegimeRecord | undefined,
): Promise<void> {
  const sameAs = `regime.changed:${subject.kind}:${subject.id}`;
  if (last === undefined || last.day >= record.day) return;
  if (last.state === record.state) return resolveAlert(tx, sameAs);
  const name = subject.symbol ?? subject.name;
  await raiseAlert(tx, {
    kind: 'regime.changed',
    severity: record.state === 'bear' ? 'warning' : 'info',
    title: `${name}: regime ${record.state}, was ${last.state}`,
    detail: `On record for ${record.day}; the record before is of ${last.day}. ${lagNote}`,
    ...{ subjectKind: subject.kind, subjectId: subject.id, sameAs },
  });
}
