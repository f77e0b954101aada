import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Terminal } from './terminal.ts';

const PROGRAM = path.join(import.meta.dirname, '../../server/src/operate/main.ts');

/** A program of the server ended with a sentence. */
export class OperateFailed extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'OperateFailed';
  }
}

/**
 * Runs the server's own program for backup, restore and password reset: it knows the database, we do not.
 *
 * @param input For its standard input: a password is not seen there by who lists processes.
 * @returns the JSON it printed.
 * @throws OperateFailed with its sentence.
 */
export function runOperate(terminal: Terminal, args: string[], input = ''): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...terminal.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let answer = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    // Its progress goes through; the last line is kept, for that is where its sentence stands.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000);
      if (!text.startsWith('error: ')) terminal.err(text);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    // It stops at Ctrl-C itself and leaves nothing half-done behind; we wait for that.
    const stopListening = terminal.onInterrupt(() => child.kill('SIGINT'));
    child.on('error', reject);
    child.on('close', (code) => {
      stopListening();
      if (code === 0) resolve(JSON.parse(answer));
      else reject(new OperateFailed(/error: ([\s\S]*)$/.exec(complaint)?.[1]?.trim() ?? `It ended with code ${code}.`));
    });
  });
}
