import { seeingDeleted, type Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { ProblemError } from '../../platform/problem-error.ts';
import * as repository from './model.repository.ts';
import { MODEL_SUBJECT } from './registry.types.ts';

/** Makes the model when there is none; a deleted one comes back by hand only. */
export async function ensureModel(tx: Transaction, name: string): Promise<void> {
  if ((await repository.findModelId(tx, name)) !== undefined) return;
  const before = await seeingDeleted(tx, () => repository.lockModel(tx, name));
  // Somebody made it between the two looks.
  if (before?.deletedAt === null) return;
  if (before !== undefined)
    throw new ProblemError('NOT_POSSIBLE_NOW', `The model ${name} is deleted. Undelete it, or take another name.`);
  const id = await repository.insertModel(tx, { name, description: '' });
  if (id !== undefined)
    await appendEvidence(tx, { kind: 'model.created', subjectKind: MODEL_SUBJECT, subjectId: id, body: {} });
}
