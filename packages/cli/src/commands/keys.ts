import { type ApiKey, createKey, listKeys, revokeKey, rotateKey } from '@touchstone/contracts/people';
import { PERSONAL_SCOPES, SCOPES } from '@touchstone/contracts/policy';
import { type Command, LIMIT_OPTION, type Output, UsageError } from '../command.ts';
import { allPages, limitOf, numberOf } from '../look-up.ts';
import { show, table } from '../render.ts';

const GIVABLE = SCOPES.filter((scope) => !PERSONAL_SCOPES.includes(scope));

export const keyCommands: Command[] = [
  {
    name: 'keys list',
    summary: 'API keys, newest first: yours, and for an owner everybody’s',
    args: [],
    options: LIMIT_OPTION,
    example: 'keys list',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listKeys, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'NAME', value: (row) => row.name },
          { title: 'KEY', value: (row) => `${row.prefix}…` },
          { title: 'OF', value: (row) => row.userName },
          { title: 'MAY', value: (row) => row.scopes.join(' ') },
          { title: 'STATE', value: (row) => row.state },
          { title: 'ENDS', value: (row) => row.expiresAt },
          { title: 'LAST USED', value: (row) => row.lastUsedAt },
        ],
        'There are no keys yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'keys create',
    summary: 'Make an API key; it is printed this once',
    args: ['NAME'],
    options: {
      scopes: { value: 'SCOPES', summary: `What it may do, with commas: ${GIVABLE.join(', ')}` },
      days: { value: 'COUNT', summary: 'How long it works; default 90, at most 365' },
      service: { value: 'NUMBER', summary: 'For this service instead of yourself' },
    },
    example: 'keys create Notebook --scopes market:read,portfolio:read',
    async run(call) {
      const words = (call.text('scopes') ?? '').split(',').filter((word) => word !== '');
      const scopes = words.map((word) => {
        const scope = GIVABLE.find((known) => known === word.trim());
        if (scope === undefined) throw new UsageError(`A key can be given ${GIVABLE.join(', ')}; not "${word}".`);
        return scope;
      });
      if (scopes.length === 0) throw new UsageError('Say what it may do with --scopes, like market:read,task:read.');
      const service = call.text('service');
      const serviceId = service === undefined ? undefined : numberOf(service, '--service');
      const body = { name: call.args[0] ?? '', scopes, expiresInDays: call.number('days'), serviceId };
      return told(await call.client.call(createKey, { body }));
    },
  },
  {
    name: 'keys rotate',
    summary: 'Make the successor of a key; the old one works for a while longer',
    args: ['NUMBER'],
    options: { overlap: { value: 'HOURS', summary: 'How long the old one still works; default 24' } },
    example: 'keys rotate 12 --overlap 2',
    async run(call) {
      const keyId = numberOf(call.args[0], 'NUMBER');
      const body = { overlapHours: call.number('overlap') };
      return told(await call.client.call(rotateKey, { params: { keyId }, body }));
    },
  },
  {
    name: 'keys revoke',
    summary: 'Stop a key',
    args: ['NUMBER'],
    example: 'keys revoke 12',
    async run(call) {
      const keyId = numberOf(call.args[0], 'NUMBER');
      await call.client.call(revokeKey, { params: { keyId } });
      return { json: { revoked: keyId }, text: `Key ${keyId} works no more.\n` };
    },
  },
];

function told(made: { key: string; apiKey: ApiKey }): Output {
  const { id, expiresAt } = made.apiKey;
  const sentence = `Key ${id}, until ${show(expiresAt)}. Keep it now; it is shown this once:`;
  return { json: made, text: `${sentence}\n${made.key}\n` };
}
