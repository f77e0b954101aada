import { keepPreviousData, QueryClient, queryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { ApiProblem } from '@touchstone/contracts/client';
import type { Answer, Input, Route } from '@touchstone/contracts/route';
import { client } from './session.ts';
import { noteTimeOf } from './told-time.ts';

const FRESH_MS = 30_000;
const RETRIES_MAX = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < RETRIES_MAX && (!(error instanceof ApiProblem) || error.problem.retryable),
    },
  },
});

type Args<R> = unknown extends Input<R> ? [] : [Input<R>];

/** A read of the API as a query. Data of the last question stay in sight while the next one loads. */
export function apiQuery<R extends Route>(route: R, ...input: Args<R>) {
  return queryOptions<Answer<R>>({
    queryKey: [route.id, ...input],
    queryFn: async () => {
      const answer = await client.call(route, ...input);
      noteTimeOf(answer);
      return answer;
    },
    placeholderData: keepPreviousData,
  });
}

type Page<T> = { items: T[]; nextCursor: string | null };

/** A list read page by page. */
export function usePages<T, P extends Page<T>>(
  key: readonly unknown[],
  load: (cursor: string | undefined) => Promise<P & Page<T>>,
  enabled = true,
) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam }) => {
      const answer = await load(pageParam);
      noteTimeOf(answer);
      return answer;
    },
    initialPageParam: startOfList(),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  });
  const items = query.data?.pages.flatMap((page) => page.items);
  return { query, items, first: query.data?.pages[0] };
}

function startOfList(): string | undefined {
  return undefined;
}

/** After something was changed: everything shown may be different. */
export function refreshAll(): Promise<void> {
  return queryClient.invalidateQueries();
}
