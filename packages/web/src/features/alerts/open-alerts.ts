import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type Alert, acknowledgeAlert, listAlerts } from '@touchstone/contracts/alerts';
import { useCallback } from 'react';
import { useAlertEvents } from '../../lib/alert-stream.ts';
import { apiQuery } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

const POLL_MS = 60_000;
const SHOWN_MAX = 20;
const ALERTS_KEY = listAlerts.id;

/** Alerts nobody has acknowledged: the newest of them, and how many there are by severity. */
export function useOpenAlerts(whenChanged?: (changed: Alert) => void) {
  const queries = useQueryClient();
  useAlertEvents(
    useCallback(
      (changed: Alert) => {
        void queries.invalidateQueries({ queryKey: [ALERTS_KEY] });
        whenChanged?.(changed);
      },
      [queries, whenChanged],
    ),
  );
  return useQuery({
    ...apiQuery(listAlerts, { query: { state: 'open', limit: SHOWN_MAX } }),
    refetchInterval: POLL_MS,
  });
}

export function useAcknowledge(alertId: number) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => client.call(acknowledgeAlert, { params: { alertId } }),
    onSettled: () => queries.invalidateQueries({ queryKey: [ALERTS_KEY] }),
  });
}
