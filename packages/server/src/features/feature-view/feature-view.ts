import type { CheckedFeature } from '@touchstone/contracts/features';
import { canonicalJson } from '../../platform/evidence/canonical-json.ts';
import { hashOf } from '../../platform/object-store/bundle.ts';

/** A feature view as it is written down: in this program, or by a user. */
export type ViewDefinition = {
  name: string;
  description: string;
  owner: string;
  entity: 'instrument';
  /** Days after which an online value is told as expired; null: never. */
  ttlDays: number | null;
  /** `push`: values come from outside, and features have no expression. */
  source: 'bars' | 'push';
  features: { name: string; expression: string | null }[];
};

/** One version of a view. Versions never change. */
export type ViewVersion = {
  definition: ViewDefinition;
  version: number;
  sha256: string;
  builtIn: boolean;
  /** Null for a view of the program. */
  id: number | null;
  codeVersion: string;
  checks: CheckedFeature[] | null;
  createdAt: string | null;
  createdBy: number | null;
};

/** Hash of all that decides what is computed. */
export function hashOfView(definition: ViewDefinition): string {
  return hashOf(definition);
}

/** Hash of one feature: equal hashes compute the same. */
export function hashOfFeature(expression: string | null, view: string): string {
  return hashOf(expression === null ? { pushed: view } : { expression });
}

/** True when two definitions say the same. */
export function isSameDefinition(a: ViewDefinition, b: ViewDefinition): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
