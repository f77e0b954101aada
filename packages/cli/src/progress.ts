import type { Terminal } from './terminal.ts';

const BAR_WIDTH = 24;
const LINE_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 80;

/** Shows how far something is: a bar that redraws itself for a person, a line now and then for a log. */
export type Progress = {
  /** @param fraction 0..1. */
  show(fraction: number, note: string): void;
  /** Clears the bar, so that what follows starts on a fresh line. */
  done(): void;
};

export function createProgress(terminal: Terminal, title: string, now: () => number = Date.now): Progress {
  let last = terminal.isInteractive ? 0 : now();
  let said = '';
  return {
    show(fraction, note) {
      const every = terminal.isInteractive ? DRAW_EVERY_MS : LINE_EVERY_MS;
      if (now() - last < every) return;
      last = now();
      const share = `${Math.floor(fraction * 100)}`.padStart(3);
      const line = terminal.isInteractive
        ? `\r\u001b[K${bar(fraction)} ${share} %  ${title}  ${note}`
        : `${title}: ${share.trim()} % ${note}\n`;
      if (line !== said) terminal.err(line);
      said = line;
    },
    done() {
      if (terminal.isInteractive && said !== '') terminal.err('\r\u001b[K');
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH);
  return `[${'█'.repeat(full)}${'·'.repeat(BAR_WIDTH - full)}]`;
}
