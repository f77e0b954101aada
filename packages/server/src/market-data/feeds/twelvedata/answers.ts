import { z } from 'zod';
import { lie } from './vendor-error.ts';

// Shapes of the vendor's public documentation. Fields that nobody reads are not named; any field may be null.

const text = z.string();
const maybeText = z.string().nullish();
const amount = z.union([z.number(), z.string()]);
const maybeAmount = amount.nullish();

export const errorSchema = z.object({ code: z.number().optional(), message: maybeText, status: z.literal('error') });

const metaSchema = z.object({
  symbol: text,
  interval: maybeText,
  currency: maybeText,
  currency_quote: maybeText,
});

export const seriesSchema = z.object({
  meta: metaSchema,
  values: z.array(
    z.object({
      datetime: text,
      open: maybeText,
      high: maybeText,
      low: maybeText,
      close: maybeText,
      volume: maybeText,
    }),
  ),
  status: z.literal('ok').optional(),
});
export type SeriesAnswer = z.output<typeof seriesSchema>;

export const quoteSchema = z.object({
  symbol: text,
  name: maybeText,
  exchange: maybeText,
  currency: maybeText,
  datetime: text,
  timestamp: z.number(),
  /** Of the last minute; `timestamp` is of the bar of the day. */
  last_quote_at: z.number().nullish(),
  open: maybeAmount,
  high: maybeAmount,
  low: maybeAmount,
  close: amount,
  volume: maybeAmount,
  previous_close: maybeAmount,
  is_market_open: z.boolean().nullish(),
});

export const priceSchema = z.object({ price: amount });

export const exchangeRateSchema = z.object({ symbol: text, rate: amount, timestamp: z.number() });

export const splitsSchema = z.object({
  meta: metaSchema,
  splits: z.array(
    z.object({
      date: text,
      description: maybeText,
      ratio: z.number().nullish(),
      from_factor: z.number(),
      to_factor: z.number(),
    }),
  ),
});

export const dividendsSchema = z.object({
  meta: metaSchema,
  dividends: z.array(z.object({ ex_date: text, amount })),
});

export const earliestSchema = z.object({ datetime: text, unix_time: z.number().nullish() });

const number = z.number().nullish();
export const statisticsSchema = z.object({
  meta: metaSchema,
  statistics: z.object({
    valuations_metrics: z
      .object({ market_capitalization: number, trailing_pe: number, price_to_book_mrq: number })
      .nullish(),
    stock_statistics: z.object({ shares_outstanding: number, float_shares: number }).nullish(),
  }),
});

export const usageSchema = z.object({
  current_usage: z.number(),
  plan_limit: z.number(),
  daily_usage: z.number().nullish(),
  plan_daily_limit: z.number().nullish(),
  plan_category: maybeText,
});

export const streamEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('price'),
    symbol: text,
    currency: maybeText,
    timestamp: z.number(),
    price: z.number(),
  }),
  z.object({
    event: z.literal('subscribe-status'),
    status: text,
    success: z.array(z.looseObject({ symbol: text })).nullish(),
    fails: z.array(z.union([text, z.looseObject({ symbol: text })])).nullish(),
    messages: z.array(text).nullish(),
  }),
  z.object({ event: z.literal('heartbeat'), status: maybeText }),
]);

/** The value as its schema has it. @throws VendorError `lies` that names the field. */
export function checkShape<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.');
  throw lie(`TwelveData’s answer does not have the documented shape: ${where}: ${issue?.message ?? 'not valid'}.`);
}
