import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { createFeed, type Feed, testFeed } from '@touchstone/contracts/feeds';
import { type ReactNode, useState } from 'react';
import { VENDORS } from '../../components/feed-words.ts';
import { ChoiceField, onSubmit, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, buttonClass, Note, PageHeader, Panel } from '../../components/ui.tsx';
import { refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { SettingsFields, toDraft, toSettings } from './feed-settings.tsx';

/** Where the result of a test waits for the page of the feed. */
export const FEED_TEST_KEY = 'feedTest';
const FREE = ['stooq', 'ecb', 'fred', 'alfred'] as const satisfies readonly Feed['feed'][];
type Door = 'key' | 'free';

export function ConnectPage() {
  const [door, setDoor] = useState<Door | null>(null);
  return (
    <>
      <SubNav of="data" />
      <PageHeader title="Add data">
        Three ways in. Whatever comes in is judged first, and nothing known before is ever overwritten.
      </PageHeader>
      <Gate scope="market:write">
        <div className="grid gap-4">
          <div className="grid gap-4 md:grid-cols-3">
            <DoorCard
              title="Connect a market-data key"
              isChosen={door === 'key'}
              action={
                <Button
                  look={door === 'key' ? 'plain' : 'main'}
                  aria-expanded={door === 'key'}
                  onClick={() => setDoor('key')}
                >
                  Connect a key
                </Button>
              }
            >
              You have a key of TwelveData, also a free one. Prices refresh by themselves, within the credits of your
              plan.
            </DoorCard>
            <DoorCard
              title="Free sources"
              isChosen={door === 'free'}
              action={
                <Button aria-expanded={door === 'free'} onClick={() => setDoor('free')}>
                  Choose a free source
                </Button>
              }
            >
              No key needed: daily prices as CSV, euro exchange rates, and macro series with their vintages.
            </DoorCard>
            <DoorCard
              title="Import a file"
              isChosen={false}
              action={
                <Link to="/data/import" className={buttonClass()}>
                  Import a file
                </Link>
              }
            >
              You have prices as CSV or CSV.gz. What is in them is detected, shown and can be corrected before it
              counts.
            </DoorCard>
          </div>
          {door !== null && <ConnectForm key={door} door={door} />}
        </div>
      </Gate>
    </>
  );
}

function DoorCard(props: { title: string; isChosen: boolean; action: ReactNode; children: ReactNode }) {
  return (
    <section
      aria-label={props.title}
      className={`flex flex-col gap-3 rounded-md border bg-sheet p-4 ${props.isChosen ? 'border-accent' : 'border-line'}`}
    >
      <h2 className="text-base font-semibold">{props.title}</h2>
      <p className="flex-1 text-sm text-soft">{props.children}</p>
      <div>{props.action}</div>
    </section>
  );
}

function ConnectForm({ door }: { door: Door }) {
  const [vendor, setVendor] = useState<Feed['feed']>(door === 'key' ? 'twelvedata' : 'stooq');
  const [name, setName] = useState('');
  const [key, setKey] = useState('');
  const [settings, setSettings] = useState(() => toDraft({}));
  const navigate = useNavigate();
  const queries = useQueryClient();
  const connect = useMutation({
    mutationFn: async () => {
      const made = await client.call(createFeed, {
        body: {
          feed: vendor,
          ...(name !== '' && { name }),
          ...(door === 'key' && { key }),
          settings: toSettings(vendor, settings),
        },
      });
      // The feed is made either way; a failed test says on its own page what to do.
      const test = await client.call(testFeed, { params: { sourceId: made.id } }).catch(() => null);
      if (test !== null) queries.setQueryData([FEED_TEST_KEY, made.id], test);
      return made;
    },
    onSuccess: async (made) => {
      await refreshAll();
      await navigate({ to: '/data/feeds/$sourceId', params: { sourceId: made.id } });
    },
  });
  return (
    <Panel
      title={door === 'key' ? 'Your key of TwelveData' : 'A free source'}
      hint={door === 'key' ? VENDORS.twelvedata.gives : 'Each becomes a source of its own.'}
    >
      <form className="grid max-w-3xl gap-5" onSubmit={onSubmit(() => connect.mutate())}>
        {door === 'key' ? (
          <TextField
            label="Key"
            type="password"
            autoComplete="off"
            required
            autoFocus
            minLength={8}
            maxLength={200}
            path="body.key"
            error={connect.error}
            hint="Kept sealed on this installation and never shown again, to nobody."
            value={key}
            onValue={setKey}
          />
        ) : (
          <ChoiceField
            legend="Which one"
            value={vendor}
            onValue={(value) => setVendor(FREE.find((one) => one === value) ?? 'stooq')}
            options={FREE.map((one) => ({ value: one, label: VENDORS[one].name, hint: VENDORS[one].gives }))}
          />
        )}
        <SettingsFields vendor={vendor} draft={settings} onDraft={setSettings} error={connect.error} />
        <div className="sm:max-w-sm">
          <TextField
            label="Name"
            maxLength={200}
            placeholder={VENDORS[vendor].name}
            hint="What you want to call it; empty is fine."
            path="body.name"
            error={connect.error}
            value={name}
            onValue={setName}
          />
        </div>
        {connect.error && <ProblemNotice error={connect.error} />}
        <div>
          <Button type="submit" look="main" isBusy={connect.isPending}>
            Connect and test
          </Button>
        </div>
        <Note>
          The test asks one small question{door === 'key' && ' and costs at most one credit'}. Nothing is fetched until
          you start a refresh.
        </Note>
      </form>
    </Panel>
  );
}
