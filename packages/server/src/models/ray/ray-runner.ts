import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadResult } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { packPart } from '../training/pack-part.ts';
import type { PartRunner } from '../training/part-runner.ts';
import type { PartDone, PartJob } from '../training/training.worker.ts';
import { createRayJobs, RayAwayError, type RayJob } from './jobs-api.ts';

export type RaySettings = Readonly<{
  /** Of the dashboard, as http://127.0.0.1:8265. */
  address: string;
  /** Absolute, on every machine of the cluster the same: parts go in there and results come out. */
  folder: string;
  /** How a worker starts the program of a part; null: as this process would. */
  command: string | null;
  /** Parts given to the cluster at a time. */
  jobs: number;
}>;

type Log = { warn(fields: object, text: string): void };

const SUBTASK = fileURLToPath(new URL('../training/run-subtask.ts', import.meta.url));
/** A job that dies is given again so often in all. */
const TRIES = 3;
const POLL_MS = 300;
/** A cluster that was away is asked again after this. */
const AWAY_MS = 30_000;

/**
 * Does parts as jobs of a Ray cluster. What a part needs lies in one file of a shared folder, named by its hash; its result
 * comes back the same way and is believed only if it has the hash the program told. A job that dies is given again. While the
 * cluster is away, or where it loses a part too often, `fallback` does it, and `note` says why.
 */
export function createRayRunner(settings: RaySettings, fallback: PartRunner, log?: Log): PartRunner {
  const { address, folder, jobs: lanes } = settings;
  const command = settings.command ?? `${quote(process.execPath)} ${quote(SUBTASK)}`;
  const jobs = createRayJobs(address);
  let note: string | null = null;
  let awayUntil = 0;

  async function run(job: PartJob, signal: AbortSignal): Promise<PartDone> {
    if (performance.now() < awayUntil) return fallback.run(job, signal);
    try {
      const done = await runThere(job, signal);
      note = null;
      return done;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RayAwayError)) throw error;
      awayUntil = performance.now() + AWAY_MS;
      note = `The Ray cluster is away, own threads do its parts: ${error.message}`;
      log?.warn({ problem: 'RAY_AWAY', address, reason: error.message }, note);
      return fallback.run(job, signal);
    }
  }

  async function runThere(job: PartJob, signal: AbortSignal): Promise<PartDone> {
    const bytes = packPart(job.tableBytes, job.spec);
    const key = createHash('sha256').update(bytes).digest('hex');
    // Two processes may do the same part: each has files of its own.
    const name = `${key.slice(0, 32)}-${randomUUID().slice(0, 8)}`;
    const [input, output] = [path.join(folder, `${name}.in`), path.join(folder, `${name}.out`)];
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(`${input}.part`, bytes);
      await rename(`${input}.part`, input);
      let last = '';
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        const id = `touchstone-${name}-${attempt}`;
        const entrypoint = `${command} ${quote(input)} ${quote(output)}`;
        await jobs.submit({ id, entrypoint, metadata: { part: key } });
        const ended = await follow(id, signal);
        const logs = ended === null ? '' : await jobs.readLogs(id).catch(() => '');
        await jobs.remove(id).catch(() => {});
        // The part itself cannot be done: nobody else could either.
        if (ended?.status === 'FAILED' && ended.exitCode === 1) throw new Error(saidOf(logs, entrypoint));
        const done = ended?.status === 'SUCCEEDED' ? await readBack(output, logs) : null;
        if (done !== null) return done;
        last = ended === null ? 'the cluster lost it' : (ended.message.split('\n')[0] ?? '');
        log?.warn({ problem: 'RAY_JOB_DIED', job: id, attempt, reason: last }, 'A job of the Ray cluster died.');
      }
      throw new RayAwayError(`a part was lost ${TRIES} times: ${last.slice(0, 200)}`);
    } finally {
      await Promise.all([input, output, `${input}.part`, `${output}.part`].map((file) => rm(file, { force: true })));
    }
  }

  /** Waits for the end of a job; null: the cluster no longer knows it. Stops it where the signal says so. */
  async function follow(id: string, signal: AbortSignal): Promise<RayJob | null> {
    try {
      for (;;) {
        const job = await jobs.find(id);
        if (job === null || (job.status !== 'PENDING' && job.status !== 'RUNNING')) return job;
        await sleep(POLL_MS, undefined, { signal });
      }
    } catch (error) {
      await jobs.stop(id).catch(() => {});
      signal.throwIfAborted();
      throw error;
    }
  }

  return { runsOn: 'ray', lanes, note: () => note, run };
}

/** The result, if it is whole and the one that was written there. */
async function readBack(output: string, logs: string): Promise<PartDone | null> {
  const told = /\{"sha256":"([0-9a-f]{64})","seconds":([0-9.e-]+)\}/.exec(logs);
  const bytes = await readFile(output).catch(() => null);
  if (told === null || bytes === null) return null;
  if (createHash('sha256').update(bytes).digest('hex') !== told[1]) return null;
  loadResult(bytes);
  return { bytes, seconds: Number(told[2]) };
}

/** What the program said last, without the lines of Ray. */
function saidOf(logs: string, entrypoint: string): string {
  const own = logs
    .split('\n')
    .filter((line) => line !== '' && !line.includes('job_manager') && !line.includes(entrypoint));
  return own.at(-1) ?? 'the program of the part failed and said nothing';
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
