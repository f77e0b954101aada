import type { Change } from './database.ts';

/** Who keeps something that other processes may change. */
export type ElsewhereListener = {
  onChange(change: Change): void;
  /** Changes may have been missed: nothing kept may be used any more. */
  onGap(): void;
};

/** What other processes changed, handed on inside this one by the line that hears of it. */
export type Elsewhere = {
  /** For good; called while wiring. */
  listen(listener: ElsewhereListener): void;
  /** Brings a line that hears of changes. */
  attach(isOpen: () => boolean): void;
  /** False while a change elsewhere could be missed, and in a process that has no line. */
  isHeard(): boolean;
  tell(change: Change): void;
  tellGap(): void;
};

export function createElsewhere(): Elsewhere {
  const listeners: ElsewhereListener[] = [];
  const lines: (() => boolean)[] = [];
  return {
    listen: (listener) => void listeners.push(listener),
    attach: (isOpen) => void lines.push(isOpen),
    isHeard: () => lines.some((isOpen) => isOpen()),
    tell: (change) => {
      for (const listener of listeners) listener.onChange(change);
    },
    tellGap: () => {
      for (const listener of listeners) listener.onGap();
    },
  };
}
