import { BAD, type Displacement, GOOD } from './bar-measures.ts';
import type { CourtContext } from './court-context.ts';
import type { CourtSettings } from './court-settings.ts';
import { type Exam, percent, report } from './exam.ts';
import { loudness } from './step-evidence.ts';

const DISPLACED: readonly { form: Displacement; phrase: string }[] = [
  { form: 'highWick', phrase: 'The high sticks out of open and close' },
  { form: 'lowWick', phrase: 'The low sticks out of open and close' },
  { form: 'openSpike', phrase: 'The open sticks out of the close before and the close after it' },
  { form: 'closeSpike', phrase: 'The close sticks out of the open before and the open after it' },
];

export function findBadTicks(exam: Exam, context: CourtContext, settings: CourtSettings): void {
  const { measures } = exam;
  let last = measures.state.length - 1;
  while (last >= 0 && measures.state[last] !== GOOD) last -= 1;
  const least = Math.min(settings.wickLimit, settings.spikeLimit);
  for (let row = 0; row < measures.state.length; row++) {
    if (measures.state[row] !== GOOD) continue;
    for (const { form, phrase } of DISPLACED) {
      const measure = measures[form][row]!;
      if (!(measure >= least)) continue;
      const limit = tickLimit(exam, row, form, last, context, settings);
      if (measure < limit) continue;
      measures.state[row] = BAD;
      const sd = measures.sd[row]!;
      const seen =
        form === 'closeSpike' && row === last ? 'The last close sticks out of the open and the close before' : phrase;
      const reason = `${seen} by ${percent(Math.expm1(measure * sd))}, ${measure.toFixed(1)} usual days (limit ${limit.toFixed(1)}).`;
      report(exam, 'bad-tick', 'quarantine', [row, row], measure, limit, reason);
      break;
    }
  }
}

function tickLimit(
  exam: Exam,
  row: number,
  form: Displacement,
  last: number,
  context: CourtContext,
  settings: CourtSettings,
): number {
  const session = exam.measures.session[row]!;
  const own = form === 'highWick' || form === 'lowWick' ? settings.wickLimit : settings.spikeLimit;
  const isOpenEnded = form === 'closeSpike' && row === last;
  let limit = isOpenEnded ? own * settings.lastBarFactor : own;
  const peers = context.peers?.[form][session];
  if (peers !== undefined && peers > 0) limit = Math.max(limit, settings.peerFactor * peers);
  // Without peers, a day on which the whole market moved raises the limit by that move.
  const move = context.peers === undefined ? context.marketMove?.[session] : undefined;
  if (move !== undefined && Math.abs(move) > 0) limit += Math.abs(move) / exam.measures.sd[row]!;
  const measure = exam.measures[form][row]!;
  if (measure < limit || measure >= limit * settings.newsFactor) return limit;
  // Volume says that many traded at such prices. Asked last because it is the dear question.
  return loudness(exam, row, settings).volume > settings.newsVolume ? limit * settings.newsFactor : limit;
}
