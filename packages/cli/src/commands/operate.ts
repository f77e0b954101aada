import { type Call, type Command, type Output, UsageError } from '../command.ts';
import { runOperate } from '../operate-program.ts';
import { bytes, facts } from '../render.ts';
import { askPassword } from './account.ts';

/** Work on the installation itself, beside the server: these need the data folder, not the API. */
export const operateCommands: Command[] = [
  {
    name: 'backup',
    summary: 'Write the whole installation into one file, also while the server runs',
    args: ['FILE'],
    example: 'backup touchstone-2026-01-15.backup',
    async run(call) {
      const [file = ''] = call.args;
      const answer = await runOperate(call.terminal, ['backup', file]);
      return told(
        answer,
        `Keep ${file} safe: it holds e-mail addresses, password hashes and the installation's secret.\n`,
      );
    },
  },
  {
    name: 'restore',
    summary: 'Bring a backup back into an empty data folder, with the server stopped',
    args: ['FILE'],
    example: 'restore touchstone-2026-01-15.backup',
    run: async (call) => told(await runOperate(call.terminal, ['restore', call.args[0] ?? '']), ''),
  },
  {
    name: 'user reset',
    summary: 'Set a new password for somebody who lost it; ends their sessions',
    args: ['EMAIL'],
    options: { 'password-stdin': { summary: 'Read the password from standard input' } },
    example: 'user reset owner@example.org',
    run: resetPassword,
  },
];

async function resetPassword(call: Call): Promise<Output> {
  const password = await askPassword(call, 'New password, at least 12 characters: ', true);
  if ([...password].length < 12) throw new UsageError('A password has at least 12 characters.');
  return told(await runOperate(call.terminal, ['reset-password', call.args[0] ?? ''], password), '');
}

function told(answer: Record<string, unknown>, note: string): Output {
  const pairs = Object.entries(answer).map(([name, value]) => {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return [words, name === 'byteCount' && typeof value === 'number' ? bytes(value) : value] as const;
  });
  return { json: answer, text: facts(pairs) + note };
}
