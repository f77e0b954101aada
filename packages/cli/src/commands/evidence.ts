import { listEvidence, listTrials, startVerify } from '@touchstone/contracts/diagnostics';
import { z } from 'zod';
import { type Command, LIMIT_OPTION } from '../command.ts';
import { allPages, limitOf } from '../look-up.ts';
import { number, short, table } from '../render.ts';
import { watchTask } from '../watch-task.ts';

const verdict = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), count: z.number(), ok: z.boolean(), sentence: z.string() })),
});

export const evidenceCommands: Command[] = [
  {
    name: 'evidence',
    summary: 'The hash chain of what happened, newest first',
    args: [],
    options: {
      ...LIMIT_OPTION,
      subject: { value: 'KIND', summary: 'Only records about this kind of thing, like run' },
      id: { value: 'ID', summary: 'Only records about this one' },
    },
    example: 'evidence --subject run --id 12',
    async run(call) {
      const query = { subjectKind: call.text('subject'), subjectId: call.text('id') };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listEvidence, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'NO', value: (row) => row.sequence },
          { title: 'RECORDED', value: (row) => row.recordedAt },
          { title: 'WHAT', value: (row) => row.kind },
          { title: 'ABOUT', value: (row) => `${row.subjectKind} ${row.subjectId}` },
          { title: 'BY', value: (row) => (row.actorId === null ? 'server' : `user ${row.actorId}`) },
          { title: 'HASH', value: (row) => short(row.hash) },
        ],
        'Nothing is on record yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'trials',
    summary: 'Every evaluation ever run, newest first',
    args: [],
    options: { ...LIMIT_OPTION, dataset: { value: 'HASH', summary: 'Only those on this dataset' } },
    example: 'trials --limit 20',
    async run(call) {
      const query = { datasetSha256: call.text('dataset') };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listTrials, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'TRIAL', value: (row) => row.id },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'NAME', value: (row) => row.name },
          { title: 'OUTCOME', value: (row) => row.outcome },
          { title: 'PARAMETERS', value: (row) => short(row.parametersSha256) },
          { title: 'DATASET', value: (row) => short(row.datasetSha256) },
          { title: 'AT', value: (row) => row.createdAt },
        ],
        'Nothing was tried yet.',
      );
      return { json: answer, text: `${text}\n${number(answer.distinctCount)} distinct trials\n` };
    },
  },
  {
    name: 'verify',
    summary: 'Walk the evidence chain and compute every content hash again; exit code 1 if something differs',
    args: [],
    example: 'verify',
    async run(call) {
      const { task } = await call.client.call(startVerify);
      const done = await watchTask(call, task);
      const found = verdict.parse(done.result);
      const text = table(
        found.checks,
        [
          { title: 'CHECK', value: (row) => row.name },
          { title: 'CHECKED', value: (row) => row.count },
          { title: 'RESULT', value: (row) => (row.ok ? 'fits' : 'DIFFERS') },
        ],
        'There was nothing to check.',
      );
      const sentences = found.checks.map((check) => `${check.sentence}\n`).join('');
      return { json: found, text: `${text}\n${sentences}`, exitCode: found.ok ? 0 : 1 };
    },
  },
];
