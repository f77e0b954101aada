import { useMutation, useQuery } from '@tanstack/react-query';
import {
  confirmSecondFactor,
  disableSecondFactor,
  enrolSecondFactor,
  getSecondFactor,
  renewRecoveryCodes,
} from '@touchstone/contracts/auth';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ShownOnce } from '../../components/shown-once.tsx';
import { Badge, Button, Panel } from '../../components/ui.tsx';
import { formatInstant } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

/** An authenticator as the second step of signing in. */
export function SecondFactorPanel() {
  const factor = useQuery(apiQuery(getSecondFactor));
  const [codes, setCodes] = useState<string[] | null>(null);
  const [asks, setAsks] = useState<'renew' | 'disable' | null>(null);
  const enrol = useMutation({ mutationFn: () => client.call(enrolSecondFactor) });
  return (
    <Panel title="Second factor" hint="A code from your phone besides the password.">
      <QueryView query={factor} lines={2}>
        {(data) =>
          data.confirmedAt === null ? (
            <div className="space-y-3">
              {enrol.error && <ProblemNotice error={enrol.error} />}
              <Button look="main" isBusy={enrol.isPending} onClick={() => enrol.mutate()}>
                Set it up
              </Button>
            </div>
          ) : (
            <div className="space-y-3 text-sm">
              <p>
                <Badge tone="accent">on</Badge> since {formatInstant(data.confirmedAt)}. {data.recoveryCodesLeft}{' '}
                recovery {data.recoveryCodesLeft === 1 ? 'code is' : 'codes are'} left.
              </p>
              <div className="flex flex-wrap gap-2">
                <Button onClick={() => setAsks('renew')}>New recovery codes</Button>
                <Button look="bad" onClick={() => setAsks('disable')}>
                  Turn it off
                </Button>
              </div>
            </div>
          )
        }
      </QueryView>
      <Enrolment
        enrolled={enrol.data ?? null}
        onClose={() => enrol.reset()}
        onConfirmed={(fresh) => {
          enrol.reset();
          setCodes(fresh);
        }}
      />
      <CodeDialog
        title="New recovery codes"
        action="Make new codes"
        isOpen={asks === 'renew'}
        onClose={() => setAsks(null)}
        run={async (code) => {
          const { recoveryCodes } = await client.call(renewRecoveryCodes, { body: { code } });
          setCodes(recoveryCodes);
        }}
      />
      <CodeDialog
        title="Turn the second factor off"
        action="Turn it off"
        isOpen={asks === 'disable'}
        onClose={() => setAsks(null)}
        run={async (code) => {
          await client.call(disableSecondFactor, { body: { code } });
        }}
      />
      <ShownOnce
        title="Your recovery codes"
        label="Each works once, in place of a code"
        note="Keep them where you find them without your phone."
        value={codes === null ? null : codes.join('\n')}
        onDone={() => setCodes(null)}
      />
    </Panel>
  );
}

type Enrolled = { qrSvg: string; secret: string };

function Enrolment(props: { enrolled: Enrolled | null; onClose: () => void; onConfirmed: (codes: string[]) => void }) {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () => client.call(confirmSecondFactor, { body: { code } }),
    onSuccess: async ({ recoveryCodes }) => {
      setCode('');
      props.onConfirmed(recoveryCodes);
      await refreshAll();
    },
  });
  return (
    <Dialog title="Set up a second factor" isOpen={props.enrolled !== null} onClose={props.onClose}>
      {props.enrolled && (
        <form className="space-y-4" onSubmit={onSubmit(() => confirm.mutate())}>
          <ol className="list-decimal space-y-3 pl-5 text-sm">
            <li>
              Scan this with your authenticator, or type in{' '}
              <code className="font-mono text-xs break-all select-all">{props.enrolled.secret}</code>
              <img
                className="mt-2 size-44 rounded border border-line bg-white p-2"
                width="176"
                height="176"
                alt="QR code that holds the secret"
                src={`data:image/svg+xml,${encodeURIComponent(props.enrolled.qrSvg)}`}
              />
            </li>
            <li>Type in the code it shows.</li>
          </ol>
          <TextField
            label="Code"
            autoComplete="one-time-code"
            inputMode="numeric"
            required
            minLength={6}
            maxLength={40}
            path="body.code"
            error={confirm.error}
            value={code}
            onValue={setCode}
          />
          {confirm.error && <ProblemNotice error={confirm.error} />}
          <Button type="submit" look="main" isBusy={confirm.isPending}>
            Turn it on
          </Button>
        </form>
      )}
    </Dialog>
  );
}

type CodeDialogProps = {
  title: string;
  action: string;
  isOpen: boolean;
  onClose: () => void;
  run: (code: string) => Promise<void>;
};

/** Asks for a code before something that a stolen session must not do. */
function CodeDialog({ title, action, isOpen, onClose, run }: CodeDialogProps) {
  const [code, setCode] = useState('');
  const work = useMutation({
    mutationFn: () => run(code),
    onSuccess: async () => {
      setCode('');
      onClose();
      await refreshAll();
    },
  });
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose}>
      <form className="space-y-4" onSubmit={onSubmit(() => work.mutate())}>
        <TextField
          label="Code"
          hint="From your authenticator, or a recovery code."
          autoComplete="one-time-code"
          required
          minLength={6}
          maxLength={40}
          path="body.code"
          error={work.error}
          value={code}
          onValue={setCode}
        />
        {work.error && <ProblemNotice error={work.error} />}
        <Button type="submit" look="main" isBusy={work.isPending}>
          {action}
        </Button>
      </form>
    </Dialog>
  );
}
