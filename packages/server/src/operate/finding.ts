import type { Finding } from '@touchstone/contracts/keeping';

export type { Finding } from '@touchstone/contracts/keeping';

/** What a check gives back; its name is added by who ran it. */
export type Verdict = Omit<Finding, 'check'>;

export const fine = (what: string): Verdict => ({ state: 'fine', what, why: '', command: null });
/** It works now, and is unsafe or will not go on. */
export const warning = (what: string, why: string, command: string | null = null): Verdict => ({
  state: 'warning',
  ...{ what, why, command },
});
/** It does not work, or data is at risk now. */
export const broken = (what: string, why: string, command: string | null = null): Verdict => ({
  state: 'broken',
  ...{ what, why, command },
});
export const skipped = (what: string): Verdict => ({ state: 'skipped', what, why: '', command: null });

/** A check by name. A check looks and changes nothing. */
export type CheckTable<Context> = readonly { name: string; look: (context: Context) => Promise<Verdict> }[];

/** Looks at everything, one after the other. A check that fails itself is a finding too. */
export async function runChecks<Context>(checks: CheckTable<Context>, context: Context): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, look } of checks) {
    const verdict = await look(context).catch((error: unknown) =>
      broken(
        `This could not be looked at: ${error instanceof Error ? error.message : String(error)}.`,
        'What stops the doctor may stop the server as well.',
      ),
    );
    findings.push({ check: name, ...verdict });
  }
  return findings;
}

export function isOk(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.state !== 'broken');
}
