// Records what the Jobs API of a real Ray head answers, for `ray-runner.test.ts`: `node record-exchange.ts ADDRESS > jobs-exchange.json`.
// Host names and addresses are left out.
import { createRayJobs } from './jobs-api.ts';

const jobs = createRayJobs(process.argv[2] ?? 'http://127.0.0.1:8265');
type Answer = { ask: string; status: number; body: unknown };

async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const { status, body: read } = await jobs.ask(method, path, body);
  if (typeof read === 'object' && read !== null && 'driver_node_id' in read)
    Object.assign(read, { driver_node_id: null, driver_agent_http_address: null, start_time: 0, end_time: 0 });
  return { ask: `${method} ${path}`, status, body: read };
}

async function record(id: string, entrypoint: string, stopAfterMs: number | null): Promise<Answer[]> {
  const answers = [await ask('POST', '/api/jobs/', { entrypoint, submission_id: id, entrypoint_num_cpus: 1 })];
  const begun = performance.now();
  let last = '';
  let isStopped = false;
  for (;;) {
    const state = await ask('GET', `/api/jobs/${id}`);
    const status = JSON.stringify(state.body);
    if (status !== last) answers.push(state);
    last = status;
    if (/"status":"(SUCCEEDED|FAILED|STOPPED)"/.test(status)) break;
    if (stopAfterMs !== null && !isStopped && performance.now() - begun > stopAfterMs) {
      isStopped = true;
      answers.push(await ask('POST', `/api/jobs/${id}/stop`));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  answers.push(await ask('GET', `/api/jobs/${id}/logs`), await ask('DELETE', `/api/jobs/${id}`));
  return answers;
}

const exchange = {
  version: (await ask('GET', '/api/version')).body,
  unknown: await ask('GET', '/api/jobs/nobody'),
  succeeded: await record('touchstone-recorded-1', 'echo said', null),
  failed: await record('touchstone-recorded-2', 'echo no such thing >&2; exit 1', null),
  killed: await record('touchstone-recorded-3', 'kill -9 $$', null),
  stopped: await record('touchstone-recorded-4', 'sleep 60', 3_000),
};
process.stdout.write(`${JSON.stringify(exchange, null, 2)}\n`);
