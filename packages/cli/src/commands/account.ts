import { createOwner, getAuthState, type Session, signIn, signOut } from '@touchstone/contracts/auth';
import { type Call, type Command, UsageError } from '../command.ts';
import { facts } from '../render.ts';

const PASSWORD_OPTION = { 'password-stdin': { summary: 'Read the password from standard input' } };

export const accountCommands: Command[] = [
  {
    name: 'login',
    summary: 'Sign in and stay signed in on this machine',
    args: ['EMAIL'],
    options: PASSWORD_OPTION,
    example: 'login owner@example.org',
    async run(call) {
      const [email = ''] = call.args;
      const password = await askPassword(call, 'Password: ', false);
      const session = await call.client.call(signIn, { body: { email, password, asProgram: true } });
      return keep(call, session);
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
      return keep(call, await call.client.call(createOwner, { body }));
    },
  },
  {
    name: 'whoami',
    summary: 'Who is signed in, and what they may do',
    args: [],
    example: 'whoami',
    async run(call) {
      const state = await call.client.call(getAuthState);
      return { json: state, text: describe(state.signedIn, state.hasOwner) };
    },
  },
];

async function keep(call: Call, session: Session) {
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
