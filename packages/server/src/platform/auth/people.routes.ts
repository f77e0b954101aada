import * as contract from '@touchstone/contracts/people';
import type { Clock } from '../clock/clock.ts';
import type { Database } from '../database/database.ts';
import type { Serve } from '../http/serve.ts';
import { createApiKeyService } from './api-keys.service.ts';
import type { AuthService } from './auth.service.ts';
import { answerSession, userAgentOf } from './browser-session.ts';
import type { LinkService } from './links.service.ts';
import { createPeopleService } from './people.service.ts';

type Parts = { database: Database; clock: Clock; auth: AuthService; links: LinkService };

/** People, invitations, links and keys. */
export function registerPeopleRoutes(serve: Serve, { database, clock, auth, links }: Parts): void {
  const people = createPeopleService(database, clock, auth.callers, auth.sessions);
  const keys = createApiKeyService(database, clock, auth.callers);

  serve(contract.listPeople, ({ caller, query }) => people.list(caller, query));
  serve(contract.getPerson, ({ caller, params }) => people.get(caller, params.userId));
  serve(contract.createService, ({ caller, body }) => people.createService(caller, body.name));
  serve(contract.changeRole, ({ caller, params, body }) =>
    people.changeRole(caller, params.userId, body.from, body.role),
  );
  serve(contract.deactivatePerson, ({ caller, params }) => people.deactivate(caller, params.userId));
  serve(contract.reactivatePerson, ({ caller, params }) => people.reactivate(caller, params.userId));
  serve(contract.forgetPerson, ({ caller, params }) => people.forget(caller, params.userId));
  serve(contract.createResetLink, ({ caller, params }) => links.createResetLink(caller, params.userId));
  serve(contract.removeSecondFactor, async ({ caller, params }) => {
    await people.removeSecondFactor(caller, params.userId);
    return undefined;
  });
  serve(contract.listSessionsOf, async ({ caller, params }) => ({
    items: await auth.listSessions(caller, params.userId, caller.family),
  }));
  serve(contract.endSessionOf, async ({ caller, params }) => {
    await auth.endSession(caller, params.userId, params.family);
    return undefined;
  });

  serve(contract.listInvitations, ({ caller, query }) => links.listInvitations(caller, query));
  serve(contract.createInvitation, ({ caller, body }) => links.invite(caller, body.email, body.role));
  serve(contract.revokeInvitation, async ({ caller, params }) => {
    await links.revokeInvitation(caller, params.invitationId);
    return undefined;
  });
  serve(contract.readInvitation, ({ body, request }) => links.readInvitation(body.token, request.ip));
  serve(contract.acceptInvitation, async ({ body, request, reply }) => {
    const session = await links.acceptInvitation(body.token, body, request.ip, userAgentOf(request));
    return answerSession(session, body.asProgram, request, reply);
  });
  serve(contract.resetPasswordByLink, async ({ body, request }) => {
    await links.resetPassword(body.token, body.newPassword, request.ip);
    return undefined;
  });

  serve(contract.listKeys, ({ caller, query }) => keys.list(caller, query));
  serve(contract.createKey, ({ caller, body }) => keys.create(caller, body));
  serve(contract.rotateKey, ({ caller, params, body }) => keys.rotate(caller, params.keyId, body.overlapHours));
  serve(contract.revokeKey, async ({ caller, params }) => {
    await keys.revoke(caller, params.keyId);
    return undefined;
  });
}
