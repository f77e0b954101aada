import type { Feed, FeedSettings } from '@touchstone/contracts/feeds';
import { SelectField, TextField } from '../../components/form.tsx';

const BASES = ['split_adjusted', 'raw', 'total_return'] as const;

/** All text, as the controls hold it. */
export type SettingsDraft = Record<
  'years' | 'overlapDays' | 'urlTemplate' | 'basis' | 'series' | 'quotes' | 'creditsPerMinute' | 'creditsPerDay',
  string
>;

export function toDraft(settings: Partial<FeedSettings>): SettingsDraft {
  const text = (value: number | string | undefined) => (value === undefined ? '' : String(value));
  return {
    years: text(settings.years ?? 5),
    overlapDays: text(settings.overlapDays ?? 10),
    urlTemplate: text(settings.urlTemplate),
    basis: text(settings.basis ?? 'split_adjusted'),
    series: (settings.series ?? []).join(', '),
    quotes: (settings.quotes ?? []).join(', '),
    creditsPerMinute: text(settings.creditsPerMinute ?? 8),
    creditsPerDay: text(settings.creditsPerDay ?? 800),
  };
}

/** Only what the vendor uses: the rest would be refused. */
export function toSettings(vendor: Feed['feed'], draft: SettingsDraft): Partial<FeedSettings> {
  const list = (text: string) => text.split(/[\s,;]+/).filter((word) => word !== '');
  const common = { years: Number(draft.years), overlapDays: Number(draft.overlapDays) };
  if (vendor === 'twelvedata') {
    const credits = { creditsPerMinute: Number(draft.creditsPerMinute), creditsPerDay: Number(draft.creditsPerDay) };
    return { ...common, ...credits };
  }
  if (vendor === 'stooq') {
    const basis = BASES.find((one) => one === draft.basis) ?? 'split_adjusted';
    return { ...common, basis, ...(draft.urlTemplate !== '' && { urlTemplate: draft.urlTemplate }) };
  }
  if (vendor === 'ecb') return { ...common, ...(draft.quotes !== '' && { quotes: list(draft.quotes.toUpperCase()) }) };
  return { ...common, series: list(draft.series) };
}

type FieldsProps = {
  vendor: Feed['feed'];
  draft: SettingsDraft;
  onDraft: (draft: SettingsDraft) => void;
  error: unknown;
};

export function SettingsFields({ vendor, draft, onDraft, error }: FieldsProps) {
  const field = (key: keyof SettingsDraft) => ({
    path: `body.settings.${key}`,
    error,
    value: draft[key],
    onValue: (value: string) => onDraft({ ...draft, [key]: value }),
  });
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {vendor === 'twelvedata' && (
        <>
          <TextField
            label="Credits a minute"
            type="number"
            min={1}
            max={100_000}
            required
            hint="Of your plan; 8 on the free one. Never exceeded."
            {...field('creditsPerMinute')}
          />
          <TextField
            label="Credits a day"
            type="number"
            min={1}
            max={10_000_000}
            required
            hint="800 on the free plan."
            {...field('creditsPerDay')}
          />
        </>
      )}
      {vendor === 'stooq' && (
        <>
          <div className="sm:col-span-2">
            <TextField
              label="Address"
              type="text"
              inputMode="url"
              maxLength={500}
              placeholder="https://stooq.com/q/d/l/?s={symbol}.us&d1={from}&d2={to}&i=d"
              hint="With {symbol}, {from} and {to} in it. Empty: the address of Stooq. Public https addresses only."
              {...field('urlTemplate')}
            />
          </div>
          <SelectField
            label="Its prices are adjusted for"
            options={[
              ['split_adjusted', 'Splits'],
              ['raw', 'Nothing'],
              ['total_return', 'Splits and dividends'],
            ]}
            {...field('basis')}
          />
        </>
      )}
      {vendor === 'ecb' && (
        <div className="sm:col-span-2">
          <TextField
            label="Currencies"
            placeholder="USD, GBP, JPY"
            hint="Empty: all it publishes."
            {...field('quotes')}
          />
        </div>
      )}
      {(vendor === 'fred' || vendor === 'alfred') && (
        <div className="sm:col-span-2">
          <TextField
            label="Series"
            required
            placeholder="UNRATE, CPIAUCSL"
            hint="Names of the series at the vendor, with commas between."
            {...field('series')}
          />
        </div>
      )}
      <TextField
        label="Years of history"
        type="number"
        min={1}
        max={100}
        required
        hint="Asked for when something is new."
        {...field('years')}
      />
      <TextField
        label="Sessions asked again"
        type="number"
        min={1}
        max={250}
        required
        hint="Each time, so that revisions are seen."
        {...field('overlapDays')}
      />
    </div>
  );
}
