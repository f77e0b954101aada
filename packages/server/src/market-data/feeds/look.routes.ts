import { type PriceTick, readQuotes, readSymbol, watchPrices } from '@touchstone/contracts/feeds';
import { openEventStream } from '../../platform/http/event-stream.ts';
import type { Serve } from '../../platform/http/serve.ts';
import { type LookService, tellGap } from './look.service.ts';

export function registerLookRoutes(serve: Serve, service: LookService): void {
  serve(readQuotes, ({ caller, params, query }) => service.quotes(caller, params.sourceId, query.symbols.split(',')));
  serve(watchPrices, async ({ caller, params, query, reply }) => {
    const begin = await service.watch(caller, params.sourceId);
    const stream = openEventStream(reply);
    const stop = begin({
      symbols: [...new Set(query.symbols.split(','))],
      tick({ symbol, price, at }) {
        const tick: PriceTick = { symbol, price, at: new Date(at).toISOString() };
        stream.tell('price', tick);
      },
      gap: (gap) => stream.tell('gap', tellGap(gap)),
      end: stream.end,
    });
    stream.onClose(stop);
    return reply;
  });
  serve(readSymbol, ({ caller, params }) => service.about(caller, params.sourceId, params.symbol));
}
