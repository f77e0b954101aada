import { createRandom } from '@touchstone/quant/random/random';
import { Agent, request } from 'undici';
import { MODEL, quantileOf, serveEnsembles, subjectsOf } from './_serving-world.ts';
import { startApiServer } from './api-server.ts';
import type { BenchResult } from './bench-server.ts';

const PORT = 18_086;
const RATE = Number(process.env.TOUCHSTONE_BENCH_RATE ?? 200);
const SECONDS = Number(process.env.TOUCHSTONE_BENCH_SECONDS ?? 60);
const WARM_UP_SECONDS = 10;
const HTTP_MS = 25;
const MODEL_MS = 5;
/** Each new question costs features over the whole history, an explanation and a seal: so many a second are asked. */
const FRESH_RATE = Number(process.env.TOUCHSTONE_BENCH_FRESH ?? 2);

/**
 * Forecasts of the simulated market over HTTP, at a fixed rate whether earlier ones are answered or not, each timed from the
 * moment it was due. Most ask what was asked before, as screens do; a share asks something new, as after a publication.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startApiServer(PORT, { REQUESTS_PER_MINUTE: 'unlimited' });
  const agent = new Agent({ connections: 64, pipelining: 1 });
  try {
    await serveEnsembles(server, 1);
    const subjects = await subjectsOf(server);
    const random = createRandom(1).split('serve-http');
    const pick = () => subjects[random.integer(subjects.length)]!;
    const model: number[] = [];
    let failed = 0;
    let fresh = 0;

    async function ask(body: object): Promise<void> {
      const answer = await request(`${server.product.url}/api/v1/predict/${MODEL}`, {
        ...{ method: 'POST', dispatcher: agent, body: JSON.stringify(body) },
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      });
      const told = Object(await answer.body.json());
      if (answer.statusCode !== 200) {
        failed += 1;
        if (failed === 1) console.error(JSON.stringify(told));
        return;
      }
      if (told.fromStore === false) {
        fresh += 1;
        model.push(Number(told.modelMilliseconds));
      }
    }

    /** Days long past are new questions; each day of each subject is asked once. */
    let next = 0;
    const newQuestion = () => {
      const n = next++;
      const day = new Date(Date.UTC(2024, 11, 31) - Math.floor(n / subjects.length) * 86_400_000);
      return { subject: { id: subjects[n % subjects.length] }, asOf: day.toISOString().slice(0, 10) };
    };
    const times: { milliseconds: number; isNew: boolean }[] = [];
    const begun = performance.now();
    const flying: Promise<void>[] = [];
    const everyNew = Math.round(RATE / FRESH_RATE);
    for (let n = 0; n < RATE * (WARM_UP_SECONDS + SECONDS); n++) {
      const dueAt = begun + (n / RATE) * 1000;
      const wait = dueAt - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const isNew = n % everyNew === 0;
      const sent = ask(isNew ? newQuestion() : { subject: { id: pick() } });
      flying.push(
        sent.then(() => {
          if (n >= RATE * WARM_UP_SECONDS) times.push({ milliseconds: performance.now() - dueAt, isNew });
        }),
      );
    }
    await Promise.all(flying);
    const all = times.map(({ milliseconds }) => milliseconds);
    const ofNew = times.filter(({ isNew }) => isNew).map(({ milliseconds }) => milliseconds);
    const { count } = await countStored(server);
    const input = `${RATE} requests/s for ${SECONDS} s after ${WARM_UP_SECONDS} s, ${subjects.length} subjects, ${FRESH_RATE} new questions/s (features of up to 11 years, explanation, seal), the others asked before; ${fresh} computed, ${count} stored, ${failed} failed; median ${quantileOf(all, 0.5).toFixed(1)} ms, p95 ${quantileOf(all, 0.95).toFixed(1)} ms`;
    const shared = { unit: 'ms', peer: null, peerFigure: null, ratio: null, input };
    const result = (name: string, figure: number, goal: number): BenchResult => ({
      ...{ ...shared, name, figure, goal: `< ${goal} ms, none failed`, met: figure < goal && failed === 0 },
    });
    return [
      result('serve-http-p99', quantileOf(all, 0.99), HTTP_MS),
      result('serve-http-new-p99', quantileOf(ofNew, 0.99), HTTP_MS),
      result('serve-http-model-p99', quantileOf(model, 0.99), MODEL_MS),
    ];
  } finally {
    await agent.close();
    await server.close();
  }
}

async function countStored(server: Awaited<ReturnType<typeof startApiServer>>): Promise<{ count: number }> {
  const answer = await server.call('GET', `/models/${MODEL}/calibration`);
  return { count: Number(Object(answer.counts).predictions) };
}
