import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { correctBar, listBarVersions } from '@touchstone/contracts/data';
import type { Answer } from '@touchstone/contracts/route';
import { useState } from 'react';
import { Dialog } from '../../components/dialog.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Button, Empty, Note } from '../../components/ui.tsx';
import { formatCount, formatDay, formatInstant, formatPrice } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

type Version = Answer<typeof listBarVersions>['items'][number];
type VersionsProps = {
  instrument: { id: number; symbol: string };
  sourceId: number | null;
  day: string | null;
  refusal: string | null;
  onClose: () => void;
};

/** Everything ever told about one bar, and the place to tell it again. */
export function BarVersionsDialog(props: VersionsProps) {
  const { instrument, day } = props;
  return (
    <Dialog
      title={day === null ? '' : `${instrument.symbol} on ${formatDay(day)}`}
      isOpen={day !== null}
      onClose={props.onClose}
      isSide
    >
      {day !== null && <Versions {...props} day={day} key={day} />}
    </Dialog>
  );
}

function Versions({ instrument, sourceId, day, refusal }: VersionsProps & { day: string }) {
  const versions = useQuery(apiQuery(listBarVersions, { params: { instrumentId: instrument.id, day } }));
  const [isCorrecting, setIsCorrecting] = useState(false);
  const [correctedBy, setCorrectedBy] = useState<number | null>(null);
  return (
    <QueryView query={versions}>
      {({ items }) => (
        <>
          {items.length === 0 && <Empty title="Nothing was ever told about this day." />}
          <ol className="space-y-3">
            {items.map((version) => (
              <VersionItem key={`${version.runId} ${version.revision} ${version.recordedAt}`} version={version} />
            ))}
          </ol>
          {correctedBy !== null && (
            <div className="mt-5">
              <Note tone="accent" title="It was told again.">
                <Link to="/data/runs/$runId" params={{ runId: correctedBy }} className="link">
                  See what this touches
                </Link>
                : datasets, index versions and trials made from the bar as it was before.
              </Note>
            </div>
          )}
          <div className="mt-5">
            {isCorrecting && sourceId !== null ? (
              <CorrectForm
                instrumentId={instrument.id}
                sourceId={sourceId}
                day={day}
                last={items.findLast((version) => !version.quarantined)}
                onDone={(runId) => {
                  setIsCorrecting(false);
                  if (runId !== undefined) setCorrectedBy(runId);
                }}
              />
            ) : (
              <Button
                refusal={refusal ?? (sourceId === null ? 'Choose a source first.' : null)}
                onClick={() => setIsCorrecting(true)}
              >
                Correct this bar
              </Button>
            )}
          </div>
        </>
      )}
    </QueryView>
  );
}

function VersionItem({ version }: { version: Version }) {
  return (
    <li className={`rounded border border-line px-3.5 py-2.5 text-sm ${version.retractedAt ? 'opacity-70' : ''}`}>
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{version.revision === 0 ? 'First telling' : `Revision ${version.revision}`}</span>
        {version.quarantined && <Badge tone="warn">held back</Badge>}
        {version.retractedAt && <Badge tone="warn">retracted {formatDay(version.retractedAt)}</Badge>}
        <Link to="/data/runs/$runId" params={{ runId: version.runId }} className="link ml-auto text-xs">
          run {version.runId}
        </Link>
      </p>
      <dl className="mt-1.5 grid grid-cols-3 gap-x-4 gap-y-1 sm:grid-cols-5">
        {(['open', 'high', 'low', 'close'] as const).map((field) => (
          <div key={field}>
            <dt className="text-xs text-soft">{field}</dt>
            <dd>{formatPrice(version[field])}</dd>
          </div>
        ))}
        <div>
          <dt className="text-xs text-soft">volume</dt>
          <dd>{formatCount(version.volume)}</dd>
        </div>
      </dl>
      <p className="mt-1.5 text-xs text-soft">
        Known {formatInstant(version.knownAt)}, recorded {formatInstant(version.recordedAt)}.
      </p>
      {version.reason !== '' && <p className="mt-1">{version.reason}</p>}
    </li>
  );
}

type CorrectProps = {
  instrumentId: number;
  sourceId: number;
  day: string;
  last: Version | undefined;
  /** With the delivery of the correction; without one when nothing was corrected. */
  onDone: (runId?: number) => void;
};

function CorrectForm({ instrumentId, sourceId, day, last, onDone }: CorrectProps) {
  const text = (value: number | null | undefined) => (value === null || value === undefined ? '' : String(value));
  const [bar, setBar] = useState({
    open: text(last?.open),
    high: text(last?.high),
    low: text(last?.low),
    close: text(last?.close),
    volume: text(last?.volume),
    reason: '',
  });
  const save = useMutation({
    mutationFn: () =>
      client.call(correctBar, {
        body: {
          instrumentId,
          sourceId,
          day,
          open: Number(bar.open),
          high: Number(bar.high),
          low: Number(bar.low),
          close: Number(bar.close),
          volume: bar.volume === '' ? null : Number(bar.volume),
          reason: bar.reason,
        },
      }),
    onSuccess: async ({ runId }) => {
      onDone(runId);
      await refreshAll();
    },
  });
  const field = (key: keyof typeof bar) => ({
    path: `body.${key}`,
    error: save.error,
    value: bar[key],
    onValue: (value: string) => setBar({ ...bar, [key]: value }),
  });
  return (
    <form className="space-y-3 border-t border-line pt-4" onSubmit={onSubmit(() => save.mutate())}>
      <p className="text-sm text-soft">
        The bar is told again from now on. What was told before stays, and is what was known before.
      </p>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <TextField label="Open" type="number" step="any" min={0} required {...field('open')} />
        <TextField label="High" type="number" step="any" min={0} required {...field('high')} />
        <TextField label="Low" type="number" step="any" min={0} required {...field('low')} />
        <TextField label="Close" type="number" step="any" min={0} required {...field('close')} />
        <TextField label="Volume" type="number" step="any" min={0} {...field('volume')} />
      </div>
      <TextField
        label="Why"
        required
        minLength={3}
        maxLength={500}
        placeholder="Vendor notice of 3 March"
        {...field('reason')}
      />
      {save.error && <ProblemNotice error={save.error} />}
      <div className="flex gap-2">
        <Button type="submit" look="main" isBusy={save.isPending}>
          Tell it again
        </Button>
        <Button onClick={() => onDone()}>Keep as it is</Button>
      </div>
    </form>
  );
}
