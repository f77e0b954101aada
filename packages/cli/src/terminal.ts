import { createInterface } from 'node:readline/promises';

/** Where a command speaks and listens. Tests hand in one that remembers. */
export type Terminal = {
  /** The answer: for people or, with --json, for programs. */
  out(text: string): void;
  /** Everything beside the answer: progress, questions, complaints. */
  err(text: string): void;
  /** True when a person sits in front: questions may be asked and bars drawn. */
  isInteractive: boolean;
  environment: Readonly<Record<string, string | undefined>>;
  ask(question: string, options?: { hidden?: boolean }): Promise<string>;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Calls the listener at Ctrl-C instead of ending; returns a function that stops listening. */
  onInterrupt(listener: () => void): () => void;
};

export const processTerminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  environment: process.env,
  ask: (question, options = {}) => (options.hidden ? askHidden(question) : askPlain(question)),
  async readInput() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  },
  onInterrupt(listener) {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
};

async function askPlain(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question);
  } finally {
    reader.close();
  }
}

/** Reads a line key by key, so that the terminal shows nothing of it. */
function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8').resume();
  return new Promise((resolve, reject) => {
    let line = '';
    const finish = (act: () => void) => {
      process.stdin.off('data', onKeys);
      process.stdin.setRawMode(false);
      process.stdin.pause();
      process.stderr.write('\n');
      act();
    };
    const onKeys = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n') return finish(() => resolve(line));
        if (key === '\u0003') return finish(() => reject(new Interrupted()));
        line = key === '\u007f' || key === '\b' ? line.slice(0, -1) : line + key;
      }
    };
    process.stdin.on('data', onKeys);
  });
}

/** The person pressed Ctrl-C. The command ends with exit code 130. */
export class Interrupted extends Error {
  constructor(sentence = 'Interrupted.') {
    super(sentence);
    this.name = 'Interrupted';
  }
}
