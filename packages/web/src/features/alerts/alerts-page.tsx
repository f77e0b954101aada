import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type Alert, listAlerts } from '@touchstone/contracts/alerts';
import { MoreRows } from '../../components/data-table.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Button, Empty, PageHeader, Panel } from '../../components/ui.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatAgo, formatInstant, plural } from '../../lib/format.ts';
import { usePages } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { SEVERITIES, severityTone, subjectPlace } from './alert-words.ts';
import { useAcknowledge, useOpenAlerts } from './open-alerts.ts';

const STATES = ['open', 'acknowledged', 'resolved'] as const satisfies readonly Alert['state'][];
const MEANINGS: Record<Alert['state'], string> = {
  open: 'Nobody has said yet that they saw these. Newest first, live.',
  acknowledged: 'Somebody saw these; their cause is still there.',
  resolved: 'Their cause is gone. Kept as history.',
};
const NOTHING: Record<Alert['state'], string> = {
  open: 'Nothing needs you.',
  acknowledged: 'Nothing acknowledged is still going on.',
  resolved: 'Nothing was resolved yet.',
};

export function AlertsPage() {
  return (
    <>
      <PageHeader title="Alerts">
        What somebody should see. An alert goes by itself when its cause is gone; acknowledging says you saw it.
      </PageHeader>
      <Gate scope="system:read">
        <Alerts />
      </Gate>
    </>
  );
}

function Alerts() {
  const { show: state = 'open', severity } = useSearch({ from: '/alerts' });
  const navigate = useNavigate({ from: '/alerts' });
  const counts = useOpenAlerts().data?.open;
  const { query, items } = usePages([listAlerts.id, 'pages', state, severity], (cursor) =>
    client.call(listAlerts, { query: { cursor, state, severity, limit: 25 } }),
  );
  const total = counts ? counts.critical + counts.warning + counts.info : 0;
  return (
    <>
      <div className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <fieldset className="flex flex-wrap gap-1">
          <legend className="sr-only">Which alerts</legend>
          {STATES.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={state === one}
              onClick={() => navigate({ search: (before) => ({ ...before, show: one }), replace: true })}
              className="min-h-9 rounded border border-line bg-sheet px-3 text-sm text-soft aria-pressed:border-accent aria-pressed:bg-accent-well aria-pressed:font-medium aria-pressed:text-accent"
            >
              {one.charAt(0).toUpperCase() + one.slice(1)}
              {one === 'open' && total > 0 && ` (${total})`}
            </button>
          ))}
        </fieldset>
        <label className="flex items-center gap-2 text-sm">
          Severity
          <select
            className="control w-auto"
            value={severity ?? ''}
            onChange={(event) => {
              const chosen = SEVERITIES.find((one) => one === event.currentTarget.value);
              void navigate({ search: (before) => ({ ...before, severity: chosen }), replace: true });
            }}
          >
            <option value="">All</option>
            {SEVERITIES.map((one) => (
              <option key={one} value={one}>
                {one}
                {counts ? ` (${counts[one]} open)` : ''}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Panel title={state.charAt(0).toUpperCase() + state.slice(1)} hint={MEANINGS[state]} flush>
        <QueryView query={{ ...query, data: items }}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={NOTHING[state]} />
            ) : (
              <ul>
                {rows.map((alert) => (
                  <AlertItem key={alert.id} alert={alert} />
                ))}
              </ul>
            )
          }
        </QueryView>
        <MoreRows query={query} />
      </Panel>
    </>
  );
}

function AlertItem({ alert }: { alert: Alert }) {
  const refusal = useRefusal('task:write');
  const acknowledge = useAcknowledge(alert.id);
  const place = subjectPlace(alert);
  return (
    <li className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-72">
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <Badge tone={severityTone(alert.severity)}>{alert.severity}</Badge>
            <span className="font-medium">{alert.title}</span>
          </p>
          <p className="mt-1 max-w-3xl text-sm">{alert.detail}</p>
          <p className="mt-1.5 flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-soft">
            <span title={formatInstant(alert.raisedAt)}>raised {formatAgo(alert.raisedAt, Date.now())}</span>
            {alert.times > 1 && (
              <span>
                {plural(alert.times, 'time')}, last {formatAgo(alert.lastRaisedAt, Date.now())}
              </span>
            )}
            {alert.acknowledgedAt && <span>acknowledged {formatInstant(alert.acknowledgedAt)}</span>}
            {alert.resolvedAt && <span>resolved {formatInstant(alert.resolvedAt)}</span>}
            {alert.tenantId === 0 && <span>about the whole installation</span>}
            <code className="font-mono">{alert.kind}</code>
          </p>
        </div>
        <span className="flex flex-wrap items-center gap-3">
          {place !== null && (
            <Link to={place} className="link text-sm">
              Look at it
            </Link>
          )}
          {alert.state === 'open' && refusal === null && (
            <Button isBusy={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
              Acknowledge
            </Button>
          )}
        </span>
      </div>
      {acknowledge.error && (
        <div className="mt-2">
          <ProblemNotice error={acknowledge.error} />
        </div>
      )}
    </li>
  );
}
