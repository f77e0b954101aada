import { writeFile } from 'node:fs/promises';
import { createRandom } from '@touchstone/quant/random/random';
import { openReplayWorld, TENANT } from './_replay-world.ts';

// `node _replay-all.ts FOLDER COUNT ANSWER`: a process that has seen nothing replays what another one stored.

const [folder = '', count = '0', answer = ''] = process.argv.slice(2);
const world = await openReplayWorld(folder);
const ids = await world.database.transaction(TENANT, async ({ query }) => {
  const rows = await query.selectFrom('prediction').select('id').orderBy('id').execute();
  return rows.map(({ id }) => Number(id));
});
const random = createRandom(1).split('replay');
for (let i = ids.length - 1; i > 0; i--) {
  const j = random.integer(i + 1);
  [ids[i], ids[j]] = [ids[j]!, ids[i]!];
}
const asked = ids.slice(0, Number(count));
let equal = 0;
const differences: string[] = [];
for (const id of asked) {
  const told = await world.replay(TENANT, id);
  if (told.equal) equal += 1;
  else if (differences.length < 5) differences.push(`${id}: ${told.sentence}`);
}
await world.close();
await writeFile(answer, JSON.stringify({ storedCount: ids.length, askedCount: asked.length, equal, differences }));
