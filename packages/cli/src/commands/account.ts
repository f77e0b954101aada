import {
  answerSecondFactor,
  changePassword,
  confirmSecondFactor,
  createOwner,
  disableSecondFactor,
  endSession,
  enrolSecondFactor,
  getAuthState,
  getSecondFactor,
  listSessions,
  renewRecoveryCodes,
  type Session,
  type sessionItem,
  signIn,
  signOut,
} from '@touchstone/contracts/auth';
import { ApiProblem } from '@touchstone/contracts/client';
import type { z } from 'zod';
import { type Call, type Command, type Output, UsageError } from '../command.ts';
import { signInHint } from '../connection.ts';
import { type Column, facts, table } from '../render.ts';

export const PASSWORD_OPTION = { 'password-stdin': { summary: 'Read the password from standard input' } };

export const accountCommands: Command[] = [
  {
    name: 'login',
    summary: 'Sign in and stay signed in on this machine',
    args: ['EMAIL'],
    options: {
      ...PASSWORD_OPTION,
      code: { value: 'CODE', summary: 'Of your authenticator, or a recovery code; asked for when it is needed' },
    },
    example: 'login owner@example.org',
    async run(call) {
      const [email = ''] = call.args;
      const password = await askPassword(call, 'Password: ', false);
      const session = await call.client
        .call(signIn, { body: { email, password, asProgram: true } })
        .catch((error: unknown) => answerChallenge(call, error));
      return keepSession(call, session);
    },
  },
  {
    name: 'logout',
    summary: 'End the session of this machine',
    args: [],
    example: 'logout',
    async run(call) {
      const refreshToken = await call.connection.refreshToken();
      if (refreshToken === undefined) return { json: { signedOut: false }, text: 'Nobody was signed in.\n' };
      await call.client.call(signOut, { body: { refreshToken } });
      await call.connection.forget();
      return { json: { signedOut: true }, text: 'Signed out.\n' };
    },
  },
  {
    name: 'owner create',
    summary: 'Make the owner of this installation; possible once',
    args: ['EMAIL'],
    options: {
      name: { value: 'NAME', summary: 'Your name; default the part of the address before the @' },
      tenant: { value: 'NAME', summary: 'Name of your house; default "Home"' },
      ...PASSWORD_OPTION,
    },
    example: 'owner create owner@example.org --name Owner',
    async run(call) {
      const [email = ''] = call.args;
      const displayName = call.text('name') ?? email.split('@')[0] ?? '';
      const tenantName = call.text('tenant') ?? 'Home';
      const password = await askPassword(call, 'New password, at least 12 characters: ', true);
      const body = { email, password, displayName, tenantName, asProgram: true };
      return keepSession(call, await call.client.call(createOwner, { body }));
    },
  },
  {
    name: 'whoami',
    summary: 'Who is signed in, and what they may do',
    args: [],
    example: 'whoami',
    async run(call) {
      const state = await call.client.call(getAuthState);
      const { environment } = call.terminal;
      // A visitor has no number; whoever brings a key is none.
      if (environment.TOUCHSTONE_API_KEY && (state.signedIn?.userId ?? null) === null)
        return { json: state, text: `${signInHint(environment)}\n`, exitCode: 1 };
      return { json: state, text: describe(state.signedIn, state.hasOwner) };
    },
  },
  {
    name: 'sessions',
    summary: 'Where you are signed in',
    args: [],
    example: 'sessions',
    async run({ client }) {
      const answer = await client.call(listSessions);
      return { json: answer, text: table(answer.items, SESSION_COLUMNS, 'You are signed in nowhere.') };
    },
  },
  {
    name: 'session end',
    summary: 'End one of your sessions',
    args: ['SESSION'],
    example: 'session end 0b0e3f3c-6a5e-4a39-9d3f-1c5b9a3f7a10',
    async run(call) {
      const family = call.args[0] ?? '';
      await call.client.call(endSession, { params: { family } });
      return { json: { ended: family }, text: 'The session has ended.\n' };
    },
  },
  {
    name: 'password change',
    summary: 'Change your password; your other sessions end',
    args: [],
    options: { 'password-stdin': { summary: 'Read the old and the new one from standard input, a line each' } },
    example: 'password change',
    async run(call) {
      const [currentPassword, newPassword] = await askBoth(call);
      await call.client.call(changePassword, { body: { currentPassword, newPassword } });
      return { json: { changed: true }, text: 'Your password is changed; your other sessions have ended.\n' };
    },
  },
  {
    name: 'totp status',
    summary: 'Whether signing in asks you for a second factor',
    args: [],
    example: 'totp status',
    async run({ client }) {
      const state = await client.call(getSecondFactor);
      const text = facts([
        ['second factor since', state.confirmedAt],
        ['recovery codes left', state.recoveryCodesLeft],
      ]);
      return { json: state, text };
    },
  },
  {
    name: 'totp enrol',
    summary: 'Begin with a second factor: prints the secret for your authenticator',
    args: [],
    example: 'totp enrol',
    async run({ client }) {
      const answer = await client.call(enrolSecondFactor);
      const lines = facts([
        ['secret', answer.secret],
        ['address', answer.uri],
      ]);
      return { json: answer, text: `${lines}Put it into your authenticator, then: touchstone totp confirm CODE\n` };
    },
  },
  {
    name: 'totp confirm',
    summary: 'Show that the authenticator works; prints ten recovery codes',
    args: ['CODE'],
    example: 'totp confirm 492039',
    async run(call) {
      return codesOf(await call.client.call(confirmSecondFactor, { body: { code: call.args[0] ?? '' } }));
    },
  },
  {
    name: 'totp codes',
    summary: 'Ten new recovery codes; the old ones are void',
    args: ['CODE'],
    example: 'totp codes 492039',
    async run(call) {
      return codesOf(await call.client.call(renewRecoveryCodes, { body: { code: call.args[0] ?? '' } }));
    },
  },
  {
    name: 'totp disable',
    summary: 'Sign in with the password alone again',
    args: ['CODE'],
    example: 'totp disable 492039',
    async run(call) {
      await call.client.call(disableSecondFactor, { body: { code: call.args[0] ?? '' } });
      return { json: { disabled: true }, text: 'You sign in with the password alone now.\n' };
    },
  },
];

export const SESSION_COLUMNS: readonly Column<z.infer<typeof sessionItem>>[] = [
  { title: 'SESSION', value: (row) => row.family },
  { title: 'STARTED', value: (row) => row.startedAt },
  { title: 'LAST USED', value: (row) => row.lastUsedAt },
  { title: 'WITH', value: (row) => row.userAgent },
  { title: 'THIS ONE', value: (row) => row.current },
];

function codesOf(answer: { recoveryCodes: string[] }): Output {
  const text = `Each works once in place of a code. Keep them now; they are shown this once:\n${answer.recoveryCodes.join('\n')}\n`;
  return { json: answer, text };
}

/** The password was right and a code is needed: asks for it. Any other problem goes on. */
async function answerChallenge(call: Call, error: unknown): Promise<Session> {
  const challenge = error instanceof ApiProblem ? error.problem.challenge : undefined;
  if (challenge === undefined) throw error;
  const given = call.text('code');
  if (given === undefined && !call.terminal.isInteractive) {
    throw new UsageError('This account has a second factor. Repeat with --code CODE.');
  }
  const code = given ?? (await call.terminal.ask('Code of your authenticator, or a recovery code: '));
  return call.client.call(answerSecondFactor, { body: { challenge, code, asProgram: true } });
}

async function askBoth(call: Call): Promise<[string, string]> {
  if (call.flag('password-stdin')) {
    const [old = '', fresh = ''] = (await call.terminal.readInput()).split(/\r?\n/);
    return [old, fresh];
  }
  const old = await askPassword(call, 'Present password: ', false);
  return [old, await askPassword(call, 'New password, at least 12 characters: ', true)];
}

export async function keepSession(call: Call, session: Session) {
  await call.connection.keep(session);
  // The tokens stay in the file: an answer may end up in a log.
  return { json: { signedIn: session.signedIn }, text: describe(session.signedIn, true) };
}

function describe(signedIn: Session['signedIn'] | null, hasOwner: boolean): string {
  if (signedIn === null) return 'Nobody is signed in. Sign in with: touchstone login EMAIL\n';
  return facts([
    ['name', signedIn.displayName],
    ['role', signedIn.role],
    ['tenant', String(signedIn.tenantId)],
    ['may', signedIn.scopes.join(', ')],
    ...(hasOwner ? [] : [['owner', 'none yet: touchstone owner create EMAIL'] as const]),
  ]);
}

/** Without echo; twice when it is a new one, since nobody sees a slip. */
export async function askPassword(call: Call, question: string, isNew: boolean): Promise<string> {
  const { terminal } = call;
  if (call.flag('password-stdin')) return (await terminal.readInput()).replace(/\r?\n$/, '');
  if (!terminal.isInteractive) {
    throw new UsageError('There is nobody to ask for the password. Send it to standard input with --password-stdin.');
  }
  const password = await terminal.ask(question, { hidden: true });
  if (!isNew) return password;
  const again = await terminal.ask('The same again: ', { hidden: true });
  if (again !== password) throw new UsageError('The two passwords differ.');
  return password;
}
