import type { Asker, TwelveDataClient, Usage } from './client.ts';
import { VendorError } from './vendor-error.ts';

/**
 * Tries a key with one question that costs one credit.
 *
 * @returns What its plan allows, or a sentence for the user that says what is wrong.
 */
export async function testTwelveDataKey(
  client: Pick<TwelveDataClient, 'usage'>,
  asker: Asker,
): Promise<{ plan: Usage } | { problem: string }> {
  try {
    return { plan: await client.usage(asker) };
  } catch (error) {
    asker.signal.throwIfAborted();
    if (!(error instanceof VendorError)) throw error;
    return { problem: error.message };
  }
}
