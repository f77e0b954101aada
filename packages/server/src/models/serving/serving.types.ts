import type { AskedSubject, Hop, HopCode } from '@touchstone/contracts/predictions';
import type { TimeQuery } from '../../market-data/index.ts';
import type { ResolvedVersion } from '../registry/registry.types.ts';

/** Which version is asked: an alias, a number, or the champion with its fallbacks. */
export type Which = { alias?: string | undefined; version?: number | undefined };

export type PredictionQuestion = TimeQuery & Which & { subject: AskedSubject };

/** A version that may answer. */
export type Candidate = { from: 'model' | 'previous'; version: ResolvedVersion };

/** Steps on the way to who answers; where each leads is known when the next is tried. */
export type Step = { from: Hop['from']; version: number | null; code: HopCode; sentence: string };
