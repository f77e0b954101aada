import { setImmediate as nextTurn } from 'node:timers/promises';
import { lie, VendorError } from './vendor-error.ts';

/** An answer larger than this is not read on. 120 symbols of 5,000 bars are about 70 MiB. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
/** Other work gets a turn after so many bytes: about a millisecond of looking at them. */
const TURN_BYTES = 128 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LESS_THAN = 0x3c;

/**
 * Reads the members of a JSON object while it arrives, one by one, so that an answer of many symbols is never parsed in
 * one go: the event loop gets a turn after each member.
 *
 * @throws VendorError `lies` when it is a web page, no JSON object, or cut off.
 */
export async function* readMembers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<[key: string, value: unknown]> {
  const scan = createScan();
  let byteCount = 0;
  for await (const chunk of chunks) {
    byteCount += chunk.length;
    if (byteCount > ANSWER_BYTES_MAX) {
      throw new VendorError('lies', `TwelveData’s answer is longer than ${ANSWER_BYTES_MAX >> 20} MiB.`);
    }
    for (let at = 0; at < chunk.length; at += TURN_BYTES) {
      for (const text of scan.push(chunk.subarray(at, at + TURN_BYTES))) {
        const isLarge = text.length > TURN_BYTES / 4;
        const members = parseMember(text);
        // What the reader makes of a large member is work of its own.
        if (isLarge) await nextTurn();
        yield* members;
        if (isLarge) await nextTurn();
      }
      await nextTurn();
    }
  }
  if (byteCount === 0) throw answerFault('TwelveData’s answer has no content.', 'unavailable');
  if (!scan.isComplete()) throw answerFault('TwelveData’s answer is cut off.', 'lies');
}

/** Cuts a byte stream at the commas between the members of its one object. */
function createScan() {
  let pending: Uint8Array[] = [];
  let depth = 0;
  let isInText = false;
  let isEscaped = false;
  let isClosed = false;

  /** True at the byte after a member: its comma, or the end of the object. */
  function endsMember(byte: number): boolean {
    if (byte === QUOTE) isInText = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      isClosed = depth === 0;
      return isClosed;
    }
    return byte === COMMA && depth === 1;
  }

  function passText(byte: number): void {
    if (isEscaped) isEscaped = false;
    else if (byte === BACKSLASH) isEscaped = true;
    else if (byte === QUOTE) isInText = false;
  }

  /** True when the object begins. @throws VendorError when something else does. */
  function begins(byte: number): boolean {
    if (isSpace(byte)) return false;
    if (isClosed || byte !== OPEN_BRACE) throw startFault(byte);
    depth = 1;
    return true;
  }

  return {
    isComplete: () => isClosed,
    /** The members that end in this chunk, as text. */
    push(chunk: Uint8Array): string[] {
      const members: string[] = [];
      let start = 0;
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i]!;
        if (isInText) passText(byte);
        else if (depth === 0) start = begins(byte) ? i + 1 : start;
        else if (endsMember(byte)) {
          members.push(Buffer.concat([...pending, chunk.subarray(start, i)]).toString('utf8'));
          pending = [];
          start = i + 1;
        }
      }
      if (depth > 0) pending.push(chunk.subarray(start));
      return members;
    },
  };
}

function parseMember(text: string): [string, unknown][] {
  try {
    const parsed: Record<string, unknown> = JSON.parse(`{${text}}`);
    return Object.entries(parsed);
  } catch (cause) {
    throw answerFault('TwelveData’s answer is not JSON.', 'lies', cause);
  }
}

function startFault(byte: number): VendorError {
  return byte === LESS_THAN
    ? answerFault('TwelveData answered with a web page instead of data.', 'lies')
    : answerFault('TwelveData’s answer is not the documented JSON object.', 'lies');
}

function answerFault(sentence: string, kind: 'lies' | 'unavailable', cause?: unknown): VendorError {
  // A page of a gateway or a cut line: the vendor is unwell, whatever was asked.
  if (kind === 'lies') return lie(sentence, { isOutage: true, cause });
  return new VendorError(kind, sentence, { isPassing: true, isOutage: true, cause });
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
