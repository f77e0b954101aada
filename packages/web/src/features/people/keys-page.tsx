import { useMutation } from '@tanstack/react-query';
import { type ApiKey, createKey, listKeys, listPeople, revokeKey, rotateKey } from '@touchstone/contracts/people';
import { PERSONAL_SCOPES, POLICY, type Scope } from '@touchstone/contracts/policy';
import { useState } from 'react';
import { ConfirmButton } from '../../components/confirm.tsx';
import { DataTable, MoreRows } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { CheckField, onSubmit, SelectField, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { SCOPE_WORDS } from '../../components/scope-words.ts';
import { ShownOnce } from '../../components/shown-once.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Badge, Button, PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth, useRefusal } from '../../lib/auth.ts';
import { formatDay, formatInstant } from '../../lib/format.ts';
import { refreshAll, usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const OVERLAP_HOURS = 24;

export function KeysPage() {
  const refusal = useRefusal('account:self');
  const [isMaking, setIsMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  return (
    <>
      <SubNav of="settings" />
      <PageHeader
        title="Keys"
        actions={
          <Button look="main" refusal={refusal} onClick={() => setIsMaking(true)}>
            New key
          </Button>
        }
      >
        For programs: send a key as <code className="font-mono text-xs">Authorization: Bearer</code>, or set it as{' '}
        <code className="font-mono text-xs">TOUCHSTONE_API_KEY</code> for the command line. A key can never do more than
        its user.
      </PageHeader>
      <Gate scope="account:self">
        <Keys onMade={setMade} />
      </Gate>
      <NewKeyDialog
        isOpen={isMaking}
        onClose={() => setIsMaking(false)}
        onMade={(key) => {
          setIsMaking(false);
          setMade(key);
        }}
      />
      <ShownOnce
        title="The new key"
        label="Key"
        note="Only its hash is kept here. Put it where your program reads it, and nowhere else."
        value={made}
        onDone={() => setMade(null)}
      />
    </>
  );
}

const TONES: Record<ApiKey['state'], 'accent' | 'warn' | 'plain'> = {
  active: 'accent',
  expired: 'warn',
  revoked: 'plain',
};

function Keys({ onMade }: { onMade: (key: string) => void }) {
  const { signedIn } = useAuth();
  const { query, items } = usePages(['listKeys', 'pages'], (cursor) => client.call(listKeys, { query: { cursor } }));
  return (
    <Panel title="API keys" flush>
      <QueryView query={{ ...query, data: items }} lines={4}>
        {(rows) => (
          <DataTable
            label="API keys"
            rows={rows}
            rowKey={(key) => key.id}
            empty="There is no key yet."
            columns={[
              {
                key: 'name',
                header: 'Name',
                cell: (key) => (
                  <span className="block min-w-32">
                    {key.name}
                    <code className="block font-mono text-xs text-soft">{key.prefix}…</code>
                    {key.userId !== signedIn?.userId && (
                      <span className="block text-xs text-soft">of {key.userName ?? `user ${key.userId}`}</span>
                    )}
                  </span>
                ),
              },
              { key: 'state', header: 'State', cell: (key) => <Badge tone={TONES[key.state]}>{key.state}</Badge> },
              {
                key: 'scopes',
                header: 'May',
                isWide: true,
                cell: (key) => <span className="block max-w-64 text-xs">{key.scopes.join(', ')}</span>,
              },
              { key: 'expires', header: 'Until', cell: (key) => formatDay(key.expiresAt.slice(0, 10)) },
              {
                key: 'used',
                header: 'Last used',
                isWide: true,
                cell: (key) =>
                  key.lastUsedAt === null ? <span className="text-soft">never</span> : formatInstant(key.lastUsedAt),
              },
              {
                key: 'actions',
                header: <span className="sr-only">Actions</span>,
                cell: (key) => key.state === 'active' && <KeyActions apiKey={key} onMade={onMade} />,
              },
            ]}
          />
        )}
      </QueryView>
      <MoreRows query={query} />
    </Panel>
  );
}

function KeyActions({ apiKey, onMade }: { apiKey: ApiKey; onMade: (key: string) => void }) {
  const params = { keyId: apiKey.id };
  return (
    <span className="flex flex-col items-start gap-1.5 sm:flex-row">
      {apiKey.replacedById === null && (
        <ConfirmButton
          action="Rotate"
          title={`Rotate ${apiKey.name}`}
          run={async () => {
            const { key } = await client.call(rotateKey, { params, body: { overlapHours: OVERLAP_HOURS } });
            await refreshAll();
            onMade(key);
          }}
        >
          You get a successor. The old key works for {OVERLAP_HOURS} more hours, so that nothing stops in between.
        </ConfirmButton>
      )}
      <ConfirmButton
        action="Revoke"
        title={`Revoke ${apiKey.name}`}
        look="bad"
        run={async () => {
          await client.call(revokeKey, { params });
          await refreshAll();
        }}
      >
        Whatever uses it stops working within five seconds. A revoked key does not come back.
      </ConfirmButton>
    </span>
  );
}

const DAYS = ['7', '30', '90', '180', '365'];

function NewKeyDialog(props: { isOpen: boolean; onClose: () => void; onMade: (key: string) => void }) {
  const { signedIn, can } = useAuth();
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [serviceId, setServiceId] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['market:read', 'portfolio:read']);
  const { items: people } = usePages(
    ['listPeople', 'pages'],
    (cursor) => client.call(listPeople, { query: { cursor } }),
    props.isOpen && can('people:write'),
  );
  const services = (people ?? []).filter((person) => person.role === 'service' && person.state === 'active');
  const ofUser: readonly Scope[] = serviceId === '' ? (signedIn?.scopes ?? []) : POLICY.service;
  const possible = ofUser.filter((scope) => !PERSONAL_SCOPES.includes(scope));
  const chosen = scopes.filter((scope) => possible.includes(scope));
  const make = useMutation({
    mutationFn: () =>
      client.call(createKey, {
        body: {
          name,
          scopes: [...chosen],
          expiresInDays: Number(days),
          ...(serviceId === '' ? {} : { serviceId: Number(serviceId) }),
        },
      }),
    onSuccess: async ({ key }) => {
      setName('');
      props.onMade(key);
      await refreshAll();
    },
  });
  return (
    <Dialog title="New key" isOpen={props.isOpen} onClose={props.onClose}>
      <form className="space-y-4" onSubmit={onSubmit(() => make.mutate())}>
        <TextField
          label="Name"
          hint="What it is for."
          required
          maxLength={200}
          path="body.name"
          error={make.error}
          value={name}
          onValue={setName}
        />
        {services.length > 0 && (
          <SelectField
            label="Acts as"
            value={serviceId}
            onValue={setServiceId}
            options={[
              ['', 'myself'],
              ...services.map((service) => [String(service.userId), service.displayName ?? ''] as const),
            ]}
          />
        )}
        <SelectField
          label="Works for"
          value={days}
          onValue={setDays}
          options={DAYS.map((value) => [value, `${value} days`])}
        />
        <fieldset>
          <legend className="mb-1.5 text-sm font-medium">It may</legend>
          <div className="grid gap-1.5 sm:grid-cols-2">
            {possible.map((scope) => (
              <CheckField
                key={scope}
                label={scope}
                hint={SCOPE_WORDS[scope]}
                isChecked={chosen.includes(scope)}
                onChecked={(isOn) => setScopes(isOn ? [...chosen, scope] : chosen.filter((other) => other !== scope))}
              />
            ))}
          </div>
        </fieldset>
        {make.error && <ProblemNotice error={make.error} />}
        <Button type="submit" look="main" disabled={chosen.length === 0} isBusy={make.isPending}>
          Make it
        </Button>
      </form>
    </Dialog>
  );
}
