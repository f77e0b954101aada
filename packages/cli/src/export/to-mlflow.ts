import { z } from 'zod';
import { type ExportedRun, originTags } from './read-run.ts';

export type MlflowTarget = {
  /** Where a server of MLflow answers; its API is below /api/2.0. */
  url: string;
  token?: string | undefined;
  /** Default: the experiment of the run. */
  experiment?: string | undefined;
};

const STATUS = { running: 'RUNNING', finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' } as const;
/** What MLflow takes in one call. */
const METRICS_MAX = 1_000;
const OTHERS_MAX = 100;
const VALUE_MAX = 6_000;
const PROXY = 'mlflow-artifacts:/';

const experimentId = z.object({ experiment_id: z.string() });
const created = z.object({ run: z.object({ info: z.object({ run_id: z.string(), artifact_uri: z.string() }) }) });

/**
 * Writes a run to a server of MLflow over its REST.
 *
 * @throws Error with what the server said.
 */
export async function exportToMlflow(
  exported: ExportedRun,
  target: MlflowTarget,
): Promise<{ runId: string; experimentId: string; files: string[]; filesLeftOut: string[] }> {
  const { run, metrics } = exported;
  const ask = caller(target);
  const experiment = await ensureExperiment(ask, target.experiment ?? run.experiment);
  const tags = Object.entries(originTags(exported)).map(([key, value]) => ({ key, value }));
  const started = { experiment_id: experiment, run_name: run.name, start_time: Date.parse(run.startedAt) };
  const { info } = created.parse(await ask('POST', 'runs/create', { ...started, tags: tags.slice(0, OTHERS_MAX) })).run;
  const { run_id } = info;
  const params = Object.entries(run.parameters).map(([key, value]) => ({
    key,
    value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, VALUE_MAX),
  }));
  for (const part of chunks(params, OTHERS_MAX)) await ask('POST', 'runs/log-batch', { run_id, params: part });
  for (const part of chunks(tags.slice(OTHERS_MAX), OTHERS_MAX))
    await ask('POST', 'runs/log-batch', { run_id, tags: part });
  const values = metrics.map(({ name: key, value, step, at }) => ({ key, value, step, timestamp: Date.parse(at) }));
  for (const part of chunks(values, METRICS_MAX)) await ask('POST', 'runs/log-batch', { run_id, metrics: part });
  const names = run.artefacts.map(({ name }) => name);
  const isProxied = info.artifact_uri.startsWith(PROXY);
  if (isProxied) {
    for (const name of names) {
      const folder = info.artifact_uri.slice(PROXY.length).replace(/^\/+/, '');
      const at = [...folder.split('/'), ...name.split('/')].map(encodeURIComponent).join('/');
      await ask('PUT', at, await exported.readFile(name));
    }
  }
  const end = run.endedAt === null ? {} : { end_time: Date.parse(run.endedAt) };
  await ask('POST', 'runs/update', { run_id, status: STATUS[run.status], ...end });
  const files = isProxied ? { files: names, filesLeftOut: [] } : { files: [], filesLeftOut: names };
  return { runId: run_id, experimentId: experiment, ...files };
}

type Ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object | Uint8Array<ArrayBuffer>) => Promise<unknown>;

function caller({ url, token }: MlflowTarget): Ask {
  return async (method, path, body) => {
    const isFile = body instanceof Uint8Array;
    const api = `${url.replace(/\/+$/, '')}/api/2.0`;
    const response = await fetch(isFile ? `${api}/mlflow-artifacts/artifacts/${path}` : `${api}/mlflow/${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(isFile ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new MlflowError(`MLflow at ${url} said ${response.status}: ${text.slice(0, 300)}`, text);
    return text === '' ? {} : JSON.parse(text);
  };
}

class MlflowError extends Error {
  readonly text: string;
  constructor(message: string, text: string) {
    super(message);
    this.name = 'MlflowError';
    this.text = text;
  }
}

async function ensureExperiment(ask: Ask, name: string): Promise<string> {
  try {
    const answer = await ask('GET', `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    return z.object({ experiment: experimentId }).parse(answer).experiment.experiment_id;
  } catch (error) {
    if (!(error instanceof MlflowError && error.text.includes('RESOURCE_DOES_NOT_EXIST'))) throw error;
    return experimentId.parse(await ask('POST', 'experiments/create', { name })).experiment_id;
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
