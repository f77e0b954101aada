import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names one process for good. A process number alone does not: it is given again after the process has ended.
 * Empty texts where the system does not tell (no `/proc`).
 */
export type ProcessIdentity = {
  pid: number;
  /** Ticks since boot on Linux, a date elsewhere; only good for comparing. */
  startTime: string;
  bootId: string;
  pidNamespace: string;
  hostname: string;
};

/** `unknown`: the process lives where its number cannot be looked up, in another container or on another machine. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export function identifyProcess(pid: number): ProcessIdentity {
  return {
    pid,
    startTime: findProcessStartTime(pid) ?? '',
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: readLink('/proc/self/ns/pid'),
    hostname: hostname(),
  };
}

export function judgeLiveness(identity: ProcessIdentity): Liveness {
  const here = identifyProcess(process.pid);
  if (identity.bootId !== here.bootId) return identity.hostname === here.hostname ? 'dead' : 'unknown';
  if (identity.pidNamespace !== here.pidNamespace) return 'unknown';
  return findProcessStartTime(identity.pid) === identity.startTime ? 'alive' : 'dead';
}

/** When the process was started, or undefined if there is none. A zombie counts as none: it holds nothing any more. */
export function findProcessStartTime(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (process.platform !== 'linux') return findStartTimeByPs(pid);
  const text = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may itself hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (text === '' || state === 'Z' || state === 'X') return undefined;
  return fields[19];
}

/** The command line, words joined by a blank; empty if the process is gone. */
export function findCommandLine(pid: number): string {
  if (process.platform === 'linux') return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return ps('command=', pid);
}

function findStartTimeByPs(pid: number): string | undefined {
  if (ps('state=', pid).startsWith('Z')) return undefined;
  return ps('lstart=', pid) || undefined;
}

function ps(column: string, pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
