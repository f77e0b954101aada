import { parentPort } from 'node:worker_threads';
import { currentTraceparent } from '../src/platform/trace/trace.ts';

// Says in which trace a thread works, for tracing.test.ts.
parentPort?.postMessage({ kind: 'done', result: currentTraceparent() });
