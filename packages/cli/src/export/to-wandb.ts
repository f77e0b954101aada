import { crc32 } from 'node:zlib';
import { type ExportedRun, originTags } from './read-run.ts';

/*
 * The file of an offline run of Weights & Biases: `:W&B`, a magic number and a version; then the log of LevelDB, blocks of
 * 32 KiB with records of (checksum, length, type), which hold protobuf messages `Record`. Written from the public message
 * descriptions of wandb 0.31.
 */

const BLOCK = 32_768;
const HEADER = 7;
const MAGIC = Buffer.from([...Buffer.from(':W&B'), 0xe1, 0xbe, 0]);
/** How a record lies in its blocks. */
const KIND = { full: 1, first: 2, middle: 3, last: 4 } as const;
/** Field numbers of `Record`. */
const RECORD = { num: 1, history: 2, summary: 3, run: 17, exit: 18, header: 21 } as const;
const OLDEST_READER = '0.70.0';

/** An offline run: its folder, its file, and the content. */
export function toWandb(exported: ExportedRun): { folder: string; file: string; content: Buffer } {
  const { run, metrics } = exported;
  const runId = `touchstone${run.id}`;
  const stamp = run.startedAt.slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
  const startedMs = Date.parse(run.startedAt);
  const records = [
    field(RECORD.header, field(1, Buffer.concat([text(1, 'touchstone'), text(2, OLDEST_READER)]))),
    field(RECORD.run, runRecord(exported, runId, startedMs)),
  ];
  const summary = new Map<string, unknown>();
  // A step of W&B is told once and never goes back: values of one step in one row.
  const steps = [...Map.groupBy(metrics, ({ step }) => step)].sort(([a], [b]) => a - b);
  for (const [step, values] of steps) {
    const at = Math.max(...values.map((value) => Date.parse(value.at)));
    const row: Record<string, unknown> = Object.fromEntries(values.map(({ name, value }) => [name, value]));
    Object.assign(row, { _step: step, _timestamp: at / 1000, _runtime: Math.max(0, at - startedMs) / 1000 });
    for (const [key, value] of Object.entries(row)) summary.set(key, value);
    const items = Object.entries(row).map(([key, value]) => field(1, Buffer.concat([text(2, key), json(16, value)])));
    records.push(field(RECORD.history, Buffer.concat([...items, field(2, integer(1, step))])));
  }
  const updates = [...summary].map(([key, value]) => field(1, Buffer.concat([text(2, key), json(16, value)])));
  if (updates.length > 0) records.push(field(RECORD.summary, Buffer.concat(updates)));
  records.push(field(RECORD.exit, integer(1, run.status === 'finished' ? 0 : 1)));
  const numbered = records.map((record, i) => Buffer.concat([integer(RECORD.num, i + 1), record]));
  return { folder: `offline-run-${stamp}-${runId}`, file: `run-${runId}.wandb`, content: toLog(numbered) };
}

function runRecord(exported: ExportedRun, runId: string, startedMs: number): Buffer {
  const { run } = exported;
  const config = { ...run.parameters, ...originTags(exported) };
  const items = Object.entries(config).map(([key, value]) => field(1, Buffer.concat([text(1, key), json(16, value)])));
  const nanos = (startedMs % 1000) * 1_000_000;
  return Buffer.concat([
    ...[text(1, runId), text(3, run.experiment), field(4, Buffer.concat(items)), text(8, run.name)],
    field(17, Buffer.concat([integer(1, Math.floor(startedMs / 1000)), integer(2, nanos)])),
  ]);
}

/** Messages as a log in blocks; one that does not fit is cut. */
export function toLog(messages: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [MAGIC];
  let at = MAGIC.length;
  const push = (part: Buffer) => {
    parts.push(part);
    at += part.length;
  };
  for (const message of messages) {
    let from = 0;
    do {
      if (BLOCK - (at % BLOCK) < HEADER) push(Buffer.alloc(BLOCK - (at % BLOCK)));
      const to = Math.min(message.length, from + BLOCK - (at % BLOCK) - HEADER);
      const isLast = to === message.length;
      const kind = from === 0 ? (isLast ? KIND.full : KIND.first) : isLast ? KIND.last : KIND.middle;
      const data = message.subarray(from, to);
      const head = Buffer.alloc(HEADER);
      head.writeUInt32LE(crc32(data, crc32(Buffer.from([kind]))), 0);
      head.writeUInt16LE(data.length, 4);
      head.writeUInt8(kind, 6);
      push(Buffer.concat([head, data]));
      from = to;
    } while (from < message.length);
  }
  return Buffer.concat(parts);
}

/** A number of protobuf, seven bits a byte. Negative numbers take ten bytes, as two's complement of 64 bits. */
function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value, 'utf8'));
}

function json(number: number, value: unknown): Buffer {
  return text(number, JSON.stringify(value));
}
