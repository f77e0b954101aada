import type { Person } from '@touchstone/contracts/people';
import { PERSON_ROLES } from '@touchstone/contracts/policy';

export type PersonRole = (typeof PERSON_ROLES)[number];

/** What each role means, in a sentence. The exact rights are on the page of roles. */
export const ROLE_WORDS: Record<PersonRole, string> = {
  owner: 'Everything, people and keys included.',
  manager: 'Brings in data, decides findings, builds and computes indexes; sees people, changes none.',
  analyst: 'Builds and computes universes and indexes; brings in no data.',
  viewer: 'Looks, and changes nothing.',
  auditor: 'Looks, also at evidence, deleted things and who did what; changes nothing.',
};

export function toPersonRole(text: string): PersonRole {
  return PERSON_ROLES.find((role) => role === text) ?? 'viewer';
}

/** The name, or the number of somebody who was forgotten. */
export function nameOf(person: Pick<Person, 'userId' | 'displayName'>): string {
  return person.displayName ?? `user ${person.userId}`;
}
