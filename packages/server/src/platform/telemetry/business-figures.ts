import { countOpenAlerts } from '../alerts/alert.repository.ts';
import { type Database, SYSTEM_TENANT_ID } from '../database/database.ts';
import type { TaskEngine } from '../tasks/task-engine.ts';
import { type GaugeSource, type GaugeValue, registeredGauges } from './gauges.ts';

export type BusinessFigures = { source: GaugeSource; values: readonly GaugeValue[] }[];

const AGE_MAX_MS = 15_000;

/**
 * The figures of the business, all tenants together, at most fifteen seconds old: asking often costs nothing.
 *
 * @returns a function that reads them; `tenantId` narrows them to what one tenant may see, null gives everything.
 */
export function createBusinessFigures(
  database: Database,
  tasks: TaskEngine,
  log: { warn(fields: object, text: string): void },
): (tenantId: number | null) => Promise<BusinessFigures> {
  let latest: Promise<BusinessFigures> | null = null;
  let latestAt = 0;
  const own: GaugeSource[] = [
    {
      ...{
        name: 'queue_oldest_waiting_seconds',
        help: 'How long the oldest queued task has waited; 0 when none waits.',
      },
      read: async () => [{ value: (await tasks.queueFigures()).oldestWaitingSeconds ?? 0 }],
    },
    {
      ...{ name: 'alerts_open', help: 'Alerts nobody has acknowledged, by tenant and severity.' },
      labelNames: ['tenant', 'severity'],
      read: () => countAlerts(database),
    },
  ];
  const readAll = async (): Promise<BusinessFigures> => {
    const figures: BusinessFigures = [];
    for (const source of [...own, ...registeredGauges()]) {
      try {
        figures.push({ source, values: await source.read() });
      } catch (error) {
        log.warn({ err: error, gauge: source.name }, 'a figure could not be read');
      }
    }
    return figures;
  };
  return async (tenantId) => {
    const now = performance.now();
    if (latest === null || now - latestAt > AGE_MAX_MS) {
      latest = readAll();
      latestAt = now;
    }
    const figures = await latest;
    if (tenantId === null) return figures;
    const isSeen = (value: GaugeValue) =>
      value.tenantId === undefined || [tenantId, SYSTEM_TENANT_ID].includes(value.tenantId);
    return figures.map(({ source, values }) => ({ source, values: values.filter(isSeen) }));
  };
}

async function countAlerts(database: Database): Promise<GaugeValue[]> {
  const values: GaugeValue[] = [];
  for (const tenantId of await listTenantIds(database)) {
    const open = await database.transaction({ tenantId, actorId: null }, countOpenAlerts, { readOnly: true });
    for (const [severity, value] of Object.entries(open)) {
      values.push({ value, tenantId, labels: { tenant: String(tenantId), severity } });
    }
  }
  return values;
}

/** Every tenant of the installation, the system first. For figures of the whole, never for an answer to one of them. */
export async function listTenantIds(database: Database): Promise<number[]> {
  const { rows } = await database.pool.query<{ id: number }>('SELECT touchstone_tenant_ids() AS id');
  return rows.map((row) => row.id);
}
