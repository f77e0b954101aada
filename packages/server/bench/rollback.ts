import { createRandom } from '@touchstone/quant/random/random';
import { Agent, request } from 'undici';
import { MODEL, serveEnsembles, subjectsOf } from './_serving-world.ts';
import { startApiServer } from './api-server.ts';
import type { BenchResult } from './bench-server.ts';
import { startProduct } from './product.ts';

const PORTS = [18_087, 18_088] as const;
const RATE = 100;
const ROUNDS = 5;
const BETWEEN_MS = 2_000;
const GOAL_SECONDS = 5;
const ACCEPTED_LEAST = 10;

/**
 * Two server processes on one database under load: how long after a rollback was asked of one of them until no answer of
 * either comes from the version that was left, and whether a request fails meanwhile.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const server = await startApiServer(PORTS[0]);
  const agent = new Agent({ connections: 64, pipelining: 1 });
  const second = await startProduct(server.home, PORTS[1]);
  try {
    await serveEnsembles(server, 2);
    const subjects = await subjectsOf(server);
    const random = createRandom(1).split('rollback');
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    /** Every answer: when it was sent, by which version. */
    const answers: { sentAt: number; version: number }[] = [];
    let failed = 0;
    let isOver = false;

    async function ask(url: string): Promise<void> {
      const sentAt = performance.now();
      const body = JSON.stringify({ subject: { id: subjects[random.integer(subjects.length)] } });
      const answer = await request(`${url}/api/v1/predict/${MODEL}`, {
        ...{ method: 'POST', dispatcher: agent, headers, body },
      });
      const told = Object(await answer.body.json());
      if (answer.statusCode === 200) answers.push({ sentAt, version: Number(told.version) });
      else {
        failed += 1;
        console.error(`${answer.statusCode} ${JSON.stringify(told)}`);
      }
    }
    // A process that has just started learns the key that signed the session with its first requests.
    for (const { url } of [server.product, second])
      for (let accepted = 0; accepted < ACCEPTED_LEAST; ) {
        const answer = await fetch(`${url}/api/v1/models`, { headers });
        await answer.arrayBuffer();
        accepted = answer.ok ? accepted + 1 : 0;
      }
    const load = (async () => {
      const begun = performance.now();
      const flying: Promise<void>[] = [];
      for (let n = 0; !isOver; n++) {
        const wait = begun + (n / RATE) * 1000 - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        const failure = (error: unknown) => {
          failed += 1;
          console.error(error);
        };
        flying.push(ask(n % 2 === 0 ? server.product.url : second.url).catch(failure));
      }
      await Promise.all(flying);
    })();

    const seconds: number[] = [];
    let current = 2;
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      const askedAt = performance.now();
      const left = current;
      await server.call('POST', `/models/${MODEL}/rollback`, { reason: `Round ${round}.`, expected: left });
      current = left === 2 ? 1 : 2;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      const stale = answers.filter(({ sentAt, version }) => sentAt >= askedAt && version === left);
      seconds.push((Math.max(askedAt, ...stale.map(({ sentAt }) => sentAt)) - askedAt) / 1000);
      // Back again, so that there is something to leave in the next round.
      await promoteAgain(server, left, current);
      current = left;
    }
    isOver = true;
    await load;
    const figure = Math.max(...seconds);
    const input = `two processes, ${RATE} requests/s over ${subjects.length} subjects, ${ROUNDS} rollbacks; ${answers.length} answers, ${failed} failed; each took ${seconds.map((one) => one.toFixed(3)).join(', ')} s`;
    return [
      {
        ...{ name: 'rollback', figure, unit: 's', peer: null, peerFigure: null, ratio: null, input },
        ...{ goal: `< ${GOAL_SECONDS} s until no process serves the version left, none failed` },
        met: figure < GOAL_SECONDS && failed === 0,
      },
    ];
  } finally {
    await agent.close();
    await second.stop();
    await server.close();
  }
}

async function promoteAgain(server: Awaited<ReturnType<typeof startApiServer>>, version: number, expected: number) {
  const items = ['limits_read', 'bias_reviewed', 'data_rights_clear', 'monitoring_ready', 'rollback_known'];
  const checklist = items.map((item) => ({ item, signed: true, note: '' }));
  await server.call('POST', `/models/${MODEL}/promote`, { version, expected, reason: 'Again.', checklist });
}
